"""Scores of single frames: F1, precision, recall, accuracy, confusion.

T frames, C actions. The measures are scikit-learn's.

An action without a true frame: its recall and F1 do not exist and are NaN, and it is left out of the macro F1
and of the balanced accuracy. A model that never calls it gains nothing by that, and one that does is judged
where it erred, since such a frame is a miss of the action that it truly was.
An action that is never predicted has no precision (NaN); if it has true frames, its F1 is 0 and counts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameScores:
    """Scores over frames. Fractions from 0 to 1."""

    macro_f1: float
    """Mean F1 of the actions that have true frames, each counting alike."""
    accuracy: float
    """Share of frames that are right."""
    balanced_accuracy: float
    """Mean recall of the actions that have true frames (the guide's macro accuracy)."""
    f1: Float[np.ndarray, " C"]
    """NaN for an action without a true frame."""
    precision: Float[np.ndarray, " C"]
    """Share of the frames called so that are so; NaN for an action that is never called."""
    recall: Float[np.ndarray, " C"]
    """Share of the action's frames that are called so; NaN for an action without a true frame."""
    confusion: Int[np.ndarray, "C C"]
    """Number of frames; row = true action, column = predicted action."""


def score_frames(labels: Int[np.ndarray, " T"], predicted: Int[np.ndarray, " T"], *, n_actions: int) -> FrameScores:
    """Compare actions frame by frame.

    Args:
        labels: true actions, at least one frame, unscored frames taken out.
        predicted: predicted actions of the same frames.
        n_actions: C.
    """
    actions = np.arange(n_actions)
    confusion = confusion_matrix(labels, predicted, labels=actions)
    precision, recall, f1, n_true = precision_recall_fscore_support(labels, predicted, labels=actions, zero_division=0)
    is_there, is_called = n_true > 0, confusion.sum(axis=0) > 0
    return FrameScores(
        macro_f1=float(f1[is_there].mean()),
        accuracy=float(np.mean(labels == predicted)),
        balanced_accuracy=float(recall[is_there].mean()),
        f1=np.where(is_there, f1, np.nan),
        precision=np.where(is_called, precision, np.nan),
        recall=np.where(is_there, recall, np.nan),
        confusion=confusion,
    )
