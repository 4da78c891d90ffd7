"""Decoding, cutting, resizing and caching the frames of a recording."""

import tempfile
from functools import partial
from pathlib import Path

import av
import torch
from torch.nn.functional import interpolate

from benchmarks.measure import Measured, Setting, frames_per_s
from nocigram.data.frame_cache import cached_frames
from nocigram.data.view import full_view
from nocigram.video.decode import decode
from nocigram.video.probe import probe


def cache_frames(setting: Setting) -> Measured:
    """Fill the cache, against the plain way: every frame to RGB and resized by itself."""
    video = next((setting.study() / "Videos").glob("*.mp4"))
    rates = {
        name: frames_per_s(partial(run, video, setting.img_size), n_repeats=setting.n_repeats)
        for name, run in (("cache", _cache), ("one by one", _one_by_one), ("decode", _decode))
    }
    return Measured(
        name="cache_frames",
        frames_per_s=rates["cache"],
        baseline="RGB frames resized one by one",
        baseline_frames_per_s=rates["one by one"],
        limit="decoding alone",
        limit_frames_per_s=rates["decode"],
    )


def _cache(video: Path, img_size: int) -> int:
    """An empty cache, filled."""
    info = probe(video)
    with tempfile.TemporaryDirectory() as folder:
        view = full_view(info.width_px, info.height_px)
        return cached_frames(video, view=view, img_size=img_size, cache_dir=Path(folder)).n_frames


def _one_by_one(video: Path, img_size: int) -> int:
    """PyAV as its first example shows it, and torch's resizing of a single image."""
    resized = []
    with av.open(video) as container:
        for frame in container.decode(video=0):
            pixels = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)[None].float()
            small = interpolate(pixels, size=(img_size, img_size), mode="bilinear", antialias=True)
            resized.append(small.round().to(torch.uint8))
    return len(resized)


def _decode(video: Path, img_size: int) -> int:
    """Nothing is kept."""
    return sum(1 for _ in decode(video, grey=probe(video).is_grey))
