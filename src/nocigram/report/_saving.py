"""Writing a figure to a file."""

from pathlib import Path

from matplotlib.figure import Figure

from nocigram.core.errors import InputError
from nocigram.core.files import written_whole

_FORMATS = (".png", ".pdf", ".svg")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole or not at all, in the format of the suffix. A png gets 200 dots per inch.

    Raises:
        InputError: the suffix is no format of figures.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(
            f"{path.name}: expected a name that ends in .png, .pdf or .svg, got '{path.suffix}'. Rename it."
        )
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=200, format=path.suffix.lower().removeprefix("."))
