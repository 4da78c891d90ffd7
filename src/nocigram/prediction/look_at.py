"""Which bouts of a prediction a person should look at first.

T frames, C actions, K keypoints.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from nocigram.core.bouts import bouts_of
from nocigram.prediction.answer import Prediction

PIECE_S = 2.0
"""Longer bouts are looked at in pieces of this length, so that a doubtful second doesn't vanish in a sure minute."""
MOST_ROWS = 50
"""Of one recording."""
LOW_CONFIDENCE = 0.5
CLOSE_MARGIN = 0.2
SHORT_BOUT_S = 0.1
"""No labelled action is over sooner; a shaken paw takes longer."""
HIDDEN_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """A bout, or a piece of a long one."""

    recording: str
    start_frame: int
    stop_frame: int
    """One past the last."""
    start_s: float
    stop_s: float
    """Time of the last frame."""
    action: str
    confidence: float
    """Mean probability of the action."""
    second: str
    """The likeliest of the other actions."""
    second_confidence: float
    """Its mean probability."""
    worst_frame: int
    """Where the action is least probable."""
    why: tuple[str, ...]
    """What speaks for a look; empty: nothing does."""

    @property
    def doubt(self) -> float:
        """What rows are ordered by: the probability that the action is another one, as the model sees it."""
        return 1 - self.confidence


@dataclass(kw_only=True)
class _Piece:
    """What is known of a piece that may go on in the next part."""

    action: int
    start: int
    start_s: float
    stop_s: float
    bout_start: int
    """Of the whole bout, which pieces cut."""
    total: Float[np.ndarray, " C"]
    """Sums of the probabilities."""
    n_frames: int = 0
    n_hidden: float = 0.0
    """Frames' worth of keypoints that are not visible."""
    worst: tuple[float, int] = (np.inf, -1)
    """Least probability of the action, and its frame."""


@dataclass(kw_only=True)
class Watch:
    """Watches a stream of predictions in bounded memory; keeps the bouts most in need of a look."""

    recording: str
    classes: tuple[str, ...]
    fps: float
    visible: Bool[np.ndarray, "T K"] | None = None
    """Of the whole recording; None for a model that reads no pose. Frames beyond are not visible."""
    _kept: list[tuple[float, int, Doubtful]] = field(default_factory=list)
    _open: _Piece | None = None
    _n_done: int = 0

    def see(self, part: Prediction) -> None:
        """Take the next frames."""
        first = self._n_done
        for start, stop in self._runs(part):
            piece = self._open
            action = int(part.actions[start])
            if piece is None or piece.action != action or piece.n_frames >= self._piece_n_frames:
                piece = self._begun(part, start)
            chosen = part.probabilities[start:stop, action]
            worst = int(chosen.argmin())
            piece.total = piece.total + part.probabilities[start:stop].sum(axis=0)
            piece.n_frames += stop - start
            piece.n_hidden += self._n_hidden(first + start, first + stop)
            piece.worst = min(piece.worst, (float(chosen[worst]), first + start + worst))
            piece.stop_s = float(part.times_s[stop - 1])
        self._n_done += len(part.actions)

    def rows(self, *, is_outside: bool) -> list[Doubtful]:
        """The bouts in need of a look, the worst first.

        Args:
            is_outside: the recording lies outside of what the model was trained on, so that every bout is in doubt.
        """
        if self._open is not None:
            self._close(self._open)
            self._open = None
        rows = sorted((row for *_, row in self._kept), key=lambda row: (-row.doubt, row.start_frame))
        if is_outside:
            rows = [replace(row, why=(*row.why, "recording outside")) for row in rows]
        return [row for row in rows if row.why]

    @property
    def _piece_n_frames(self) -> int:
        return max(1, round(PIECE_S * self.fps))

    def _runs(self, part: Prediction) -> Iterator[tuple[int, int]]:
        """Parts of bouts that lie within one piece."""
        for bout in bouts_of(part.actions):
            start, stop = bout.span.start, bout.span.stop
            while start < stop:
                piece = self._open
                is_same = piece is not None and piece.action == bout.action and piece.n_frames < self._piece_n_frames
                room = self._piece_n_frames - (piece.n_frames if is_same and piece is not None else 0)
                yield start, min(stop, start + room)
                start = min(stop, start + room)

    def _begun(self, part: Prediction, start: int) -> _Piece:
        """A new piece in place of the open one."""
        before, first, action = self._open, self._n_done + start, int(part.actions[start])
        if before is not None:
            self._close(before)
        goes_on = before is not None and before.action == action
        self._open = _Piece(
            action=action,
            start=first,
            start_s=float(part.times_s[start]),
            stop_s=float(part.times_s[start]),
            bout_start=before.bout_start if goes_on and before is not None else first,
            total=np.zeros(part.probabilities.shape[1]),
        )
        return self._open

    def _close(self, piece: _Piece) -> None:
        """Keep a piece if it is among the worst."""
        mean = piece.total / piece.n_frames
        others = np.where(np.arange(len(mean)) == piece.action, -1.0, mean)
        row = Doubtful(
            recording=self.recording,
            start_frame=piece.start,
            stop_frame=piece.start + piece.n_frames,
            start_s=piece.start_s,
            stop_s=piece.stop_s,
            action=self.classes[piece.action],
            confidence=float(mean[piece.action]),
            second=self.classes[int(others.argmax())],
            second_confidence=float(others.max()),
            worst_frame=piece.worst[1],
            why=(),
        )
        row = replace(row, why=self._reasons(row, piece))
        heapq.heappush(self._kept, (row.doubt, -row.start_frame, row))
        if len(self._kept) > MOST_ROWS:
            heapq.heappop(self._kept)

    def _reasons(self, row: Doubtful, piece: _Piece) -> tuple[str, ...]:
        """What speaks for a look."""
        margin = row.confidence - row.second_confidence
        bout_s = (row.stop_frame - piece.bout_start) / self.fps
        reasons = {
            "low confidence": row.confidence < LOW_CONFIDENCE,
            f"{row.second} is as likely": 0 <= margin < CLOSE_MARGIN,
            f"smoothing chose it over {row.second}": margin < 0,
            "short bout": bout_s < SHORT_BOUT_S,
            "pose not visible": piece.n_hidden / piece.n_frames > HIDDEN_SHARE,
        }
        return tuple(reason for reason, holds in reasons.items() if holds)

    def _n_hidden(self, start: int, stop: int) -> float:
        """Frames' worth of keypoints that are not visible."""
        if self.visible is None:
            return 0.0
        return stop - start - float(self.visible[start:stop].mean(axis=1).sum())
