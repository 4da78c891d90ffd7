"""What training labels tell of bouts: how short they are, when they end, and what follows them.

T frames, C actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int

from nocigram.core.bouts import bouts_of

PLAUSIBLE_N_FRAMES = 3
"""A bout of any action may be so short (a withdrawal is), however long the labelled ones happen to be."""
_SHORTER_ONE_IN = 20
"""Of so many bouts of an action, one may be shorter than what is called its shortest."""


@dataclass(frozen=True, kw_only=True)
class BoutStatistics:
    """Numbers about each action, in the order of the scheme's classes. Plain, to be kept in a checkpoint."""

    shortest_n_frames: tuple[int, ...]
    """At most one bout in 20 is expected to be shorter; 1 where no whole bout was labelled."""
    share: tuple[float, ...]
    """Share of scored frames; 0 for an action that was never labelled."""
    leave: tuple[float, ...]
    """Probability that a bout ends with a frame, once it has its minimum duration."""
    transitions: tuple[tuple[float, ...], ...]
    """Probability of the next bout's action (column) after a bout (row), 0 to itself and to what was never labelled."""

    def __post_init__(self) -> None:
        n_actions = len(self.share)
        lengths = [len(self.shortest_n_frames), len(self.leave), len(self.transitions), *map(len, self.transitions)]
        if set(lengths) != {n_actions}:
            raise ValueError(f"BoutStatistics: expected {n_actions} actions throughout, got lengths {lengths}")

    @property
    def n_actions(self) -> int:
        """C."""
        return len(self.share)

    @property
    def min_n_frames(self) -> Int[np.ndarray, " C"]:
        """Least duration of a bout that is not cut: the shortest labelled, but never more than is plausible."""
        return np.minimum(self.shortest_n_frames, PLAUSIBLE_N_FRAMES)


def learn_bouts(labels: Sequence[Int[np.ndarray, " _"]], *, n_actions: int) -> BoutStatistics:
    """Statistics of the bouts of labelled trials.

    A bout that a trial's edge or an unscored frame cuts may have been longer: it teaches no shortest duration, and
    counts towards an end or a transition only where the next bout follows at once.

    Args:
        labels: actions of each trial's frames, UNSCORED allowed.
        n_actions: C.
    """
    bouts = [bout for trial in labels for bout in _labelled_bouts(trial)]
    frames = np.zeros(n_actions, dtype=np.int64)
    followed = np.zeros((n_actions, n_actions), dtype=np.int64)
    whole: list[list[int]] = [[] for _ in range(n_actions)]
    for bout in bouts:
        frames[bout.action] += bout.n_frames
        if bout.following is not None:
            followed[bout.action, bout.following] += 1
            if bout.has_start:
                whole[bout.action].append(bout.n_frames)
    shortest = tuple(_shortest(sorted(durations)) for durations in whole)
    stayed = np.zeros(n_actions, dtype=np.int64)
    for bout in bouts:
        stayed[bout.action] += max(0, bout.n_frames - min(shortest[bout.action], PLAUSIBLE_N_FRAMES))
    ended = followed.sum(axis=1)
    return BoutStatistics(
        shortest_n_frames=shortest,
        share=tuple((frames / max(1, frames.sum())).tolist()),
        leave=tuple(((ended + 1) / (ended + stayed + 2)).tolist()),
        transitions=_transitions(followed, is_known=frames > 0),
    )


@dataclass(frozen=True, kw_only=True)
class _LabelledBout:
    """A bout and its neighbours."""

    action: int
    n_frames: int
    has_start: bool
    """Another bout lies right before it, so its first frame is known."""
    following: int | None
    """Action of the bout right after it; None where an edge or a gap cuts it."""


def _labelled_bouts(trial: Int[np.ndarray, " T"]) -> list[_LabelledBout]:
    """The bouts of one trial."""
    bouts = bouts_of(trial)
    touches = [one.span.stop == other.span.start for one, other in pairwise(bouts)]
    return [
        _LabelledBout(
            action=bout.action,
            n_frames=len(bout.span),
            has_start=index > 0 and touches[index - 1],
            following=bouts[index + 1].action if index < len(touches) and touches[index] else None,
        )
        for index, bout in enumerate(bouts)
    ]


def _shortest(durations: Sequence[int]) -> int:
    """Duration below which at most one further bout in `_SHORTER_ONE_IN` is expected.

    Of n bouts the r-th shortest is expected to have a share of r / (n + 1) of all bouts below it. Where the shortest
    one already has more than the share that is allowed, too few are known, and it counts only as far as it is
    plausible.

    Args:
        durations: frames of the whole bouts, shortest first.
    """
    if not durations:
        return 1
    rank = (len(durations) + 1) // _SHORTER_ONE_IN
    return durations[rank - 1] if rank else min(durations[0], PLAUSIBLE_N_FRAMES)


def _transitions(
    followed: Int[np.ndarray, "C C"], *, is_known: Bool[np.ndarray, " C"]
) -> tuple[tuple[float, ...], ...]:
    """Probabilities of what follows what, each pair of different known actions counted once more than it was seen."""
    possible = is_known[:, None] & is_known & ~np.eye(len(is_known), dtype=bool)
    counts = np.where(possible, followed + 1, 0)
    rows = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return tuple(tuple(row) for row in rows.tolist())
