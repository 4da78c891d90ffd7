"""Pictures of body parts in their own coordinates, looked up by the renderer.

U places along the part (back to front), V across it (right to left), both at `SAMPLES_PER_PX`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from nocigram.simulation.motion import MOUTH_REACH
from nocigram.simulation.traits import Animal

SAMPLES_PER_PX = 3
N_LIFTS = 9
"""Steps from a paw that presses the glass to one in the air."""
_LIFTED_BRIGHTNESS = 0.2
_BODY_HALF_WIDTH = (
    (-0.38, 0.0),
    (-0.34, 0.05),
    (-0.24, 0.165),
    (-0.08, 0.24),
    (0.1, 0.235),
    (0.28, 0.18),
    (0.42, 0.13),
    (0.52, 0.095),
    (0.6, 0.055),
    (0.65, 0.025),
    (0.67, 0.0),
)
"""(place along the spine, half width) of the body's outline, in body lengths."""


@dataclass(frozen=True, kw_only=True)
class Sprites:
    """An animal's looks; grey values are for unit light."""

    body: Float[np.ndarray, "U V"]
    """Grey value of the underside."""
    body_alpha: Float[np.ndarray, "U V"]
    """1 inside the outline, 0 outside."""
    body_origin: tuple[float, float]
    """Sample of the hips."""
    hind: Float[np.ndarray, "N U_hind V_hind"]
    """Hind paw at N lifts, its keypoint in the middle, toes to the front."""
    front: Float[np.ndarray, "N U_front V_front"]
    """Front paw, likewise."""


def draw_sprites(rng: np.random.Generator, *, animal: Animal, length_px: float) -> Sprites:
    """Draw the parts of an animal whose body is `length_px` long in the picture."""
    body, alpha, origin = _body(rng, animal=animal, length_px=length_px)
    return Sprites(
        body=body,
        body_alpha=alpha,
        body_origin=origin,
        hind=_lifts(_foot(rng, heel=0.13, palm=0.033, toe=0.075, n_toes=5, length_px=length_px), animal, length_px),
        front=_lifts(_foot(rng, heel=0.035, palm=0.03, toe=0.05, n_toes=4, length_px=length_px), animal, length_px),
    )


def _body(
    rng: np.random.Generator, *, animal: Animal, length_px: float
) -> tuple[Float[np.ndarray, "U V"], Float[np.ndarray, "U V"], tuple[float, float]]:
    """Grey values and alpha of the underside, and the sample of the hips."""
    unit = length_px * SAMPLES_PER_PX
    along = np.arange(-0.42 * unit, 0.72 * unit) / unit
    across = np.arange(-0.32 * unit, 0.32 * unit) / unit
    place, half = np.array(_BODY_HALF_WIDTH).T
    width = np.interp(along, place, half * animal.stoutness, left=-1, right=-1)
    u, v = along[:, None], across[None, :]
    alpha = 1 / (1 + np.exp(-(width[:, None] - np.abs(v)) * unit / (0.9 * SAMPLES_PER_PX)))
    fur = rng.normal(0, 1, (len(along), len(across)))
    coarse, fine = gaussian_filter(fur, 0.035 * unit), gaussian_filter(fur, (0.02 * unit, 0.006 * unit))
    grey = animal.fur * (1 + 0.14 * coarse / coarse.std() + 0.16 * fine / fine.std())
    rounding = np.clip(1.15 - (np.abs(v) / np.maximum(width[:, None], 1e-3)) ** 2, 0.25, 1)
    grey = grey * rounding * np.where(u < -0.1, 1.25, 1.0)
    for spot_u, spot_v, size, bright in _spots(rng, animal):
        grey += bright * np.exp(-((u - spot_u) ** 2 + (v - spot_v) ** 2) / (2 * size**2))
    ears = np.zeros_like(alpha)
    for side in (-1, 1):
        ears += np.exp(-((((u - 0.44) / 0.035) ** 2 + ((v - side * 0.135 * animal.stoutness) / 0.04) ** 2) ** 2))
    alpha = np.maximum(alpha, 0.7 * np.clip(ears, 0, 1))
    return (
        np.clip(grey, 0, 255).astype(np.float32),
        alpha.astype(np.float32),
        (0.42 * unit, 0.32 * unit),
    )


