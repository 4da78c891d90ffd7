"""Clips: where they begin in a window, and how their features become features of frames.

T frames, N clips, L frames of a clip, P frames of a tubelet, D width of a feature vector.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def clip_starts(n_frames: int, *, clip_frames: int, stride: int) -> list[int]:
    """First frames of the clips that cover `n_frames` frames; the last clip is flush with the end.

    A window shorter than a clip has one clip, which passes its end.
    """
    last = max(0, n_frames - clip_frames)
    return [*range(0, last, stride), last]


def clip_frames_index(n_frames: int, *, clip_frames: int, stride: int) -> Int[Tensor, "N L"]:
    """Frames of each clip; past the window's end its last frame is repeated."""
    starts = torch.tensor(clip_starts(n_frames, clip_frames=clip_frames, stride=stride))
    return (starts[:, None] + torch.arange(clip_frames)).clamp(max=n_frames - 1)


def frames_from_clips(clips: Float[Tensor, "N L D"], *, n_frames: int, stride: int) -> Float[Tensor, "T D"]:
    """Average over the clips that a frame is in.

    What a clip says of the repeated frames past the window's end is dropped.
    """
    clip_frames, width = clips.shape[1:]
    starts = clip_starts(n_frames, clip_frames=clip_frames, stride=stride)
    place = (torch.tensor(starts)[:, None] + torch.arange(clip_frames)).flatten().to(clips.device)
    inside = place < n_frames
    place, rows = place[inside], clips.flatten(0, 1)[inside].float()
    total = rows.new_zeros(n_frames, width).index_add(0, place, rows)
    count = torch.bincount(place, minlength=n_frames)
    return (total / count[:, None]).to(clips.dtype)
