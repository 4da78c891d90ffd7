"""Moments at which the whole body is elsewhere from one frame to the next.

T frames, K keypoints.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

_FASTEST_BODY_LENGTHS_PER_S = 40.0
"""More than 3 m/s for a mouse of 8 cm, in a chamber; what is faster has been cut out of the video, or is no mouse."""
_LEAST_BODY_LENGTHS = 0.5
"""At high frame rates the noise of a tracker passes any speed."""


def leaps_of(
    xy_px: Float[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, body_length_px: float, fps: float
) -> Int[np.ndarray, " N"]:
    """Frames to which at least two keypoints and most of those visible before and after came faster than any mouse."""
    reach_px = max(_FASTEST_BODY_LENGTHS_PER_S / fps, _LEAST_BODY_LENGTHS) * body_length_px
    both = visible[1:] & visible[:-1]
    is_far = (np.linalg.norm(np.diff(xy_px, axis=0), axis=-1) > reach_px) & both
    n_far = is_far.sum(axis=-1)
    return np.flatnonzero((n_far >= 2) & (2 * n_far > both.sum(axis=-1))) + 1
