"""Probability from which on a frame would be called an action, tuned for that action alone.

Tuned on validation, so its F1 flatters there: it is reported apart and never as the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve

from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation.calibration import frames_that_count
from nocigram.evaluation.trial_prediction import TrialPrediction


@dataclass(frozen=True, kw_only=True)
class TunedThreshold:
    """The threshold of one action against all others."""

    threshold: float | None
    """A frame is called the action if its probability is this or more. None for an action without a true frame."""
    f1: float | None
    """F1 of the action at this threshold on the trials it was tuned on. None for an action without a true frame."""


def best_thresholds(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> dict[str, TunedThreshold]:
    """The threshold of each action with the best one-against-all F1; the lowest of several that are equally good.

    Args:
        trials: validation trials; unscored frames are left out.
        classes: names of the columns of the probabilities.

    Raises:
        InputError: as `score_trials`.
    """
    require_scorable(trials, classes=classes)
    labels, probabilities = frames_that_count(trials)
    return {name: _best_of(labels == action, probabilities[:, action]) for action, name in enumerate(classes)}


def _best_of(is_action: np.ndarray, probability: np.ndarray) -> TunedThreshold:
    """The best threshold of one action, from the whole precision-recall curve."""
    if not is_action.any():
        return TunedThreshold(threshold=None, f1=None)
    precision, recall, thresholds = precision_recall_curve(is_action, probability)
    precision, recall = precision[:-1], recall[:-1]  # the last point (1, 0) belongs to no threshold
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    best = int(f1.argmax())
    return TunedThreshold(threshold=float(thresholds[best]), f1=float(f1[best]))
