"""Where everything is: the animal's body and keypoints over the frames of a recording.

T frames, P paws (left front, right front, left hind, right hind), K keypoints. x right, y down, seen from below: the
animal's left is to the right of its heading.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nocigram.simulation.movements import FPS, N_PAWS, Controls
from nocigram.simulation.traits import Animal, Camera

MOUTH_REACH, TAIL_REACH = 0.65, -0.35
"""Places of mouth and tail base along the spine, in body lengths from the hips."""
PAW_REACH = np.array([0.36, 0.36, -0.08, -0.08])
"""Places of the paws along the spine, in body lengths from the hips."""
PAW_SPREAD = np.array([0.12, -0.12, 0.21, -0.21])
"""Places of the paws to the left of the spine, in body lengths."""
_PARTNER = (1, 0, 3, 2)
_STEP_AT = 0.085
"""A paw steps when its place under the body is that many body lengths away."""
_HASTY_STEP_AT = 0.27
"""From here on it doesn't wait for its partner to land."""
_TURN_BACK_PER_FRAME = 0.12


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Body and paws in the world's pixels."""

    hips_px: Float[np.ndarray, "T 2"]
    heading: Float[np.ndarray, " T"]
    """Direction of the body's rear half, radians from x towards y."""
    bend: Float[np.ndarray, " T"]
    """Bend of the front half, radians, positive to the animal's left."""
    stretch: Float[np.ndarray, " T"]
    rearing: Float[np.ndarray, " T"]
    length_px: float
    """Mouth to tail base at stretch 1."""
    paws_px: Float[np.ndarray, "T P 2"]
    contact: Float[np.ndarray, "T P"]
    """Pressure on the glass, 0 to 1."""
    mouth_px: Float[np.ndarray, "T 2"]
    tail_base_px: Float[np.ndarray, "T 2"]

    @property
    def keypoints_px(self) -> Float[np.ndarray, "T K 2"]:
        """Mouth, tail base, left and right front paw, left and right hind paw."""
        return np.concatenate([self.mouth_px[:, None], self.tail_base_px[:, None], self.paws_px], axis=1)


def move(rng: np.random.Generator, controls: Controls, *, animal: Animal, camera: Camera) -> Motion:
    """Carry the controls out within the arena that the camera sees."""
    length_px = animal.length_px * camera.zoom
    hips_px, heading = _path(rng, controls, length_px=length_px, camera=camera)
    forward, left = axes_of(heading)
    swayed_px = hips_px + length_px * (controls.sway[:, :1] * forward + controls.sway[:, 1:] * left)
    bend = controls.bend + controls.fast_bend
    spine = _Spine(swayed_px, forward, left, bend, controls.stretch * length_px)
    still = _Spine(hips_px, forward, left, controls.bend, controls.stretch * length_px)
    spread = PAW_SPREAD * animal.stance_width * length_px
    homes_px = np.stack([still.at(reach, out) for reach, out in zip(PAW_REACH, spread, strict=True)], axis=1)
    stood_px, contact = _stepped(homes_px, controls, animal=animal, length_px=length_px)
    mouth_px = spine.at(MOUTH_REACH, 0.0)
    paws_px = _held(stood_px, controls, mouth_px=mouth_px, forward=forward, left=left, length_px=length_px)
    return Motion(
        hips_px=swayed_px,
        heading=heading,
        bend=bend,
        stretch=controls.stretch,
        rearing=controls.rearing,
        length_px=length_px,
        paws_px=paws_px,
        contact=np.minimum(contact, controls.contact),
        mouth_px=mouth_px,
        tail_base_px=spine.at(TAIL_REACH, 0.0),
    )


def axes_of(heading: Float[np.ndarray, " T"]) -> tuple[Float[np.ndarray, "T 2"], Float[np.ndarray, "T 2"]]:
    """Unit vectors towards the front and towards the animal's left, seen from below."""
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    return forward, np.stack([-forward[..., 1], forward[..., 0]], axis=-1)


@dataclass(frozen=True)
class _Spine:
    """A body that is straight behind the hips and a circular arc in front of them."""

    hips_px: Float[np.ndarray, "T 2"]
    forward: Float[np.ndarray, "T 2"]
    left: Float[np.ndarray, "T 2"]
    bend: Float[np.ndarray, " T"]
    scale_px: Float[np.ndarray, " T"]

    def at(self, reach: float, spread_px: float) -> Float[np.ndarray, "T 2"]:
        """The place at `reach` body lengths along the spine, `spread_px` to its left."""
        along = reach * self.scale_px
        if reach <= 0:
            return self.hips_px + along[:, None] * self.forward + spread_px * self.left
        bend = np.where(np.abs(self.bend) < 1e-4, 1e-4, self.bend)
        radius = MOUTH_REACH * self.scale_px / bend
        angle = along / radius
        front = (radius - spread_px) * np.sin(angle)
        side = radius - (radius - spread_px) * np.cos(angle)
        return self.hips_px + front[:, None] * self.forward + side[:, None] * self.left


