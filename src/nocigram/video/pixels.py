"""From a decoded frame of FFmpeg to an array: grey or RGB, upright, full range.

C channels (1 grey, 3 RGB), H and W the height and width of the upright frame.
"""

import av
import numpy as np
from jaxtyping import UInt8

_PLANAR_CHROMA = frozenset(
    f"{family}{sampling}p" for family in ("yuv", "yuvj") for sampling in (410, 411, 420, 422, 440, 444)
)
"""8-bit formats with one plane each for luma and the two kinds of chroma."""
_LUMA_FIRST = _PLANAR_CHROMA | {"nv12", "nv21"}
"""8-bit formats whose first plane is the luma of every pixel."""
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_NEUTRAL, _TOLERANCE = 128, 2
_REC_601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_LIMITED_TO_FULL = np.clip(np.round((np.arange(256) - 16.0) * 255.0 / 219.0), 0, 255).astype(np.uint8)
"""Luma of 16 to 235 -> 0 to 255, as the conversion to RGB does it."""


def pixels_of(frame: av.VideoFrame, *, grey: bool) -> UInt8[np.ndarray, "C H W"]:
    """The frame's pixels as a viewer shows them, 0 black and 255 white.

    A video tagged as rotated is turned upright, since OpenCV, and so DeepLabCut, turned it before it gave coordinates.
    Grey of a grey video equals each channel of its RGB within 2 levels.
    """
    picture = _grey_of(frame)[None] if grey else frame.to_ndarray(format="rgb24").transpose(2, 0, 1)
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarter_turns, axes=(1, 2)))


def is_neutral(frame: av.VideoFrame) -> bool:
    """Whether no pixel has a colour: chroma within 2 levels of neutral."""
    name = frame.format.name
    if name.startswith("gray"):
        return True
    if name in _PLANAR_CHROMA:
        return all(_within_tolerance(_plane(frame, index)) for index in (1, 2))
    rgb = frame.to_ndarray(format="rgb24").astype(np.int16)
    return bool((rgb.max(axis=-1) - rgb.min(axis=-1)).max() <= _TOLERANCE)


def _within_tolerance(chroma: UInt8[np.ndarray, "H W"]) -> bool:
    """Whether every value is about 128."""
    return bool(chroma.min() >= _NEUTRAL - _TOLERANCE and chroma.max() <= _NEUTRAL + _TOLERANCE)


def _grey_of(frame: av.VideoFrame) -> UInt8[np.ndarray, "H W"]:
    """Luma straight from its plane where the format has one: several times faster than by way of RGB."""
    name = frame.format.name
    if name == "gray":
        return _plane(frame, 0)
    if name in _LUMA_FIRST:
        is_full_range = name.startswith("yuvj") or frame.color_range == _FULL_RANGE
        return _plane(frame, 0) if is_full_range else _LIMITED_TO_FULL[_plane(frame, 0)]
    rgb = frame.to_ndarray(format="rgb24").astype(np.float32)
    return np.round(rgb @ _REC_601).clip(0, 255).astype(np.uint8)


def _plane(frame: av.VideoFrame, index: int) -> UInt8[np.ndarray, "H W"]:
    """One 8-bit plane without the padding at its rows' ends. It shares memory with the frame."""
    plane = frame.planes[index]
    rows: UInt8[np.ndarray, "H W"] = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
