"""Strips of small pictures of the animal, with keypoints, for a person to judge labels by.

S side of a picture, K keypoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nocigram.report._saving import save_figure
from nocigram.report.keypoint_colours import colour_of_keypoint

_TILE_INCHES, _CAPTION_INCHES, _MARGIN_INCHES, _LEGEND_INCHES = 1.3, 0.34, 0.12, 0.2
_ROW_INCHES = _CAPTION_INCHES + _TILE_INCHES + 0.16
_INSIDE_COLOUR, _OUTSIDE_COLOUR = "#D55E00", "#bbbbbb"  # Okabe and Ito 2008: told apart with any colour vision
_BRIGHTEST = 0.995


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture."""

    picture: UInt8[np.ndarray, "C S S"] | None
    """Grey or RGB; None where there is no video."""
    side_px: int
    """S."""
    xy: Float32[np.ndarray, "K 2"]
    """Keypoints in pixels of the picture; NaN where not visible."""
    text: str
    """Below the picture."""
    is_inside: bool
    """A frame of the span; else one before or after it."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A span of frames."""

    caption: str
    tiles: list[Tile]
    """In order of time, at least one."""


def draw_strip_page(
    strips: Sequence[Strip], *, names: Sequence[str], edges: Sequence[tuple[int, int]], path: Path
) -> None:
    """Write one page: a strip a row, its caption above. Pictures of the span have a thick frame of another colour.

    Args:
        strips: at least one.
        names: of the keypoints, for the legend.
        edges: pairs of keypoints that are joined by a line.
        path: ends in .png, .pdf or .svg.

    Raises:
        InputError: `path` ends in something else.
    """
    n_columns = max(len(strip.tiles) for strip in strips)
    width = n_columns * (_TILE_INCHES + _MARGIN_INCHES) + _MARGIN_INCHES
    height = len(strips) * _ROW_INCHES + _MARGIN_INCHES + _LEGEND_INCHES
    figure = Figure(figsize=(width, height))
    for number, strip in enumerate(strips):
        top, white = height - number * _ROW_INCHES, _white_of(strip)
        place = (_MARGIN_INCHES / width, (top - 0.22) / height)
        figure.text(*place, strip.caption, fontsize=7, va="center", color="#222222")
        bottom = (top - _CAPTION_INCHES - _TILE_INCHES) / height
        for column, tile in enumerate(strip.tiles):
            left = (_MARGIN_INCHES + column * (_TILE_INCHES + _MARGIN_INCHES)) / width
            axes = figure.add_axes((left, bottom, _TILE_INCHES / width, _TILE_INCHES / height))
            _draw_tile(axes, tile, edges=edges, white=white)
    figure.legend(handles=_rings(names), loc="lower left", ncols=len(names), frameon=False, fontsize=6)
    save_figure(figure, path)


def _rings(names: Sequence[str]) -> list[Line2D]:
    """One entry of the legend for each keypoint."""
    return [
        Line2D(
            [],
            [],
            color=colour_of_keypoint(number),
            label=name,
            linestyle="none",
            marker="o",
            markersize=4,
            fillstyle="none",
        )
        for number, name in enumerate(names)
    ]


def _white_of(strip: Strip) -> float:
    """The grey level that is shown as white, so that a dark video can be seen; one for all pictures of a strip."""
    pictures = [tile.picture for tile in strip.tiles if tile.picture is not None]
    brightest = max((float(np.quantile(picture, _BRIGHTEST)) for picture in pictures), default=255.0)
    return max(brightest, 1.0)


def _draw_tile(axes: Axes, tile: Tile, *, edges: Sequence[tuple[int, int]], white: float) -> None:
    """The picture, the body's lines and its keypoints as rings, the frame's number."""
    if tile.picture is not None:
        shown = np.clip(tile.picture / white, 0, 1)
        axes.imshow(shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)
    lines = [tile.xy[[start, end]] for start, end in edges if np.isfinite(tile.xy[[start, end]]).all()]
    axes.add_collection(
        LineCollection(lines, linewidths=0.4, colors="#888888" if tile.picture is None else "#ffffff59")
    )
    colours = [colour_of_keypoint(number) for number in range(len(tile.xy))]
    axes.scatter(tile.xy[:, 0], tile.xy[:, 1], s=22, facecolors="none", edgecolors=colours, linewidths=0.8, zorder=3)
    axes.set_xlim(-0.5, tile.side_px - 0.5)
    axes.set_ylim(tile.side_px - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(tile.text, fontsize=6, labelpad=2, color="#222222" if tile.is_inside else "#777777")
    axes.spines[:].set_color(_INSIDE_COLOUR if tile.is_inside else _OUTSIDE_COLOUR)
    axes.spines[:].set_linewidth(1.6 if tile.is_inside else 0.6)
