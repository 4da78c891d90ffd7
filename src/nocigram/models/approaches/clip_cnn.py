"""A 3D CNN over the clip around every frame, computed once for all the clips of a window.

Neighbouring clips share nearly all of their frames. No convolution pads along time and no pooling shortens it, so one
pass over the window computes the very numbers that each clip alone would: a clip is a stretch of the window's feature
map, and only the mean over that stretch is its own. (As Long et al. 2015 go from patches to whole pictures.)

B batch, T frames, C channels, H height, W width, D width of a frame's features.
"""

from typing import cast, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from nocigram.core.errors import InputError
from nocigram.core.literals import CnnSize
from nocigram.models.approaches.base import Frames
from nocigram.models.approaches.build import ModelOptions
from nocigram.models.backbones.base import CHUNK_FRAMES

CLIP_N_FRAMES = 16
N_BEFORE = CLIP_N_FRAMES // 2
"""Frames of a clip before the frame that it names."""
_KERNEL_FRAMES = (3, 3, 5, 7)
"""Frames that each block's convolution sees; 14 of a clip's 16 frames are used up at its two ends."""
_N_LEFT = CLIP_N_FRAMES - sum(kernel - 1 for kernel in _KERNEL_FRAMES)
_WIDTHS: dict[CnnSize, tuple[int, ...]] = {"standard": (32, 64, 128, 256), "light": (16, 32, 64, 128)}
_MEAN, _STD = 0.45, 0.225
"""Of grey pixels from 0 to 1, as usual for video models."""
_SMALLEST_PX = 2 ** len(_KERNEL_FRAMES)
"""Every block halves the picture; a smaller one has nothing left."""


@final
class HalvedPicture(nn.Module):
    """The largest of each 2 x 2 places of a frame.

    In two dimensions, since torch has no deterministic gradient of `MaxPool3d` on a GPU.
    """

    def forward(self, x: Float[Tensor, "B D T H W"]) -> Float[Tensor, "B D T h w"]:
        """Half the height and half the width."""
        halved = functional.max_pool2d(x.flatten(0, 1), 2)
        return torch.unflatten(halved, 0, x.shape[:2])


@final
class ClipCnn(nn.Module):
    """Four blocks of convolution, batch norm, ReLU and pooling in space; then the mean over space and the clip's time.

    The clip of frame t is `[t - 8, t + 8)`; beyond the ends of a window its first and last frame are repeated.
    """

    def __init__(self, size: CnnSize, *, chunk_frames: int) -> None:
        super().__init__()
        self.chunk_frames = chunk_frames
        widths = (1, *_WIDTHS[size])
        self.out_dim = widths[-1]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv3d(narrow, wide, (frames, 3, 3), padding=(0, 1, 1), bias=False),
                    nn.BatchNorm3d(wide),
                    nn.ReLU(inplace=True),
                    HalvedPicture(),
                )
                for narrow, wide, frames in zip(widths[:-1], widths[1:], _KERNEL_FRAMES, strict=True)
            )
        )

    def forward(self, frames: Frames, *, n_frames: Int[Tensor, " B"]) -> Float[Tensor, "B T D"]:
        """Features of the clip around each frame.

        Args:
            frames: uint8, or float in [0, 1]; grey or colour, of at least 16 px.
            n_frames: frames of each window that are real; the rest is padding at its end.
        """
        T = frames.shape[1]
        place = torch.arange(-N_BEFORE, T + CLIP_N_FRAMES - N_BEFORE - 1, device=frames.device)
        place = place.clamp(min=0).minimum((n_frames - 1).clamp(min=0)[:, None])
        batch = torch.arange(len(frames), device=frames.device)[:, None]
        if self.training:  # batch norm has to see all frames at once
            return self._features(frames[batch, place])
        chunks = [
            self._features(frames[batch, place[:, start : start + self.chunk_frames + CLIP_N_FRAMES - 1]])
            for start in range(0, T, self.chunk_frames)
        ]
        return torch.cat(chunks, dim=1)

    def _features(self, frames: Frames) -> Float[Tensor, "B N D"]:
        """Features of each whole clip within consecutive frames: N is 15 less than their number."""
        pixels = frames.float() / 255 if frames.dtype == torch.uint8 else frames
        grey = (pixels.mean(dim=2) - _MEAN) / _STD
        found: Tensor = self.blocks(grey[:, None]).mean(dim=(-2, -1))
        return functional.avg_pool1d(found, kernel_size=_N_LEFT, stride=1).transpose(1, 2)


def build_clip_cnn(options: ModelOptions) -> ClipCnn:
    """The 3D CNN of the options.

    Raises:
        InputError: pictures too small for it.
    """
    if options.img_size < _SMALLEST_PX:
        raise InputError(
            f"--img_size: expected at least {_SMALLEST_PX} for the 3D CNN, got {options.img_size}. The default is 112."
        )
    return ClipCnn(cast(CnnSize, options.cnn_size), chunk_frames=options.backbone_chunk or CHUNK_FRAMES)
