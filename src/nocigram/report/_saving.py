"""Writing a figure to a file."""

import math
from pathlib import Path
from textwrap import fill

from matplotlib.figure import Figure

from nocigram.core.errors import InputError
from nocigram.core.files import written_whole

_FORMATS = (".png", ".pdf", ".svg")
_DOTS_PER_INCH = 200
_MOST_DOTS = 40e6
_STAMP_COLOUR = "#c00000"


def save_figure(figure: Figure, path: Path, *, stamp: str | None = None) -> None:
    """Write a figure whole or not at all, in the format of the suffix, with a stamp in red across its top.

    A png gets 200 dots per inch, fewer if it would have more than 40 million dots.

    Raises:
        InputError: the suffix is no format of figures.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(
            f"{path.name}: expected a name that ends in .png, .pdf or .svg, got '{path.suffix}'. Rename it."
        )
    if stamp is not None:
        figure.suptitle(fill(stamp, width=int(12 * figure.get_figwidth())), color=_STAMP_COLOUR, fontsize=9)
    width_inches, height_inches = figure.get_size_inches()
    dots_per_inch = min(_DOTS_PER_INCH, math.sqrt(_MOST_DOTS / (width_inches * height_inches)))
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=dots_per_inch, format=path.suffix.lower().removeprefix("."))
