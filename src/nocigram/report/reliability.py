"""Reliability: how often what was given a probability came true.

B bins.
"""

from collections.abc import Mapping
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nocigram.evaluation import Reliability
from nocigram.report._saving import save_figure

_PANEL_INCHES = 2.3
_N_COLUMNS = 4
_LARGEST_DOT = 90.0
_OVERALL_COLOUR = "#333333"


def draw_reliability(
    best: Reliability,
    by_action: Mapping[str, Reliability],
    *,
    colours: Mapping[str, str],
    path: Path,
    stamp: str | None = None,
) -> None:
    """Write one panel for the likeliest action of each frame and one for each action.

    A dot is a bin of probabilities; its area grows with the root of its frames. On the diagonal, probabilities mean
    what they say; below it, the model is too sure.

    Args:
        best: of the likeliest action.
        by_action: by name of the action, in the order of the panels.
        colours: action -> colour.
        path: ends in .png, .pdf or .svg.
        stamp: what the figure has to say in red.

    Raises:
        InputError: `path` ends in something else.
    """
    panels = {"likeliest action": best, **by_action}
    n_rows, n_columns = ceil(len(panels) / _N_COLUMNS), min(len(panels), _N_COLUMNS)
    figure = Figure(figsize=(_PANEL_INCHES * n_columns, _PANEL_INCHES * n_rows + 0.4), layout="constrained")
    all_axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    for axes, (name, each) in zip(all_axes.flat, panels.items(), strict=False):
        _draw_panel(axes, each, title=name, colour=colours.get(name, _OVERALL_COLOUR))
    for axes in all_axes.flat[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel("probability", fontsize=9)
    figure.supylabel("share that came true", fontsize=9)
    save_figure(figure, path, stamp=stamp)


def _draw_panel(axes: Axes, each: Reliability, *, title: str, colour: str) -> None:
    """Dots on a square with its diagonal."""
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, zorder=1)
    area = _LARGEST_DOT * np.sqrt(each.n_frames / max(1, each.n_frames.max()))
    axes.scatter(
        each.mean_probability, each.share_true, s=np.maximum(area, 4), color=colour, edgecolor="#333333", linewidth=0.5
    )
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.04, 1.04)
    axes.set_aspect("equal")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(labelsize=7)
    axes.set_title(f"{title}\nECE {each.expected_error:.3f}", fontsize=8)
