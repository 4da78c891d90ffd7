"""What the body does in each kind of bout: the controls that `motion` turns into keypoints.

T frames; P paws in the order left front, right front, left hind, right hind. Lengths are in body lengths, angles in
radians. "Forward" is towards the mouth, "left" the animal's left.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from nocigram.simulation.ethogram import PlannedBout
from nocigram.simulation.traits import Animal

N_PAWS = 4
FPS = 30.0
_FRONT = (0, 1)


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What the animal intends, frame by frame. Arrays may be written to while a bout is built."""

    speed: Float[np.ndarray, " T"]
    """Forward, body lengths per second."""
    turn: Float[np.ndarray, " T"]
    """Radians per second, positive to the left."""
    bend: Float[np.ndarray, " T"]
    """How far the front of the body is bent, radians, positive to the left; smoothed over bouts."""
    stretch: Float[np.ndarray, " T"]
    """Length relative to the relaxed animal; smoothed over bouts."""
    fast_bend: Float[np.ndarray, " T"]
    """Added to `bend` unsmoothed."""
    sway: Float[np.ndarray, "T 2"]
    """Forward and left shift of the body over standing paws."""
    rearing: Float[np.ndarray, " T"]
    """0 on all fours to 1 upright; smoothed over bouts."""
    held: Float[np.ndarray, "T P"]
    """0: the paw stands where its last step put it. 1: it is where `offset` and `to_mouth` say."""
    offset: Float[np.ndarray, "T P 2"]
    """Forward and outward shift of a held paw from its place under the body."""
    to_mouth: Float[np.ndarray, "T P"]
    """How far a held paw is brought from there to the mouth, 0 to 1."""
    contact: Float[np.ndarray, "T P"]
    """Most pressure that the paw has on the glass, 0 (in the air) to 1."""


def controls_of(rng: np.random.Generator, bout: PlannedBout, *, animal: Animal) -> Controls:
    """The controls of one bout."""
    n_frames = bout.n_frames
    controls = Controls(
        speed=np.zeros(n_frames),
        turn=np.zeros(n_frames),
        bend=np.full(n_frames, rng.normal(0, 0.12)),
        stretch=np.full(n_frames, rng.normal(1.0, 0.03)),
        fast_bend=np.zeros(n_frames),
        sway=np.zeros((n_frames, 2)),
        rearing=np.zeros(n_frames),
        held=np.zeros((n_frames, N_PAWS)),
        offset=np.zeros((n_frames, N_PAWS, 2)),
        to_mouth=np.zeros((n_frames, N_PAWS)),
        contact=np.ones((n_frames, N_PAWS)),
    )
    _MOVEMENTS[bout.kind](rng, controls, bout, animal)
    return controls


def joined(parts: list[Controls]) -> Controls:
    """Bouts one after another, slow controls smoothed so that the body never jumps."""
    whole = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Controls)}
    for name, sd_frames in (("bend", 2.0), ("stretch", 2.0), ("rearing", 2.0), ("speed", 1.5), ("turn", 1.5)):
        whole[name] = _smoothed(whole[name], sd_frames=sd_frames)
    return Controls(**whole)


def _smoothed(values: Float[np.ndarray, " T"], *, sd_frames: float) -> Float[np.ndarray, " T"]:
    """Gaussian smoothing, edges repeated."""
    reach = int(4 * sd_frames)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd_frames) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def wander(rng: np.random.Generator, n_frames: int, *, sd: float, memory_s: float) -> Float[np.ndarray, " T"]:
    """A slow random walk that returns to 0 (Ornstein-Uhlenbeck), with standard deviation `sd`."""
    keep = float(np.exp(-1.0 / (memory_s * FPS)))
    kicks = rng.normal(0, sd * np.sqrt(1 - keep**2), n_frames)
    values = np.empty(n_frames)
    last = rng.normal(0, sd)
    for frame in range(n_frames):
        last = keep * last + kicks[frame]
        values[frame] = last
    return values


def _rhythm(rng: np.random.Generator, n_frames: int, *, hz: float) -> Float[np.ndarray, " T"]:
    """A sine of about `hz` with a random phase, its pace unsteady by a few percent."""
    pace = hz * (1 + rng.normal(0, 0.06, n_frames))
    return np.sin(2 * np.pi * np.cumsum(pace) / FPS + rng.uniform(0, 2 * np.pi))


