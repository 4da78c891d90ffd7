"""The confusion matrix: what each action was taken for.

C actions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nocigram.evaluation import Scores
from nocigram.evaluation.wording import counted, percent
from nocigram.report._saving import save_figure

_CELL_INCHES = 0.72
_NO_FRAMES_COLOUR = "#f0f0f0"


def draw_confusion(
    scores: Scores, *, classes: Sequence[str], colours: Mapping[str, str], path: Path, stamp: str | None = None
) -> None:
    """Write the confusion matrix as a figure: one row per true action, shares of its frames and counts in the cells.

    Shades run from light to dark of one hue, so they read in grey and with any colour vision.

    Args:
        scores: what to draw.
        classes: names of the actions, in the order of the scores.
        colours: action -> colour of the small square beside its name, as in the ethograms.
        path: ends in .png, .pdf or .svg.
        stamp: what the figure has to say in red.

    Raises:
        InputError: `path` ends in something else.
    """
    side = _CELL_INCHES * len(classes)
    figure = Figure(figsize=(max(side, 3.0) + 1.9, side + 1.7), layout="constrained")
    axes = figure.add_subplot()
    shares = _row_shares(scores)
    axes.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1)
    _write_cells(axes, scores, shares=shares)
    _name_rows_and_columns(axes, scores, classes=classes)
    _mark_with_colours(axes, [colours[name] for name in classes])
    axes.set_xlabel("predicted action", fontsize=10)
    axes.set_ylabel("true action", fontsize=10)
    axes.set_title(
        f"Share of each true action's frames\n{scores.measured_on}\nmacro F1 {scores.macro_f1:.3f}",
        fontsize=9,
    )
    save_figure(figure, path, stamp=stamp)


def _row_shares(scores: Scores) -> Float[np.ndarray, "C C"]:
    """Each row over its sum; NaN in the row of an action without a true frame."""
    n_true = scores.confusion.sum(axis=1, keepdims=True)
    return np.where(n_true > 0, scores.confusion / np.maximum(n_true, 1), np.nan)


def _write_cells(axes: Axes, scores: Scores, *, shares: Float[np.ndarray, "C C"]) -> None:
    """Percentage and count in every cell, black or white, whichever can be read on its shade."""
    for (row, column), share in np.ndenumerate(shares):
        if np.isnan(share):
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=_NO_FRAMES_COLOUR, linewidth=0))
            continue
        red, green, blue, _ = colormaps["Blues"](float(share))
        ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
        count = int(scores.confusion[row, column])
        weight = "bold" if row == column else "normal"
        axes.text(column, row - 0.12, percent(share), ha="center", va="center", color=ink, weight=weight, fontsize=10)
        axes.text(column, row + 0.24, f"{count:,}", ha="center", va="center", color=ink, fontsize=7)
    for row in np.flatnonzero(np.isnan(shares).all(axis=1)):
        centre = (len(shares) - 1) / 2
        axes.text(centre, float(row), "no labelled frames", ha="center", va="center", color="#555555", fontsize=9)


def _name_rows_and_columns(axes: Axes, scores: Scores, *, classes: Sequence[str]) -> None:
    """Names on both sides, rows with their number of frames, white lines between the cells."""
    n_true = scores.confusion.sum(axis=1)
    positions = np.arange(len(classes))
    rows = [f"{name}\n{counted(int(count), 'frame')}" for name, count in zip(classes, n_true, strict=True)]
    axes.set_yticks(positions, rows, fontsize=9)
    axes.set_xticks(positions, list(classes), fontsize=9, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_xticks(positions[1:] - 0.5, minor=True)
    axes.set_yticks(positions[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, pad=10)
    axes.spines[:].set_visible(False)


def _mark_with_colours(axes: Axes, colours: Sequence[str]) -> None:
    """A bar in each action's colour along the left and the lower side."""
    last = len(colours) - 0.5
    for index, colour in enumerate(colours):
        for corner, width, height in (((-0.62, index - 0.42), 0.08, 0.84), ((index - 0.42, last + 0.04), 0.84, 0.08)):
            axes.add_patch(Rectangle(corner, width, height, color=colour, clip_on=False, linewidth=0))
