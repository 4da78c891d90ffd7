"""What a video file says about itself, and what its first look shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.video.stream

from nocigram.core.errors import InputError
from nocigram.video.pixels import is_neutral

N_GREY_SAMPLES = 8
"""Frames in which a video must show no colour to count as grey: the first, and others spread over its length."""


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """A readable video."""

    path: Path
    width_px: int
    """Of the upright frame."""
    height_px: int
    """Of the upright frame."""
    n_frames_header: int | None
    """What the header claims, often off by one; None where it is silent. Decoding is what counts."""
    nominal_fps: float
    """Frames per second by the header; a variable frame rate makes it an average."""
    codec: str
    is_grey: bool
    """No colour in any of `N_GREY_SAMPLES` frames."""


def probe(path: Path) -> VideoInfo:
    """Look into a video.

    Raises:
        InputError: it is missing, no video, cut off before the last frame of its index, or not a single frame decodes.
    """
    with opened(path) as (container, stream):
        _check_size(path, stream)
        frames = list(_samples(container, stream))
        if not frames:
            raise InputError(f"{path.name}: expected a video, got no frame that decodes. {fix_of(path)}")
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise InputError(f"{path.name}: expected a frame rate in the header, got none. {fix_of(path)}")
        height, width = frames[0].height, frames[0].width
        if round(frames[0].rotation / 90) % 2:
            height, width = width, height
        return VideoInfo(
            path=path,
            width_px=width,
            height_px=height,
            n_frames_header=stream.frames or None,
            nominal_fps=float(rate),
            codec=stream.codec_context.name,
            is_grey=all(is_neutral(frame) for frame in frames),
        )


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """Open a file and its first real video stream (no cover picture) for decoding with threads.

    Raises:
        InputError: it is missing, empty, or FFmpeg knows no video in it.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected a video, got nothing there. Check the path.")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}: expected a video, got an empty file. Copy it again from the camera.")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(f"{path.name}: expected a video, got '{reason_of(error)}'. {fix_of(path)}") from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            raise InputError(f"{path.name}: expected a video, got a file without pictures. {fix_of(path)}")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def reason_of(error: Exception) -> str:
    """FFmpeg's own words without its error number and file name."""
    return str(getattr(error, "strerror", None) or error)


def fix_of(path: Path) -> str:
    """What to do about a file that FFmpeg can't read."""
    return f"Play it to see that it is whole, or write it again: ffmpeg -i '{path.name}' repaired.mp4."


def _check_size(path: Path, stream: av.video.stream.VideoStream) -> None:
    """Refuse a file that ends before its index does, as a copy that broke off: FFmpeg would end early in silence."""
    entries: Any = getattr(stream, "index_entries", ())  # PyAV has it since 17
    n_bytes = entries[-1].pos + entries[-1].size if len(entries) else 0
    if n_bytes > (size := path.stat().st_size):
        raise InputError(
            f"{path.name}: expected a file of at least {n_bytes} bytes, as its index says, got {size}. "
            "Copy it again from the camera."
        )


def _samples(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
    """The first frame, then frames at even distances; those that can't be sought or decoded are left out."""
    first = _next_frame(container, stream)
    if first is None:
        return
    yield first
    duration = stream.duration or 0
    for position in range(1, N_GREY_SAMPLES):
        try:
            container.seek((stream.start_time or 0) + duration * position // N_GREY_SAMPLES, stream=stream)
        except av.error.FFmpegError:
            return
        if (frame := _next_frame(container, stream)) is not None:
            yield frame


def _next_frame(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> av.VideoFrame | None:
    """The next frame that decodes, or None."""
    try:
        return next(container.decode(stream), None)
    except av.error.FFmpegError:
        return None
