"""Scores of bouts: segment F1 at an overlap, and the edit score (Lea et al. 2017, "Temporal Convolutional Networks
for Action Segmentation and Detection", CVPR).

T frames, C actions, N labelled bouts, M predicted ones, P pairs.

Both look at one trial at a time. Unscored frames end the bouts of the labels and of the prediction alike, so no
bout reaches over them and none lies in them. Counts are pooled over trials and actions before the F1 is taken,
as in the paper, so an action weighs as much as it has bouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import Bout, bouts_of

IOU_THRESHOLDS = ("0.1", "0.25", "0.3", "0.5")
"""Overlaps at which segment F1 is reported, as metrics.json writes them."""
BOUT_IOU = "0.3"
"""Overlap from which on a bout counts as found, as in the guide's segment F1@0.3; one of the above."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BoutCounts:
    """Bouts of each action, and how many of them found a partner. Counts of several trials add up."""

    n_true: Int[np.ndarray, " C"]
    """Labelled bouts."""
    n_predicted: Int[np.ndarray, " C"]
    """Predicted bouts."""
    n_matched: Int[np.ndarray, " C"]
    """Predicted bouts that are right, each the only one of a labelled bout."""

    def __add__(self, other: "BoutCounts") -> "BoutCounts":
        return BoutCounts(
            n_true=self.n_true + other.n_true,
            n_predicted=self.n_predicted + other.n_predicted,
            n_matched=self.n_matched + other.n_matched,
        )

    @property
    def f1(self) -> float:
        """F1 of bouts over all actions, 0 to 1; NaN when there is no bout at all."""
        n_bouts = int(self.n_true.sum() + self.n_predicted.sum())
        return 2 * int(self.n_matched.sum()) / n_bouts if n_bouts else float("nan")


def count_bouts(
    labels: Int[np.ndarray, " T"], predicted: Int[np.ndarray, " T"], *, n_actions: int, min_iou: float
) -> BoutCounts:
    """Count the bouts of one trial and those that were found.

    A predicted bout is right if the labelled bout of its action that it overlaps most does so by `min_iou`,
    intersection over union, or more. Of several that overlap one labelled bout most, one is right.

    Args:
        labels: true actions, UNSCORED allowed.
        predicted: predicted actions of the same frames.
        n_actions: C.
        min_iou: above 0, since bouts that don't overlap are no partners.
    """
    n_true, n_predicted, n_matched = np.zeros((3, n_actions), dtype=np.int64)
    for action, (true_spans, predicted_spans) in enumerate(spans_of_both(labels, predicted, n_actions=n_actions)):
        n_true[action], n_predicted[action] = len(true_spans), len(predicted_spans)
        n_matched[action] = _n_right(true_spans, predicted_spans, min_iou=min_iou)
    return BoutCounts(n_true=n_true, n_predicted=n_predicted, n_matched=n_matched)


def edit_score(labels: Int[np.ndarray, " T"], predicted: Int[np.ndarray, " T"]) -> float:
    """How alike the orders of bouts of one trial are, 0 to 100; NaN when no frame is scored.

    100 * (1 - Levenshtein distance / length of the longer sequence). Blind to when bouts begin and how long they
    are; it punishes bouts that are split, missed, made up or in the wrong order.
    """
    true_order, predicted_order = ([bout.action for bout in bouts] for bouts in _bouts_of_both(labels, predicted))
    if not true_order:
        return float("nan")
    longer = max(len(true_order), len(predicted_order))
    return 100 * (1 - _levenshtein(true_order, predicted_order) / longer)


def spans_of_both(
    labels: Int[np.ndarray, " T"], predicted: Int[np.ndarray, " T"], *, n_actions: int
) -> list[tuple[Int[np.ndarray, "N 2"], Int[np.ndarray, "M 2"]]]:
    """[start, stop) of the labelled and of the predicted bouts of each action of a trial, in order of time."""
    both = _bouts_of_both(labels, predicted)
    return [(_spans(both[0], action=action), _spans(both[1], action=action)) for action in range(n_actions)]


def pairs_by_overlap(
    labelled: Int[np.ndarray, "N 2"], predicted: Int[np.ndarray, "M 2"], *, min_iou: float
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Match spans of one action one to one, largest overlap first.

    Returns:
        Positions of the partners among the labelled and among the predicted spans.
    """
    iou = _overlaps(labelled, predicted)
    rows, columns = np.nonzero(iou >= min_iou)
    order = np.argsort(-iou[rows, columns], kind="stable")
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return np.array([*pairs], dtype=np.int64), np.array([*pairs.values()], dtype=np.int64)


def _n_right(labelled: Int[np.ndarray, "N 2"], predicted: Int[np.ndarray, "M 2"], *, min_iou: float) -> int:
    """Labelled bouts that some prediction overlaps most, and enough."""
    if not len(labelled):
        return 0
    iou = _overlaps(labelled, predicted)
    return len(np.unique(iou.argmax(axis=0)[iou.max(axis=0) >= min_iou]))


def _bouts_of_both(labels: np.ndarray, predicted: np.ndarray) -> tuple[list[Bout], list[Bout]]:
    """Bouts of the labels and of the prediction, both broken where the labels are unscored."""
    return bouts_of(labels), bouts_of(np.where(labels == UNSCORED, UNSCORED, predicted))


def _spans(bouts: Sequence[Bout], *, action: int) -> Int[np.ndarray, "N 2"]:
    """[start, stop) of an action's bouts, in order."""
    spans = [(bout.span.start, bout.span.stop) for bout in bouts if bout.action == action]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _overlaps(rows: Int[np.ndarray, "N 2"], columns: Int[np.ndarray, "M 2"]) -> Float[np.ndarray, "N M"]:
    """Intersection over union of every pair of spans."""
    start = np.maximum(rows[:, None, 0], columns[None, :, 0])
    stop = np.minimum(rows[:, None, 1], columns[None, :, 1])
    shared = np.clip(stop - start, 0, None)
    lengths = np.diff(rows)[:, 0][:, None] + np.diff(columns)[:, 0][None, :]
    iou: np.ndarray = shared / (lengths - shared)
    return iou


def _levenshtein(first: Sequence[int], second: Sequence[int]) -> int:
    """Fewest insertions, deletions and replacements that turn one sequence into the other."""
    distances = list(range(len(second) + 1))
    for i, item in enumerate(first, start=1):
        diagonal, distances[0] = distances[0], i
        for j, other in enumerate(second, start=1):
            replaced = diagonal + (item != other)
            diagonal = distances[j]
            distances[j] = min(replaced, distances[j] + 1, distances[j - 1] + 1)
    return distances[-1]
