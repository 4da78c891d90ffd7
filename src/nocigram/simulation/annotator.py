"""What a person would write down: the true actions, a few frames off where they change. T frames."""

from itertools import pairwise

import numpy as np
from jaxtyping import Int

from nocigram.core.bouts import bouts_of

_P_OFF = (0.06, 0.2, 0.48, 0.2, 0.06)
"""Chances of an edge being 2 or 1 frames early, right, 1 or 2 late."""
_P_OFF_SHORT = (0.0, 0.14, 0.72, 0.14, 0.0)
"""The same next to a bout of up to `_SHORT_N_FRAMES`, which a person looks at frame by frame."""
_SHORT_N_FRAMES = 12
_SCALE_LONG = 2
"""Between two long bouts the edges are off by that many times more."""
_KEPT = 0.6
"""Share of a bout that always keeps its action."""


def annotate(rng: np.random.Generator, actions: Int[np.ndarray, " T"]) -> Int[np.ndarray, " T"]:
    """Move the edges between bouts by a few frames; no bout vanishes or loses more than 40% of its frames."""
    bouts = bouts_of(actions)
    annotated = actions.copy()
    for before, after in pairwise(bouts):
        is_short = min(len(before.span), len(after.span)) <= _SHORT_N_FRAMES
        off = int(rng.choice(np.arange(-2, 3), p=_P_OFF_SHORT if is_short else _P_OFF))
        if min(len(before.span), len(after.span)) >= 2 * _SHORT_N_FRAMES:
            off *= _SCALE_LONG
        # each bout gives way at both ends, so that half of what it may lose is lost at one of them
        early, late = _may_lose(len(before.span)), _may_lose(len(after.span))
        off = int(np.clip(off, -early, late))
        edge = after.span.start
        if off > 0:
            annotated[edge : edge + off] = before.action
        elif off < 0:
            annotated[edge + off : edge] = after.action
    return annotated


def _may_lose(n_frames: int) -> int:
    """Frames that a bout may lose at one end. A bout of 3 frames keeps all of them or loses none at that end."""
    return int((1 - _KEPT) / 2 * n_frames)