def _spots(rng: np.random.Generator, animal: Animal) -> list[tuple[float, float, float, float]]:
    """(along, across, size, brightness): skin that shows through the fur at the tail base, and the snout."""
    skin = animal.paw * rng.uniform(0.3, 0.5)
    spots = [(-0.27, 0.0, 0.022, skin), (-0.21, rng.normal(0, 0.012), 0.018, 0.7 * skin)]
    spots += [(MOUTH_REACH - 0.025, 0.0, 0.02, animal.paw * 0.55), (MOUTH_REACH - 0.08, 0.0, 0.03, animal.fur * 0.9)]
    return spots


def _foot(
    rng: np.random.Generator, *, heel: float, palm: float, toe: float, n_toes: int, length_px: float
) -> tuple[Float[np.ndarray, "U V"], Float[np.ndarray, "U V"]]:
    """The outline of a foot with spread and with closed toes, 0 to 1."""
    half = int((heel + toe + 0.06) * length_px * SAMPLES_PER_PX)
    grid = np.arange(-half, half + 1) / (length_px * SAMPLES_PER_PX)
    wobble = rng.normal(0, 0.06, n_toes)
    shading = np.clip(0.8 + 0.25 * grid[:, None] / palm, 0.45, 1.0)  # the heel touches less than the toes
    outlines = []
    for spread in (0.95, 0.4):
        inside = _capsule(grid, (-heel, 0.0), (palm * 0.3, 0.0), (palm * 0.75, palm), length_px)
        for number, angle in enumerate(np.linspace(-spread, spread, n_toes) + wobble):
            tip = palm * 0.5 + toe * np.cos(angle) * (1 - 0.12 * abs(number - (n_toes - 1) / 2)), toe * np.sin(angle)
            inside = np.maximum(inside, _capsule(grid, (palm * 0.3, 0.0), tip, (palm * 0.45, palm * 0.3), length_px))
        outlines.append(inside * shading)
    return outlines[0], outlines[1]


def _capsule(
    grid: Float[np.ndarray, " U"],
    start: tuple[float, float],
    stop: tuple[float, float],
    radii: tuple[float, float],
    length_px: float,
) -> Float[np.ndarray, "U V"]:
    """1 within the tapered stroke from `start` to `stop` (body lengths), 0 outside, soft over a pixel."""
    u, v = grid[:, None], grid[None, :]
    du, dv = stop[0] - start[0], stop[1] - start[1]
    part = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv + 1e-12), 0, 1)
    distance = np.hypot(u - start[0] - part * du, v - start[1] - part * dv)
    radius = radii[0] + part * (radii[1] - radii[0])
    return np.clip(0.5 + (radius - distance) * length_px, 0, 1)


def _lifts(
    outlines: tuple[Float[np.ndarray, "U V"], Float[np.ndarray, "U V"]], animal: Animal, length_px: float
) -> Float[np.ndarray, "N U V"]:
    """The paw from pressed (bright, sharp, toes spread) to lifted (dim, blurred, toes closed)."""
    spread, closed = outlines
    steps = []
    for lift in np.linspace(0, 1, N_LIFTS):
        shape = gaussian_filter((1 - lift) * spread + lift * closed, (0.25 + 0.022 * length_px * lift) * SAMPLES_PER_PX)
        steps.append(shape * animal.paw * (_LIFTED_BRIGHTNESS + (1 - _LIFTED_BRIGHTNESS) * (1 - lift) ** 1.3))
    return np.stack(steps).astype(np.float32)
