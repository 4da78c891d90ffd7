"""Frames of a video and their times, without decoding them."""

from pathlib import Path

import av.error
import numpy as np
from jaxtyping import Float64

from nocigram.core.errors import InputError
from nocigram.video.probe import VideoInfo, fix_of, opened, reason_of


def n_frames_of(info: VideoInfo) -> int:
    """Frames by the header, or by counting packets where the header is silent (.mkv, .avi from some cameras).

    Decoding may find fewer in a damaged file; who decodes has to compare.
    """
    return info.n_frames_header or _count_packets(info.path)


def frame_times_s(info: VideoInfo) -> Float64[np.ndarray, " N"]:
    """Seconds since the first frame of each frame, by the time stamps of the packets; as `decode` gives them.

    Where a time stamp is missing, frames are taken to come at the nominal rate.

    Raises:
        InputError: the file breaks off.
    """
    try:
        with opened(info.path) as (container, stream):
            base = float(stream.time_base or 0)
            stamps = [packet.pts for packet in container.demux(stream) if packet.size > 0]
    except av.error.FFmpegError as error:
        raise _broken(info.path, error) from error
    known = [pts for pts in stamps if pts is not None]
    if len(known) < len(stamps) or not base:
        return np.arange(len(stamps)) / info.nominal_fps
    times_s = np.sort(known) * base
    return times_s - times_s[:1]


def _count_packets(path: Path) -> int:
    """Packets of the first video stream; a packet holds one frame in every codec that is met here."""
    try:
        with opened(path) as (container, stream):
            return sum(packet.size > 0 for packet in container.demux(stream))
    except av.error.FFmpegError as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: av.error.FFmpegError) -> InputError:
    """The error of a file that breaks off."""
    return InputError(f"{path.name}: expected a whole video, got '{reason_of(error)}'. {fix_of(path)}")
