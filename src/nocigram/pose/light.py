"""Paw light: how bright the glass is at each keypoint. A paw pressed on it is bright, a lifted or guarded one dim.

Bottom-view pain work rests on this signal (Zhang et al. 2022, Pain, on paw luminance in bottom-up recordings).

N frames of a recording, K keypoints, M measured numbers of a keypoint, L light numbers of it, Q pixels of a patch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from nocigram.pose.skeleton import MOUSE

LIGHT_VERSION = 1
"""Raised when the same frame and keypoints give other numbers, so that old ones are not used."""
RADII_BODY_LENGTHS = (0.035, 0.06, 0.115)
"""Discs: the middle of a paw, a paw, a paw and the glass around it."""
N_MEASURED = 2 * len(RADII_BODY_LENGTHS)
"""Mean and largest grey level of each disc."""
N_LIGHT = N_MEASURED + 1
"""What was measured, relative to the recording's own, and the contrast."""
PAW_MEAN, _AROUND_MEAN, CONTRAST = 2, 4, N_MEASURED
"""Places among the light numbers: the mean over a paw, over a paw and the glass around it, and their contrast."""
_RING_FACTOR = 1 / (1 - (RADII_BODY_LENGTHS[1] / RADII_BODY_LENGTHS[2]) ** 2)
"""A paw's mean less that of the ring about it, by its mean less that of the disc that holds both: by their areas."""
_DARKEST = 2.0
"""Grey levels; no median is taken to be darker, so that black recordings don't blow up noise."""


@dataclass(frozen=True)
class LightMeter:
    """Measures the light at the keypoints of one recording."""

    xy_px: Float32[np.ndarray, "N K 2"]
    """Keypoints in the video, bridged where they were not visible; the last ones hold for frames beyond."""
    body_length_px: float

    @property
    def key(self) -> str:
        """Name of the measurement: equal keys measure the same of equal frames."""
        digest = hashlib.sha256(np.ascontiguousarray(self.xy_px, dtype="<f4").tobytes())
        digest.update(f"{self.body_length_px} {LIGHT_VERSION}".encode())
        return digest.hexdigest()[:24]

    def measure(self, pixels: UInt8[np.ndarray, "C H W"], index: int) -> Float32[np.ndarray, "K M"]:
        """Mean and largest grey level of each disc, by keypoint, in frame `index`."""
        centres = np.round(self.xy_px[min(index, len(self.xy_px) - 1)]).astype(int)
        height, width = pixels.shape[1:]
        rows = (centres[:, 1, None] + self._offsets).clip(0, height - 1)
        columns = (centres[:, 0, None] + self._offsets).clip(0, width - 1)
        patches = pixels[:, rows[:, :, None], columns[:, None, :]].mean(axis=0).reshape(len(centres), -1)
        numbers = [number for disc in self._discs for number in (patches[:, disc].mean(1), patches[:, disc].max(1))]
        return np.stack(numbers, axis=1).astype(np.float32)

    @cached_property
    def _offsets(self) -> np.ndarray:
        """Pixels from a keypoint to the edge of the largest disc."""
        reach = max(1, round(RADII_BODY_LENGTHS[-1] * self.body_length_px))
        return np.arange(-reach, reach + 1)

    @cached_property
    def _discs(self) -> list[Bool[np.ndarray, " Q"]]:
        """Which pixels of a patch belong to each disc; the middle one always does."""
        distance = np.hypot(*np.meshgrid(self._offsets, self._offsets)).ravel()
        return [distance <= max(0.5, radius * self.body_length_px) for radius in RADII_BODY_LENGTHS]


def paw_grey(measured: Float[np.ndarray, "N K M"], *, paws: Sequence[int] = MOUSE.paws) -> float:
    """Median grey level of the paws of all frames: what `normalised_light` takes away."""
    return float(_usual(measured, paws)[PAW_MEAN])


def normalised_light(
    measured: Float[np.ndarray, "N K M"], *, paws: Sequence[int] = MOUSE.paws
) -> Float32[np.ndarray, "N K L"]:
    """Light relative to the recording's own: each measured number over its median at the paws of all frames.

    Cameras and lamps differ, and so do paws; what is left is how one paw compares to the others and to itself. Last
    comes the contrast: the mean over the paw less the mean over the ring about it, in medians of the paws' means.
    """
    usual = np.maximum(_usual(measured, paws), _DARKEST)
    contrast = (measured[..., PAW_MEAN] - measured[..., _AROUND_MEAN]) * _RING_FACTOR / usual[PAW_MEAN]
    return np.concatenate((measured / usual, contrast[..., None]), axis=-1).astype(np.float32)


def _usual(measured: Float[np.ndarray, "N K M"], paws: Sequence[int]) -> Float[np.ndarray, " M"]:
    """Median of each measured number at the paws of all frames."""
    return np.median(measured[:, list(paws)].reshape(-1, measured.shape[-1]), axis=0)