def _plateau(n_frames: int, *, ramp: int) -> Float[np.ndarray, " T"]:
    """Rises to 1 over `ramp` frames and falls back at the end; above 0 in every frame."""
    frame = np.arange(n_frames)
    return np.clip(np.minimum(frame + 1, n_frames - frame) / (ramp + 1), 0, 1)


def _hind(side: int) -> int:
    return 2 if side > 0 else 3


def _rest(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    breathing = _rhythm(rng, bout.n_frames, hz=2.6 * animal.tempo)
    c.bend[:] += wander(rng, bout.n_frames, sd=0.05, memory_s=2.0)
    c.stretch[:] += 0.006 * breathing


def _walk(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    c.speed[:] = animal.walk_speed * rng.uniform(0.75, 1.25) * (0.45 + 0.55 * _plateau(bout.n_frames, ramp=6))
    c.turn[:] = rng.normal(0, 0.4) + wander(rng, bout.n_frames, sd=0.7, memory_s=0.6)
    c.stretch[:] = rng.normal(1.07, 0.02)
    c.bend[:] = np.clip(0.3 * c.turn, -0.6, 0.6)


def _sniff(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    n_frames = bout.n_frames
    c.bend[:] = animal.vigour * rng.uniform(0.35, 0.65) * _rhythm(rng, n_frames, hz=rng.uniform(0.7, 1.3))
    c.bend[:] += wander(rng, n_frames, sd=0.2, memory_s=0.6)
    c.stretch[:] = 1.04 + wander(rng, n_frames, sd=0.04, memory_s=0.5)
    c.stretch[:] += 0.025 * _rhythm(rng, n_frames, hz=5.0 * animal.tempo)
    c.speed[:] = np.abs(wander(rng, n_frames, sd=0.16, memory_s=0.5))
    c.sway[:, 1] = wander(rng, n_frames, sd=0.015, memory_s=0.4)


def _face_groom(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    n_frames, held = bout.n_frames, _plateau(bout.n_frames, ramp=3)
    stroke = _rhythm(rng, n_frames, hz=rng.uniform(4.0, 6.5) * animal.tempo)
    c.stretch[:] = rng.uniform(0.76, 0.86) + wander(rng, n_frames, sd=0.015, memory_s=0.5)
    c.bend[:] = bout.side * rng.uniform(0.1, 0.9) + wander(rng, n_frames, sd=0.1, memory_s=0.6)
    c.fast_bend[:] = 0.05 * stroke * held
    for paw in _FRONT:
        c.held[:, paw] = held
        c.to_mouth[:, paw] = held * (0.75 + 0.15 * stroke)
        c.offset[:, paw, 0] = 0.02 * stroke * held
        c.contact[:, paw] = 1 - held * (0.55 + 0.1 * stroke)


def _flank_groom(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    n_frames = bout.n_frames
    c.bend[:] = bout.side * (rng.uniform(1.9, 2.7) + wander(rng, n_frames, sd=0.08, memory_s=0.5))
    c.stretch[:] = rng.uniform(0.70, 0.84)
    c.fast_bend[:] = 0.07 * _rhythm(rng, n_frames, hz=rng.uniform(4.0, 6.0) * animal.tempo)
    front = 0 if bout.side > 0 else 1
    held = _plateau(n_frames, ramp=4) * rng.uniform(0.0, 0.8)
    c.held[:, front] = held
    c.to_mouth[:, front] = 0.5 * held
    c.contact[:, front] = 1 - 0.5 * held


def _rear(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    n_frames, held = bout.n_frames, _plateau(bout.n_frames, ramp=5)
    c.stretch[:] = 1 - rng.uniform(0.25, 0.4) * held
    c.rearing[:] = held
    c.bend[:] += wander(rng, n_frames, sd=0.2, memory_s=0.6)
    c.sway[:, 0] = 0.03 * wander(rng, n_frames, sd=1.0, memory_s=0.5)
    for paw in _FRONT:
        c.held[:, paw] = held
        c.offset[:, paw, 0] = held * 0.05
        c.contact[:, paw] = 1 - 0.95 * held


def _turn(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    c.turn[:] = bout.side * animal.vigour * rng.uniform(0.8, 1.8) * _plateau(bout.n_frames, ramp=3)
    c.bend[:] = bout.side * rng.uniform(0.3, 0.8)
    c.speed[:] = rng.uniform(0.0, 0.15)


def _weight_shift(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    """Like a withdraw in how the hind paw moves, but the paw slides on the glass and stays bright."""
    paw = _hind(bout.side)
    shape = _plateau(bout.n_frames, ramp=1)
    c.held[:, paw] = 1.0
    c.offset[:, paw] = _withdraw_offset(rng, animal) * shape[:, None]
    c.contact[:, paw] = 1 - rng.uniform(0.0, 0.12) * shape
    c.sway[:, 1] = -bout.side * rng.uniform(0.0, 0.02) * shape


def _withdraw_offset(rng: np.random.Generator, animal: Animal) -> Float[np.ndarray, "2"]:
    """Forward and outward shift of a paw that is pulled to the body; sometimes it goes straight up."""
    size = animal.vigour * (rng.uniform(0.01, 0.04) if rng.random() < 0.3 else rng.uniform(0.08, 0.2))
    direction = rng.uniform(-0.6, 0.9)
    return size * np.array([np.sin(direction), -np.cos(direction)])


def _paw_withdraw(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    paw = _hind(bout.side)
    shape = _plateau(bout.n_frames, ramp=1)
    c.held[:, paw] = 1.0
    c.offset[:, paw] = _withdraw_offset(rng, animal) * shape[:, None]
    c.contact[:, paw] = 1 - rng.uniform(0.85, 1.0) * np.clip(1.6 * shape, 0, 1)


def _paw_guard(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    paw, held = _hind(bout.side), _plateau(bout.n_frames, ramp=2)
    c.held[:, paw] = 1.0
    drift = np.stack([wander(rng, bout.n_frames, sd=0.012, memory_s=0.6) for _ in range(2)], axis=1)
    c.offset[:, paw] = (_withdraw_offset(rng, animal) + drift) * held[:, None]
    c.contact[:, paw] = 1 - rng.uniform(0.75, 0.95) * held


def _paw_shake(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    paw, held = _hind(bout.side), _plateau(bout.n_frames, ramp=1)
    swing = _rhythm(rng, bout.n_frames, hz=rng.uniform(10.8, 13.6))
    size = animal.vigour * rng.uniform(0.055, 0.095)
    direction = rng.uniform(-0.7, 0.7)
    c.held[:, paw] = 1.0
    c.offset[:, paw] = np.array([0.03, -0.03]) * held[:, None]
    c.offset[:, paw] += size * (swing * held)[:, None] * np.array([np.sin(direction), np.cos(direction)])
    c.contact[:, paw] = 1 - rng.uniform(0.55, 0.85) * held
    c.sway[:, 1] = 0.006 * swing * held


def _paw_lick(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    n_frames, held = bout.n_frames, _plateau(bout.n_frames, ramp=3)
    stroke = _rhythm(rng, n_frames, hz=rng.uniform(4.0, 6.5) * animal.tempo)
    paw = _hind(bout.side)
    c.bend[:] = bout.side * (rng.uniform(2.1, 2.6) + wander(rng, n_frames, sd=0.06, memory_s=0.5))
    c.stretch[:] = rng.uniform(0.74, 0.84)
    c.fast_bend[:] = 0.06 * stroke
    c.held[:, paw] = held
    c.to_mouth[:, paw] = held * np.clip(rng.uniform(0.68, 0.92) + 0.06 * stroke, 0, 1)
    c.contact[:, paw] = 1 - held * rng.uniform(0.45, 0.7)


def _flinch(rng: np.random.Generator, c: Controls, bout: PlannedBout, animal: Animal) -> None:
    paw, shape = _hind(bout.side), _plateau(bout.n_frames, ramp=1)
    jerk = animal.vigour * rng.uniform(0.05, 0.09) * np.array([-0.6, -bout.side])
    c.sway[:] = jerk * shape[:, None]
    c.fast_bend[:] = -bout.side * rng.uniform(0.1, 0.3) * shape
    c.held[:, paw] = 1.0
    c.offset[:, paw] = _withdraw_offset(rng, animal) * shape[:, None]
    c.contact[:, paw] = 1 - rng.uniform(0.8, 1.0) * np.clip(1.6 * shape, 0, 1)


_MOVEMENTS: dict[str, Callable[[np.random.Generator, Controls, PlannedBout, Animal], None]] = {
    "rest": _rest,
    "walk": _walk,
    "sniff": _sniff,
    "face_groom": _face_groom,
    "flank_groom": _flank_groom,
    "rear": _rear,
    "turn": _turn,
    "weight_shift": _weight_shift,
    "paw_withdraw": _paw_withdraw,
    "paw_guard": _paw_guard,
    "paw_shake": _paw_shake,
    "paw_lick": _paw_lick,
    "flinch": _flinch,
}
