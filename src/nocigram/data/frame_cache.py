"""Frames decoded once, cut to the view, resized and kept on disk.

N frames, C channels (1 if the video is grey), S side in pixels, K keypoints, M light numbers of each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from nocigram.data.array_cache import ArrayCache, cache_key, content_hash
from nocigram.data.view import RENDER_VERSION, View, render_many
from nocigram.pose.light import LightMeter
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
    light: Float32[np.ndarray, "N K M"] | None = None
    """Light at the keypoints, in grey levels; None where no meter was given."""

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
    meter: LightMeter | None = None,
    on_frames: Callable[[int], None] | None = None,
) -> FrameStore:
    """The recording's frames from the cache; decoded into it first if they are not there, or damaged.

    Args:
        video: read in full for its hash, so that a renamed or moved video is still found.
        view: the square of each frame; it holds its last one for frames beyond.
        img_size: S.
        cache_dir: shared by all recordings and runs.
        info: what `probe` says, if it is known already.
        meter: measures light on the way; None where there are no keypoints.
        on_frames: called with the number of frames just written, for a progress bar; never if nothing is to do.

    Raises:
        InputError: the video can't be decoded to its end; nothing is kept of it then.
    """
    info = info or probe(video)
    cache, key = ArrayCache(cache_dir / "frames"), _key_of(video, view=view, img_size=img_size, grey=info.is_grey)
    light_key = None if meter is None else _light_key(video, meter, grey=info.is_grey)
    store = _stored(cache, key, light_key)
    if store is not None:
        return store
    beside = _Beside(times_s=[], light=[])
    n_channels = 1 if info.is_grey else 3
    blocks = _rendered(decode(video, grey=info.is_grey), view=view, img_size=img_size, meter=meter, beside=beside)
    frames = cache.put(
        key, _reported(blocks, on_frames), row_shape=(n_channels, img_size, img_size), dtype=np.dtype(np.uint8)
    )
    times = cache.put(f"{key}-times_s", [np.array(beside.times_s)], row_shape=(), dtype=np.dtype(np.float64))
    light = None
    if light_key is not None:
        light = _put_light(cache, light_key, np.stack(beside.light))
    return FrameStore(frames, times, key, light)


def cached_light(
    video: Path,
    *,
    meter: LightMeter,
    cache_dir: Path,
    info: VideoInfo,
    on_frames: Callable[[int], None] | None = None,
) -> Float32[np.ndarray, "N K M"]:
    """The light at the keypoints alone, for whoever needs no pixels; what `cached_frames` measured is found, too.

    Raises:
        InputError: the video can't be decoded to its end; nothing is kept of it then.
    """
    cache, key = ArrayCache(cache_dir / "frames"), _light_key(video, meter, grey=info.is_grey)
    stored = cache.get(key)
    if stored is not None:
        return stored
    measured = []
    for frame in decode(video, grey=info.is_grey):
        measured.append(meter.measure(frame.pixels, frame.index))
        if on_frames is not None:
            on_frames(1)
    return _put_light(cache, key, np.stack(measured))


def is_light_cached(video: Path, *, meter: LightMeter, cache_dir: Path, info: VideoInfo) -> bool:
    """Whether `cached_light` with the same arguments would have nothing to decode."""
    return ArrayCache(cache_dir / "frames").get(_light_key(video, meter, grey=info.is_grey)) is not None


def is_cached(
    video: Path, *, view: View, img_size: int, cache_dir: Path, info: VideoInfo, meter: LightMeter | None = None
) -> bool:
    """Whether `cached_frames` with the same arguments would have nothing to decode."""
    key = _key_of(video, view=view, img_size=img_size, grey=info.is_grey)
    light_key = None if meter is None else _light_key(video, meter, grey=info.is_grey)
    return _stored(ArrayCache(cache_dir / "frames"), key, light_key) is not None


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


def _light_key(video: Path, meter: LightMeter, *, grey: bool) -> str:
    """Name of the light measured along one track: it doesn't depend on the view."""
    settings = {"video": content_hash(video), "grey": grey, "decoder": DECODER_VERSION, "meter": meter.key}
    return f"{cache_key(settings)}-light"


def _put_light(cache: ArrayCache, key: str, measured: Float32[np.ndarray, "N K M"]) -> Float32[np.ndarray, "N K M"]:
    """Keep the light of a recording."""
    return cache.put(key, [measured], row_shape=measured.shape[1:], dtype=np.dtype(np.float32))


def _stored(cache: ArrayCache, key: str, light_key: str | None) -> FrameStore | None:
    """The recording, if all of its arrays are there and whole."""
    frames, times_s = cache.get(key), cache.get(f"{key}-times_s")
    if frames is None or times_s is None or len(frames) != len(times_s):
        return None
    if light_key is None:
        return FrameStore(frames, times_s, key)
    light = cache.get(light_key)
    return FrameStore(frames, times_s, key, light) if light is not None and len(light) == len(frames) else None


@dataclass(frozen=True)
class _Beside:
    """What is gathered on the way, small enough to be kept until the end."""

    times_s: list[float]
    light: list[Float32[np.ndarray, "K M"]]


def _rendered(
    frames: Iterator[Frame], *, view: View, img_size: int, meter: LightMeter | None, beside: _Beside
) -> Iterator[UInt8[np.ndarray, "N C S S"]]:
    """Blocks of rendered frames; the time and the light of each frame are appended to `beside`."""
    while group := list(islice(frames, _N_FRAMES_AT_ONCE)):
        beside.times_s.extend(frame.time_s for frame in group)
        if meter is not None:
            beside.light.extend(meter.measure(frame.pixels, frame.index) for frame in group)
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
