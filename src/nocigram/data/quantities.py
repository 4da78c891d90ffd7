"""The numbers that say what a recording looks like: their names, units, and how they are compared."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from nocigram.core.needs import Needs
from nocigram.pose.skeleton import Skeleton, left_right_pairs

Scale = Literal["plain", "log", "share"]
Side = Literal["both", "high", "low"]

_LEAST_SHARE = 0.01
"""A share of 0 has no logit; smaller ones are all alike."""
_LEAST = 1e-3
"""Likewise for logarithms."""
QUANTILES = {"median": 0.5, "low end": 0.05, "high end": 0.95}
"""Words for what is kept of a pose feature's distribution over frames."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One number of a recording."""

    name: str
    unit: str = ""
    scale: Scale = "plain"
    """Where recordings spread evenly to both sides: as it is, in logarithms, in logits."""
    usual_spread: float
    """Standard deviation between recordings of one laboratory, on the scale: what is believed before any is seen."""
    alarms: Side = "both"
    """Which end matters: keypoints that are tracked better than in training are no reason for doubt."""

    def scaled(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Values on the scale; NaN stays NaN."""
        if self.scale == "log":
            return np.log(np.maximum(values, _LEAST))
        if self.scale == "share":
            share = np.clip(values, _LEAST_SHARE, 1 - _LEAST_SHARE)
            return np.log(share / (1 - share))
        return values

    def unscaled(self, value: float) -> float:
        """The opposite of `scaled`."""
        if self.scale == "log":
            return float(np.exp(value))
        return float(1 / (1 + np.exp(-value))) if self.scale == "share" else value

    def number_of(self, value: float) -> str:
        """`61`, `0.82`, `31%`."""
        if self.scale == "share":
            return f"{value:.0%}"
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"

    def text_of(self, value: float) -> str:
        """`61 px`, `0.82`, `31%`."""
        return f"{self.number_of(value)} {self.unit}".rstrip()


def quantities_of(skeleton: Skeleton, needs: Needs) -> tuple[Quantity, ...]:
    """Every quantity that matters to a model with these needs, in the order of tables."""
    found = [Quantity(name="frame rate", unit="frames/s", scale="log", usual_spread=0.01)]
    if needs.pixels:
        found += _of_picture()
    if needs.light:
        found.append(Quantity(name="grey level at the paws", scale="log", usual_spread=0.25))
    if needs.pose:
        found += [*_of_tracking(skeleton), *_of_posture(skeleton), *_of_motion()]
    return tuple(found)


def feature_names(skeleton: Skeleton) -> tuple[str, ...]:
    """The pose features by the keypoints of a skeleton, in the order of `pose_features`."""
    names = skeleton.names
    return (
        *(f"distance {names[start]} - {names[end]}" for start, end in skeleton.edges),
        f"distance {names[skeleton.front]} - centroid",
        *(f"angle at {names[vertex]} ({names[arm]}, {names[other]})" for vertex, arm, other in skeleton.angles),
    )


def _of_picture() -> list[Quantity]:
    """The video, and what the backbone sees of it."""
    return [
        Quantity(name="width", unit="px", scale="log", usual_spread=0.02),
        Quantity(name="height", unit="px", scale="log", usual_spread=0.02),
        Quantity(name="colour (1) or grey (0)", usual_spread=0.05),
        Quantity(name="brightness", scale="log", usual_spread=0.15),
        Quantity(name="contrast", scale="log", usual_spread=0.25),
        Quantity(name="sharpness", scale="log", usual_spread=0.15),
        Quantity(name="body length as the model sees it", unit="px", scale="log", usual_spread=0.1),
    ]


def _of_tracking(skeleton: Skeleton) -> list[Quantity]:
    """How well the animal is tracked, and how large it is."""
    sided = [Quantity(name="left paws lie left", scale="share", usual_spread=0.5)]
    return [
        Quantity(name="body length", unit="px", scale="log", usual_spread=0.1),
        Quantity(name="frames without pose", scale="share", usual_spread=0.5, alarms="high"),
        *(
            Quantity(name=f"likelihood of {name}, mean", scale="share", usual_spread=0.5, alarms="low")
            for name in skeleton.names
        ),
        *(
            Quantity(name=f"{name} below the threshold", scale="share", usual_spread=0.5, alarms="high")
            for name in skeleton.names
        ),
        Quantity(name="jumps", scale="share", usual_spread=0.5, alarms="high"),
        Quantity(name="trembling", unit="body lengths", scale="log", usual_spread=0.25, alarms="high"),
        *(sided if left_right_pairs(skeleton.names) else []),
    ]


def _of_posture(skeleton: Skeleton) -> list[Quantity]:
    """The pose features over all frames."""
    n_lengths = len(skeleton.edges) + 1
    return [
        Quantity(
            name=f"{feature}, {which}",
            unit="body lengths" if position < n_lengths else "rad",
            usual_spread=0.05 if position < n_lengths else 0.15,
        )
        for position, feature in enumerate(feature_names(skeleton))
        for which in QUANTILES
    ]


def _of_motion() -> list[Quantity]:
    """How fast it moves."""
    return [
        Quantity(name=f"speed of the {part}, {which}", unit="body lengths/s", scale="log", usual_spread=0.35)
        for part in ("body", "keypoints")
        for which in ("median", "high end")
    ]
