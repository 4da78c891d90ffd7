"""Features of a backbone that stays frozen: computed once per recording, kept on disk, trained from in every epoch."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float16

from nocigram.core.literals import Precision
from nocigram.data.array_cache import ArrayCache, cache_key
from nocigram.data.progress import progress_bar
from nocigram.data.sources import Source
from nocigram.data.windows import plan_windows, stitch
from nocigram.models.backbones import Backbone
from nocigram.models.precision import autocast, uses_bf16

_N_FRAMES_AT_ONCE = 256
"""Frames of a block where features depend on single frames."""


def with_cached_features(
    sources: dict[str, Source],
    *,
    backbone: Backbone,
    device: torch.device,
    precision: Precision,
    window_T: int,
    mirrors: bool,
    cache_dir: Path,
    settings: Mapping[str, Any],
) -> dict[str, Source]:
    """Sources with features of their frames, and of their mirrored frames where training mirrors.

    Args:
        sources: with frames.
        backbone: moved to the device and left in eval mode.
        window_T: frames that a backbone with context sees at once.
        settings: what the backbone was built from; weights alone don't tell the length of its clips.
    """
    cache, identity = ArrayCache(cache_dir / "features"), _identity(backbone, settings)
    is_bf16 = uses_bf16(device, precision)
    backbone.to(device).eval()
    views = (False, True) if mirrors else (False,)
    keys = {
        (name, is_mirrored): _key(source, identity, is_mirrored=is_mirrored, is_bf16=is_bf16, window_T=window_T)
        for name, source in sources.items()
        for is_mirrored in views
    }
    stored = {place: cache.get(key) for place, key in keys.items()}
    todo = [place for place, array in stored.items() if array is None]
    n_frames = sum(sources[name].n_frames for name, _ in todo)
    if todo:
        n_bytes = n_frames * backbone.feature_dim * 2
        print(f"[info] Computing features of the frozen backbone: {n_frames} frames, {n_bytes / 1e6:.0f} MB")
    with progress_bar("Features", total=n_frames, unit="frames") as advance:
        for name, is_mirrored in todo:
            blocks = _features(
                sources[name], backbone, device=device, precision=precision, window_T=window_T, is_mirrored=is_mirrored
            )
            stored[name, is_mirrored] = cache.put(
                keys[name, is_mirrored], blocks, row_shape=(backbone.feature_dim,), dtype=np.dtype(np.float16)
            )
            advance(sources[name].n_frames)
    return {
        name: source.with_features(tuple(array for view in views if (array := stored[name, view]) is not None))
        for name, source in sources.items()
    }


def _features(
    source: Source,
    backbone: Backbone,
    *,
    device: torch.device,
    precision: Precision,
    window_T: int,
    is_mirrored: bool,
) -> Iterator[Float16[np.ndarray, "N D"]]:
    """Blocks of features; a backbone with context runs over overlapping windows, which are averaged."""
    frames = source.frames
    if frames is None:
        raise ValueError("with_cached_features: expected sources with frames, got one without")

    def run(start: int, stop: int) -> np.ndarray:
        pixels = torch.from_numpy(frames[start:stop].copy())[None].to(device)
        with torch.inference_mode(), autocast(device, precision):
            features = backbone(pixels.flip(-1) if is_mirrored else pixels)[0]
        return features.float().cpu().numpy()

    if backbone.per_frame:
        for start in range(0, len(frames), _N_FRAMES_AT_ONCE):
            yield run(start, min(start + _N_FRAMES_AT_ONCE, len(frames))).astype(np.float16)
    else:
        windows = plan_windows(len(frames), window_T=window_T)
        for block in stitch((window, {"features": run(window.start, window.stop)}) for window in windows):
            yield block["features"].astype(np.float16)


def _identity(backbone: Backbone, settings: Mapping[str, Any]) -> str:
    """A hash of a backbone's class, settings, normalisation and weights."""
    described = [type(backbone).__name__, sorted(settings.items()), backbone.mean, backbone.std]
    digest = hashlib.sha256(repr(described).encode())
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _key(source: Source, identity: str, *, is_mirrored: bool, is_bf16: bool, window_T: int) -> str:
    """Everything that decides the features of a recording."""
    return cache_key(
        {
            "frames": source.frames_key,
            "backbone": identity,
            "is_mirrored": is_mirrored,
            "is_bf16": is_bf16,
            "window_T": window_T,
        }
    )
