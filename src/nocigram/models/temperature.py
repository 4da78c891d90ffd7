"""One number that makes a network's probabilities as sure as they are right. It changes no action.

N frames, C actions.
"""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from nocigram.evaluation.trial_prediction import TrialPrediction

_LEAST_PROBABILITY = 1e-9
_LIMITS = (0.1, 10.0)
"""A few validation animals that are all right would ask for 0, all wrong for infinity."""


def scaled(probabilities: Float[np.ndarray, "*N C"], temperature: float) -> Float[np.ndarray, "*N C"]:
    """Probabilities as from logits that were divided by `temperature`: above 1 they become less sure.

    Which action is likeliest stays as it is.
    """
    if temperature == 1:
        return probabilities
    logits = np.log(np.maximum(probabilities, _LEAST_PROBABILITY)) / temperature
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def calibrated(trial: TrialPrediction, temperature: float) -> TrialPrediction:
    """The same trial and actions with scaled probabilities."""
    return replace(trial, probabilities=scaled(trial.probabilities, temperature))


def fit_temperature(labels: Int[np.ndarray, " N"], probabilities: Float[np.ndarray, "N C"]) -> float:
    """The temperature with the highest likelihood of the labels, between 0.1 and 10.

    Args:
        labels: of scored validation frames.
        probabilities: that the network gave them.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", ICML.
    """
    frames = np.arange(len(labels))

    def surprise(log_temperature: float) -> float:
        """Mean negative log-likelihood."""
        likelihood = scaled(probabilities, math.exp(log_temperature))[frames, labels]
        return float(-np.log(np.maximum(likelihood, _LEAST_PROBABILITY)).mean())

    low, high = (math.log(limit) for limit in _LIMITS)
    return math.exp(float(minimize_scalar(surprise, bounds=(low, high), method="bounded").x))
