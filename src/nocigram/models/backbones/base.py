"""What every backbone is: frames in, one feature vector per frame out.

B batch, T frames, C channels (1 grey, 3 RGB), H height, W width, D width of a feature vector.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from nocigram.core.literals import BackboneType
from nocigram.models.backbones.lora import adapters_of

Triple: TypeAlias = tuple[float, float, float]
Frames: TypeAlias = UInt8[Tensor, "B T C H W"] | Float[Tensor, "B T C H W"]


CHUNK_FRAMES = 64
"""Frames that run through an encoder at once where nothing else is said; more of them outgrow a CPU's cache."""
_CHUNK_FRAMES_ON_GPU = 256
"""A GPU waits for a CPU that starts the kernels of small chunks (docs/measurements.md)."""


class Backbone(nn.Module, ABC):
    """A network from pixels to one feature vector per frame.

    Pixels stay as they come (uint8, one channel) until a chunk is run: only there they become float, RGB, normalised.
    """

    encoder: Any
    """A module of timm, transformers or torchvision."""
    _mean: Tensor
    _std: Tensor
    per_frame: bool
    """True if a frame's features depend on that frame alone; then a frozen backbone's features can be cached."""
    context_frames: int
    """Frames on either side that a frame's features can depend on; 0 for a per-frame backbone."""

    def __init__(
        self,
        *,
        feature_dim: int,
        mean: Triple,
        std: Triple,
        chunk_frames: int | None,
        gradient_checkpointing: bool,
        keeps_batch_statistics: bool,
    ) -> None:
        super().__init__()
        self.feature_dim = feature_dim
        self.mean, self.std = mean, std
        self.chunk_frames = chunk_frames
        self.gradient_checkpointing = gradient_checkpointing
        self.keeps_batch_statistics = keeps_batch_statistics
        self.register_buffer("_mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(std).view(3, 1, 1), persistent=False)

    @abstractmethod
    def forward(self, frames: Frames, *, n_frames: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B T D"]:
        """Features of each frame.

        Args:
            frames: uint8, or float in [0, 1].
            n_frames: frames of each window that are real; the rest is padding at its end. None: all of them.
        """

    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """The repeated blocks from first to last, what follows the last one included in it (to unfreeze the last N)."""

    def untrained(self) -> list[nn.Module]:
        """Parts that begin without trained weights, such as adapters.

        They learn from the first step and at the full rate, also where the encoder is frozen.
        """
        return adapters_of(self)

    def train(self, mode: bool = True) -> "Backbone":
        """As for any module, but batch norms of pretrained weights go on using their own running statistics.

        A batch is a few windows of nearly equal frames: its statistics say little, and would make a frame's features
        depend on how frames are cut into chunks.
        """
        super().train(mode)
        if self.keeps_batch_statistics:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels (..., C, H, W), uint8 or float in [0, 1] -> float RGB with the backbone's own mean and deviation."""
        scaled = pixels.to(self._std.dtype) / 255 if pixels.dtype == torch.uint8 else pixels
        rgb = scaled.expand(*scaled.shape[:-3], 3, *scaled.shape[-2:])
        normalised: Tensor = (rgb - self._mean) / self._std
        return normalised

    def n_frames_at_once(self, device: torch.device) -> int:
        """Frames of a chunk on a device."""
        if self.chunk_frames is not None:
            return self.chunk_frames
        # who computes activations twice has no memory for those of a large chunk
        return _CHUNK_FRAMES_ON_GPU if device.type == "cuda" and not self.gradient_checkpointing else CHUNK_FRAMES

    def run_chunk(self, run: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        """Run one chunk, keeping only its pixels for the backward pass if gradient checkpointing is on."""
        learns = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.parameters())
        if not (self.gradient_checkpointing and learns):
            return run(pixels)
        features: Tensor = checkpoint(run, pixels, use_reentrant=False)
        return features


@dataclass(frozen=True, kw_only=True)
class BackboneOptions:
    """What a backbone's builder is given. Flags of the same names, see the guide."""

    encoder_name: str
    """A timm name, `embedded`, the hub name of a VideoMAE or V-JEPA 2, or a video model of torchvision."""
    encoder_weights: str
    """`pretrained` (from the hub or its cache), `none`, or the path of a file (transformers: also of a folder)."""
    pool: str
    """A `Pool`; only the 2D backbone reads it."""
    img_size: int
    """Side of a frame in pixels."""
    clip_T: int
    """Frames of a clip; only 3D backbones read it."""
    clip_stride: int | None
    """Frames from one clip's start to the next one's; None: half a clip."""
    chunk_frames: int | None
    """Frames that run through the encoder at once, None: as many as suit the device. The result does not depend on
    it."""
    gradient_checkpointing: bool
    """Compute a chunk again in the backward pass instead of keeping its activations."""
    strict: bool
    """Refuse to fall back to another backbone."""
    warn: Callable[[str], None]
    """Told about a fallback."""
    encoder_config: Mapping[str, Any] | None
    """Sizes of a 3D encoder that its name does not tell; None otherwise."""


@dataclass(frozen=True, kw_only=True)
class BuiltBackbone:
    """A backbone and how it came about."""

    backbone: Backbone
    backbone_type: BackboneType
    """What was built, which is another than asked for after a fallback."""
    encoder_name: str
    """The encoder that was built, to build it again."""
    description: str
    """The line that a run prints, such as `[info] Using 2D backbone: NAME`."""
    is_fallback: bool = False
    encoder_config: Mapping[str, Any] | None = field(default=None)
    """Plain numbers and strings, to build a 3D encoder again without its weights; None for 2D."""
