"""Frames decoded once, cut to the view, resized and kept on disk.

N frames, C channels (1 if the video is grey), S side in pixels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from nocigram.data.array_cache import ArrayCache, cache_key, content_hash
from nocigram.data.view import RENDER_VERSION, View, render_many
from nocigram.video.decode import DECODER_VERSION, Frame, decode
from nocigram.video.probe import VideoInfo, probe

_N_FRAMES_AT_ONCE = 32


@dataclass(frozen=True)
class FrameStore:
    """All frames of a recording as the backbone sees them."""

    frames: UInt8[np.ndarray, "N C S S"]
    """Read-only memory map."""
    times_s: Float64[np.ndarray, " N"]
    """Seconds since the first frame, by the video's time stamps."""
    key: str
    """Name in the cache; equal keys mean equal pixels."""

    @property
    def n_frames(self) -> int:
        """Frames that decoded; the header may claim another number."""
        return len(self.frames)


def cached_frames(
    video: Path,
    *,
    view: View,
    img_size: int,
    cache_dir: Path,
    info: VideoInfo | None = None,
    on_frames: Callable[[int], None] | None = None,
) -> FrameStore:
    """The recording's frames from the cache; decoded into it first if they are not there, or damaged.

    Args:
        video: read in full for its hash, so that a renamed or moved video is still found.
        view: the square of each frame; it holds its last one for frames beyond.
        img_size: S.
        cache_dir: shared by all recordings and runs.
        info: what `probe` says, if it is known already.
        on_frames: called with the number of frames just written, for a progress bar; never if nothing is to do.

    Raises:
        InputError: the video can't be decoded to its end; nothing is kept of it then.
    """
    info = info or probe(video)
    cache, key = ArrayCache(cache_dir / "frames"), _key_of(video, view=view, img_size=img_size, grey=info.is_grey)
    store = _stored(cache, key)
    if store is not None:
        return store
    times_s: list[float] = []
    n_channels = 1 if info.is_grey else 3
    blocks = _rendered(decode(video, grey=info.is_grey), view=view, img_size=img_size, times_s=times_s)
    frames = cache.put(
        key, _reported(blocks, on_frames), row_shape=(n_channels, img_size, img_size), dtype=np.dtype(np.uint8)
    )
    times = cache.put(f"{key}-times_s", [np.array(times_s)], row_shape=(), dtype=np.dtype(np.float64))
    return FrameStore(frames, times, key)


def is_cached(video: Path, *, view: View, img_size: int, cache_dir: Path, info: VideoInfo) -> bool:
    """Whether `cached_frames` with the same arguments would have nothing to decode."""
    key = _key_of(video, view=view, img_size=img_size, grey=info.is_grey)
    return _stored(ArrayCache(cache_dir / "frames"), key) is not None


def cache_size_bytes(n_frames: int, *, img_size: int, grey: bool) -> int:
    """Size on disk of a recording's frames, to announce before they are decoded."""
    return n_frames * ((1 if grey else 3) * img_size**2 + np.dtype(np.float64).itemsize)


def _key_of(video: Path, *, view: View, img_size: int, grey: bool) -> str:
    """Content of the video and everything that decides what is made of it."""
    settings: dict[str, str | int | float | bool | None] = {
        "video": content_hash(video),
        "view": view.to_bytes().hex(),
        "img_size": img_size,
        "grey": grey,
        "decoder": DECODER_VERSION,
        "render": RENDER_VERSION,
    }
    return cache_key(settings)


def _stored(cache: ArrayCache, key: str) -> FrameStore | None:
    """The recording, if both of its arrays are there and whole."""
    frames, times_s = cache.get(key), cache.get(f"{key}-times_s")
    if frames is None or times_s is None or len(frames) != len(times_s):
        return None
    return FrameStore(frames, times_s, key)


def _rendered(
    frames: Iterator[Frame], *, view: View, img_size: int, times_s: list[float]
) -> Iterator[UInt8[np.ndarray, "N C S S"]]:
    """Blocks of rendered frames; the time of each frame is appended to `times_s`."""
    while group := list(islice(frames, _N_FRAMES_AT_ONCE)):
        times_s.extend(frame.time_s for frame in group)
        boxes = view.boxes_of(group[0].index, group[-1].index + 1)
        yield render_many([frame.pixels for frame in group], boxes, img_size)


def _reported(
    blocks: Iterator[UInt8[np.ndarray, "N C S S"]], on_frames: Callable[[int], None] | None
) -> Iterator[UInt8[np.ndarray, "N C S S"]]:
    """Pass blocks on, telling how many frames each holds once it was taken."""
    for block in blocks:
        yield block
        if on_frames is not None:
            on_frames(len(block))
