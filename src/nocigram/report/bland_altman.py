"""Bland-Altman figures: what a trial holds by the model against what it holds by the labels.

Bland and Altman 1986, "Statistical methods for assessing agreement between two methods of clinical measurement",
The Lancet 327.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nocigram.evaluation.agreement import Agreement
from nocigram.evaluation.events import Events
from nocigram.report._saving import save_figure

_PANELS = {"count": "bouts in a trial", "duration_s": "duration in a trial, s", "latency_s": "latency, s"}
_INK, _PALE_INK = "#222222", "#777777"
_PANEL_INCHES = (2.5, 2.1)


def draw_bland_altman(
    events: Events,
    *,
    colours: Mapping[str, str],
    path: Path,
    pain_sign: str = "paw_withdraw",
    stamp: str | None = None,
) -> None:
    """Write a figure with a column for each action, the pain sign first, and a row for count, duration and latency.

    A dot is a trial: mean of labels and model to the right, model less labels upwards. Lines are the bias and the 95%
    limits of agreement. A trial in which either has no bout has no latency to compare.

    Args:
        events: of labelled trials.
        colours: action -> colour.
        path: ends in .png, .pdf or .svg.
        pain_sign: it goes first if it is there.
        stamp: what the figure has to say in red.

    Raises:
        InputError: `path` ends in something else.
    """
    names = sorted(events.actions, key=lambda name: name != pain_sign)
    size_inches = (_PANEL_INCHES[0] * len(names) + 0.4, _PANEL_INCHES[1] * len(_PANELS) + 0.5)
    figure = Figure(figsize=size_inches, layout="constrained")
    grid = figure.subplots(len(_PANELS), len(names), squeeze=False)
    for column, name in enumerate(names):
        trials = [trial for trial in events.trials if trial.action == name]
        for row, measure in enumerate(_PANELS):
            labels, model = (
                np.array([getattr(getattr(trial, by), measure) for trial in trials], dtype=np.float64)
                for by in ("labels", "model")
            )
            agreed = events.actions[name].agreements[measure]
            _draw_panel(grid[row, column], labels, model, agreed, colour=colours[name])
        grid[0, column].set_title(name, fontsize=10, loc="left", color=_INK)
    for row, words in enumerate(_PANELS.values()):
        grid[row, 0].set_ylabel(f"{words}:\nmodel - labels", fontsize=8, color=_INK)
    figure.supxlabel("mean of labels and model", fontsize=9, color=_INK)
    save_figure(figure, path, stamp=stamp)


def _draw_panel(axes: Axes, labels: np.ndarray, model: np.ndarray, agreed: Agreement, *, colour: str) -> None:
    """One measure of one action: a dot for each trial."""
    axes.axhline(0, color="#cccccc", linewidth=0.8, zorder=0)
    axes.plot((labels + model) / 2, model - labels, "o", color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
    for height, style in ((agreed.bias, "-"), (agreed.low, "--"), (agreed.high, "--")):
        if not np.isnan(height):
            axes.axhline(height, color=_INK, linewidth=0.9, linestyle=style)
    axes.text(0.02, 0.98, _words_of(agreed), transform=axes.transAxes, fontsize=7, va="top", color=_INK)
    if not agreed.n:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.margins(x=0.08, y=0.35)
    axes.tick_params(labelsize=7, colors=_PALE_INK)
    axes.spines[["top", "right"]].set_visible(False)


def _words_of(agreed: Agreement) -> str:
    """Bias, limits and number of trials."""
    if not agreed.n:
        return "no trial in which both have one"
    limits = "" if np.isnan(agreed.low) else f" [{agreed.low:+.2g}, {agreed.high:+.2g}]"
    return f"bias {agreed.bias:+.2g}{limits}, n = {agreed.n}"
