"""Dots and intervals: scores of several approaches along one axis."""

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nocigram.evaluation import Measured
from nocigram.report._saving import save_figure

_BEST_COLOUR, _OTHER_COLOUR = "#D55E00", "#0072B2"  # Okabe and Ito 2008: told apart with any colour vision
_INK, _PALE_INK = "#222222", "#777777"
_ROW_INCHES, _PANEL_INCHES = 0.36, 3.4


def draw_intervals(rows: Mapping[str, Mapping[str, Measured]], *, panels: Mapping[str, str], path: Path) -> None:
    """Write a figure with one panel per score and one line per row: a dot, its interval, and both as text.

    The best of a panel has a diamond of another colour. A score that is missing was not run; NaN is not assessable.

    Args:
        rows: name -> scores by path in metrics.json; drawn from the top.
        panels: title -> path of the score, a fraction from 0 to 1.
        path: ends in .png, .pdf or .svg.

    Raises:
        InputError: `path` ends in something else.
    """
    longest = max(map(len, rows))
    size_inches = (0.075 * longest + _PANEL_INCHES * len(panels) + 0.4, _ROW_INCHES * len(rows) + 1.1)
    figure = Figure(figsize=size_inches, layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, score) in zip(all_axes, panels.items(), strict=True):
        _draw_panel(axes, {name: scores.get(score) for name, scores in rows.items()})
        axes.set_title(title, fontsize=10, loc="left", color=_INK)
    all_axes[0].set_yticks(range(len(rows)), list(rows), fontsize=9)
    all_axes[0].set_ylim(len(rows) - 0.4, -0.6)
    figure.supxlabel("score with its 95% interval over animals", fontsize=8, color=_INK)
    save_figure(figure, path)


def _draw_panel(axes: Axes, scores: Mapping[str, Measured | None]) -> None:
    """One score of every row."""
    values = [score.value for score in scores.values() if score is not None and not math.isnan(score.value)]
    for row, score in enumerate(scores.values()):
        axes.axhline(row, color="#eeeeee", linewidth=0.8, zorder=0)
        if score is None or math.isnan(score.value):
            words = "not run" if score is None else "not assessable"
            axes.text(0.02, row, words, fontsize=8, style="italic", color=_PALE_INK, va="center")
        else:
            _draw_score(axes, score, row=row, is_best=score.value == max(values))
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.tick_params(axis="x", labelsize=8, colors=_INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_score(axes: Axes, score: Measured, *, row: int, is_best: bool) -> None:
    """A dot and its interval, and the numbers to the right of the panel."""
    colour = _BEST_COLOUR if is_best else _OTHER_COLOUR
    text = f"{score.value:.2f}"
    if score.low is not None and score.high is not None:
        axes.plot([score.low, score.high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        text += f" [{score.low:.2f}, {score.high:.2f}]"
    marker, size = ("D", 6) if is_best else ("o", 6.5)
    axes.plot(score.value, row, marker=marker, markersize=size, color=colour, clip_on=False, zorder=3)
    weight = "bold" if is_best else "normal"
    axes.text(1.03, row, text, transform=axes.transData, fontsize=8, va="center", weight=weight, color=_INK)
