"""What was made of each file, for the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nocigram.core.tables import text_table
from nocigram.data.formats.records import Skipped


@dataclass(frozen=True, kw_only=True)
class PoseRow:
    """What was made of a pose file."""

    file: str
    format: str
    recording: str
    n_frames: int
    n_video_frames: int | None
    """None where the video is not there."""
    n_keypoints: int


@dataclass(frozen=True, kw_only=True)
class LabelRow:
    """What was made of the labels of a recording."""

    file: str
    format: str
    recording: str
    n_frames: int
    n_scored: int
    n_clashes: int
    n_silent: int
    bouts: Mapping[str, int]
    """Action -> bouts."""
    clock: str
    """By what times became frames."""


@dataclass(frozen=True, kw_only=True)
class ConvertSummary:
    """What `convert` wrote and left out; as text, what the command prints."""

    out: Path
    poses: Sequence[PoseRow]
    labels: Sequence[LabelRow]
    skipped: Sequence[Skipped]
    notes: Sequence[str]
    mapping: Mapping[str, str]
    """Their behaviour -> what it became."""

    def __str__(self) -> str:
        parts = [self._pose_table(), self._label_table(), self._explanation()]
        parts += ["\n".join(f"[warn] {note}" for note in self.notes)]
        if self.skipped:
            rows = [(each.what, each.reason) for each in self.skipped]
            parts.append("Not used:\n" + text_table(("what", "reason"), rows))
        parts.append(f"Written to {self.out}")
        return "\n\n".join(part for part in parts if part)

    def _pose_table(self) -> str:
        """A row per pose file."""
        rows = [
            (row.file, row.format, row.recording, row.n_keypoints, row.n_frames, _or_none(row.n_video_frames))
            for row in self.poses
        ]
        headings = ("pose file", "format", "recording", "keypoints", "frames", "frames in the video")
        return text_table(headings, rows) if rows else ""

    def _label_table(self) -> str:
        """A row per set of labels."""
        rows = [
            (
                row.file,
                row.format,
                row.recording,
                row.n_frames,
                row.n_scored,
                row.n_frames - row.n_scored,
                row.n_clashes,
                row.clock,
                ", ".join(f"{action} {n}" for action, n in row.bouts.items()) or "none",
            )
            for row in self.labels
        ]
        headings = (
            "label file",
            "format",
            "recording",
            "frames",
            "scored",
            "unscored",
            "of them clashes",
            "clock",
            "bouts",
        )
        return text_table(headings, rows) if rows else ""

    def _explanation(self) -> str:
        """What became of each behaviour, and of the frames without one."""
        lines = [f"[info] behaviours: {', '.join(f'{theirs} -> {ours}' for theirs, ours in self.mapping.items())}"]
        lines += [
            f"[info] {row.file}: {row.n_silent} frames without a note are unscored, as no background is named"
            for row in self.labels
            if row.n_silent
        ]
        return "\n".join(lines) if self.mapping else ""


def _or_none(number: int | None) -> str:
    """A number as text."""
    return "no video" if number is None else str(number)
