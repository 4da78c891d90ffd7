"""Keypoints over a recording: positions and how sure the tracker was.

T frames, K keypoints.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nocigram.core.ranges import FrameRange
from nocigram.report._saving import save_figure

_X_COLOUR, _Y_COLOUR, _DOUBT = "#0072B2", "#D55E00", "#c9c9c9"  # Okabe and Ito 2008
_SWAP_COLOUR = "#CC79A7"
_INK = "#222222"
_MOST_POINTS = 20_000
"""Of a line; a longer recording is drawn with every second, third, ... frame."""


def draw_traces(
    xy_px: Float[np.ndarray, "T K 2"],
    likelihood: Float[np.ndarray, "T K"],
    visible: Bool[np.ndarray, "T K"],
    *,
    names: Sequence[str],
    title: str,
    likelihood_thr: float,
    path: Path,
    swaps: Sequence[tuple[int, FrameRange]] = (),
) -> None:
    """Write a figure with a panel per keypoint: x and y above, likelihood below; grey where it doesn't count.

    Args:
        xy_px: positions.
        likelihood: of each.
        visible: which count; the others are drawn in grey.
        names: of the keypoints.
        title: over the figure.
        likelihood_thr: drawn as a line.
        path: ends in .png, .pdf or .svg.
        swaps: keypoint and frames in which it bears another's name; shaded.
    """
    n_frames, n_keypoints = likelihood.shape
    step = max(1, -(-n_frames // _MOST_POINTS))
    figure = Figure(figsize=(13.0, 1.35 * n_keypoints + 1.0), layout="constrained")
    ratios = (3, 1) * n_keypoints
    panels = figure.subplots(2 * n_keypoints, 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    frames = np.arange(n_frames)[::step]
    for keypoint, name in enumerate(names):
        place, doubt = panels[2 * keypoint], panels[2 * keypoint + 1]
        _draw_place(place, frames, xy_px[::step, keypoint], visible[::step, keypoint])
        place.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9, color=_INK)
        doubt.fill_between(frames, likelihood[::step, keypoint], color=_DOUBT, linewidth=0, step="mid")
        doubt.axhline(likelihood_thr, color=_INK, linewidth=0.5)
        doubt.set_ylim(0, 1.05)
        doubt.set_yticks([0, 1])
        for axes in (place, doubt):
            for span in (span for at, span in swaps if at == keypoint):
                axes.axvspan(span.start, span.stop, color=_SWAP_COLOUR, alpha=0.5, linewidth=0)
            axes.tick_params(labelsize=7)
            axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlim(0, n_frames)
    panels[-1].set_xlabel(
        "frame" + (f" (one in {step} is drawn)" if step > 1 else "") + "; below each: likelihood, threshold as a line",
        fontsize=8,
    )
    handles, labels = panels[0].get_legend_handles_labels()
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize=8, markerscale=6)
    save_figure(figure, path)


def _draw_place(
    axes: Axes, frames: np.ndarray, xy_px: Float[np.ndarray, "T 2"], visible: Bool[np.ndarray, " T"]
) -> None:
    """Both coordinates; positions that don't count as grey dots, kept out of the limits of the axis."""
    for axis, (label, colour) in enumerate((("x (px)", _X_COLOUR), ("y (px)", _Y_COLOUR))):
        axes.plot(frames, np.where(visible, xy_px[:, axis], np.nan), color=colour, linewidth=0.8, label=label)
    if visible.any():
        low, high = float(xy_px[visible].min()), float(xy_px[visible].max())
        margin = max(5.0, 0.08 * (high - low))
        axes.set_ylim(high + margin, low - margin)  # y runs down in a picture
    hidden = ~visible
    for axis in (0, 1):
        axes.plot(
            frames[hidden],
            xy_px[hidden, axis],
            linestyle="none",
            marker=".",
            markersize=0.8,
            color="#a0a0a0",
            label="not visible" if axis == 0 else None,
            zorder=1,
        )
