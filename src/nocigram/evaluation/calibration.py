"""Do probabilities mean what they say: of the frames called with 0.8, are 80% right?

N scored frames, C actions, B bins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation.frame_scores import share_of
from nocigram.evaluation.trial_prediction import TrialPrediction

N_BINS = 15
"""Bins of equal width from 0 to 1, as in Guo et al. 2017."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """Probabilities beside how often they came true, bin by bin."""

    n_frames: Int[np.ndarray, " B"]
    mean_probability: Float[np.ndarray, " B"]
    """Of the frames of a bin; NaN in an empty one."""
    share_true: Float[np.ndarray, " B"]
    """Share of a bin's frames for which it came true; NaN in an empty one."""

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of probability and share over the bins, weighted by their frames.

        0 is perfect. Source: Naeini et al. 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks", ICML.
        """
        distance = np.abs(self.mean_probability - self.share_true)
        return float(np.nansum(distance * self.n_frames) / self.n_frames.sum())


def reliability(probability: Float[np.ndarray, " N"], came_true: Bool[np.ndarray, " N"]) -> Reliability:
    """Sort frames into bins by their probability; one on an edge belongs to the upper bin, and 1 to the last.

    Args:
        probability: that something is so, from 0 to 1.
        came_true: whether it was.
    """
    bin_of = np.minimum((probability * N_BINS).astype(np.int64), N_BINS - 1)
    n_frames = np.bincount(bin_of, minlength=N_BINS)
    return Reliability(
        n_frames=n_frames,
        mean_probability=share_of(np.bincount(bin_of, weights=probability, minlength=N_BINS), n_frames),
        share_true=share_of(np.bincount(bin_of, weights=came_true, minlength=N_BINS), n_frames),
    )


def reliability_of_best(trials: Sequence[TrialPrediction]) -> Reliability:
    """The probability of each frame's likeliest action, and whether that is the labelled one.

    Args:
        trials: at least one of them has a scored frame.
    """
    labels, probabilities = frames_that_count(trials)
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def reliability_by_action(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> dict[str, Reliability]:
    """For each action the probability that each frame was given of it, and whether it is the labelled one.

    Raises:
        InputError: as `score_trials`.
    """
    require_scorable(trials, classes=classes)
    labels, probabilities = frames_that_count(trials)
    return {name: reliability(probabilities[:, action], labels == action) for action, name in enumerate(classes)}


def frames_that_count(trials: Sequence[TrialPrediction]) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, "N C"]]:
    """Labels and probabilities of the frames that scores of frames are made of, trial after trial."""
    labels = np.concatenate([trial.labels[trial.counted] for trial in trials])
    probabilities = np.concatenate([trial.probabilities[trial.counted] for trial in trials])
    return labels, probabilities
