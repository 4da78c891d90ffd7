"""Positions that no body can have reached: a keypoint that is elsewhere for a moment and then back.

T frames, K keypoints.
"""

import numpy as np
from jaxtyping import Bool, Float, Float32

from nocigram.pose.features import body_length_px
from nocigram.pose.skeleton import Skeleton

LONGEST_JUMP_N_FRAMES = 3
"""A keypoint that stays away for longer may have gone there."""
SHORTEST_JUMP_BODY_LENGTHS = 0.3
"""Over 2 cm of a mouse, there and back within four frames. Simulated paws, shaken and withdrawn ones too, stay below
0.2; what a network gives as sure and is wrong lies beyond, such as one hind paw in the place of the other."""


def without_jumps(
    xy_px: Float32[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, skeleton: Skeleton
) -> Bool[np.ndarray, "T K"]:
    """Visibility without positions that a keypoint leaves for and comes back from.

    Of up to `LONGEST_JUMP_N_FRAMES` frames between two in which a keypoint is visible, those in which it is visible
    count no longer if all of them lie farther from the line between the two positions than
    `SHORTEST_JUMP_BODY_LENGTHS`, and farther than these two are apart: else it has moved on rather than come back.
    A recording without two visible keypoints in one frame has no known size, so nothing is taken away from it.

    Args:
        xy_px: finite positions.
        visible: by the likelihood.
        skeleton: says what a body length is.
    """
    if not (visible.sum(axis=-1) >= 2).any():
        return visible
    reach_px = SHORTEST_JUMP_BODY_LENGTHS * body_length_px(xy_px, visible, skeleton=skeleton)
    steady = visible.copy()
    for n_between in range(1, min(LONGEST_JUMP_N_FRAMES, len(xy_px) - 2) + 1):
        away_px = _least_distance_px(xy_px, steady, n_between=n_between)
        ends_px = np.linalg.norm(xy_px[n_between + 1 :] - xy_px[: -n_between - 1], axis=-1)
        both_ends = steady[n_between + 1 :] & steady[: -n_between - 1]
        is_jump = both_ends & np.isfinite(away_px) & (away_px > np.maximum(reach_px, ends_px))
        for between in range(1, n_between + 1):
            steady[between : between + len(is_jump)] &= ~is_jump
    return steady


def _least_distance_px(
    xy_px: Float32[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, n_between: int
) -> Float[np.ndarray, "N K"]:
    """How far the frames between each frame and the one after the next `n_between` stay from the line between the two.

    Infinite where none of them is visible. N = T - `n_between` - 1.
    """
    step = n_between + 1
    start, stop = xy_px[:-step], xy_px[step:]
    least = np.full(start.shape[:2], np.inf)
    for between in range(1, step):
        here = slice(between, between + len(start))
        on_line = start + (stop - start) * np.float32(between / step)
        distance = np.linalg.norm(xy_px[here] - on_line, axis=-1)
        least = np.minimum(least, np.where(visible[here], distance, np.inf))
    return least
