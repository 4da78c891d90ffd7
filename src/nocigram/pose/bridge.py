"""Positions for keypoints in frames where they are not visible.

T frames, K keypoints.
"""

import numpy as np
from jaxtyping import Bool, Float32


def bridged(xy_px: Float32[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"]) -> Float32[np.ndarray, "T K 2"]:
    """Straight lines across the frames in which a keypoint is not visible; its first and last position are held.

    A tracker is least sure of a paw when it is lifted or fast, which is when its place matters; what it writes down
    then may be anywhere. A keypoint that is never visible stays as it was.
    """
    filled = xy_px.copy()
    frames = np.arange(len(xy_px))
    for keypoint in range(xy_px.shape[1]):
        seen = visible[:, keypoint]
        if seen.any() and not seen.all():
            for axis in (0, 1):
                filled[~seen, keypoint, axis] = np.interp(frames[~seen], frames[seen], xy_px[seen, keypoint, axis])
    return filled
