"""The multi-task model: pixels and pose in, an action and the keypoints of every frame out.

B batch, T frames, C channels, H height, W width, D width of a backbone's feature vector, K keypoints.
"""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.approaches.base import ActionModel, Frames, all_valid, n_valid
from nocigram.models.approaches.pose_groups import Pose, PoseStream
from nocigram.models.backbones import Backbone
from nocigram.models.heads import ActionHead, KeypointHead
from nocigram.models.output import ModelOutput
from nocigram.models.standardise import RunningStandardise
from nocigram.models.temporal import TemporalHead


@final
class PixelStream(nn.Module):
    """Backbone features, standardised and brought through a narrow layer.

    A few animals' looks are easily learnt by heart from a thousand numbers; they have to fit through the narrow layer.
    """

    def __init__(self, feature_dim: int, *, out_dim: int, dropout: float) -> None:
        super().__init__()
        self.standardise = RunningStandardise(feature_dim)
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(feature_dim, out_dim), nn.GELU())

    def forward(self, features: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T P"]:
        """Project each frame's features."""
        projected: Tensor = self.project(self.standardise(features, valid=valid))
        return projected


@final
class MultitaskModel(ActionModel):
    """Streams side by side into a temporal head, then one head per task.

    Without a keypoint head it is the mode `action_only`.
    """

    def __init__(
        self,
        *,
        backbone: Backbone | None,
        pixel_stream: PixelStream | None,
        pose_streams: Sequence[PoseStream],
        temporal_head: TemporalHead,
        action_head: ActionHead,
        keypoint_head: KeypointHead | None,
    ) -> None:
        super().__init__()
        if (backbone is None) != (pixel_stream is None):
            raise ValueError("MultitaskModel: expected backbone and pixel_stream together, got one of them")
        self.backbone = backbone
        self.pixel_stream = pixel_stream
        self.pose_streams = nn.ModuleList(pose_streams)
        self.temporal_head = temporal_head
        self.action_head = action_head
        self.keypoint_head = keypoint_head

    @property
    def context_frames(self) -> int | None:
        """Frames on either side that a frame's prediction can depend on; None: the whole window."""
        if self.temporal_head.context_frames is None:
            return None
        around = [0 if self.backbone is None else self.backbone.context_frames]
        around += [stream.group.context_frames for stream in self.pose_streams if isinstance(stream, PoseStream)]
        return self.temporal_head.context_frames + max(around)

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
        """See `ActionModel.forward`."""
        if valid is None:
            valid = all_valid(frames, features, xy_px)
        streams = []
        if self.pixel_stream is not None:
            seen = self.pixel_stream(self._features(frames, features, valid), valid=valid)
            streams.append(seen if has_pixels is None else seen * has_pixels[:, None, None])
        if len(self.pose_streams):
            pose = Pose.of(
                xy_px, visible, light=light, kinematics=kinematics, body_length_px=body_length_px, valid=valid
            )
            streams += [stream(pose) for stream in self.pose_streams]
        hidden = self.temporal_head(torch.cat(streams, dim=-1), valid=valid)
        logits = self.temporal_head.refine(self.action_head(hidden), valid=valid)
        keypoints = None if self.keypoint_head is None else self.keypoint_head(hidden)
        return ModelOutput(action_logits=logits[-1], keypoints=keypoints, trained_logits=logits)

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
        computed: Tensor = self.backbone(frames, n_frames=n_valid(valid))
        return computed
