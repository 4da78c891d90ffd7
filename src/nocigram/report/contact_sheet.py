"""Frames of a recording side by side, with the keypoints drawn on them, for the eye to judge whether they fit.

K keypoints, H height, W width, P points of a path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nocigram.report._saving import save_figure
from nocigram.report.keypoint_colours import colour_of_keypoint

_N_COLUMNS, _PANEL_INCHES = 4, 3.1
_MOST_IN_ROW = 8
_GAMMA = 0.6
"""Below 1 brightens what is dark: fur, beside paws that are pressed on the glass."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One frame."""

    title: str
    pixels: UInt8[np.ndarray, "H W"]
    xy: Float[np.ndarray, "K 2"]
    """In pixels of this picture; no rows where there is no pose."""
    visible: Bool[np.ndarray, " K"]
    """The others are drawn as rings."""
    path_xy: Float[np.ndarray, "P K 2"]
    """Where the keypoints were in the frames before, the last one here."""


def draw_contact_sheet(panels: Sequence[Panel], *, names: Sequence[str], title: str, path: Path) -> None:
    """Write a figure of the frames in rows of four.

    Args:
        panels: in this order.
        names: of the keypoints.
        title: over the figure.
        path: ends in .png, .pdf or .svg.
    """
    n_rows = -(-len(panels) // _N_COLUMNS)
    size = (_N_COLUMNS * _PANEL_INCHES, n_rows * (_PANEL_INCHES + 0.25) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    all_axes = figure.subplots(n_rows, _N_COLUMNS, squeeze=False).ravel()
    for axes in all_axes[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(all_axes, panels, strict=False):
        _draw_panel(axes, panel)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    marks = [
        Line2D([], [], marker="o", linestyle="none", color=colour_of_keypoint(at), label=name)
        for at, name in enumerate(names)
    ]
    if any(len(panel.xy) for panel in panels):
        ring = {"marker": "o", "linestyle": "none", "markerfacecolor": "none", "color": "#555555"}
        marks += [
            Line2D([], [], label="not visible", **ring),  # type: ignore[arg-type]
            Line2D([], [], color="#555555", linewidth=1, label="the three frames before"),
        ]
        figure.legend(
            handles=marks,
            loc="outside lower center",
            ncols=min(_MOST_IN_ROW, len(marks)),
            frameon=False,
            fontsize=9,
        )
    save_figure(figure, path)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    """A picture from its darkest to its brightest, and the keypoints."""
    low, high = (float(level) for level in np.percentile(panel.pixels, (0.5, 99.8)))
    axes.imshow(panel.pixels, cmap="gray", norm=PowerNorm(_GAMMA, low, max(high, low + 1)), interpolation="nearest")
    for at, (xy, is_visible) in enumerate(zip(panel.xy, panel.visible, strict=True)):
        colour = colour_of_keypoint(at)
        axes.plot(panel.path_xy[:, at, 0], panel.path_xy[:, at, 1], color=colour, linewidth=0.9)
        axes.plot(
            *xy,
            marker="o",
            markersize=5,
            markerfacecolor=colour if is_visible else "none",
            markeredgecolor="black" if is_visible else colour,
            markeredgewidth=0.6 if is_visible else 1.2,
        )
    height, width = panel.pixels.shape
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(panel.title, fontsize=9)
