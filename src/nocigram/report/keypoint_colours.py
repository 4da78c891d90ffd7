"""One colour for each keypoint, the same in every figure."""

from matplotlib import colormaps
from matplotlib.colors import to_hex

_COLOURS = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#CC79A7"),
    *(to_hex(colour) for colour in colormaps["Set3"].colors),  # type: ignore[attr-defined]
)
"""The first six are those of Okabe & Ito (2008), which colour-blind readers tell apart."""


def colour_of_keypoint(at: int) -> str:
    """The colour of the keypoint at a position of the skeleton."""
    return _COLOURS[at % len(_COLOURS)]
