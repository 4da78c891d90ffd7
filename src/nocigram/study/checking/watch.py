"""One look at every frame of a video: all that the tests of pictures need, in bounded memory.

N frames, M measured frames, K keypoints, S shifts, P samples, H height, W width.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8

from nocigram.core.errors import InputError
from nocigram.data.locate import reduced, stride_of
from nocigram.data.records import Recording
from nocigram.pose.alignment import SHIFTS, ChangeMeter
from nocigram.video.decode import decode
from nocigram.video.probe import VideoInfo

_N_SAMPLES = 48
"""Reduced pictures to find the animal in."""
_MOST_MEASURED, _STRETCH_N_FRAMES = 20_000, 500
"""Of a longer recording, the change under keypoints is measured in stretches all over it, some 10 MB a recording."""
_N_SPREAD, _N_FASTEST = 8, 4
"""Stills at even distances, and at the moments of the fastest movement, where a shift in time shows best."""
_STILL_BODY_LENGTHS = 1.7
"""Side of a still, mouth to tail base being one."""
_STILL_PX = 360
"""Its longer side at most; a larger one is reduced."""


@dataclass(frozen=True, kw_only=True)
class Still:
    """The animal in one frame."""

    frame: int
    time_s: float
    pixels: UInt8[np.ndarray, "H W"]
    corner_px: tuple[int, int]
    """x and y in the video of its first pixel's corner; below 0 where it passes the border."""
    stride: int
    """Pixels of the video on each side of a pixel here."""
    is_fast: bool
    """Taken for the speed of the keypoints."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a video showed."""

    times_s: Float64[np.ndarray, " N"]
    """Of the frames that decode."""
    broken: InputError | None
    """Why it couldn't be decoded to its end."""
    other_size: tuple[int, int, int] | None
    """Frame, width and height where the picture changed its size; nothing after it was looked at."""
    samples: Float32[np.ndarray, "P H W"]
    """Reduced pictures at even distances."""
    sample_frames: Int[np.ndarray, " P"]
    sample_stride: int
    change: Float32[np.ndarray, "M K S"]
    """By `ChangeMeter`; no rows where there is no pose."""
    change_frames: Int[np.ndarray, " M"]
    stills: list[Still]

    @property
    def n_frames(self) -> int:
        """Frames that decode."""
        return len(self.times_s)


def watch(
    info: VideoInfo, *, n_frames: int, recording: Recording | None, advance: Callable[[int], None] = lambda _: None
) -> Watched:
    """Decode a video once.

    Args:
        info: the video.
        n_frames: as its container says.
        recording: with its pose, where it could be read.
        advance: told of each frame.
    """
    look = _Look(info, n_frames=n_frames, recording=recording if recording and recording.can_be_followed else None)
    broken, other_size = None, None
    try:
        for frame in decode(info.path, grey=True):
            pixels = frame.pixels[0]
            if look.before is not None and pixels.shape != look.before.shape:
                other_size = (frame.index, pixels.shape[1], pixels.shape[0])
                break
            look.at(frame.index, frame.time_s, pixels)
            advance(1)
    except InputError as error:
        broken = error
    return look.result(broken=broken, other_size=other_size)


