"""Labels as they are, before any model: how much there is of each action, and when.

T frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nocigram.core.bouts import bouts_of
from nocigram.evaluation.support import ActionSupport
from nocigram.evaluation.wording import percent
from nocigram.report._saving import save_figure

MOST_ROWS = 40
"""Recordings in one figure; more would not be read."""
_INK, _PALE_INK, _NOTHING = "#222222", "#777777", "#eeeeee"
_WIDTH_INCHES, _ROW_INCHES = 12.0, 0.5
_LONGEST_NAME = 90
_STIMULUS: dict[str, Any] = {"marker": "^", "markersize": 4, "color": _INK, "linestyle": "none"}


@dataclass(frozen=True, kw_only=True)
class LabelledSpan:
    """The labels of a trial, placed in its recording."""

    start: int
    """First frame of the recording."""
    labels: Int[np.ndarray, " T"]
    """Merged actions; UNSCORED where nobody looked."""
    stim_frame: int | None
    """Frame of the recording."""


def draw_action_counts(supports: Mapping[str, ActionSupport], *, colours: Mapping[str, str], path: Path) -> None:
    """Write a figure of the frames, bouts and animals of each action, an action a line.

    Args:
        supports: by action, drawn from the top.
        colours: action -> colour.
        path: ends in .png, .pdf or .svg.
    """
    figure = Figure(figsize=(11.0, 0.42 * len(supports) + 1.3), layout="constrained")
    n_all = max(1, sum(support.n_frames for support in supports.values()))
    columns = {
        "frames": [(s.n_frames, f"{s.n_frames:,} ({percent(s.n_frames / n_all)})") for s in supports.values()],
        "bouts": [(s.n_bouts, f"{s.n_bouts:,}") for s in supports.values()],
        "animals": [(s.n_animals, f"{s.n_animals:,}") for s in supports.values()],
    }
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(2.2, 1.4, 1))
    for axes, (title, cells) in zip(panels, columns.items(), strict=True):
        values = [value for value, _ in cells]
        axes.barh(range(len(values)), values, color=[colours[name] for name in supports], height=0.72)
        for row, (value, text) in enumerate(cells):
            axes.annotate(
                text, (value, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9, color=_INK
            )
        axes.set_title(title, loc="left", fontsize=10, color=_INK)
        axes.set_xlim(0, 1.45 * max(1, *values))
        axes.set_xticks([])
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
    panels[0].set_yticks(range(len(supports)), list(supports), fontsize=10)
    panels[0].set_ylim(len(supports) - 0.5, -0.5)
    save_figure(figure, path)


def draw_labels(
    recordings: Mapping[str, Sequence[LabelledSpan]],
    *,
    n_frames: Mapping[str, int],
    classes: Sequence[str],
    colours: Mapping[str, str],
    path: Path,
) -> None:
    """Write a figure with a bar per recording: its labels where they lie, grey where there are none, stimuli as marks.

    The first `MOST_ROWS` are drawn; the title says how many there are.

    Args:
        recordings: name -> its trials.
        n_frames: name -> frames of the recording.
        classes: names of the actions, in the order of the labels' numbers.
        colours: action -> colour.
        path: ends in .png, .pdf or .svg.
    """
    shown = list(recordings)[:MOST_ROWS]
    figure = Figure(figsize=(_WIDTH_INCHES, _ROW_INCHES * len(shown) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    for row, name in enumerate(shown):
        _draw_recording(
            axes, recordings[name], name=name, row=row, n_frames=n_frames[name], colours=[colours[c] for c in classes]
        )
    axes.set_xlim(0, max(n_frames[name] for name in shown))
    axes.set_ylim(len(shown), 0)
    axes.set_yticks([])
    axes.set_xlabel("frame of the recording", fontsize=9)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if len(shown) < len(recordings):
        axes.set_title(f"the first {len(shown)} of {len(recordings)} labelled recordings", fontsize=9, loc="left")
    patches: list[Artist] = [Patch(facecolor=colours[name], label=name) for name in classes]
    for colour, label in (("white", "unscored"), (_NOTHING, "no trial")):
        patches.append(Patch(facecolor=colour, edgecolor=_PALE_INK, linewidth=0.5, label=label))
    patches.append(Line2D([], [], label="stimulus", **_STIMULUS))
    figure.legend(handles=patches, loc="outside upper center", ncols=min(6, len(patches)), frameon=False, fontsize=9)
    save_figure(figure, path)


def _draw_recording(
    axes: Axes, trials: Sequence[LabelledSpan], *, name: str, row: int, n_frames: int, colours: Sequence[str]
) -> None:
    """Name and bar of one recording, in the band from `row` to `row + 1`."""
    top, height = row + 0.38, 0.44
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    axes.text(0, row + 0.33, short, fontsize=8, va="bottom", color=_INK)
    axes.broken_barh([(0, n_frames)], (top, height), facecolors=_NOTHING, linewidth=0)
    for trial in trials:
        axes.broken_barh([(trial.start, len(trial.labels))], (top, height), facecolors="white", linewidth=0)
        bouts = bouts_of(trial.labels)
        axes.broken_barh(
            [(trial.start + bout.span.start, len(bout.span)) for bout in bouts],
            (top, height),
            facecolors=[colours[bout.action] for bout in bouts],
            linewidth=0,
            antialiased=False,  # no pale seams between neighbours
        )
        frame = [(trial.start, len(trial.labels))]
        axes.broken_barh(frame, (top, height), facecolors="none", edgecolors=_INK, linewidth=0.7)
        if trial.stim_frame is not None:
            axes.plot(trial.stim_frame, top + height + 0.07, clip_on=False, **_STIMULUS)
