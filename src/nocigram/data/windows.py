"""Windows over a span of frames, and the way back from windows to one value per frame.

One planner and one stitcher serve validation and prediction alike; both work on a stream, in the memory of about
two windows.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from nocigram.core.ranges import FrameRange

Item = TypeVar("Item")
Rows = dict[str, Float[np.ndarray, "_ ..."]]
"""Values by name, one row a frame."""

OVERLAP_SHARE = 0.25
"""Neighbouring windows share this part, so that few frames are only seen at a window's edge."""


def step_of(window_T: int) -> int:
    """Frames from the start of one window to the start of the next."""
    return max(1, round(window_T * (1 - OVERLAP_SHARE)))


def plan_windows(n_frames: int, *, window_T: int) -> list[FrameRange]:
    """Windows that cover frames 0 to `n_frames`: one every `step_of` frames, the last one flush with the end.

    A span of up to `window_T` frames is one window.
    """
    return [window for window, _ in stream_windows(range(n_frames), window_T=window_T)]


def stream_windows(items: Iterable[Item], *, window_T: int) -> Iterator[tuple[FrameRange, list[Item]]]:
    """The windows of a stream whose end isn't known yet, each with its items."""
    held: deque[Item] = deque(maxlen=window_T)
    n_seen, start, n_reported = 0, 0, 0
    for item in items:
        held.append(item)
        n_seen += 1
        if n_seen == start + window_T:
            yield FrameRange(start, n_seen), list(held)
            start, n_reported = start + step_of(window_T), n_seen
    if n_seen > n_reported:
        yield FrameRange(n_seen - len(held), n_seen), list(held)


def edge_weights(n_frames: int) -> Float[np.ndarray, " T"]:
    """Weight of each frame of a window where windows overlap: a triangle, since frames near an edge lack context."""
    position = np.arange(1, n_frames + 1, dtype=np.float64)
    return np.minimum(position, n_frames + 1 - position)


def stitch(windows: Iterable[tuple[FrameRange, Rows]]) -> Iterator[Rows]:
    """Weighted mean of overlapping windows; every frame comes out once, in order, as soon as no later window holds it.

    Args:
        windows: as `stream_windows` orders them, each with its values, the same names every time.
    """
    sums: Rows = {}
    weights = np.zeros(0)
    first = 0
    for window, rows in windows:
        if window.start > first + len(weights):
            raise ValueError(f"stitch: expected windows without gaps, got {window} after frame {first + len(weights)}")
        if window.start > first:
            yield {name: _mean(sums[name][: window.start - first], weights[: window.start - first]) for name in sums}
            sums = {name: total[window.start - first :] for name, total in sums.items()}
            weights, first = weights[window.start - first :], window.start
        n_new = len(window) - len(weights)
        weights = np.concatenate((weights, np.zeros(n_new))) + edge_weights(len(window))
        for name, values in rows.items():
            total = np.concatenate((sums.get(name, values[:0]), np.zeros((n_new, *values.shape[1:]))))
            sums[name] = total + values * _column(edge_weights(len(window)), values)
    if len(weights):
        yield {name: _mean(total, weights) for name, total in sums.items()}


def stitched(windows: Iterable[tuple[FrameRange, Rows]]) -> Rows:
    """`stitch`, all frames at once."""
    parts = list(stitch(windows))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _mean(total: Float[np.ndarray, "T ..."], weights: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T ..."]:
    """Weighted sums to weighted means."""
    return total / _column(weights, total)


def _column(weights: Float[np.ndarray, " T"], like: Float[np.ndarray, "T ..."]) -> Float[np.ndarray, "T ..."]:
    """Weights shaped to be multiplied with the rows of `like`."""
    return weights.reshape(-1, *[1] * (like.ndim - 1))
