"""Count the frames of a video without decoding them."""

from pathlib import Path

import av.error

from nocigram.core.errors import InputError
from nocigram.video.probe import VideoInfo, fix_of, opened, reason_of


def n_frames_of(info: VideoInfo) -> int:
    """Frames by the header, or by counting packets where the header is silent (.mkv, .avi from some cameras).

    Decoding may find fewer in a damaged file; who decodes has to compare.
    """
    return info.n_frames_header or _count_packets(info.path)


def _count_packets(path: Path) -> int:
    """Packets of the first video stream; a packet holds one frame in every codec that is met here."""
    try:
        with opened(path) as (container, stream):
            return sum(packet.size > 0 for packet in container.demux(stream))
    except av.error.FFmpegError as error:
        raise InputError(f"{path.name}: expected a whole video, got '{reason_of(error)}'. {fix_of(path)}") from error
