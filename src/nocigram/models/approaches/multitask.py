"""The multi-task approach: pixels and pose in, an action and the keypoints of every frame out.

B batch, T frames, C channels, H height, W width, D width of a backbone's feature vector, K keypoints (6).
"""

from typing import final

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from nocigram.models.backbones import Backbone
from nocigram.models.heads import ActionHead, KeypointHead
from nocigram.models.output import ModelOutput
from nocigram.models.standardise import RunningStandardise
from nocigram.models.temporal import TemporalHead
from nocigram.pose.features import pose_features

N_POSE_FEATURES = 18
Frames = UInt8[Tensor, "B T C H W"] | Float[Tensor, "B T C H W"]


@final
class PixelStream(nn.Module):
    """Backbone features, brought to the scale and width of the pose stream so that neither drowns the other."""

    def __init__(self, feature_dim: int, *, out_dim: int, dropout: float) -> None:
        super().__init__()
        self.standardise = RunningStandardise(feature_dim)
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(feature_dim, out_dim), nn.GELU())

    def forward(self, features: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T P"]:
        """Project each frame's features."""
        projected: Tensor = self.project(self.standardise(features, valid=valid))
        return projected


@final
class PoseStream(nn.Module):
    """The 18 pose features, and which of them are known, projected."""

    def __init__(self, *, out_dim: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(2 * N_POSE_FEATURES, out_dim), nn.GELU())

    def forward(
        self,
        xy_px: Float[Tensor, "B T 6 2"],
        visible: Bool[Tensor, "B T 6"],
        *,
        body_length_px: Float[Tensor, " B"],
    ) -> Float[Tensor, "B T P"]:
        """Compute the pose graph's features from keypoints in pixels and project them."""
        features, known = pose_features(xy_px, visible, body_length_px=body_length_px)
        projected: Tensor = self.project(torch.cat([features, known.to(features.dtype)], dim=-1))
        return projected


@final
class MultitaskModel(nn.Module):
    """Pixel stream and pose stream, side by side into a temporal head, then one head per task.

    Without a keypoint head it is the mode `action_only`.
    """

    def __init__(
        self,
        *,
        backbone: Backbone | None,
        pixel_stream: PixelStream | None,
        pose_stream: PoseStream | None,
        temporal: TemporalHead,
        action_head: ActionHead,
        keypoint_head: KeypointHead | None,
    ) -> None:
        super().__init__()
        if (backbone is None) != (pixel_stream is None):
            raise ValueError("MultitaskModel: expected backbone and pixel_stream together, got one of them")
        self.backbone = backbone
        self.pixel_stream = pixel_stream
        self.pose_stream = pose_stream
        self.temporal = temporal
        self.action_head = action_head
        self.keypoint_head = keypoint_head

    @property
    def context_frames(self) -> int:
        """Frames on either side that a frame's prediction can depend on."""
        return self.temporal.context_frames + (0 if self.backbone is None else self.backbone.context_frames)

    def forward(
        self,
        *,
        frames: Frames | None = None,
        features: Float[Tensor, "B T D"] | None = None,
        xy_px: Float[Tensor, "B T 6 2"] | None = None,
        visible: Bool[Tensor, "B T 6"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
    ) -> ModelOutput:
        """Predict each frame of a batch of windows. What a stream does not need may be left out.

        Args:
            frames: pixels, uint8 or float in [0, 1].
            features: the backbone's features of the frames, instead of `frames`.
            xy_px: keypoints in pixels of the video.
            visible: which keypoints can be believed; the others are not read.
            body_length_px: each recording's body length.
            valid: False for padding at a window's end; None: no padding.
        """
        if valid is None:
            valid = _all_valid(frames, features, xy_px)
        streams = []
        if self.pixel_stream is not None:
            streams.append(self.pixel_stream(self._features(frames, features, valid), valid=valid))
        if self.pose_stream is not None:
            if xy_px is None or visible is None or body_length_px is None:
                raise ValueError("MultitaskModel: expected xy_px, visible and body_length_px, got None")
            streams.append(self.pose_stream(xy_px, visible, body_length_px=body_length_px))
        hidden = self.temporal(torch.cat(streams, dim=-1), valid=valid)
        keypoints = None if self.keypoint_head is None else self.keypoint_head(hidden)
        return ModelOutput(action_logits=self.action_head(hidden), keypoints=keypoints)

    def _features(
        self, frames: Frames | None, features: Float[Tensor, "B T D"] | None, valid: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T D"]:
        """The given features, or the backbone's of the frames."""
        if (frames is None) == (features is None):
            raise ValueError("MultitaskModel: expected either frames or features, got both or neither")
        if features is not None:
            return features
        if self.backbone is None:
            raise ValueError("MultitaskModel: expected features, got frames and no backbone")
        position = torch.arange(1, valid.shape[1] + 1, device=valid.device)
        computed: Tensor = self.backbone(frames, n_frames=(position * valid).amax(dim=1))
        return computed


def _all_valid(*inputs: Tensor | None) -> Bool[Tensor, "B T"]:
    """A mask without padding, of the batch and length of whatever input there is."""
    given = next((tensor for tensor in inputs if tensor is not None), None)
    if given is None:
        raise ValueError("MultitaskModel: expected frames, features or xy_px, got none of them")
    return torch.ones(given.shape[:2], dtype=torch.bool, device=given.device)
