"""Which labelled and predicted bouts belong together by the moment at which they begin.

N labelled bouts, M predicted ones, P pairs.

A withdrawal of 150 ms that is called two frames late overlaps its label by less than half; by its onset it is found.
"""

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment

from nocigram.config.scoring import ONSET_TOLERANCE_S

__all__ = ["ONSET_TOLERANCE_S", "pairs_at_onset"]


def pairs_at_onset(
    labelled: Int[np.ndarray, " N"], predicted: Int[np.ndarray, " M"], *, within: int
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Match bouts one to one: as many pairs as can be, and among these the smallest sum of onset errors.

    Pairs don't cross: the earlier label has the earlier prediction.

    Args:
        labelled: first frames of one action's labelled bouts in a trial, rising.
        predicted: those of its predicted bouts, rising.
        within: frames by which partners' onsets may differ, at most.

    Returns:
        Positions of the partners among the labelled and among the predicted bouts.
    """
    apart = np.abs(labelled[:, None] - predicted[None, :])
    too_far = within * min(apart.shape) + 1  # dearer than all pairs together, so that no pair is ever given up
    rows, columns = linear_sum_assignment(np.where(apart <= within, apart, too_far))
    is_pair = apart[rows, columns] <= within
    # On a line, partners in order of time are nowhere farther apart than crossed ones.
    return rows[is_pair], np.sort(columns[is_pair])
