"""Does the pose show the frame that it is numbered for: when a keypoint moves, the pixels under it change.

For each shift by which the pose might be late, the keypoints' speed is correlated with how much the picture changes
at their place. The shift at which the two agree best is the pose's, to the frame: both are differences of
neighbouring frames, so neither lags behind the other.

M measured frames, K keypoints, S shifts, Q points of a patch, H height, W width.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

MOST_N_FRAMES = 10
"""Shifts are looked for up to this, to both sides; frames that a recorder drops at its start or end are fewer."""
SHIFTS = tuple(range(-MOST_N_FRAMES, MOST_N_FRAMES + 1))
_PATCH_BODY_LENGTHS = 0.035
"""From the middle of a patch to its edge: half a paw."""
_N_BLOCKS = 8
"""Parts of the recording that are asked one by one whether they agree."""
_LEAST_AGREEING = 7
"""Of eight blocks; by chance so many agree in 1 of 28 recordings of which the whole names another shift at all."""
_LEAST_SIGMAS = 3.0
_LEAST_CORRELATION = 0.1
"""Below, the picture doesn't follow the keypoints at any shift: nothing moves, or they are not on the animal."""
_LEAST_N_FRAMES = 50
"""For a keypoint or a block to be asked, visible frames."""
_STILL, _DARK = 1e-3, 0.5
"""Added before the logarithm: body lengths per frame, grey levels; the noise of keypoints and of pixels."""

Speeds = Float[np.ndarray, "N K"]


@dataclass(frozen=True)
class ChangeMeter:
    """Measures how much the picture changes where the keypoints of the frames around are."""

    xy_px: Float32[np.ndarray, "N K 2"]
    """Keypoints, bridged; the first and the last ones hold beyond."""
    body_length_px: float

    def measure(
        self, before: UInt8[np.ndarray, "H W"], now: UInt8[np.ndarray, "H W"], index: int
    ) -> Float32[np.ndarray, "K S"]:
        """Mean absolute change of grey from frame `index - 1` to `index` at the keypoints of row `index + shift`."""
        rows = np.clip(index + np.array(SHIFTS), 0, len(self.xy_px) - 1)
        points = np.rint(self.xy_px[rows].transpose(1, 0, 2)[:, :, None] + self._offsets).astype(np.int64)
        x = points[..., 0].clip(0, now.shape[1] - 1)
        y = points[..., 1].clip(0, now.shape[0] - 1)
        change = np.abs(now[y, x].astype(np.float32) - before[y, x].astype(np.float32))
        return change.mean(axis=-1)

    @cached_property
    def _offsets(self) -> Float[np.ndarray, "Q 2"]:
        """3 by 3 points about a keypoint."""
        steps = np.arange(-1, 2) * _PATCH_BODY_LENGTHS * self.body_length_px
        return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


@dataclass(frozen=True, kw_only=True)
class PoseShift:
    """By how many frames a pose is late."""

    n_frames: int
    """Row t of the pose shows frame t - n_frames, as far as can be told."""
    is_sure: bool
    """Not 0, and parts of the recording agree on it against 0."""
    at_start: int
    """The same by the first half of what was measured."""
    at_end: int
    """By the second half."""
    drifts: bool
    """The halves differ, and each quarter of either half says so."""
    correlation: float
    """Of the keypoints' speed with the picture's change, at this shift."""
    correlation_unshifted: float


def pose_shift(
    change: Float[np.ndarray, "M K S"],
    frames: Int[np.ndarray, " M"],
    *,
    xy_px: Float[np.ndarray, "N K 2"],
    visible: Bool[np.ndarray, "N K"],
    body_length_px: float,
) -> PoseShift | None:
    """The shift of a pose against its video, from what `ChangeMeter` measured; None where that can't be told.

    Args:
        change: by `ChangeMeter`.
        frames: which frame each row of `change` is.
        xy_px: the same keypoints.
        visible: which of them can be believed.
        body_length_px: of the recording.
    """
    speed = np.full(visible.shape, np.nan)
    speed[1:] = np.linalg.norm(np.diff(xy_px, axis=0), axis=-1) / body_length_px
    speed[1:][~(visible[1:] & visible[:-1])] = np.nan
    inside = (frames >= MOST_N_FRAMES + 1) & (frames < len(xy_px) - MOST_N_FRAMES)
    change, frames = np.log(change[inside] + _DARK), frames[inside]

    log_speed = np.log(speed + _STILL)
    whole = _curve(change, frames, log_speed)
    if whole is None or whole.max() < _LEAST_CORRELATION:
        return None
    best, unshifted = int(whole.argmax()), SHIFTS.index(0)
    halves = [_curve(change[part], frames[part], log_speed) for part in _parts(len(frames), 2)]
    at_start, at_end = (best if half is None else int(half.argmax()) for half in halves)
    blocks = [_curve(change[part], frames[part], log_speed) for part in _parts(len(frames), _N_BLOCKS)]
    known = np.stack([block for block in blocks if block is not None] or [whole])
    can_agree = len(known) == _N_BLOCKS
    return PoseShift(
        n_frames=SHIFTS[best],
        is_sure=best != unshifted and can_agree and _agree(known[:, best] - known[:, unshifted]),
        at_start=SHIFTS[at_start],
        at_end=SHIFTS[at_end],
        drifts=at_start != at_end and can_agree and _differ(known[:, at_start] - known[:, at_end]),
        correlation=float(whole[best]),
        correlation_unshifted=float(whole[unshifted]),
    )


def _parts(n: int, n_parts: int) -> list[slice]:
    """Neighbouring parts of equal length."""
    edges = np.linspace(0, n, n_parts + 1).astype(int)
    return [slice(int(start), int(stop)) for start, stop in pairwise(edges)]


def _curve(
    change: Float[np.ndarray, "M K S"], frames: Int[np.ndarray, " M"], speed: Speeds
) -> Float[np.ndarray, " S"] | None:
    """Correlation at each shift, a mean over keypoints; None where too few frames are visible."""
    curves = []
    for keypoint in range(speed.shape[1]):
        moved = np.stack([speed[frames + shift, keypoint] for shift in SHIFTS], axis=-1)
        known = np.isfinite(moved)
        if known.sum(axis=0).min(initial=len(frames)) >= _LEAST_N_FRAMES:
            curves.append([_correlation(moved[on, s], change[on, keypoint, s]) for s, on in enumerate(known.T)])
    return np.mean(curves, axis=0) if curves else None


def _correlation(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    """Pearson's; 0 where one is constant."""
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 0 else 0.0


def _agree(gains: Float[np.ndarray, " N"]) -> bool:
    """Whether the blocks, each for itself, prefer one shift to another, by how much more it correlates in each."""
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return bool((gains > 0).sum() >= _LEAST_AGREEING and gains.mean() > _LEAST_SIGMAS * error)


def _differ(gains: Float[np.ndarray, " N"]) -> bool:
    """Whether every block of the first half prefers the one shift and every block of the second the other."""
    middle = len(gains) // 2
    return bool((gains[:middle] > 0).all() and (gains[middle:] < 0).all())
