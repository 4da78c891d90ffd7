"""Augmentation of training windows, on the device, a batch at a time.

Whatever moves frames in time moves pixels, features, keypoints, visibility and labels together, so that a frame's
pixels, keypoints and label stay those of one video frame.

B batch, T frames, C channels, S side of a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nocigram.data.batches import Batch

_P_BRIGHTNESS = _P_CONTRAST = 0.5
_P_DROP = _P_NOISE = 0.3
_P_ROLL = 0.2
_NOISE_STD = 0.02
_ROLL_N_FRAMES = 5


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The augmentations of the guide, with their probabilities per window."""

    brightness: float
    """Largest relative change."""
    contrast: float
    """Largest relative change."""
    temporal_drop: float
    """Share of frames that are blanked."""
    kp_jitter_std: float
    """Standard deviation, as a part of the view's side."""
    pose_drop: float
    """Share of windows without pose, and so without light."""
    pixel_drop: float
    """Share of windows without pixels."""
    mirrored: tuple[int, ...]
    """For each keypoint the one that takes its place in a mirror."""

    def __call__(self, batch: Batch, *, generator: torch.Generator) -> Batch:
        """An augmented copy; the batch itself stays as it is.

        Args:
            batch: training windows.
            generator: on the CPU; the same state gives the same augmentation on every device.
        """
        batch = mirrored(batch, self.mirrored)
        batch = self._rolled(batch, generator)
        batch = self._lit(batch, generator)
        batch = self._dropped(batch, generator)
        return self._jittered(batch, generator)

    def _rolled(self, batch: Batch, generator: torch.Generator) -> Batch:
        """All of a window shifted by up to 5 frames; frames that wrapped round are no longer valid."""
        n_windows, n_frames = batch.valid.shape
        shift = torch.randint(-_ROLL_N_FRAMES, _ROLL_N_FRAMES + 1, (n_windows,), generator=generator)
        shift = shift * _chosen(n_windows, _P_ROLL, generator)
        if not shift.any():
            return batch
        wanted = torch.arange(n_frames) - shift[:, None]
        source = (wanted % n_frames).to(batch.valid.device)
        wrapped = ((wanted < 0) | (wanted >= n_frames)).to(batch.valid.device)
        moved = {
            name: _take(getattr(batch, name), source)
            for name in ("pixels", "features", "kinematics", "light", "xy_px", "visible", "boxes", "actions", "valid")
            if getattr(batch, name) is not None
        }
        moved["valid"] = moved["valid"] & ~wrapped
        return replace(batch, **moved)

    def _lit(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Brightness, contrast and noise, one draw for all frames of a window (noise: one a pixel)."""
        n_windows, pixels = len(batch.valid), batch.pixels
        gain = 1 + self.brightness * _uniform(n_windows, generator) * _chosen(n_windows, _P_BRIGHTNESS, generator)
        contrast = 1 + self.contrast * _uniform(n_windows, generator) * _chosen(n_windows, _P_CONTRAST, generator)
        batch = replace(batch, light=batch.light * gain.to(batch.light)[:, None, None, None])
        if pixels is None or batch.features is not None:
            return batch
        noisy = _chosen(n_windows, _P_NOISE, generator)
        lit = torch.empty_like(pixels)
        on_device = torch.Generator(pixels.device).manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        for window in range(n_windows):  # one at a time: floats take four times the memory of pixels
            values = pixels[window].float() * gain[window].item()
            mean = values.mean()
            values = (values - mean) * contrast[window].item() + mean
            if noisy[window]:
                noise = torch.randn(values.shape, generator=on_device, device=values.device)
                values = values + 255 * _NOISE_STD * noise
            lit[window] = values.round().clamp(0, 255).to(torch.uint8)
        return replace(batch, pixels=lit)

    def _dropped(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Frames blanked in pixels and pose, to be named from their neighbours; and windows without pose."""
        n_windows, n_frames = batch.valid.shape
        lost = torch.rand((n_windows, n_frames), generator=generator) < self.temporal_drop
        lost = (lost & _chosen(n_windows, _P_DROP, generator)[:, None]).to(batch.valid.device)
        blind = _chosen(n_windows, self.pose_drop, generator)
        unseen = _chosen(n_windows, self.pixel_drop, generator) & ~blind  # never without both
        blind, unseen = blind.to(batch.valid.device), unseen.to(batch.valid.device)
        kept = ~lost
        return replace(
            batch,
            pixels=None if batch.pixels is None else batch.pixels * kept[..., None, None, None],
            features=None if batch.features is None else batch.features * kept[..., None],
            kinematics=None if batch.kinematics is None else batch.kinematics * (kept & ~blind[:, None])[..., None],
            light=batch.light * (kept & ~blind[:, None])[..., None, None],
            has_pixels=batch.has_pixels & ~unseen,
            pose_visible=batch.visible & kept[..., None] & ~blind[:, None, None],
        )

    def _jittered(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Noise on the coordinates that the pose features are made of; what the keypoint head learns stays exact."""
        noise = torch.randn(batch.xy_px.shape, generator=generator).to(batch.xy_px.device)
        jittered = batch.xy_in_view() + self.kp_jitter_std * noise
        # a keypoint outside of the view stays where it is; the guide clips to [0, 1]
        low, high = batch.xy_in_view().clamp(max=0), batch.xy_in_view().clamp(min=1)
        side, origin = batch.boxes[..., None, 2:], batch.boxes[..., None, :2]
        return replace(batch, pose_xy_px=torch.minimum(torch.maximum(jittered, low), high) * side + origin)


def mirrored(batch: Batch, order: Sequence[int]) -> Batch:
    """Left and right exchanged in the windows that are marked so, in pixels, keypoints and light.

    Args:
        batch: cached features and kinematics are mirrored already, and stay as they are.
        order: for each keypoint the one that takes its place in a mirror.
    """
    if not batch.is_mirrored.any():
        return batch
    swapped = list(order)
    mirrored_xy = batch.xy_px[:, :, swapped].clone()
    # x -> 2 x0 + side - x turns the view about its own middle, as turning its pixels does
    mirrored_xy[..., 0] = (2 * batch.boxes[..., 0] + batch.boxes[..., 2])[..., None] - mirrored_xy[..., 0]
    chosen = batch.is_mirrored[:, None, None]
    pixels = batch.pixels
    if pixels is not None and batch.features is None:
        pixels = torch.where(chosen[..., None, None], pixels.flip(-1), pixels)
    return replace(
        batch,
        pixels=pixels,
        light=torch.where(chosen[..., None], batch.light[:, :, swapped], batch.light),
        xy_px=torch.where(chosen[..., None], mirrored_xy, batch.xy_px),
        visible=torch.where(chosen, batch.visible[:, :, swapped], batch.visible),
    )


def _take(rows: Tensor, source: Tensor) -> Tensor:
    """Rows (B, T, ...) in another order of frames (B, T)."""
    index = source.reshape(*source.shape, *[1] * (rows.ndim - 2)).expand_as(rows)
    return rows.gather(1, index)


def _chosen(n: int, probability: float, generator: torch.Generator) -> Bool[Tensor, " B"]:
    """Windows to which an augmentation happens."""
    return torch.rand(n, generator=generator) < probability


def _uniform(n: int, generator: torch.Generator) -> Float[Tensor, " B"]:
    """Numbers from -1 to 1."""
    return 2 * torch.rand(n, generator=generator) - 1
