"""Bouts: maximal runs of frames with one action."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int

from nocigram.core.actions import UNSCORED
from nocigram.core.ranges import FrameRange


@dataclass(frozen=True)
class Bout:
    """One action from its first to its last frame."""

    action: int
    """Index of the action."""
    span: FrameRange


def near_edges(actions: Int[np.ndarray, " T"], n_frames: int) -> Bool[np.ndarray, " T"]:
    """Frames within `n_frames` of a change from one action to another, on both sides of it.

    A change to or from unscored frames is none: nobody said what is there. The middle frame of a bout is never near, or
    both of them where its length is even, so that an action of short bouts doesn't vanish.
    """
    near = np.zeros(len(actions), dtype=bool)
    if not n_frames:
        return near
    for before, after in pairwise(bouts_of(actions)):
        if before.span.stop == after.span.start:
            near[max(before.span.stop - n_frames, _middle(before.span).stop) : before.span.stop] = True
            near[after.span.start : min(after.span.start + n_frames, _middle(after.span).start)] = True
    return near


def without_edges(actions: Int[np.ndarray, " T"], n_frames: int) -> Int[np.ndarray, " T"]:
    """The same with frames that are `near_edges` unscored."""
    return np.where(near_edges(actions, n_frames), UNSCORED, actions)


def _middle(span: FrameRange) -> FrameRange:
    """The middle frame, or both of them."""
    return FrameRange((span.start + span.stop - 1) // 2, (span.start + span.stop) // 2 + 1)


def bouts_of(actions: Int[np.ndarray, " T"]) -> list[Bout]:
    """Split per-frame actions into bouts, in order. An unscored frame ends a bout and belongs to none."""
    if not len(actions):
        return []
    edges = np.flatnonzero(np.diff(actions)) + 1
    starts, stops = np.r_[0, edges], np.r_[edges, len(actions)]
    return [
        Bout(int(actions[start]), FrameRange(int(start), int(stop)))
        for start, stop in zip(starts, stops, strict=True)
        if actions[start] != UNSCORED
    ]
