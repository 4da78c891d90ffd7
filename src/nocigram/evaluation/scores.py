"""All scores of a set of trials: the numbers of metrics.json.

C actions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from sklearn.metrics import average_precision_score

from nocigram.core.numbers import none_for_nan, without_nan
from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation._text import scores_as_text
from nocigram.evaluation.calibration import frames_that_count, reliability_of_best
from nocigram.evaluation.counts import Counts, count_trials
from nocigram.evaluation.frame_scores import FrameScores, score_confusion
from nocigram.evaluation.keypoints import keypoint_errors
from nocigram.evaluation.segments import BOUT_IOU, IOU_THRESHOLDS
from nocigram.evaluation.trial_prediction import TrialPrediction
from nocigram.evaluation.wording import counted


@dataclass(frozen=True, kw_only=True)
class ActionScores:
    """Scores of one action. NaN where a number does not exist (see `frame_scores`)."""

    f1: float
    """Of frames; NaN without a true frame."""
    precision: float
    """Share of the frames called so that are so; NaN if none is called so."""
    recall: float
    """Share of the action's frames that are called so; NaN without a true frame."""
    average_precision: float
    """Mean precision over all thresholds, weighted by the recall that each adds; NaN without a true frame."""
    n_frames: int
    """Labelled frames."""
    n_bouts: int
    """Labelled bouts."""
    n_frames_predicted: int
    """Scored frames that the model calls so."""
    n_bouts_predicted: int
    """Bouts that the model calls so."""
    n_bouts_found: int
    """Labelled bouts with a predicted partner at an overlap of 0.3 or more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """How well a model names the actions of labelled trials. Fractions from 0 to 1 unless said otherwise."""

    macro_f1: float
    """Mean F1 of the actions that have true frames, each counting alike."""
    accuracy: float
    """Share of scored frames that are right."""
    balanced_accuracy: float
    """Mean recall of the actions that have true frames."""
    per_action: Mapping[str, ActionScores]
    """By name, in the order of the classes."""
    segment_f1: Mapping[str, float]
    """Intersection over union -> F1 of bouts, matched within each trial."""
    edit: float
    """Likeness of the order of bouts, mean over trials, 0 to 100."""
    ece: float
    """Expected calibration error of the likeliest action; 0 is perfect."""
    keypoint_mae_px: float | None
    """Mean absolute error of x and y in pixels; None without a keypoint head."""
    keypoint_mae_norm: float | None
    """The same relative to the side of the view; None without a keypoint head."""
    n_frames: int
    """Scored frames."""
    n_trials: int
    """Trials with a scored frame."""
    n_animals: int
    """Animals with a scored frame."""
    confusion: Int[np.ndarray, "C C"]
    """Number of frames; row = true action, column = predicted action."""

    @property
    def macro_accuracy(self) -> float:
        """The guide's name for balanced accuracy."""
        return self.balanced_accuracy

    @property
    def classes(self) -> tuple[str, ...]:
        """Actions in the order of the model's outputs."""
        return tuple(self.per_action)

    @property
    def measured_on(self) -> str:
        """How much the scores rest on, in words."""
        trials, animals = counted(self.n_trials, "trial"), counted(self.n_animals, "animal")
        return f"{counted(self.n_frames, 'scored frame')} of {trials} and {animals}"

    def as_dict(self) -> dict[str, object]:
        """The content of metrics.json: plain numbers, and None for a number that does not exist."""
        keys = ("f1", "precision", "recall", "average_precision", "n_frames", "n_bouts")
        return {
            "macro_f1": none_for_nan(self.macro_f1),
            "accuracy": none_for_nan(self.accuracy),
            "balanced_accuracy": none_for_nan(self.balanced_accuracy),
            "per_action": {
                name: {key: none_for_nan(getattr(action, key)) for key in keys}
                for name, action in self.per_action.items()
            },
            "segment_f1": without_nan(self.segment_f1),
            "edit": none_for_nan(self.edit),
            "ece": none_for_nan(self.ece),
            "keypoint_mae_px": none_for_nan(self.keypoint_mae_px),
            "keypoint_mae_norm": none_for_nan(self.keypoint_mae_norm),
            "n_frames": self.n_frames,
            "n_trials": self.n_trials,
            "n_animals": self.n_animals,
        }

    def change_to(self, other: "Scores") -> str:
        """The main scores of both, in words; for predictions before and after something was done to them."""
        pairs = {
            "macro F1": (self.macro_f1, other.macro_f1),
            "segment F1@0.3": (self.segment_f1["0.3"], other.segment_f1["0.3"]),
            "edit": (self.edit, other.edit),
        }
        return ", ".join(f"{name} {before:.4g} -> {after:.4g}" for name, (before, after) in pairs.items())

    def as_text(self, *, pain_sign: str = "paw_withdraw") -> str:
        """A table for the terminal and what its numbers mean.

        Args:
            pain_sign: the action to point at; nothing is pointed at if it is not among the classes.
        """
        return scores_as_text(self, pain_sign=pain_sign)


def score_trials(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> Scores:
    """Score the predictions of trials against their labels. Unscored frames count nowhere.

    Args:
        trials: each trial of a recording once.
        classes: names of the columns of the probabilities.

    Raises:
        InputError: there is no trial, a trial is there twice, its columns are not the classes, or no frame is scored.
    """
    require_scorable(trials, classes=classes)
    used = [trial for trial in trials if trial.scored.any()]
    counts = count_trials(used, n_actions=len(classes))
    frames = score_confusion(counts.confusion)
    keypoints = keypoint_errors(used)
    return Scores(
        macro_f1=float(frames.macro_f1),
        accuracy=float(frames.accuracy),
        balanced_accuracy=float(frames.balanced_accuracy),
        per_action=_per_action(frames, counts, average_precision=_average_precision(used, classes=classes)),
        segment_f1=dict(zip(IOU_THRESHOLDS, counts.segment_f1.tolist(), strict=True)),
        edit=float(counts.edit),
        ece=reliability_of_best(used).expected_error,
        keypoint_mae_px=keypoints.mae_px if keypoints else None,
        keypoint_mae_norm=keypoints.mae_norm if keypoints else None,
        n_frames=int(frames.confusion.sum()),
        n_trials=len(used),
        n_animals=len({trial.animal for trial in used}),
        confusion=frames.confusion,
    )


def _average_precision(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> dict[str, float]:
    """Of each action against all others (scikit-learn's `average_precision_score`); NaN without a true frame."""
    labels, probabilities = frames_that_count(trials)
    return {
        name: float(average_precision_score(labels == action, probabilities[:, action]))
        if (labels == action).any()
        else math.nan
        for action, name in enumerate(classes)
    }


def _per_action(
    frames: FrameScores, counts: Counts, *, average_precision: Mapping[str, float]
) -> dict[str, ActionScores]:
    """Scores by name of action."""
    n_found = counts.n_matched_bouts[IOU_THRESHOLDS.index(BOUT_IOU)]
    return {
        name: ActionScores(
            f1=float(frames.f1[action]),
            precision=float(frames.precision[action]),
            recall=float(frames.recall[action]),
            average_precision=value,
            n_frames=int(frames.confusion[action].sum()),
            n_bouts=int(counts.n_true_bouts[action]),
            n_frames_predicted=int(frames.confusion[:, action].sum()),
            n_bouts_predicted=int(counts.n_called_bouts[action]),
            n_bouts_found=int(n_found[action]),
        )
        for action, (name, value) in enumerate(average_precision.items())
    }
