"""Formats of other tools, one a module. Importing this room registers them; the order decides where two would fit."""

from nocigram.data.formats import boris, deeplabcut, frame_tables, jabs_labels, jabs_pose, nwb, sleap
from nocigram.data.formats.records import MOST_FRAMES, Event, ForeignLabels, ForeignPose, Reading, Skipped
from nocigram.data.formats.registry import FORMATS, Format, format_of

__all__ = [
    "FORMATS",
    "MOST_FRAMES",
    "Event",
    "ForeignLabels",
    "ForeignPose",
    "Format",
    "Reading",
    "Skipped",
    "boris",
    "deeplabcut",
    "format_of",
    "frame_tables",
    "jabs_labels",
    "jabs_pose",
    "nwb",
    "sleap",
]
