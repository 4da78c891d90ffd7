"""Bouts: maximal runs of frames with one action."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from nocigram.core.actions import UNSCORED
from nocigram.core.ranges import FrameRange


@dataclass(frozen=True)
class Bout:
    """One action from its first to its last frame."""

    action: int
    """Index of the action."""
    span: FrameRange


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
