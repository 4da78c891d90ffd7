"""The figures of a check: labels as they are, and for each recording its keypoints over time and on the picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nocigram.core.findings import worst_first
from nocigram.evaluation.wording import counted
from nocigram.report.contact_sheet import Panel, draw_contact_sheet
from nocigram.report.labels import LabelledSpan, draw_action_counts, draw_labels
from nocigram.report.traces import draw_traces
from nocigram.study.checking.labels import supports_of
from nocigram.study.checking.watch import Still

if TYPE_CHECKING:
    from nocigram.study.check import Checked

MOST_RECORDINGS = 24
"""Recordings that get figures of their own; those with findings come first."""
_N_BEFORE = 3
"""Frames whose keypoints are drawn as a path."""


def write_figures(checked: "Checked", out: Path, *, likelihood_thr: float) -> list[str]:
    """Write all figures below a folder; what was written, a line each."""
    written = _label_figures(checked, out) if checked.found.trials else []
    names = _most_wanted(checked)
    drawn = names[:MOST_RECORDINGS]
    for name in drawn:
        if name in checked.poses:
            _traces(checked, name, out / "traces" / f"{name}.png", likelihood_thr=likelihood_thr)
        if name in checked.watched and checked.watched[name].stills:
            _contact_sheet(checked, name, out / "frames" / f"{name}.png")
    said = counted(len(drawn), "recording")
    if len(drawn) < len(names):
        said += f" of {len(names)}, those with findings first"
    for folder in ("traces", "frames"):
        if drawn and (out / folder).is_dir():
            written.append(f"{out / folder}: {said}")
    return written


def _label_figures(checked: "Checked", out: Path) -> list[str]:
    """How much there is of each action, and when."""
    found = checked.found
    colours = found.scheme.colours
    draw_action_counts(supports_of(found), colours=colours, path=out / "actions.png")
    spans: dict[str, list[LabelledSpan]] = {}
    for trial in found.trials:
        span = LabelledSpan(start=trial.start, labels=found.labels_of(trial), stim_frame=trial.stim_frame)
        spans.setdefault(trial.recording, []).append(span)
    n_frames = {name: recording.n_frames for name, recording in found.recordings.items()}
    draw_labels(spans, n_frames=n_frames, classes=found.scheme.classes, colours=colours, path=out / "labels.png")
    return [str(out / "actions.png"), str(out / "labels.png")]


def _most_wanted(checked: "Checked") -> list[str]:
    """Recordings of which there is something to draw, those with the worst findings first."""
    drawable = dict.fromkeys([*checked.poses, *checked.watched])
    told = [finding.recording for finding in worst_first(checked.findings) if finding.severity != "note"]
    return [*dict.fromkeys(name for name in told if name in drawable), *(name for name in drawable if name not in told)]


def _traces(checked: "Checked", name: str, path: Path, *, likelihood_thr: float) -> None:
    """Positions and likelihoods of one recording."""
    pose = checked.poses[name]
    swaps = [(keypoint, swap.span) for swap in pose.swaps for keypoint in (swap.left, swap.right)]
    draw_traces(
        pose.xy_px,
        pose.likelihood,
        pose.recording.visible,
        names=pose.recording.skeleton.names,
        title=name,
        likelihood_thr=likelihood_thr,
        path=path,
        swaps=swaps,
    )


def _contact_sheet(checked: "Checked", name: str, path: Path) -> None:
    """Frames of one recording with its keypoints."""
    names = checked.poses[name].recording.skeleton.names if name in checked.poses else ()
    draw_contact_sheet(list(_panels(checked, name)), names=names, title=name, path=path)


def _panels(checked: "Checked", name: str) -> Iterator[Panel]:
    """The stills, those at fast moments last."""
    pose = checked.poses.get(name)
    for still in sorted(checked.watched[name].stills, key=lambda still: (still.is_fast, still.frame)):
        title = f"frame {still.frame} ({still.time_s:.2f} s)" + (", fast" if still.is_fast else "")
        n_keypoints = 0 if pose is None or still.frame >= len(pose.xy_px) else pose.xy_px.shape[1]
        if pose is None or not n_keypoints:
            none = np.zeros((0, 2), dtype=np.float32)
            yield Panel(title=title, pixels=still.pixels, xy=none, visible=np.zeros(0, dtype=bool), path_xy=none[None])
            continue
        rows = slice(max(0, still.frame - _N_BEFORE), still.frame + 1)
        path_xy = _in_still(pose.xy_px[rows], still)
        visible = pose.recording.visible[rows]
        yield Panel(
            title=title,
            pixels=still.pixels,
            xy=path_xy[-1],
            visible=visible[-1],
            path_xy=np.where(visible[..., None], path_xy, np.nan),
        )


def _in_still(xy_px: np.ndarray, still: Still) -> np.ndarray:
    """Pixels of the video -> pixels of the still; a pixel's middle is a whole number in both."""
    return (xy_px + 0.5 - np.array(still.corner_px)) / still.stride - 0.5
