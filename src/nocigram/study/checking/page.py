"""What a check found, as text for the terminal and as plain values for JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from nocigram.core.findings import Finding, Severity
from nocigram.core.tables import text_table
from nocigram.core.version import VERSION
from nocigram.data.inventory import inventory
from nocigram.evaluation.wording import counted
from nocigram.study.checking.labels import n_unscored, supports_of

if TYPE_CHECKING:
    from nocigram.study.check import Checked

FORMAT_VERSION = 1
"""Raised when a key of check.json changes its meaning or goes."""


def as_text(checked: "Checked") -> str:
    """The findings, worst first, then what the folder holds."""
    return "\n".join([_findings_table(checked.findings), inventory(checked.found)])


def as_plain(checked: "Checked") -> dict[str, Any]:
    """All of it for check.json; docs/check.md describes the keys."""
    found = checked.found
    return {
        "version": FORMAT_VERSION,
        "nocigram": VERSION,
        "usable": checked.is_usable,
        "counts": {severity: _n_of(checked.findings, severity) for severity in get_args(Severity)},
        "findings": [_plain_finding(finding) for finding in checked.findings],
        "recordings": [_plain_recording(checked, name) for name in found.recordings],
        "trials": [
            {
                "recording": trial.recording,
                "trial": trial.number,
                "start": trial.start,
                "stop": trial.stop,
                "stim_frame": trial.stim_frame,
                "animal": trial.animal,
                "group": trial.group,
                "file": trial.path.name,
            }
            for trial in found.trials
        ],
        "actions": [
            {"action": name, "frames": support.n_frames, "bouts": support.n_bouts, "animals": support.n_animals}
            for name, support in supports_of(found).items()
        ],
        "unscored_frames": n_unscored(found),
        "warnings": found.warnings,
    }


def _findings_table(findings: list[Finding]) -> str:
    """One row a finding."""
    counts = ", ".join(f"{_n_of(findings, severity)} {severity}" for severity in get_args(Severity))
    title = f"Findings: {counts}"
    if not findings:
        return title
    rows = [(finding.severity, finding.kind, finding.where, _moment(finding), str(finding)) for finding in findings]
    return f"{title}\n{text_table(('severity', 'kind', 'where', 'frames', 'finding'), rows)}"


def _moment(finding: Finding) -> str:
    """The frames of a finding, and when they are."""
    if finding.frames is None:
        return ""
    text = str(finding.frames) if len(finding.frames) > 1 else str(finding.frames.start)
    return text if finding.time_s is None else f"{text} ({finding.time_s:.1f} s)"


def _n_of(findings: list[Finding], severity: Severity) -> int:
    """How many are of a severity."""
    return sum(finding.severity == severity for finding in findings)


def _plain_finding(finding: Finding) -> dict[str, Any]:
    """Plain values; frames are [start, stop)."""
    frames = None if finding.frames is None else [finding.frames.start, finding.frames.stop]
    return {**asdict(finding), "frames": frames}


def _plain_recording(checked: "Checked", name: str) -> dict[str, Any]:
    """A recording with what was measured of it; null where nothing was."""
    recording, film = checked.found.recordings[name], checked.watched.get(name)
    info, pose = recording.info, checked.poses.get(name)
    return {
        "recording": name,
        "animal": recording.animal,
        "group": recording.group,
        "frames_per_s": recording.fps,
        "frames": recording.n_frames,
        "frames_decoded": None if film is None else film.n_frames,
        "video": None
        if info is None
        else {
            "file": info.path.name,
            "width_px": info.width_px,
            "height_px": info.height_px,
            "grey": info.is_grey,
            "codec": info.codec,
        },
        "pose": None if pose is None else _plain_pose(checked, name),
    }


def _plain_pose(checked: "Checked", name: str) -> dict[str, Any]:
    """The pose of a recording."""
    pose, shift, on = checked.poses[name], checked.shifts.get(name), checked.on_animal.get(name)
    recording = pose.recording
    likely = pose.likely.mean(axis=0) if len(pose.likely) else [0.0] * len(recording.skeleton.names)
    return {
        "file": recording.pose_file.name if recording.pose_file else None,
        "rows": len(pose.likely),
        "body_length_px": recording.body_length_px,
        "visible_share": {key: round(float(x), 4) for key, x in zip(recording.skeleton.names, likely, strict=True)},
        "jump_share": round(pose.jump_share, 4),
        "swapped_share": round(pose.swapped_share, 4),
        "late_by_frames": None if shift is None else shift.n_frames,
        "late_is_sure": None if shift is None else shift.is_sure,
        "on_animal_share": None if on is None else round(on.share, 4),
        "on_animal_share_by_chance": None if on is None else round(on.by_chance, 4),
    }


def summary(checked: "Checked") -> str:
    """One line: may one train?"""
    n = _n_of(checked.findings, "unusable")
    return "Nothing is unusable." if checked.is_usable else f"{counted(n, 'finding')} to mend before training."