class _Look:
    """Gathers, frame by frame."""

    def __init__(self, info: VideoInfo, *, n_frames: int, recording: Recording | None) -> None:
        self.before: UInt8[np.ndarray, "H W"] | None = None
        self._recording = recording
        self._stride = stride_of(info)
        self._sampled = set(_spread(n_frames, _N_SAMPLES))
        self._fast = set() if recording is None else set(_fastest(recording, n_frames))
        self._shown = set(_spread(n_frames, _N_SPREAD, is_inside=True)) | self._fast
        self._meter = None
        self._every = -(-n_frames // _MOST_MEASURED)
        if recording is not None:
            self._meter = ChangeMeter(recording.bridged_xy_px, recording.body_length_px)
        self._times_s: list[float] = []
        self._samples: dict[int, Float32[np.ndarray, "H W"]] = {}
        self._changes: dict[int, Float32[np.ndarray, "K S"]] = {}
        self._stills: list[Still] = []

    def at(self, index: int, time_s: float, pixels: UInt8[np.ndarray, "H W"]) -> None:
        """Look at one frame."""
        self._times_s.append(time_s)
        if index in self._sampled:
            self._samples[index] = reduced(pixels, stride=self._stride)
        if index in self._shown:
            self._stills.append(self._still(index, time_s, pixels))
        is_measured = index // _STRETCH_N_FRAMES % max(1, self._every) == 0
        if self._meter is not None and self.before is not None and is_measured:
            self._changes[index] = self._meter.measure(self.before, pixels, index).astype(np.float32)
        self.before = pixels

    def result(self, **ended: Any) -> Watched:
        """What was gathered."""
        n_keypoints = 0 if self._recording is None else self._recording.skeleton.n_keypoints
        shape = (0, n_keypoints, len(SHIFTS))
        return Watched(
            times_s=np.array(self._times_s, dtype=np.float64),
            samples=np.stack([*self._samples.values()]) if self._samples else np.zeros((0, 1, 1), dtype=np.float32),
            sample_frames=np.array([*self._samples], dtype=np.int64),
            sample_stride=self._stride,
            change=np.stack([*self._changes.values()]) if self._changes else np.zeros(shape, dtype=np.float32),
            change_frames=np.array([*self._changes], dtype=np.int64),
            stills=self._stills,
            **ended,
        )

    def _still(self, index: int, time_s: float, pixels: UInt8[np.ndarray, "H W"]) -> Still:
        """The square about the animal, or the whole frame where there is no pose."""
        x0, y0, cut = 0, 0, pixels
        if self._recording is not None:
            xy = self._recording.bridged_xy_px[min(index, len(self._recording.xy_px) - 1)]
            side = max(32, round(_STILL_BODY_LENGTHS * self._recording.body_length_px))
            x0, y0 = (int(value) - side // 2 for value in np.median(xy, axis=0))
            cut = _square(pixels, x0=x0, y0=y0, side=side)
        stride = -(-max(cut.shape) // _STILL_PX)
        return Still(
            frame=index,
            time_s=time_s,
            pixels=reduced(cut, stride=stride).astype(np.uint8),
            corner_px=(x0, y0),
            stride=stride,
            is_fast=index in self._fast,
        )


def _square(pixels: UInt8[np.ndarray, "H W"], *, x0: int, y0: int, side: int) -> UInt8[np.ndarray, "side side"]:
    """Part of a frame; black beyond its border."""
    square = np.zeros((side, side), dtype=np.uint8)
    rows = slice(max(y0, 0), max(min(y0 + side, pixels.shape[0]), 0))
    columns = slice(max(x0, 0), max(min(x0 + side, pixels.shape[1]), 0))
    inside = pixels[rows, columns]
    if inside.size:
        top, left = rows.start - y0, columns.start - x0
        square[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return square


def _spread(n_frames: int, n: int, *, is_inside: bool = False) -> list[int]:
    """Frames at even distances, from the first to the last; or at the middles of equal parts."""
    if is_inside:
        return [int((part + 0.5) * n_frames / n) for part in range(n)]
    return [int(frame) for frame in np.linspace(0, max(0, n_frames - 1), n)]


def _fastest(recording: Recording, n_frames: int) -> list[int]:
    """Frames in which the keypoints move fastest, at least a second apart; the median over keypoints ignores leaps."""
    xy = recording.bridged_xy_px[:n_frames]
    speed = np.zeros(len(xy))
    speed[1:] = np.median(np.linalg.norm(np.diff(xy, axis=0), axis=-1), axis=-1)
    reach, frames = max(1, round(recording.fps)), []
    for _ in range(_N_FASTEST):
        fastest = int(speed.argmax())
        if speed[fastest] > 0:
            frames.append(fastest)
            speed[max(0, fastest - reach) : fastest + reach + 1] = 0
    return frames
