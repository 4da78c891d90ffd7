"""Batches made by hand."""

import torch

from nocigram.core.actions import UNSCORED
from nocigram.data.batches import Batch
from nocigram.pose.light import N_LIGHT

N_CLASSES = 4
SIDE = 8


def batch_of(*, n_windows: int = 2, n_frames: int = 12, seed: int = 0, **changes: object) -> Batch:
    """Random windows; frame t of a window carries t in its pixels, features, light, keypoints, boxes and label."""
    generator = torch.Generator().manual_seed(seed)
    stamp = torch.arange(n_frames).expand(n_windows, n_frames)
    noise = torch.rand(n_windows, n_frames, 6, 2, generator=generator)
    fields = {
        "pixels": stamp[..., None, None, None].expand(-1, -1, 1, SIDE, SIDE).to(torch.uint8) + 100,
        "features": None,
        "light": (stamp[..., None, None] + 1.0).expand(-1, -1, 6, N_LIGHT).clone(),
        "xy_px": stamp[..., None, None] + noise,
        "visible": torch.rand(n_windows, n_frames, 6, generator=generator) < 0.8,
        "has_pixels": torch.ones(n_windows, dtype=torch.bool),
        "boxes": torch.stack((stamp * 1.0, stamp * 0.5, torch.full_like(stamp, 40.0, dtype=torch.float)), dim=-1),
        "body_length_px": torch.full((n_windows,), 20.0),
        "actions": stamp.clone() % N_CLASSES,
        "valid": torch.ones(n_windows, n_frames, dtype=torch.bool),
        "action_mask": torch.ones(n_windows),
        "is_mirrored": torch.zeros(n_windows, dtype=torch.bool),
        "index": torch.arange(n_windows),
    } | changes
    fields.setdefault("pose_xy_px", fields["xy_px"])
    fields.setdefault("pose_visible", fields["visible"])
    return Batch(**fields)


def unscored(batch: Batch, *frames: int) -> Batch:
    """The same batch with some frames unscored in every window."""
    batch.actions[:, list(frames)] = UNSCORED
    return batch
