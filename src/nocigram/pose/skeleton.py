"""The body: its keypoints, their other names, the pose graph, the left-right pairs. By default a mouse from below."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from nocigram.core.errors import InputError

DEFAULT_KEYPOINTS = ("mouth", "tail_base", "L_frontpaw", "R_frontpaw", "L_hindpaw", "R_hindpaw")
"""The order of every array with a keypoint axis."""

MOUTH, TAIL_BASE, L_FRONT, R_FRONT, L_HIND, R_HIND = range(6)

EDGES = (
    (MOUTH, TAIL_BASE),
    (MOUTH, L_FRONT),
    (MOUTH, R_FRONT),
    (TAIL_BASE, L_HIND),
    (TAIL_BASE, R_HIND),
    (L_FRONT, R_FRONT),
    (L_HIND, R_HIND),
)
"""The guide's first seven edges, (from, to). Its eighth, mouth to centroid, is no pair of keypoints."""

ANGLES = (
    (MOUTH, TAIL_BASE, L_FRONT),
    (MOUTH, TAIL_BASE, R_FRONT),
    (MOUTH, L_FRONT, R_FRONT),
    (TAIL_BASE, MOUTH, L_HIND),
    (TAIL_BASE, MOUTH, R_HIND),
    (TAIL_BASE, L_HIND, R_HIND),
    (L_FRONT, MOUTH, L_HIND),
    (R_FRONT, MOUTH, R_HIND),
    (L_HIND, TAIL_BASE, L_FRONT),
    (R_HIND, TAIL_BASE, R_FRONT),
)
"""The ten angles of the pose graph: (vertex, arm, arm)."""

_SHORT = ("mouth", "tail", "L_front", "R_front", "L_hind", "R_hind")
FEATURE_NAMES = (
    *(f"length {_SHORT[start]} - {_SHORT[end]}" for start, end in EDGES),
    "length mouth - centroid",
    *(f"angle at {_SHORT[vertex]} ({_SHORT[arm]}, {_SHORT[other]})" for vertex, arm, other in ANGLES),
)
"""Names of the 18 pose features, in their order."""