def _path(
    rng: np.random.Generator, controls: Controls, *, length_px: float, camera: Camera
) -> tuple[Float[np.ndarray, "T 2"], Float[np.ndarray, " T"]]:
    """Integrate speed and turning; near the wall the animal turns back to the middle."""
    n_frames, middle = len(controls.speed), camera.size_px / 2
    free_px, margin_px = middle - 0.62 * length_px, 0.45 * length_px
    angle, heading = rng.uniform(-np.pi, np.pi, 2)
    x, y = middle + rng.uniform(0, 0.8) * free_px * np.array([np.cos(angle), np.sin(angle)])
    heading += camera.rotation
    steps_px = controls.speed * length_px / FPS
    turns = controls.turn / FPS
    places = np.empty((n_frames, 3))
    for frame in range(n_frames):
        heading += turns[frame]
        ahead_x, ahead_y = (
            x + 0.3 * length_px * np.cos(heading) - middle,
            y + 0.3 * length_px * np.sin(heading) - middle,
        )
        step_px = steps_px[frame]
        if step_px > 0.2 and ahead_x * ahead_x + ahead_y * ahead_y > free_px * free_px:
            to_middle = np.arctan2(-ahead_y, -ahead_x) - heading
            away = (to_middle + np.pi) % (2 * np.pi) - np.pi
            heading += np.clip(away, -_TURN_BACK_PER_FRAME, _TURN_BACK_PER_FRAME)
            step_px *= 0.4 + 0.6 * (np.cos(away) > 0)
        x = np.clip(x + step_px * np.cos(heading), margin_px, camera.size_px - margin_px)
        y = np.clip(y + step_px * np.sin(heading), margin_px, camera.size_px - margin_px)
        places[frame] = x, y, heading
    return places[:, :2], places[:, 2]


def _stepped(
    homes_px: Float[np.ndarray, "T P 2"], controls: Controls, *, animal: Animal, length_px: float
) -> tuple[Float[np.ndarray, "T P 2"], Float[np.ndarray, "T P"]]:
    """Paws that stand on the glass until the body has moved on, then step to where it will be.

    Of a front or hind pair one waits for the other, which gives a gait when the animal walks.
    """
    n_frames, n_swing = len(homes_px), animal.swing_n_frames
    limit, hasty = (_STEP_AT * length_px) ** 2, (_HASTY_STEP_AT * length_px) ** 2
    velocity = np.gradient(homes_px, axis=0) if n_frames > 1 else np.zeros_like(homes_px)
    placed_px, contact = np.empty_like(homes_px), np.ones((n_frames, N_PAWS))
    standing, start = homes_px[0].copy(), homes_px[0].copy()
    progress = [0] * N_PAWS  # frames since the step began, 0 while the paw stands
    for frame in range(n_frames):
        far = ((homes_px[frame] - standing) ** 2).sum(-1)
        for paw in range(N_PAWS):
            if controls.held[frame, paw] > 0.5:
                progress[paw] = 0
            elif progress[paw] == 0 and (far[paw] > hasty or (far[paw] > limit and progress[_PARTNER[paw]] == 0)):
                progress[paw], start[paw] = 1, standing[paw]
            elif progress[paw] > 0:
                progress[paw] += 1
            if progress[paw] > 0:
                done = progress[paw] / (n_swing + 1)
                target = homes_px[frame, paw] + velocity[frame, paw] * 0.8 * n_swing
                standing[paw] = start[paw] + (target - start[paw]) * (3 * done**2 - 2 * done**3)
                contact[frame, paw] = 1 - 0.65 * np.sin(np.pi * done)
                progress[paw] = 0 if progress[paw] >= n_swing else progress[paw]
        placed_px[frame] = standing
    return placed_px, contact


def _held(
    stood_px: Float[np.ndarray, "T P 2"],
    controls: Controls,
    *,
    mouth_px: Float[np.ndarray, "T 2"],
    forward: Float[np.ndarray, "T 2"],
    left: Float[np.ndarray, "T 2"],
    length_px: float,
) -> Float[np.ndarray, "T P 2"]:
    """Move held paws to where the controls want them."""
    outward = np.sign(PAW_SPREAD)[None, :, None] * left[:, None]
    shift = controls.offset[..., :1] * forward[:, None] + controls.offset[..., 1:] * outward
    raised_px = stood_px + length_px * shift
    raised_px += controls.to_mouth[..., None] * (mouth_px[:, None] - raised_px)
    return stood_px + controls.held[..., None] * (raised_px - stood_px)
