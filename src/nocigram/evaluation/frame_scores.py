"""Scores of single frames: F1, precision, recall, accuracy, confusion.

T frames, C actions, *N any leading axes (animals, resamples, seeds).

All are made of the confusion matrix, whose cells add up over trials and animals. The measures are those of
scikit-learn.

An action without a true frame: its recall and F1 do not exist and are NaN, and it is left out of the macro F1
and of the balanced accuracy. A model that never calls it gains nothing by that, and one that does is judged
where it erred, since such a frame is a miss of the action that it truly was.
An action that is never predicted has no precision (NaN); if it has true frames, its F1 is 0 and counts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.metrics import confusion_matrix


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameScores:
    """Scores over frames. Fractions from 0 to 1."""

    macro_f1: Float[np.ndarray, "*N"]
    """Mean F1 of the actions that have true frames, each counting alike; NaN where there is none."""
    accuracy: Float[np.ndarray, "*N"]
    """Share of frames that are right; NaN without a frame."""
    balanced_accuracy: Float[np.ndarray, "*N"]
    """Mean recall of the actions that have true frames (the guide's macro accuracy)."""
    f1: Float[np.ndarray, "*N C"]
    """NaN for an action without a true frame."""
    precision: Float[np.ndarray, "*N C"]
    """Share of the frames called so that are so; NaN for an action that is never called."""
    recall: Float[np.ndarray, "*N C"]
    """Share of the action's frames that are called so; NaN for an action without a true frame."""
    confusion: Int[np.ndarray, "*N C C"]
    """Number of frames; row = true action, column = predicted action."""


def count_frames(
    labels: Int[np.ndarray, " T"], predicted: Int[np.ndarray, " T"], *, n_actions: int
) -> Int[np.ndarray, "C C"]:
    """The confusion matrix: row = true action, column = predicted action.

    Args:
        labels: true actions, at least one frame, unscored frames taken out.
        predicted: predicted actions of the same frames.
        n_actions: C.
    """
    confusion: np.ndarray = confusion_matrix(labels, predicted, labels=np.arange(n_actions))
    return confusion


def score_confusion(
    confusion: Int[np.ndarray, "*N C C"], *, averaged: Bool[np.ndarray, " C"] | None = None
) -> FrameScores:
    """The scores of confusion matrices.

    Args:
        confusion: number of frames; row = true action, column = predicted action.
        averaged: actions that enter the two means if they have true frames (default: all).
    """
    n_right = np.diagonal(confusion, axis1=-2, axis2=-1)
    n_true, n_called = confusion.sum(axis=-1), confusion.sum(axis=-2)
    f1 = np.where(n_true > 0, share_of(2 * n_right, n_true + n_called), np.nan)
    recall = share_of(n_right, n_true)
    counts = n_true > 0 if averaged is None else (n_true > 0) & averaged
    n_counting = counts.sum(axis=-1)
    return FrameScores(
        macro_f1=share_of(f1.sum(axis=-1, where=counts), n_counting),
        accuracy=share_of(n_right.sum(axis=-1), n_true.sum(axis=-1)),
        balanced_accuracy=share_of(recall.sum(axis=-1, where=counts), n_counting),
        f1=f1,
        precision=share_of(n_right, n_called),
        recall=recall,
        confusion=confusion,
    )


def share_of(part: np.ndarray | np.number, whole: np.ndarray | np.number) -> Float[np.ndarray, "*N"]:
    """`part / whole`, and NaN where there is no whole."""
    whole = np.asarray(whole)
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
