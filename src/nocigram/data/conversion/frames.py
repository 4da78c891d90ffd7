"""Labels of another tool as one action per frame.

T frames, A actions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from nocigram.core.actions import UNSCORED, ActionScheme
from nocigram.core.bouts import bouts_of
from nocigram.core.errors import InputError
from nocigram.data.conversion.action_map import LEFT_OUT, ActionMap
from nocigram.data.conversion.clock import Clock
from nocigram.data.formats.records import Event, ForeignLabels

_TOO_LATE_S = 1.0
"""An event that ends so long after the video is of another one."""


@dataclass(frozen=True, kw_only=True)
class FrameLabels:
    """One action per frame of a recording."""

    codes: Int[np.ndarray, " T"]
    """Original codes; UNSCORED where nobody said one thing."""
    n_clashes: int
    """Frames with several actions at once, of which none has priority; they are unscored."""
    n_silent: int
    """Frames that were looked at, in which nothing was noted, and for which no background is named."""

    def n_bouts(self, scheme: ActionScheme) -> dict[str, int]:
        """Action -> bouts, of those that there are."""
        actions = [bout.action for bout in bouts_of(self.codes)]
        return {name: actions.count(code) for code, name in enumerate(scheme.names) if code in actions}


def frame_labels(
    labels: ForeignLabels, *, clock: Clock, codes: Mapping[str, int], given: ActionMap, recording: str, n_actions: int
) -> FrameLabels:
    """Put every event on its frames.

    Where behaviours of different actions come together the frame is unscored, unless one of them has priority. A
    behaviour that is to be unscored makes its frames so, whatever else was noted. Background fills frames without an
    event, as far as they were looked at.

    Args:
        labels: of one animal.
        clock: of the recording.
        codes: behaviour -> code, UNSCORED or LEFT_OUT.
        given: background, priority, and what was looked at.
        recording: its name.
        n_actions: A.

    Raises:
        InputError: an event lies beyond the end of the recording.
    """
    noted = np.zeros((n_actions, clock.n_frames), dtype=bool)
    veto = np.zeros(clock.n_frames, dtype=bool)
    for event in labels.events:
        start, stop = _span_of(event, labels, clock)
        if codes[event.name] == UNSCORED:
            veto[start:stop] = True
        elif codes[event.name] != LEFT_OUT:
            noted[codes[event.name], start:stop] = True
    n_noted = noted.sum(axis=0)
    actions = np.where(n_noted == 1, noted.argmax(axis=0), UNSCORED)
    clash = n_noted > 1
    for code in given.priority:
        actions[clash & noted[code]] = code
        clash &= ~noted[code]
    silent = (n_noted == 0) & _looked_at(labels, clock=clock, given=given, recording=recording)
    if given.background is not None:
        actions[silent] = given.background
        silent[:] = False
    actions[veto] = UNSCORED
    return FrameLabels(codes=actions, n_clashes=int((clash & ~veto).sum()), n_silent=int((silent & ~veto).sum()))


def _span_of(event: Event, labels: ForeignLabels, clock: Clock) -> tuple[int, int]:
    """Half-open frames of an event."""
    if labels.unit == "s":
        is_beyond = event.start >= clock.end_s or event.stop > clock.end_s + _TOO_LATE_S
        start, stop = clock.span_of(event.start, event.stop)
    else:
        is_beyond = event.stop > clock.n_frames
        start, stop = int(event.start), int(event.stop)
    if is_beyond:
        unit = "s" if labels.unit == "s" else "frames"
        end = clock.end_s if labels.unit == "s" else clock.n_frames
        raise InputError(
            f"{labels.path.name}: expected events within the recording's {end:.6g} {unit}, got '{event.name}' until "
            f"{event.stop:.6g}. Check that it is the right video."
        )
    return start, stop


def _looked_at(labels: ForeignLabels, *, clock: Clock, given: ActionMap, recording: str) -> Bool[np.ndarray, " T"]:
    """Frames that somebody looked at: as the user says, else the file, else all of the recording."""
    seen = np.zeros(clock.n_frames, dtype=bool)
    if recording in given.scored_s:
        start, stop = clock.span_of(*given.scored_s[recording])
        seen[start:stop] = True
        return seen
    if labels.scored is None:
        return ~seen
    for begin, end in labels.scored:
        start, stop = clock.span_of(begin, end) if labels.unit == "s" else (int(begin), int(end))
        seen[start:stop] = True
    return seen
