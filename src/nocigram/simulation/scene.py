"""What the camera sees without the animal: light, floor, dirt and the sensor's noise. H height, W width."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from nocigram.simulation.traits import Camera

_N_NOISE_FRAMES = 12


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The empty arena."""

    light: Float[np.ndarray, "H W"]
    """Factor on what lies on the glass, gain included; 1 on average at gain 1."""
    floor: Float[np.ndarray, "H W"]
    """Grey values of the empty picture."""
    noise: Float[np.ndarray, "N H W"]
    """A bank of noise frames; each frame of a recording takes one, shifted."""


def draw_scene(rng: np.random.Generator, *, camera: Camera) -> Scene:
    """A dark arena behind glass, lit unevenly."""
    size = camera.size_px
    y, x = np.mgrid[:size, :size] / size - 0.5
    slope = x * np.cos(camera.light_direction) + y * np.sin(camera.light_direction)
    light = 1 + camera.light_slope * 1.6 * slope + _cloud(rng, size, reach=0.3, strength=0.07)
    light = camera.gain * np.clip(light, 0.35, None)
    dark = 7 + 4 * slope * camera.light_slope + _cloud(rng, size, reach=0.15, strength=1.5)
    floor = camera.gain * np.clip(dark + _wall(rng, x, y) + _reflections(rng, x, y), 1, None)
    floor += _dirt(rng, x, y) * light
    noise = rng.normal(0, camera.noise, (_N_NOISE_FRAMES, size, size))
    return Scene(
        light=light.astype(np.float32),
        floor=floor.astype(np.float32),
        noise=noise.astype(np.float32),
    )


def _cloud(rng: np.random.Generator, size: int, *, reach: float, strength: float) -> Float[np.ndarray, "H W"]:
    """A smooth random field with standard deviation `strength`."""
    field = gaussian_filter(rng.normal(0, 1, (size, size)), reach * size, mode="wrap")
    return strength * field / field.std()


def _wall(
    rng: np.random.Generator, x: Float[np.ndarray, "H W"], y: Float[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """The arena's round edge and its reflection, faint rings."""
    shift_x, shift_y = rng.normal(0, 0.015, 2)
    distance = np.hypot(x - shift_x, y - shift_y)
    rings = np.zeros_like(x)
    for radius, bright, width in ((0.485, 22, 0.004), (rng.uniform(0.43, 0.46), 9, 0.003), (0.28, 4, 0.004)):
        rings += bright * rng.uniform(0.6, 1.2) * np.exp(-(((distance - radius) / width) ** 2))
    return rings * (0.6 + 0.4 * np.cos(np.arctan2(y, x) * 2 + rng.uniform(0, 6)))


def _reflections(
    rng: np.random.Generator, x: Float[np.ndarray, "H W"], y: Float[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """Blurred pale patches of things mirrored in the glass."""
    patches = np.zeros_like(x)
    for _ in range(int(rng.integers(2, 6))):
        angle = rng.uniform(0, np.pi)
        cx, cy = rng.uniform(-0.45, 0.45, 2)
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        long, wide = rng.uniform(0.03, 0.12), rng.uniform(0.01, 0.04)
        patches += rng.uniform(4, 18) * np.exp(-((along / long) ** 2) - (across / wide) ** 2)
    return patches


def _dirt(
    rng: np.random.Generator, x: Float[np.ndarray, "H W"], y: Float[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """Bright specks and short strokes on the glass: bedding, droppings, smears."""
    dirt = np.zeros_like(x)
    size = len(x)
    for _ in range(int(rng.integers(5, 16))):
        angle = rng.uniform(0, np.pi)
        cx, cy = rng.uniform(-0.48, 0.48, 2)
        along = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) * size
        across = ((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)) * size
        long, wide = rng.uniform(0.8, 4.0), rng.uniform(0.6, 1.4)
        dirt += rng.uniform(25, 150) * np.exp(-((along / long) ** 2) - (across / wide) ** 2)
    return dirt
