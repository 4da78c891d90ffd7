"""What every approach's model is: the inputs of a batch of windows in, logits of every frame out.

B batch, T frames, K keypoints, C channels, H height, W width, D width of a backbone's feature vector, L light numbers,
F kinematics.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from nocigram.models.backbones import Backbone
from nocigram.models.output import ModelOutput

Frames = UInt8[Tensor, "B T C H W"] | Float[Tensor, "B T C H W"]


class ActionModel(nn.Module, ABC):
    """A model that names the action of every frame of a window."""

    backbone: Backbone | None
    """What turns frames into features that can be cached while it is frozen; None where there is no such part."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = None

    @property
    def n_parameters(self) -> int:
        """Numbers that are learnt, or were."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    @abstractmethod
    def context_frames(self) -> int | None:
        """Frames on either side that a frame's prediction can depend on; None: the whole window."""

    @abstractmethod
    def forward(
        self,
        *,
        frames: Frames | None = None,
        features: Float[Tensor, "B T D"] | None = None,
        xy_px: Float[Tensor, "B T K 2"] | None = None,
        visible: Bool[Tensor, "B T K"] | None = None,
        light: Float[Tensor, "B T K L"] | None = None,
        kinematics: Float[Tensor, "B T F"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        has_pixels: Bool[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
    ) -> ModelOutput:
        """Predict each frame of a batch of windows. What a model does not need may be left out, and is not read.

        Args:
            frames: pixels, uint8 or float in [0, 1].
            features: the backbone's features of the frames, instead of `frames`.
            xy_px: keypoints in pixels of the video.
            visible: which keypoints can be believed; the others are not read.
            light: normalised light at the keypoints; None: unknown everywhere.
            kinematics: posture and motion over several spans of time, see `nocigram.pose.kinematics`.
            body_length_px: each recording's body length.
            has_pixels: False for windows whose pixels are not to be looked at; None: all are.
            valid: False for padding at a window's end; None: no padding.
        """


def all_valid(*inputs: Tensor | None) -> Bool[Tensor, "B T"]:
    """A mask without padding, of the batch and length of whatever input there is."""
    given = next((tensor for tensor in inputs if tensor is not None), None)
    if given is None:
        raise ValueError("model: expected frames, features or xy_px, got none of them")
    return torch.ones(given.shape[:2], dtype=torch.bool, device=given.device)


def n_valid(valid: Bool[Tensor, "B T"]) -> Tensor:
    """Frames of each window up to its last valid one."""
    position = torch.arange(1, valid.shape[1] + 1, device=valid.device)
    return (position * valid).amax(dim=1)
