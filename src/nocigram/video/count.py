"""Count the frames of a video without decoding them."""

from pathlib import Path

from nocigram.video.probe import VideoInfo, opened


def n_frames_of(info: VideoInfo) -> int:
    """Frames by the header, or by counting packets where the header is silent (.mkv, .avi from some cameras).

    Decoding may find fewer in a damaged file; who decodes has to compare.
    """
    return info.n_frames_header or _count_packets(info.path)


def _count_packets(path: Path) -> int:
    """Packets of the first video stream; a packet holds one frame in every codec that is met here."""
    with opened(path) as (container, stream):
        return sum(packet.size > 0 for packet in container.demux(stream))
