"""From motion to pixels: only a box round the animal is drawn, onto the recording's own background.

T frames, P paws, H height, W width, N points of the tail.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int, UInt8

from nocigram.simulation.motion import MOUTH_REACH, Motion, axes_of
from nocigram.simulation.movements import wander
from nocigram.simulation.scene import Scene
from nocigram.simulation.sprites import N_LIFTS, SAMPLES_PER_PX, Sprites
from nocigram.simulation.traits import Animal

_FOOT_OUTWARD = (0.15, 0.15, 0.5, 0.5)
"""Radians by which each foot points away from the midline."""
_BLUR_PER_PX = 0.03
"""How much a paw's motion by one pixel per frame blurs and dims it, in lifts."""
_TAIL_DISC_PX = 4


def render(
    rng: np.random.Generator, motion: Motion, *, scene: Scene, sprites: Sprites, animal: Animal
) -> Iterator[UInt8[np.ndarray, "H W"]]:
    """Every frame of a recording, in order."""
    size = len(scene.floor)
    n_frames = len(motion.heading)
    tails_px = _tails(rng, motion, animal=animal)
    lifts = _lifts(motion)
    forward, left = axes_of(motion.heading)
    banks = rng.integers(len(scene.noise), size=n_frames)
    shifts = rng.integers(size, size=n_frames)
    for frame in range(n_frames):
        picture = scene.floor.copy()
        _draw_body(picture, motion, frame, scene=scene, sprites=sprites, forward=forward[frame], left=left[frame])
        _draw_tail(picture, tails_px[frame], scene=scene, animal=animal, length_px=motion.length_px)
        for paw in range(len(_FOOT_OUTWARD)):
            _draw_paw(picture, motion, frame, paw, lift=int(lifts[frame, paw]), scene=scene, sprites=sprites)
        noise, shift = scene.noise[banks[frame]], shifts[frame]
        picture[shift:] += noise[: size - shift]
        picture[:shift] += noise[size - shift :]
        np.clip(picture, 0, 255, out=picture)
        yield picture.astype(np.uint8)