N_POSE_FEATURES = len(FEATURE_NAMES)


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """Keypoints, and what is measured between them; numbers are positions in `names`."""

    names: tuple[str, ...]
    front: int
    """Where the body's axis ends, such as the mouth."""
    back: int
    """Where the body's axis begins, such as the tail base."""
    edges: tuple[tuple[int, int], ...]
    """Pairs whose distance is a pose feature."""
    angles: tuple[tuple[int, int, int], ...]
    """Vertex, arm, arm of each angle that is a pose feature."""
    paws: tuple[int, ...]
    """Keypoints that may stand on the glass, left before right, front before hind: where light is read."""

    @property
    def n_keypoints(self) -> int:
        """K."""
        return len(self.names)

    @property
    def n_pose_features(self) -> int:
        """Edges, the distance from front to the keypoints' centroid, angles."""
        return len(self.edges) + 1 + len(self.angles)

    @property
    def mirrored(self) -> tuple[int, ...]:
        """For each keypoint the one that takes its place in a mirror."""
        order = list(range(self.n_keypoints))
        for left, right in left_right_pairs(self.names):
            order[left], order[right] = right, left
        return tuple(order)

    def named(self, names: tuple[str, ...]) -> "Skeleton":
        """The same body with its keypoints called otherwise."""
        return replace(self, names=names)

    def as_plain(self) -> dict[str, Any]:
        """Plain containers, for the checkpoint."""
        return {
            "names": list(self.names),
            "front": self.front,
            "back": self.back,
            "edges": [list(edge) for edge in self.edges],
            "angles": [list(angle) for angle in self.angles],
            "paws": list(self.paws),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Skeleton":
        """The opposite of `as_plain`."""
        return cls(
            names=tuple(plain["names"]),
            front=int(plain["front"]),
            back=int(plain["back"]),
            edges=tuple((int(start), int(end)) for start, end in plain["edges"]),
            angles=tuple((int(vertex), int(arm), int(other)) for vertex, arm, other in plain["angles"]),
            paws=tuple(map(int, plain["paws"])),
        )


MOUSE = Skeleton(
    names=DEFAULT_KEYPOINTS,
    front=MOUTH,
    back=TAIL_BASE,
    edges=EDGES,
    angles=ANGLES,
    paws=(L_FRONT, R_FRONT, L_HIND, R_HIND),
)
"""The guide's mouse: six keypoints, 18 pose features."""


def _limb_aliases(*, side: str, limb: str) -> tuple[str, ...]:
    """Spellings of one paw, such as `lfp`, `leftfrontpaw`, `frontpawl`, `frontleftpaw`; the best come first."""
    s, m = side[0], limb[0]
    girdles = ("front", "fore") if limb == "front" else ("hind", "rear", "back")
    spellings = [f"{s}{m}p", f"{m}{s}p", f"{m}p{s}", f"{s}{m}", f"{m}{s}"]
    for part, girdle, word in product(("paw", "foot", "hand", "limb", "leg"), girdles, (s, side)):
        spellings += [f"{word}{girdle}{part}", f"{girdle}{part}{word}", f"{girdle}{word}{part}"]
    return tuple(spellings)


_ALIASES: dict[str, tuple[str, ...]] = {
    "mouth": ("mouth", "snout", "snouttip", "nose", "nosetip", "tipofnose"),
    "tailbase": (
        "tailbase",
        "tailroot",
        "baseoftail",
        "basetail",
        "proximaltail",
        "tailproximal",
        "buttproximaltail",
        "tailstart",
        "tailinsertion",
        "butt",
    ),
    "lfrontpaw": _limb_aliases(side="left", limb="front"),
    "rfrontpaw": _limb_aliases(side="right", limb="front"),
    "lhindpaw": _limb_aliases(side="left", limb="hind"),
    "rhindpaw": _limb_aliases(side="right", limb="hind"),
}
"""Part -> spellings that mean it, in the form of `plain_name`; where a file has several, the first listed is used.

A bare "tail" is left out: laboratories use it for the base, the middle and the tip."""


def plain_name(name: str) -> str:
    """A name without case, spaces and punctuation: `Butt/Proximal Tail` becomes `buttproximaltail`."""
    return re.sub(r"[\W_]", "", name.lower())


def spellings_of(name: str) -> tuple[str, ...]:
    """Every spelling, in the form of `plain_name`, of the part that `name` means; `name` itself comes first."""
    plain = plain_name(name)
    for spellings in _ALIASES.values():
        if plain in spellings:
            return (plain, *(spelling for spelling in spellings if spelling != plain))
    return (plain,)


def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Six names in the order of `DEFAULT_KEYPOINTS`, which is what edges, angles and the body's axis go by.

    Six names of the six known parts are put in order. Names of other parts stay where they are, as long as no known
    part stands in the place of another.

    Raises:
        InputError: a known part stands in the place of another.
    """
    defaults = [plain_name(name) for name in DEFAULT_KEYPOINTS]
    places = [next((at for at, part in enumerate(defaults) if part in spellings_of(name)), None) for name in names]
    if sorted(place for place in places if place is not None) == list(range(len(names))):
        return tuple(name for _, name in sorted(zip(places, names, strict=True)))
    for at, (name, place) in enumerate(zip(names, places, strict=True)):
        if place is not None and place != at:
            raise InputError(
                f"--kp_names: expected '{name}' as number {place + 1}, got it as number {at + 1}. The order is "
                f"{', '.join(DEFAULT_KEYPOINTS)}."
            )
    return names


def left_right_pairs(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Positions (left, right) of keypoints that change places in a mirror.

    Known paws pair by the alias table, other names by the words left and right (`left_ear`, `right_ear`).
    """
    sided = [_sided(name) for name in names]
    return tuple(
        (left, sided.index((part, "right")))
        for left, (part, side) in enumerate(sided)
        if side == "left" and (part, "right") in sided
    )


def _sided(name: str) -> tuple[str, str]:
    """The part without its side, and the side (`left`, `right`, or empty)."""
    for part, spellings in _ALIASES.items():
        if plain_name(name) in spellings:
            return (part[1:], {"l": "left", "r": "right"}[part[0]]) if part.endswith("paw") else (part, "")
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", name)
    sides = {"l": "left", "left": "left", "r": "right", "right": "right"}
    found = [sides[word.lower()] for word in words if word.lower() in sides]
    part = "".join(word.lower() for word in words if word.lower() not in sides)
    if found:
        return part, found[0]
    plain = plain_name(name)
    for side in ("left", "right"):
        if side in plain:
            return plain.replace(side, "", 1), side
    return plain, ""
