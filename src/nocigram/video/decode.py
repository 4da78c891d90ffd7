"""Decode every frame of a video, counted, in the order in which it is shown.

C channels, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from jaxtyping import UInt8

from nocigram.core.errors import InputError
from nocigram.video.pixels import pixels_of
from nocigram.video.probe import fix_of, opened, reason_of

DECODER_VERSION = 1
"""Raised when the same file gives other pixels, counts or times, so that caches of old frames are not used."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video."""

    index: int
    """Counted from 0 over the frames that decode, as DeepLabCut counts its rows."""
    time_s: float
    """Seconds since the first frame, by the presentation time stamps."""
    pixels: UInt8[np.ndarray, "C H W"]
    """One channel if grey, else RGB; upright."""


def decode(path: Path, *, grey: bool) -> Iterator[Frame]:
    """Decode a video from its first frame to its last.

    Nothing is sought, dropped or doubled: B-frames come in the order of presentation, and a variable frame rate
    changes `time_s`, never `index`. Where a time stamp is missing, the frame comes one nominal interval after the
    one before.

    Raises:
        InputError: no video, or a damaged one; the frames before the damage have been given by then.
    """
    with opened(path) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate
        interval_s = 1.0 / float(rate) if rate else 0.0
        start_s, time_s = None, -interval_s
        frames = container.decode(stream)
        for index in range(2**63):
            frame = _following(frames, path=path, n_frames=index)
            if frame is None:
                return
            shown_s = frame.time
            start_s = shown_s if start_s is None else start_s
            time_s = time_s + interval_s if shown_s is None or start_s is None else shown_s - start_s
            yield Frame(index, time_s, pixels_of(frame, grey=grey))


def _following(frames: Iterator[av.VideoFrame], *, path: Path, n_frames: int) -> av.VideoFrame | None:
    """The next frame, None at the end."""
    try:
        frame = next(frames, None)
    except av.error.FFmpegError as error:
        raise _damaged(path, reason=reason_of(error), n_frames=n_frames) from error
    # FFmpeg fills in what it can't decode and may leave out the frames after it, so nothing beyond can be counted.
    if frame is not None and frame.is_corrupt:
        raise _damaged(path, reason="a broken frame", n_frames=n_frames)
    return frame


def _damaged(path: Path, *, reason: str, n_frames: int) -> InputError:
    """The error of a video that breaks off."""
    return InputError(
        f"{path.name}: expected a video that decodes to its end, got '{reason}' after {n_frames} frames. {fix_of(path)}"
    )