def _box(centre_px: Float[np.ndarray, "2"], half_px: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of a square that is cut off at the picture's edge."""
    column, row = int(centre_px[0]), int(centre_px[1])
    rows = slice(max(0, row - half_px), max(0, min(size, row + half_px + 1)))
    return rows, slice(max(0, column - half_px), max(0, min(size, column + half_px + 1)))


def _offsets(
    rows: slice, columns: slice, origin_px: Float[np.ndarray, "2"]
) -> tuple[Float[np.ndarray, "1 W"], Float[np.ndarray, "H 1"]]:
    """Distances in x and y of a box's pixels from an origin."""
    dx = (np.arange(columns.start, columns.stop) - origin_px[0]).astype(np.float32)
    dy = (np.arange(rows.start, rows.stop) - origin_px[1]).astype(np.float32)
    return dx[None, :], dy[:, None]


def _draw_body(
    picture: Float[np.ndarray, "H W"],
    motion: Motion,
    frame: int,
    *,
    scene: Scene,
    sprites: Sprites,
    forward: Float[np.ndarray, "2"],
    left: Float[np.ndarray, "2"],
) -> None:
    """Look up every pixel of the box in the body's sprite, through the bend of the spine."""
    hips_px = motion.hips_px[frame]
    rows, columns = _box(hips_px + 0.15 * motion.length_px * forward, int(0.62 * motion.length_px), len(picture))
    dx, dy = _offsets(rows, columns, hips_px)
    ahead = dx * np.float32(forward[0]) + dy * np.float32(forward[1])
    aside = dx * np.float32(left[0]) + dy * np.float32(left[1])
    stretch, bend = float(motion.stretch[frame]), float(motion.bend[frame])
    if abs(bend) > 1e-3:
        radius = np.float32(MOUTH_REACH * motion.length_px * stretch / bend)
        towards = np.sign(radius) * (radius - aside)
        in_front = ahead > 0
        bent_ahead = np.arctan2(np.abs(ahead), towards) * np.abs(radius)
        bent_aside = radius - np.sign(radius) * np.hypot(ahead, towards)
        ahead, aside = np.where(in_front, bent_ahead, ahead), np.where(in_front, bent_aside, aside)
    along = np.float32(SAMPLES_PER_PX / stretch)
    across = np.float32(SAMPLES_PER_PX * np.sqrt(stretch))
    u = (ahead * along + np.float32(sprites.body_origin[0] + 0.5)).astype(np.int32)
    v = (aside * across + np.float32(sprites.body_origin[1] + 0.5)).astype(np.int32)
    index = np.clip(u, 0, sprites.body.shape[0] - 1) * sprites.body.shape[1] + np.clip(v, 0, sprites.body.shape[1] - 1)
    alpha = sprites.body_alpha.ravel()[index]
    shade = scene.light[rows, columns] * np.float32(1 - 0.35 * motion.rearing[frame])
    under = picture[rows, columns]
    under += alpha * (sprites.body.ravel()[index] * shade - under)


def _draw_paw(
    picture: Float[np.ndarray, "H W"],
    motion: Motion,
    frame: int,
    paw: int,
    *,
    lift: int,
    scene: Scene,
    sprites: Sprites,
) -> None:
    """Lay a paw over the body where it is brighter."""
    sprite = (sprites.front if paw < 2 else sprites.hind)[lift]
    half = (sprite.shape[0] - 1) // 2
    place_px = motion.paws_px[frame, paw]
    rows, columns = _box(place_px, half // SAMPLES_PER_PX, len(picture))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    side = 1 if paw % 2 == 0 else -1
    bend = motion.bend[frame] * (0.55 if paw < 2 else 0.0)
    angle = motion.heading[frame] + bend + side * _FOOT_OUTWARD[paw]
    dx, dy = _offsets(rows, columns, place_px)
    cos, sin = np.float32(np.cos(angle) * SAMPLES_PER_PX), np.float32(np.sin(angle) * SAMPLES_PER_PX)
    u = np.clip((dx * cos + dy * sin + np.float32(half + 0.5)).astype(np.int32), 0, 2 * half)
    v = np.clip((dy * cos - dx * sin + np.float32(half + 0.5)).astype(np.int32), 0, 2 * half)
    grey = sprite.ravel()[u * sprite.shape[1] + v] * scene.light[rows, columns]
    under = picture[rows, columns]
    np.maximum(under, grey, out=under)


def _lifts(motion: Motion) -> Int[np.ndarray, "T P"]:
    """Which of a paw's sprites each frame shows: how far it is in the air, and blurred by its motion."""
    speed_px = np.zeros(motion.contact.shape)
    speed_px[1:] = np.linalg.norm(np.diff(motion.paws_px, axis=0), axis=-1)
    lift = 1 - motion.contact + _BLUR_PER_PX * speed_px
    return np.rint(np.clip(lift, 0, 1) * (N_LIFTS - 1)).astype(np.int64)


def _tails(rng: np.random.Generator, motion: Motion, *, animal: Animal) -> Float[np.ndarray, "T N 2"]:
    """Points of the tail, a pixel apart: it trails behind the body in a slowly changing curve."""
    n_frames = len(motion.heading)
    n_points = int(animal.tail_length * motion.length_px)
    part = np.arange(n_points) / n_points
    curl = rng.normal(0, 1.0) + wander(rng, n_frames, sd=0.9, memory_s=4.0)
    tip = wander(rng, n_frames, sd=0.7, memory_s=2.0)
    turned = np.gradient(motion.heading) if n_frames > 1 else np.zeros(n_frames)
    angle = (motion.heading + np.pi)[:, None] + curl[:, None] * part + (tip[:, None]) * part**2
    angle = angle - 9.0 * turned[:, None] * part
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return motion.tail_base_px[:, None] + np.cumsum(steps, axis=1)


def _draw_tail(
    picture: Float[np.ndarray, "H W"],
    points_px: Float[np.ndarray, "N 2"],
    *,
    scene: Scene,
    animal: Animal,
    length_px: float,
) -> None:
    """Stamp a disc at each point, thinner towards the tip."""
    size = len(picture)
    around = np.arange(-_TAIL_DISC_PX, _TAIL_DISC_PX + 1)
    corner = points_px.astype(np.int32)
    columns = corner[:, None, 0:1] + around[None, None, :]
    rows = corner[:, None, 1:2] + around[None, :, None]
    dx, dy = columns - points_px[:, None, 0:1], rows - points_px[:, None, 1:2]
    part = np.linspace(0, 1, len(points_px))[:, None, None]
    radius = length_px * (0.034 - 0.026 * part)
    distance = np.sqrt(dx * dx + dy * dy)
    cover = np.clip(radius + 0.5 - distance, 0, 1)
    grey = cover * animal.tail * (1 - 0.25 * part) * (1 - 0.35 * np.minimum(distance / radius, 1) ** 2)
    is_inside = (cover > 0) & (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
    index = (rows * size + columns)[is_inside]
    np.maximum.at(picture.reshape(-1), index, (grey[is_inside] * scene.light.reshape(-1)[index]).astype(np.float32))
