"""What is read of another tool's file, before anything is mapped to our words.

T frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from nocigram.core.bouts import bouts_of
from nocigram.pose.tracks import PoseTrack

MOST_FRAMES = 10_000_000
"""Of a recording, 92 hours at 30 Hz; a file that speaks of more is broken."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What every reading has: of which video it says something."""

    path: Path
    """The file that it was read from."""
    video: str | None
    """The video's path or name as the file has it; None where the file names none."""
    notes: tuple[str, ...] = ()
    """What a user should know of this reading."""


@dataclass(frozen=True, kw_only=True)
class ForeignPose(Recorded):
    """The keypoints of one video."""

    tracks: tuple[PoseTrack, ...]
    """One per animal or track; `individual` names each where there are several."""
    has_every_frame: bool = True
    """There is a row for each frame; False where frames without an animal have none, so the last may be missing."""
    animal: str | None = None
    """The animal's own name where the file has one, such as the subject_id of NWB."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a person, or another tool, named."""

    name: str
    """The behaviour as the file spells it."""
    start: float
    """Seconds or a frame, see `ForeignLabels.unit`."""
    stop: float
    """Half-open: the first moment or frame that belongs to it no more. As `start` for a moment without a length."""
    subject: str = ""
    """The animal; empty where the file names none."""


@dataclass(frozen=True, kw_only=True)
class ForeignLabels(Recorded):
    """The labels of one video by one observer."""

    unit: str
    """`s`: events are in seconds since the video's first frame; `frames`: in frames of the video."""
    events: tuple[Event, ...]
    names: tuple[str, ...]
    """Behaviours that could be named; some may have no event."""
    n_frames: int | None = None
    """Frames that the file has a row for, or says that the video has."""
    length_s: float | None = None
    """Length of the video as the file knows it."""
    fps: float | None = None
    """Frames per second as the file knows them."""
    scored: tuple[tuple[float, float], ...] | None = None
    """Stretches, in `unit`, that the file says were looked at; None where it doesn't say."""
    observation: str = ""
    """Name of the observation, where a file holds several."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A part of a file that can't be used."""

    what: str
    """File and part."""
    reason: str
    observation: str = ""
    """As of `ForeignLabels`."""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


Reading = ForeignPose | ForeignLabels | Skipped


def events_of_columns(
    names: Sequence[str], present: Bool[np.ndarray, "T N"], *, subject: str = ""
) -> tuple[Event, ...]:
    """Runs of frames in which a column is on, as events in frames, in order of their start."""
    events = [
        Event(name=name, start=float(bout.span.start), stop=float(bout.span.stop), subject=subject)
        for name, column in zip(names, present.T, strict=True)
        for bout in bouts_of(np.where(column, 0, -1))
    ]
    return tuple(sorted(events, key=lambda event: (event.start, event.stop, event.name)))
