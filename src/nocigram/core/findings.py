"""What a look at a data folder brings to light, graded by what it means for a study."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from nocigram.core.errors import Fault
from nocigram.core.ranges import FrameRange

Severity = Literal["unusable", "suspicious", "note"]
"""'unusable': left out of training as it is. 'suspicious': used, and probably wrong. 'note': used, good to know."""

FileKind = Literal[
    "recording_unusable",
    "annotation_unusable",
    "no_recordings",
    "no_trials",
    "empty_file",
    "unexpected_file",
    "other_format",
    "two_pose_files",
    "pose_without_video",
    "no_annotation",
    "unknown_recording",
    "animals_unnamed",
    "same_video",
    "same_pose",
]
VideoKind = Literal[
    "video_breaks_off",
    "size_changes",
    "frame_count",
    "variable_frame_rate",
    "frame_rate",
    "frame_rate_differs",
    "size_differs",
    "colour_differs",
]
PoseKind = Literal[
    "keypoint_missing",
    "low_likelihood",
    "likelihood_constant",
    "jumps",
    "body_leaps",
    "outside_picture",
    "left_right_swapped",
    "sides_exchanged",
    "pose_rows",
    "pose_off_animal",
    "pose_shifted",
]
LabelKind = Literal[
    "trial_past_the_end",
    "trials_overlap",
    "stimulus_outside",
    "doubtful_place",
    "rare_action",
    "split_unusable",
    "split_names_other_trials",
    "split_leaves_out",
    "animal_on_both_sides",
]
Kind = FileKind | VideoKind | PoseKind | LabelKind


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a person should know before training."""

    severity: Severity
    kind: Kind
    """Which test found it; docs/check.md has a line for each."""
    where: str
    """Recording, trial or file."""
    expected: str
    got: str
    fix: str
    """Sentences that end with a full stop; empty where there is nothing to do."""
    recording: str | None = None
    """Name of the recording; None where it is about no single one."""
    frames: FrameRange | None = None
    """Frames of the recording, where it is about some."""
    time_s: float | None = None
    """Seconds from the recording's start to the first of these frames."""

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got}. {self.fix}".rstrip()


def from_fault(fault: Fault, *, severity: Severity, kind: Kind, recording: str | None = None) -> Finding:
    """A fault of an input as a finding."""
    return Finding(
        severity=severity,
        kind=kind,
        where=fault.where,
        expected=fault.expected,
        got=fault.got,
        fix=fault.fix,
        recording=recording,
    )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity; within one by kind, place and frame, so that what belongs together stands together."""
    rank = {severity: at for at, severity in enumerate(get_args(Severity))}
    return sorted(
        findings,
        key=lambda finding: (
            rank[finding.severity],
            finding.kind,
            finding.recording or "",
            finding.where,
            finding.frames.start if finding.frames else -1,
        ),
    )
