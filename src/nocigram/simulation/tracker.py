"""What a pose network would make of the pictures: keypoints with its typical faults.

T frames, K keypoints (mouth, tail base, left and right front paw, left and right hind paw).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nocigram.simulation.motion import Motion

_PAIRS = ((2, 3), (4, 5))
_NOISE = np.array([0.010, 0.008, 0.013, 0.013, 0.009, 0.009])
"""Standard deviation of the white noise on each keypoint, in body lengths."""
_EASE = np.array([-4.8, -6.8, -4.5, -4.5, -5.9, -5.9])
"""Minus the logit of each keypoint's likelihood while it stands still in plain view; small front paws are hardest."""
_HIDDEN_FRONT_SHARE = 0.12
_SWAPS_PER_FRAME = (0.004, 0.0015)
_DROPOUTS_PER_FRAME = np.array([0.004, 0.0004, 0.006, 0.006, 0.0015, 0.0015])


@dataclass(frozen=True, kw_only=True)
class Track:
    """A tracked recording."""

    xy_px: Float[np.ndarray, "T K 2"]
    likelihood: Float[np.ndarray, "T K"]


def track(rng: np.random.Generator, motion: Motion) -> Track:
    """Keypoints as DeepLabCut would give them: noise, doubt, swaps and jumps."""
    true_px = motion.keypoints_px
    n_frames, n_keypoints = true_px.shape[:2]
    sd_px = _NOISE * motion.length_px
    slow = _slow_noise(rng, n_frames, n_keypoints)
    lifted = np.zeros((n_frames, n_keypoints))
    lifted[:, 2:] = 1 - motion.contact
    spread = sd_px[None, :] * (1 + 1.5 * lifted)
    xy_px = true_px + spread[..., None] * (0.6 * rng.normal(0, 1, true_px.shape) + 0.9 * slow)
    _lag(xy_px, lifted)
    doubt = _doubt(rng, motion, true_px, lifted)
    _swap(rng, xy_px, doubt)
    _drop_out(rng, xy_px, doubt, length_px=motion.length_px)
    likelihood = 1 / (1 + np.exp(np.clip(doubt, -15, 15)))
    return Track(xy_px=xy_px, likelihood=likelihood)


def _slow_noise(rng: np.random.Generator, n_frames: int, n_keypoints: int) -> Float[np.ndarray, "T K 2"]:
    """Noise with a memory of a few frames and unit variance."""
    keep, values = 0.85, rng.normal(0, 1, (n_frames, n_keypoints, 2))
    for frame in range(1, n_frames):
        values[frame] = keep * values[frame - 1] + np.sqrt(1 - keep**2) * values[frame]
    return values


def _lag(xy_px: Float[np.ndarray, "T K 2"], lifted: Float[np.ndarray, "T K"]) -> None:
    """A paw that is hard to see is found near to where it was, so part of its movement is lost."""
    for frame in range(1, len(xy_px)):
        stay = (0.3 * lifted[frame] ** 2)[:, None]
        xy_px[frame] = stay * xy_px[frame - 1] + (1 - stay) * xy_px[frame]


def _doubt(
    rng: np.random.Generator,
    motion: Motion,
    true_px: Float[np.ndarray, "T K 2"],
    lifted: Float[np.ndarray, "T K"],
) -> Float[np.ndarray, "T K"]:
    """Minus the logit of the likelihood: grows with speed, with lifting, and where the body hides a part."""
    n_frames, n_keypoints = lifted.shape
    speed = np.zeros((n_frames, n_keypoints))
    speed[1:] = np.linalg.norm(np.diff(true_px, axis=0), axis=-1) / motion.length_px
    unsure = _slow_noise(rng, n_frames, n_keypoints)[..., 0]
    doubt = _EASE + 1.3 * unsure + 0.5 * rng.normal(0, 1, lifted.shape) + 10.0 * speed + 2.9 * lifted
    hidden = _slow_noise(rng, n_frames, n_keypoints)[..., 1]
    doubt[:, 2:4] += np.where(hidden[:, 2:4] > np.quantile(hidden, 1 - _HIDDEN_FRONT_SHARE), 5.0, 0.0)
    doubt[:, 0] += 5.0 * motion.rearing + 0.8 * np.clip(np.abs(motion.bend) - 1.2, 0, 2)
    return doubt


def _swap(rng: np.random.Generator, xy_px: Float[np.ndarray, "T K 2"], doubt: Float[np.ndarray, "T K"]) -> None:
    """Left and right paws change places for a few frames, mostly with some loss of confidence."""
    for (left, right), rate in zip(_PAIRS, _SWAPS_PER_FRAME, strict=True):
        for start in np.flatnonzero(rng.random(len(xy_px)) < rate):
            span = slice(start, start + int(rng.integers(2, 7)))
            xy_px[span, [left, right]] = xy_px[span, [right, left]]
            doubt[span, [left, right]] += rng.uniform(0, 5)


def _drop_out(
    rng: np.random.Generator,
    xy_px: Float[np.ndarray, "T K 2"],
    doubt: Float[np.ndarray, "T K"],
    *,
    length_px: float,
) -> None:
    """A keypoint jumps elsewhere for a few frames, usually with low likelihood, now and then with a high one."""
    for keypoint, rate in enumerate(_DROPOUTS_PER_FRAME):
        for start in np.flatnonzero(rng.random(len(xy_px)) < rate):
            span = slice(start, start + int(rng.integers(1, 8)))
            n_frames = len(xy_px[span])
            jump_px = rng.normal(0, 0.5 * length_px, 2)
            xy_px[span, keypoint] += jump_px + rng.normal(0, 0.05 * length_px, (n_frames, 2))
            if rng.random() < 0.9:
                doubt[span, keypoint] += rng.uniform(5, 10)
