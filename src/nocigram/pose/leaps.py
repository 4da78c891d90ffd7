"""Moments at which the whole body is elsewhere from one frame to the next: cuts, and frames that were dropped.

T frames, K keypoints.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

_TIMES_AROUND = 4.0
"""A keypoint leaps if it moves by more than this many times what it moves in the frame before and the one after. Mice
speed up and slow down over several frames, even at 20 Hz."""
_LEAST_AROUND_BODY_LENGTHS = 0.02
"""Keypoints of a resting mouse move by the tracker's noise."""
_LEAST_MEDIAN_BODY_LENGTHS = 0.08
"""That is the same, four times over: the body as a whole has to move by so much."""
_LEAST_N_KEYPOINTS, _LEAST_SHARE = 3, 0.6
"""Of the keypoints visible in both frames so many have to leap at once; a paw alone may do so, and so may a tracker's
single keypoint."""


def leaps_of(
    xy_px: Float[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, body_length_px: float
) -> Int[np.ndarray, " N"]:
    """Frames to which most of the body starts and stops within one frame.

    What leaps away and back in the next frame is a tracker's error, and no leap of the body.
    """
    moved = np.linalg.norm(np.diff(xy_px, axis=0), axis=-1) / body_length_px
    moved = np.where(visible[1:] & visible[:-1], moved, np.nan)
    beyond = np.full((1, moved.shape[1]), np.nan)
    around = np.fmax(np.concatenate((beyond, moved[:-1])), np.concatenate((moved[1:], beyond)))
    known = np.isfinite(moved) & np.isfinite(around)
    is_leap = known & (moved > _TIMES_AROUND * np.fmax(around, _LEAST_AROUND_BODY_LENGTHS))
    n_known, n_leaping = known.sum(axis=-1), is_leap.sum(axis=-1)
    is_body = (n_known >= _LEAST_N_KEYPOINTS) & (n_leaping >= _LEAST_SHARE * n_known)
    candidates = np.flatnonzero(is_body)
    medians = [float(np.median(moved[at, known[at]])) for at in candidates]
    return candidates[np.array(medians) > _LEAST_MEDIAN_BODY_LENGTHS] + 1
