"""Left and right keypoints that change places, found by continuity over time.

A pose network tells left from right by looks, frame by frame. Where it errs, both keypoints of a pair leap to each
other's place at once, which no animal does. Which of the two namings is the wrong one is told by time, as the shorter
spell, or by the body: seen from one side, the left keypoint always lies on the same side of the axis.

T frames, K keypoints, P left-right pairs, V frames in which both keypoints of a pair are visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from nocigram.core.ranges import FrameRange
from nocigram.pose.features import body_length_px
from nocigram.pose.skeleton import Skeleton, left_right_pairs

_LONGEST_GAP_N_FRAMES = 3
"""Between two frames that are farther apart the paws may have gone anywhere."""
_LEAST_LEAP_BODY_LENGTHS = 0.3
"""Both ways together. Paws that are closer than half of this are as near to each other's place as to their own."""
_CROSSED_SHARE = 0.5
"""Changing names must make the way at most this long for the change to be believed."""
_LONGEST_SHORT_S = 1.0
"""A spell between two leaps that is longer needs the body's word that it is the wrong one."""
_LEAST_SIDE_BODY_LENGTHS = 0.05
"""A pair whose keypoints are less to the left and right of the axis doesn't say which is which."""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A spell in which two keypoints bear each other's names."""

    left: int
    """Position of the left keypoint among the skeleton's."""
    right: int
    span: FrameRange


def swaps_of(
    xy_px: Float[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, skeleton: Skeleton, fps: float
) -> list[Swap]:
    """Spells in which left and right are swapped, by pair and time.

    Args:
        xy_px: finite positions.
        visible: by the likelihood alone; who takes away jumps takes away swaps.
        skeleton: its left-right pairs are looked at.
        fps: frames per second.
    """
    if not (visible.sum(axis=-1) >= 2).any():
        return []
    length_px = body_length_px(xy_px, visible, skeleton=skeleton)
    swaps = []
    for left, right in left_right_pairs(skeleton.names):
        leaps = _leaps(xy_px[:, [left, right]], visible[:, [left, right]], length_px=length_px)
        sides = side_of(xy_px, visible, pair=(left, right), skeleton=skeleton)
        spans = _wrong_spells(leaps, sides, longest_short_n_frames=round(_LONGEST_SHORT_S * fps))
        swaps += [Swap(left=left, right=right, span=span) for span in spans]
    return swaps


def side_of(
    xy_px: Float[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, pair: tuple[int, int], skeleton: Skeleton
) -> Float[np.ndarray, " T"]:
    """How far the left keypoint lies clockwise of the right one across the body's axis, in body lengths.

    Its sign is the same in all frames of a camera that looks from one side, from below or from above, unless names
    are swapped or the picture is mirrored. NaN where one of the pair or an end of the axis is not visible.
    """
    left, right = pair
    axis = xy_px[:, skeleton.front] - xy_px[:, skeleton.back]
    across = xy_px[:, left] - xy_px[:, right]
    length = np.linalg.norm(axis, axis=-1)
    known = visible[:, [left, right, skeleton.front, skeleton.back]].all(axis=-1) & (length > 0)
    cross = axis[:, 0] * across[:, 1] - axis[:, 1] * across[:, 0]
    side = np.where(known, cross / np.where(known, length, 1.0), np.nan)
    return side / body_length_px(xy_px, visible, skeleton=skeleton)


def usual_side(sides: Float[np.ndarray, " T"]) -> int:
    """+1 or -1: where the left keypoint lies for most of the time; 0 where nothing can be said."""
    known = sides[np.isfinite(sides)]
    middle = float(np.median(known)) if len(known) else 0.0
    return int(np.sign(middle)) if abs(middle) >= _LEAST_SIDE_BODY_LENGTHS else 0


def _leaps(
    xy_px: Float[np.ndarray, "T 2 2"], visible: Bool[np.ndarray, "T 2"], *, length_px: float
) -> Int[np.ndarray, " N"]:
    """First frames after both keypoints went to each other's place."""
    frames = np.flatnonzero(visible.all(axis=-1))
    if len(frames) < 2:
        return np.zeros(0, dtype=np.int64)
    before, after = xy_px[frames[:-1]], xy_px[frames[1:]]
    kept = np.linalg.norm(after - before, axis=-1).sum(axis=-1)
    crossed = np.linalg.norm(after - before[:, ::-1], axis=-1).sum(axis=-1)
    near = np.diff(frames) <= _LONGEST_GAP_N_FRAMES
    is_leap = near & (kept > _LEAST_LEAP_BODY_LENGTHS * length_px) & (crossed < _CROSSED_SHARE * kept)
    return frames[1:][is_leap]


def _wrong_spells(
    leaps: Sequence[int] | Int[np.ndarray, " N"], sides: Float[np.ndarray, " T"], *, longest_short_n_frames: int
) -> list[FrameRange]:
    """Short spells from one leap to the next, and longer ones at a leap in which the left one is on the other side."""
    usual = usual_side(sides)
    edges = [0, *(int(leap) for leap in leaps), len(sides)]
    spells: list[FrameRange] = []
    for at, (start, stop) in enumerate(pairwise(edges)):
        if stop <= start or len(edges) == 2:
            continue
        is_inside, is_short = 0 < at < len(edges) - 2, stop - start <= longest_short_n_frames
        follows_wrong = bool(spells) and spells[-1].stop == start  # after a wrong spell comes a right one
        is_other = usual != 0 and usual_side(sides[start:stop]) == -usual
        if not follows_wrong and ((is_inside and is_short) or is_other):
            spells.append(FrameRange(start, stop))
    return spells
