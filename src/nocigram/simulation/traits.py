"""What differs between animals and between cameras."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Group = Literal["CFA", "control"]
"""Inflamed hind paw (complete Freund's adjuvant), or untouched."""


@dataclass(frozen=True, kw_only=True)
class Animal:
    """One mouse."""

    name: str
    group: Group
    affected_side: int
    """The hind paw that is injected and stimulated: +1 left, -1 right."""
    length_px: float
    """Mouth to tail base of the stretched-out animal."""
    stoutness: float
    """Width relative to the average mouse."""
    fur: float
    """Grey value of the belly's fur under unit light, 0 to 255."""
    paw: float
    """Grey value of a paw on the glass under unit light, 0 to 255."""
    tail: float
    """Grey value of the tail under unit light, 0 to 255."""
    tail_length: float
    """In body lengths."""
    walk_speed: float
    """Body lengths per second."""
    swing_n_frames: int
    """Frames that a paw is in the air during a step."""
    stance_width: float
    """Spread of the paws relative to the average mouse."""
    tempo: float
    """Speed of rhythmic movements relative to the average mouse."""
    vigour: float
    """Size of movements relative to the average mouse."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One recording's camera, light and floor."""

    size_px: int
    """Width and height of the picture."""
    gain: float
    noise: float
    """Standard deviation of the sensor's noise in grey values."""
    zoom: float
    rotation: float
    """Radians."""
    light_direction: float
    """Radians; where the brighter side of the floor lies."""
    light_slope: float
    """How much brighter the bright side is than the dark one, relative to the middle."""


def draw_animal(rng: np.random.Generator, *, name: str, group: Group, size_px: int) -> Animal:
    """A mouse of the given group; lengths grow with the picture's size."""
    return Animal(
        name=name,
        group=group,
        affected_side=1 if rng.random() < 0.5 else -1,
        length_px=float(rng.uniform(0.24, 0.31) * size_px),
        stoutness=float(rng.uniform(0.88, 1.15)),
        fur=float(rng.uniform(24, 52)),
        paw=float(rng.uniform(120, 245)),
        tail=float(rng.uniform(110, 220)),
        tail_length=float(rng.uniform(0.8, 1.1)),
        walk_speed=float(rng.uniform(1.0, 1.7)),
        swing_n_frames=int(rng.integers(3, 6)),
        stance_width=float(rng.uniform(0.9, 1.15)),
        tempo=float(rng.uniform(0.85, 1.15)),
        vigour=float(rng.uniform(0.85, 1.2)),
    )


def draw_camera(rng: np.random.Generator, *, size_px: int) -> Camera:
    """A camera that looks up through the glass."""
    return Camera(
        size_px=size_px,
        gain=float(rng.uniform(0.8, 1.25)),
        noise=float(rng.uniform(1.0, 2.4)),
        zoom=float(rng.uniform(0.93, 1.07)),
        rotation=float(rng.uniform(-0.2, 0.2)),
        light_direction=float(rng.uniform(-np.pi, np.pi)),
        light_slope=float(rng.uniform(0.1, 0.45)),
    )
