"""How the body is held and how it moves, over several spans of time: what trees and small networks read of a pose.

Channels of each frame first: the posture in the body's own frame, distances, speeds over several lags, turning, the
power of fast paw motion, visibility. Then the mean and the spread of each channel over windows of several lengths
around the frame, and its mean over short windows before and after it, so that a frame knows what kind of seconds it
lies in and what they led to. Lags and windows are given in seconds; lengths are in body lengths.

B batch, T frames, K keypoints, P paws, N channels.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nocigram.pose.skeleton import Skeleton

SPEED_LAGS_S = (0.05, 0.1, 0.25)
"""Speeds are differences over so much time on either side; the shortest is one frame at common rates."""
NET_LAGS_S = (0.5, 1.0)
"""How far the body came within twice this time: walking, as against moving on the spot."""
WINDOWS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ASIDE_S = (-1.0, -0.5, 0.5, 1.0)
"""Means over `ASIDE_WINDOW_S` are also taken so much before and after the frame: what led to it, what follows."""
ASIDE_WINDOW_S = 0.5
SHAKE_BAND_HZ = (8.0, 20.0)
"""A shaken paw; of this band as much is used as the frame rate shows."""
_SHAKE_WINDOW_S = 0.5
_SLOWEST = 0.05
"""Body lengths a second below which speeds are noise; logarithms of speeds begin there."""
_SLOWEST_TURN = 0.1
"""Radians a second, likewise."""
_SMALLEST_SPREAD = 0.01


KINEMATICS_VERSION = 3
"""Raised when the same track gives other numbers, so that old ones are not used."""


def n_kinematics(skeleton: Skeleton) -> int:
    """Numbers of a frame; the same at every frame rate."""
    return Kinematics(skeleton=skeleton, fps=1.0).n_features


@dataclass(frozen=True, kw_only=True)
class Kinematics:
    """The numbers of a body filmed at a frame rate.

    Source: multi-scale window statistics of kinematics as in JAABA (Kabra et al. 2013) and SimBA (Nilsson et al. 2020).
    """

    skeleton: Skeleton
    fps: float

    @property
    def n_features(self) -> int:
        """Numbers of a frame."""
        n_windowed = self.n_channels - self._n_unwindowed
        return self.n_channels + (2 * len(WINDOWS_S) + len(ASIDE_S)) * n_windowed

    @property
    def n_channels(self) -> int:
        """Channels before windows: see `_channels`."""
        K = self.skeleton.n_keypoints
        n_speeds = len(SPEED_LAGS_S) * (2 * K + 6)
        return self._n_unwindowed + 2 * K + math.comb(K, 2) + n_speeds + len(self.skeleton.paws) + K

    @property
    def context_frames(self) -> int:
        """Frames on either side that a frame's numbers depend on."""
        aside = round(max(ASIDE_S) * self.fps) + self._width(ASIDE_WINDOW_S) // 2
        around = max(self._width(max(WINDOWS_S)) // 2, aside)
        return around + max(self._lag(max(NET_LAGS_S)), round(_SHAKE_WINDOW_S * self.fps))

    def __call__(
        self,
        xy_px: Float[Tensor, "B T K 2"],
        visible: Bool[Tensor, "B T K"],
        *,
        body_length_px: Float[Tensor, " B"],
        valid: Bool[Tensor, "B T"],
        tracked: Bool[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B T F"]:
        """F = `n_features` numbers of each frame. Invariant to translation, rotation and scale.

        A keypoint that was never tracked has coordinates, distances and velocities of 0. Without front or back the body
        has no frame of its own: what is measured along and across it, shaking too, stands still then.

        Args:
            xy_px: keypoints, bridged where they are not visible; one that never is may hold anything, NaN included.
            visible: which of them were tracked in the frame itself.
            body_length_px: each recording's body length.
            valid: False for padding at a window's end, which enters no mean; the last valid frame is held there.
            tracked: keypoints that are visible anywhere in the recording, so have a position; None: in the window.
        """
        known = (visible & valid[..., None]).any(dim=1, keepdim=True) if tracked is None else tracked[:, None]
        xy = torch.where(known[..., None], xy_px, 0.0) / body_length_px[:, None, None, None]
        last = (torch.arange(valid.shape[1], device=valid.device) * valid).amax(dim=1)
        xy = _held(xy, last)
        windowed, unwindowed = self._channels(xy, known.to(xy.dtype), visible, last)
        parts = [windowed, unwindowed]
        for seconds in WINDOWS_S:
            mean, spread = _window_statistics(windowed, valid, width=self._width(seconds))
            parts += [mean, (spread + _SMALLEST_SPREAD).log()]
            if seconds == ASIDE_WINDOW_S:
                frames = torch.arange(valid.shape[1], device=valid.device)
                parts += [_at(mean, last, frames + round(aside * self.fps)) for aside in ASIDE_S]
        return torch.cat(parts, dim=-1)

    def _channels(
        self, xy: Float[Tensor, "B T K 2"], known: Float[Tensor, "B 1 K"], visible: Bool[Tensor, "B T K"], last: Tensor
    ) -> tuple[Float[Tensor, "B T N"], Float[Tensor, "B T M"]]:
        """Numbers of each frame alone: those that are averaged over windows, then those that are not."""
        weight = known[..., None]
        centre = (xy * weight).sum(dim=2) / weight.sum(dim=2).clamp(min=1)
        has_axis = (known[..., self.skeleton.front] * known[..., self.skeleton.back])[..., None]
        axis = (xy[:, :, self.skeleton.front] - xy[:, :, self.skeleton.back]) * has_axis
        length = torch.linalg.vector_norm(axis, dim=-1)
        heading = functional.normalize(axis, dim=-1)
        turn = torch.stack((heading, torch.stack((-heading[..., 1], heading[..., 0]), dim=-1)), dim=-2)
        body = torch.einsum("btij,btkj->btki", turn, xy - centre[:, :, None]) * weight
        pairs = torch.tensor(list(combinations(range(xy.shape[2]), 2)), device=xy.device).view(-1, 2)
        first, second = pairs.unbind(dim=-1)
        distances = torch.linalg.vector_norm(xy[:, :, first] - xy[:, :, second], dim=-1)
        windowed = [body.flatten(2), distances * known[..., first] * known[..., second]]
        unwindowed = []
        for seconds in SPEED_LAGS_S:
            lag = self._lag(seconds)
            velocity = self._rate(xy, last, lag=lag) * weight
            of_centre = self._rate(centre, last, lag=lag)
            turned = torch.einsum("btij,btkj->btki", turn, velocity)
            turned_centre = torch.einsum("btij,btj->bti", turn, of_centre)
            turning = self._turning(heading, last, lag=lag)[..., None]
            windowed += [
                _log_speed(velocity),
                _log_speed(velocity - of_centre[:, :, None] * weight),
                turned_centre,
                _log_speed(of_centre)[..., None],
                turning,
                (turning.abs() + _SLOWEST_TURN).log(),
                self._rate(length[..., None], last, lag=lag),
            ]
            unwindowed.append(turned.flatten(2))
        windowed += [self._shaking(body, last), visible.to(xy.dtype)]
        unwindowed += [_log_speed(self._rate(centre, last, lag=self._lag(lag)))[..., None] for lag in NET_LAGS_S]
        return torch.cat(windowed, dim=-1), torch.cat(unwindowed, dim=-1)

    @property
    def _n_unwindowed(self) -> int:
        """Velocities, whose mean over a window is a displacement that other channels hold, and net speeds."""
        return len(SPEED_LAGS_S) * 2 * self.skeleton.n_keypoints + len(NET_LAGS_S)

    def _shaking(self, body: Float[Tensor, "B T K 2"], last: Tensor) -> Float[Tensor, "B T P"]:
        """Logarithm of the power of each paw's motion in the shaking band, by a short-time Fourier transform."""
        if not self.skeleton.paws:
            return body.new_zeros((*body.shape[:2], 0))  # the transform of nothing is an error in some libraries
        width = max(4, round(_SHAKE_WINDOW_S * self.fps))
        paws = body[:, :, list(self.skeleton.paws)].flatten(2)
        before = width // 2
        framed = _at(paws, last, torch.arange(-before, body.shape[1] + width - before - 1, device=body.device))
        framed = framed.unfold(1, width, 1)
        framed = (framed - framed.mean(dim=-1, keepdim=True)) * torch.hann_window(width, device=body.device)
        low, high = SHAKE_BAND_HZ
        frequency = torch.fft.rfftfreq(width, 1 / self.fps, device=body.device)
        power = torch.fft.rfft(framed).abs().square() * ((frequency >= low) & (frequency <= high))
        of_paw = power.sum(dim=-1).unflatten(-1, (-1, 2)).sum(dim=-1) / width**2
        return (of_paw + _SMALLEST_SPREAD**2).log()

    def _turning(self, heading: Float[Tensor, "B T 2"], last: Tensor, *, lag: int) -> Float[Tensor, "B T"]:
        """Radians a second, counter-clockwise on paper, from the headings before and after."""
        frames = torch.arange(heading.shape[1], device=heading.device)
        before, after = _at(heading, last, frames - lag), _at(heading, last, frames + lag)
        cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
        dot = (before * after).sum(dim=-1)
        # without an axis both are 0, and an angle of (0, -0) would be pi
        return torch.atan2(cross, dot + 1e-6) / (2 * lag) * self.fps

    def _rate(self, x: Float[Tensor, "B T ..."], last: Tensor, *, lag: int) -> Float[Tensor, "B T ..."]:
        """Change a second, by central differences; a window's first and last frame are held beyond its ends."""
        frames = torch.arange(x.shape[1], device=x.device)
        return (_at(x, last, frames + lag) - _at(x, last, frames - lag)) / (2 * lag) * self.fps

    def _lag(self, seconds: float) -> int:
        """Whole frames, at least one."""
        return max(1, int(seconds * self.fps))

    def _width(self, seconds: float) -> int:
        """Frames of a centred window: odd, at least three."""
        return max(3, round(seconds * self.fps) // 2 * 2 + 1)


def _log_speed(velocity: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B"]:
    """Logarithm of the speed, since speeds span orders of magnitude."""
    return (torch.linalg.vector_norm(velocity, dim=-1) + _SLOWEST).log()


def _at(x: Float[Tensor, "B T ..."], last: Tensor, frames: Tensor) -> Float[Tensor, "B N ..."]:
    """Rows of those frames; before the first and after the last valid one these two are held."""
    index = frames.clamp(min=0).minimum(last[:, None])
    return x[torch.arange(len(x), device=x.device)[:, None], index]


def _held(x: Float[Tensor, "B T ..."], last: Tensor) -> Float[Tensor, "B T ..."]:
    """The last valid frame repeated over the padding."""
    return _at(x, last, torch.arange(x.shape[1], device=x.device))


def _window_statistics(
    x: Float[Tensor, "B T N"], valid: Bool[Tensor, "B T"], *, width: int
) -> tuple[Float[Tensor, "B T N"], Float[Tensor, "B T N"]]:
    """Mean and standard deviation over a centred window, of the valid frames that there are."""
    mask = valid[..., None].to(torch.float64)
    wide = x.to(torch.float64) * mask  # sums over whole recordings lose too many digits otherwise
    sums = [_window_sum(each, width=width) for each in (mask, wide, wide * x)]
    n = sums[0].clamp(min=1)
    mean = sums[1] / n
    variance = (sums[2] / n - mean.square()).clamp(min=0)
    return mean.to(x.dtype), variance.sqrt().to(x.dtype)


def _window_sum(x: Float[Tensor, "B T N"], *, width: int) -> Float[Tensor, "B T N"]:
    """Sums over a centred window, cut at both ends."""
    T, half = x.shape[1], width // 2
    total = functional.pad(x.cumsum(dim=1), (0, 0, 1, 0))
    frames = torch.arange(T, device=x.device)
    return total[:, (frames + half + 1).clamp(max=T)] - total[:, (frames - half).clamp(min=0)]
