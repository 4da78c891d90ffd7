"""Kinematics of a recording: computed over all of its frames, so that a window's edge cuts nothing off.

N frames of a recording, T frames of a span, F numbers of a frame.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16

from nocigram.core.ranges import FrameRange
from nocigram.data.array_cache import ArrayCache
from nocigram.data.records import Recording
from nocigram.pose.kinematics import KINEMATICS_VERSION, Kinematics, n_kinematics

_N_FRAMES_AT_ONCE = 4096


def kinematics_of(recording: Recording, span: FrameRange, *, is_mirrored: bool = False) -> Float16[np.ndarray, "T F"]:
    """The numbers of a span's frames, with as much of the recording around it as they depend on.

    Args:
        recording: with pose; frames beyond its pose file hold the last position.
        span: frames of the recording.
        is_mirrored: left and right exchanged.
    """
    kinematics = Kinematics(skeleton=recording.skeleton, fps=recording.fps)
    around = FrameRange(
        max(0, span.start - kinematics.context_frames),
        max(span.stop, min(recording.n_frames, span.stop + kinematics.context_frames)),
    )
    xy_px, visible = (torch.from_numpy(each)[None] for each in recording.pose_of(around))
    tracked = torch.from_numpy(recording.visible.any(axis=0))[None]  # of the whole recording: a span may see less
    if is_mirrored:
        order = list(recording.skeleton.mirrored)
        xy_px, visible = xy_px[:, :, order] * torch.tensor([-1.0, 1.0]), visible[:, :, order]
        tracked = tracked[:, order]
    numbers = kinematics(
        xy_px,
        visible,
        body_length_px=torch.tensor([recording.body_length_px], dtype=torch.float32),
        valid=torch.ones(1, len(around), dtype=torch.bool),
        tracked=tracked,
    )
    inside = numbers[0, span.start - around.start : span.stop - around.start]
    return inside.half().numpy()


def cached_kinematics(recording: Recording, *, cache_dir: Path, is_mirrored: bool) -> Float16[np.ndarray, "N F"]:
    """The numbers of every frame, kept on disk."""
    cache, key = ArrayCache(cache_dir / "kinematics"), _key(recording, is_mirrored=is_mirrored)
    stored = cache.get(key)
    if stored is not None:
        return stored
    blocks = _blocks(recording, is_mirrored=is_mirrored)
    return cache.put(key, blocks, row_shape=(n_kinematics(recording.skeleton),), dtype=np.dtype(np.float16))


def _blocks(recording: Recording, *, is_mirrored: bool) -> Iterator[Float16[np.ndarray, "T F"]]:
    """The recording in parts."""
    for start in range(0, recording.n_frames, _N_FRAMES_AT_ONCE):
        span = FrameRange(start, min(start + _N_FRAMES_AT_ONCE, recording.n_frames))
        yield kinematics_of(recording, span, is_mirrored=is_mirrored)


def _key(recording: Recording, *, is_mirrored: bool) -> str:
    """Everything that decides the numbers."""
    digest = hashlib.sha256(np.ascontiguousarray(recording.xy_px, dtype="<f4").tobytes())
    digest.update(np.ascontiguousarray(recording.visible).tobytes())
    body = sorted(recording.skeleton.as_plain().items())
    digest.update(repr((body, recording.fps, recording.n_frames, is_mirrored, KINEMATICS_VERSION)).encode())
    return digest.hexdigest()[:24]
