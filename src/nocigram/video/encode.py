"""Encode: write frames to a video file, the same bytes for the same frames."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import UInt8

from nocigram.core.files import written_whole

_H264_OPTIONS = {"preset": "veryfast", "crf": "23", "bf": "2", "threads": "1", "mbtree": "0"}
"""Without mbtree: with it, libx264 165 gave other bytes for the same frames in about 1 of 60 runs."""


class VideoWriter:
    """Writes one video; the file is whole when the context ends, and absent when it ends with an error.

    One encoder thread and fixed options make the file bit-exact for equal frames on one machine. libx264 gets
    B-frames, so that frames are stored in another order than they are shown in, as cameras' software does.
    """

    def __init__(
        self,
        path: Path,
        *,
        width_px: int,
        height_px: int,
        fps: float = 30.0,
        codec: str = "libx264",
        grey: bool = True,
        pix_fmt: str = "yuv420p",
        options: dict[str, str] | None = None,
    ) -> None:
        """Describe the video; nothing is written before the context is entered.

        Args:
            path: its suffix chooses the container.
            width_px: even for yuv420p.
            height_px: even for yuv420p.
            fps: nominal rate; with it `pts` of `write` counts in 1 / fps.
            codec: name of an FFmpeg encoder.
            grey: frames are (H, W) instead of (H, W, 3) RGB.
            pix_fmt: how the encoder stores pixels; yuv420p plays everywhere.
            options: options of the encoder, over the ones for libx264 that this module sets.
        """
        if pix_fmt == "yuv420p" and (width_px % 2 or height_px % 2):
            raise ValueError(f"VideoWriter: expected an even width and height for yuv420p, got {width_px}x{height_px}")
        self._path, self._codec, self._pix_fmt = path, codec, pix_fmt
        self._shape = (height_px, width_px) if grey else (height_px, width_px, 3)
        self._rate = Fraction(fps).limit_denominator(1_001_000)
        self._options = (_H264_OPTIONS if codec == "libx264" else {"threads": "1"}) | (options or {})
        self._source_format = "gray" if grey else "rgb24"
        self._n_written = 0
        self._stack = ExitStack()

    def __enter__(self) -> "VideoWriter":
        with ExitStack() as stack:
            temporary = stack.enter_context(written_whole(self._path))
            # bitexact: no version string of the library in the file, so equal frames give equal bytes
            self._container = stack.enter_context(av.open(str(temporary), "w", options={"fflags": "+bitexact"}))
            # PyAV types the stream by the codec's literal name; a name held in a variable gives a union
            stream: Any = self._container.add_stream(self._codec, rate=self._rate, options=self._options)
            stream.height, stream.width = self._shape[:2]
            stream.pix_fmt = self._pix_fmt
            stream.time_base = stream.codec_context.time_base = 1 / self._rate
            self._stream = stream
            stack.push(self._flush)
            self._stack = stack.pop_all()
        return self

    def write(self, frame: UInt8[np.ndarray, "H W *C"], *, pts: int | None = None) -> None:
        """Append a frame.

        Args:
            frame: (H, W) grey or (H, W, 3) RGB, as said at the start.
            pts: when it is shown, in 1 / fps, larger than the last one; the frame's index when None.
        """
        if frame.shape != self._shape:
            raise ValueError(f"VideoWriter: expected a frame of shape {self._shape}, got {frame.shape}")
        image = VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=self._source_format)
        image.pts = self._n_written if pts is None else pts
        image.time_base = 1 / self._rate
        self._container.mux(self._stream.encode(image))
        self._n_written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _flush(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the frames that the encoder still holds, unless the context ends with an error."""
        if kind is None:
            self._container.mux(self._stream.encode(None))
