"""Which windows an epoch trains on: drawn anew every epoch, the same for the same seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from nocigram.core.bouts import Bout, bouts_of
from nocigram.core.ranges import FrameRange
from nocigram.data.batches import Window


@dataclass(frozen=True, kw_only=True)
class TrainSpan:
    """Frames that training windows may be cut from: a trial, or the whole of a recording without annotation."""

    recording: str
    span: FrameRange
    actions: Int[np.ndarray, " T"] | None
    """Merged actions; None where nobody annotated."""

    def window(self, start: int, *, window_T: int, is_mirrored: bool) -> Window:
        """The window that begins at frame `start` of the span, cut to it."""
        start = int(np.clip(start, 0, max(0, len(self.span) - window_T)))
        stop = min(start + window_T, len(self.span))
        return Window(
            recording=self.recording,
            span=FrameRange(self.span.start + start, self.span.start + stop),
            actions=None if self.actions is None else self.actions[start:stop],
            is_mirrored=is_mirrored,
        )


@dataclass(frozen=True, kw_only=True)
class EpochPlanner:
    """Draws the windows of an epoch.

    Every span gives as many windows at random places as it is windows long, at least one. For each rare action there
    are further windows, centred on its frames: so many that windows with the action are drawn `boost_factors` times as
    often. The bout is drawn first, then a frame of it, so that short bouts are not passed over for long ones.
    """

    spans: Sequence[TrainSpan]
    boost_factors: Mapping[int, float]
    window_T: int
    mirrors: bool
    """Half of the windows are marked as mirrored."""
    seed: int
    n_repeats: int = 1
    """Each window of an epoch is drawn so many times, each time at another place."""

    def within(self, n_frames: Mapping[str, int]) -> "EpochPlanner":
        """The same plan, with spans without annotation cut to the frames that their recordings have."""
        spans = [
            span
            if span.actions is not None or span.span.stop <= n_frames[span.recording]
            else replace(span, span=FrameRange(span.span.start, n_frames[span.recording]))
            for span in self.spans
        ]
        return replace(self, spans=spans)

    def windows(self, epoch: int) -> list[Window]:
        """The windows of an epoch, in the order of training."""
        rng = np.random.default_rng([self.seed, epoch])
        draws = [
            (span, self._random_start(span, rng))
            for span in self.spans
            if span.actions is not None
            for _ in range(self._n_base(span))
        ]
        draws += self._unlabelled_draws(rng)
        for action in self.boost_factors:
            bouts = self._bouts(action)
            for _ in range(self.n_extra(action)):
                span, bout = bouts[rng.integers(len(bouts))]
                centre = int(rng.integers(bout.span.start, bout.span.stop))
                draws.append((span, centre - self.window_T // 2))
        rng.shuffle(draws)
        return [
            span.window(start, window_T=self.window_T, is_mirrored=self.mirrors and bool(rng.random() < 0.5))
            for span, start in draws
        ]

    @property
    def n_base(self) -> int:
        """Windows of an epoch without the further ones for rare actions."""
        return self._n_labelled + self._n_unlabelled

    @property
    def n_windows(self) -> int:
        """Windows of an epoch."""
        return self.n_base + sum(map(self.n_extra, self.boost_factors))

    def n_extra(self, action: int) -> int:
        """Further windows for a rare action."""
        n_with = sum(
            min(self._n_base(span), self.n_repeats * int((span.actions == action).sum()))
            for span in self.spans
            if span.actions is not None
        )
        return round((self.boost_factors[action] - 1) * n_with)

    @property
    def _n_labelled(self) -> int:
        """Windows at random places of trials."""
        return sum(self._n_base(span) for span in self.spans if span.actions is not None)

    @property
    def _n_unlabelled(self) -> int:
        """Windows of recordings without annotation: never more than of trials, however long they are."""
        return min(self._n_labelled, sum(self._n_base(span) for span in self.spans if span.actions is None))

    def _unlabelled_draws(self, rng: np.random.Generator) -> list[tuple[TrainSpan, int]]:
        """Windows of recordings without annotation, longer ones more often."""
        spans = [span for span in self.spans if span.actions is None]
        if not spans:
            return []
        lengths = np.array([len(span.span) for span in spans], dtype=np.float64)
        chosen = rng.choice(len(spans), size=self._n_unlabelled, p=lengths / lengths.sum())
        return [(spans[each], self._random_start(spans[each], rng)) for each in chosen]

    def _n_base(self, span: TrainSpan) -> int:
        """Windows at random places of one span."""
        return self.n_repeats * max(1, round(len(span.span) / self.window_T))

    def _random_start(self, span: TrainSpan, rng: np.random.Generator) -> int:
        """A place at which a window fits."""
        return int(rng.integers(0, max(1, len(span.span) - self.window_T + 1)))

    def _bouts(self, action: int) -> list[tuple[TrainSpan, Bout]]:
        """Bouts of an action, with frames counted from the start of their span."""
        return [
            (span, bout)
            for span in self.spans
            if span.actions is not None
            for bout in bouts_of(span.actions)
            if bout.action == action
        ]
