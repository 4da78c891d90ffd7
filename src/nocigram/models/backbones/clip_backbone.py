"""What all 3D backbones share: clips that slide over the window, and features of their frames.

B batch, T frames, N clips, L frames of a clip, C channels, H height, W width, P steps in time that an encoder makes of
a clip, D width of a feature vector.
"""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nocigram.core.errors import Fault, raise_faults
from nocigram.models.backbones.base import Backbone, BackboneOptions, Frames, Triple
from nocigram.models.backbones.clips import clip_frames_index, frames_from_clips


class ClipBackbone(Backbone):
    """A video encoder over overlapping clips of the window.

    Places are pooled in space only; the feature of a step in time is given to each of its frames, and a frame's
    features are averaged over the clips that it is in, so that features change from frame to frame.
    """

    per_frame = False

    def __init__(
        self,
        encoder: Any,
        *,
        feature_dim: int,
        mean: Triple,
        std: Triple,
        options: BackboneOptions,
        keeps_batch_statistics: bool = False,
    ) -> None:
        super().__init__(
            feature_dim=feature_dim,
            mean=mean,
            std=std,
            chunk_frames=options.chunk_frames,
            gradient_checkpointing=options.gradient_checkpointing,
            keeps_batch_statistics=keeps_batch_statistics,
        )
        self.encoder = encoder
        self.clip_frames = options.clip_T
        self.clip_stride = options.clip_stride or max(1, options.clip_T // 2)
        self.context_frames = self.clip_frames - 1

    @abstractmethod
    def steps(self, clips: Float[Tensor, "N L 3 H W"]) -> Float[Tensor, "N P D"]:
        """Features of each step in time of normalised clips."""

    def forward(self, frames: Frames, *, n_frames: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B T D"]:
        """Features of each frame. Clips are laid over each window's own frames; padding gets zeros."""
        lengths = [frames.shape[1]] * len(frames) if n_frames is None else [max(1, n) for n in n_frames.tolist()]
        index = [clip_frames_index(n, clip_frames=self.clip_frames, stride=self.clip_stride) for n in lengths]
        window = torch.repeat_interleave(torch.arange(len(frames)), torch.tensor([len(clips) for clips in index]))
        window, place = window.to(frames.device), torch.cat(index).to(frames.device)
        n_clips = max(1, self.n_frames_at_once(frames.device) // self.clip_frames)
        chunks = [
            self.run_chunk(self._encoded, frames[of_window[:, None], of_frame])
            for of_window, of_frame in zip(torch.split(window, n_clips), torch.split(place, n_clips), strict=True)
        ]
        of_windows = torch.split(torch.cat(chunks), [len(clips) for clips in index])
        features = [
            frames_from_clips(clips, n_frames=n, stride=self.clip_stride)
            for clips, n in zip(of_windows, lengths, strict=True)
        ]
        n_frames_max = frames.shape[1]
        return torch.stack([nn.functional.pad(rows, (0, 0, 0, n_frames_max - len(rows))) for rows in features])

    def _encoded(self, clips: Tensor) -> Tensor:
        """Clips (N, L, C, H, W) -> features of their frames (N, L, D)."""
        steps = self.steps(self.normalised(clips))
        return steps[:, torch.arange(self.clip_frames, device=steps.device) * steps.shape[1] // self.clip_frames]


def layers_and_norm(layers: nn.ModuleList, norm: nn.Module | None) -> list[nn.Module]:
    """A transformer's layers; a final norm is part of the last one."""
    *first, last = layers
    return [*first, nn.ModuleList([last] if norm is None else [last, norm])]


def check_tubelets(name: str, options: BackboneOptions, *, patch_px: int, tubelet_frames: int) -> None:
    """Refuse image sides and clip lengths that the encoder's tubelets don't divide.

    Raises:
        InputError: with the nearest size that they do.
    """
    sizes = {"--img_size": (options.img_size, patch_px), "--clip_T": (options.clip_T, tubelet_frames)}
    raise_faults(
        [
            Fault(
                where=flag,
                expected=f"a multiple of {step} for {name}",
                got=str(size),
                fix=f"Use {flag} {max(step, round(size / step) * step)}.",
            )
            for flag, (size, step) in sizes.items()
            if size % step
        ]
    )
