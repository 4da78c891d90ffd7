"""Ethograms: the labels of a trial over what the model said, as bars of colour.

T frames.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nocigram.core.bouts import bouts_of
from nocigram.core.errors import InputError
from nocigram.evaluation import TrialPrediction
from nocigram.evaluation.wording import percent
from nocigram.report._saving import save_figure

_LEAST_INCHES = 8.0
_FRAMES_PER_INCH = 180  # a frame is at least one dot wide, so that no bout vanishes
_TRIAL_INCHES = 0.62
_MOST_INCHES = 250.0  # the longest side: 50,000 dots; the renderer's limit is 65,536
_UNSCORED_COLOUR = "#ffffff"


def draw_ethograms(
    trials: Sequence[TrialPrediction],
    *,
    classes: Sequence[str],
    colours: Mapping[str, str],
    path: Path,
    stamp: str | None = None,
) -> None:
    """Write one figure with two bars per trial: the labels above, the predictions below, frames to the right.

    Args:
        trials: drawn in this order, from the top.
        classes: names of the actions, in the order of the labels' numbers.
        colours: action -> colour.
        path: ends in .png, .pdf or .svg.
        stamp: what the figure has to say in red.

    Raises:
        InputError: there is no trial, or `path` ends in something else.
    """
    if not trials:
        raise InputError(f"{path.name}: expected at least 1 trial to draw, got 0. Give labelled trials.")
    n_frames = max(len(trial.labels) for trial in trials)
    width_inches = min(max(_LEAST_INCHES, n_frames / _FRAMES_PER_INCH), _MOST_INCHES)
    height_inches = min(_TRIAL_INCHES * len(trials) + 1.3, _MOST_INCHES)
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    axes = figure.add_subplot()
    for row, trial in enumerate(trials):
        _draw_trial(axes, trial, row=row, colours=[colours[name] for name in classes])
    axes.set_xlim(0, n_frames)
    axes.set_ylim(len(trials), 0)
    axes.set_yticks(
        [row + offset for row in range(len(trials)) for offset in (0.47, 0.77)],
        ["labels", "model"] * len(trials),
        fontsize=7,
    )
    axes.set_xlabel("frame of the trial", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(
        handles=_legend_patches(classes, colours), loc="outside upper center", ncols=4, frameon=False, fontsize=8
    )
    save_figure(figure, path, stamp=stamp)


def _draw_trial(axes: Axes, trial: TrialPrediction, *, row: int, colours: Sequence[str]) -> None:
    """Name, labels and predictions of one trial in the band from `row` to `row + 1`."""
    scored = trial.scored
    n_right = int((trial.labels == trial.predicted)[scored].sum())
    share = f"{percent(n_right / scored.sum())} of its scored frames right" if scored.any() else "no scored frame"
    axes.text(0, row + 0.29, f"{trial.name}: {share}", fontsize=7, va="bottom", ha="left")
    _draw_bar(axes, trial.labels, top=row + 0.34, colours=colours)
    _draw_bar(axes, trial.predicted, top=row + 0.64, colours=colours)


def _draw_bar(axes: Axes, actions: Int[np.ndarray, " T"], *, top: float, colours: Sequence[str]) -> None:
    """One bar of bouts with a thin frame; what is unscored stays white."""
    bouts = bouts_of(actions)
    axes.broken_barh(
        [(bout.span.start, len(bout.span)) for bout in bouts],
        (top, 0.27),
        facecolors=[colours[bout.action] for bout in bouts],
        linewidth=0,
        antialiased=False,  # no pale seams between neighbours
    )
    axes.broken_barh(
        [(0, len(actions))], (top, 0.27), facecolors="none", edgecolors="#777777", linewidth=0.5, clip_on=False
    )


def _legend_patches(classes: Sequence[str], colours: Mapping[str, str]) -> list[Patch]:
    """One patch per action, and one for unscored frames."""
    patches = [Patch(facecolor=colours[name], label=name) for name in classes]
    return [*patches, Patch(facecolor=_UNSCORED_COLOUR, edgecolor="#777777", linewidth=0.5, label="unscored")]
