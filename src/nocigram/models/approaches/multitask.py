"""The multi-task approach: pixels and pose in, an action and the keypoints of every frame out.

B batch, T frames, C channels, H height, W width, D width of a backbone's feature vector, K keypoints (6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
from nocigram.pose.light import N_LIGHT
from nocigram.pose.motion import LAGS_N_FRAMES, N_MOTION_FEATURES, motion_features
from nocigram.pose.skeleton import N_POSE_FEATURES

N_PAWS = 4
"""The last of the keypoints."""
Frames = UInt8[Tensor, "B T C H W"] | Float[Tensor, "B T C H W"]


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
class GraphStream(nn.Module):
    """The 18 pose features, and which of them are known, projected."""

    def __init__(self, *, out_dim: int) -> None:
        super().__init__()
        self.standardise = RunningStandardise(2 * N_POSE_FEATURES, layer_norm=False)
        self.project = nn.Sequential(nn.Linear(2 * N_POSE_FEATURES, out_dim), nn.GELU())

    def forward(self, pose: "Pose") -> Float[Tensor, "B T P"]:
        """Compute the pose graph's features from keypoints in pixels and project them."""
        features, known = pose_features(pose.xy_px, pose.visible, body_length_px=pose.body_length_px)
        features = torch.cat([features, known.to(features.dtype)], dim=-1)
        projected: Tensor = self.project(self.standardise(features, valid=pose.valid))
        return projected


@final
class MotionStream(nn.Module):
    """Coordinates and velocities in the body's own frame, projected."""

    def __init__(self, *, out_dim: int) -> None:
        super().__init__()
        self.standardise = RunningStandardise(N_MOTION_FEATURES, layer_norm=False)
        self.project = nn.Sequential(nn.Linear(N_MOTION_FEATURES, out_dim), nn.GELU())

    def forward(self, pose: "Pose") -> Float[Tensor, "B T P"]:
        """Compute the motion features from keypoints in pixels and project them."""
        features = motion_features(pose.xy_px, pose.visible, body_length_px=pose.body_length_px, valid=pose.valid)
        projected: Tensor = self.project(self.standardise(features, valid=pose.valid))
        return projected


@final
class LightStream(nn.Module):
    """The light at the paws, projected."""

    def __init__(self, n_light: int, *, out_dim: int) -> None:
        super().__init__()
        self.standardise = RunningStandardise(N_PAWS * n_light, layer_norm=False)
        self.project = nn.Sequential(nn.Linear(N_PAWS * n_light, out_dim), nn.GELU())

    def forward(self, pose: "Pose") -> Float[Tensor, "B T P"]:
        """Project the light at the four paws; it is 0 where it is unknown."""
        light = pose.light[:, :, -N_PAWS:].flatten(2)
        projected: Tensor = self.project(self.standardise(light, valid=pose.valid))
        return projected


@dataclass(frozen=True, kw_only=True)
class Pose:
    """What the streams of the pose are made of."""

    xy_px: Float[Tensor, "B T 6 2"]
    visible: Bool[Tensor, "B T 6"]
    light: Float[Tensor, "B T 6 L"]
    body_length_px: Float[Tensor, " B"]
    valid: Bool[Tensor, "B T"]


@final
class MultitaskModel(nn.Module):
    """Streams side by side into a temporal head, then one head per task.

    Without a keypoint head it is the mode `action_only`.
    """

    def __init__(
        self,
        *,
        backbone: Backbone | None,
        pixel_stream: PixelStream | None,
        pose_streams: Sequence[GraphStream | MotionStream | LightStream],
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
    def reads_light(self) -> bool:
        """Light at the keypoints has to be measured for this model."""
        return any(isinstance(stream, LightStream) for stream in self.pose_streams)

    @property
    def context_frames(self) -> int | None:
        """Frames on either side that a frame's prediction can depend on; None: the whole window."""
        if self.temporal_head.context_frames is None:
            return None
        around = [0 if self.backbone is None else self.backbone.context_frames]
        around += [max(LAGS_N_FRAMES) for stream in self.pose_streams if isinstance(stream, MotionStream)]
        return self.temporal_head.context_frames + max(around)

    def forward(
        self,
        *,
        frames: Frames | None = None,
        features: Float[Tensor, "B T D"] | None = None,
        xy_px: Float[Tensor, "B T 6 2"] | None = None,
        visible: Bool[Tensor, "B T 6"] | None = None,
        light: Float[Tensor, "B T 6 L"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        has_pixels: Bool[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
    ) -> ModelOutput:
        """Predict each frame of a batch of windows. What a stream does not need may be left out.

        Args:
            frames: pixels, uint8 or float in [0, 1].
            features: the backbone's features of the frames, instead of `frames`.
            xy_px: keypoints in pixels of the video.
            visible: which keypoints can be believed; the others are not read.
            light: normalised light at the keypoints; None: unknown everywhere.
            body_length_px: each recording's body length.
            has_pixels: False for windows whose pixels are not to be looked at; None: all are.
            valid: False for padding at a window's end; None: no padding.
        """
        if valid is None:
            valid = _all_valid(frames, features, xy_px)
        streams = []
        if self.pixel_stream is not None:
            seen = self.pixel_stream(self._features(frames, features, valid), valid=valid)
            streams.append(seen if has_pixels is None else seen * has_pixels[:, None, None])
        if len(self.pose_streams):
            if xy_px is None or visible is None or body_length_px is None:
                raise ValueError("MultitaskModel: expected xy_px, visible and body_length_px, got None")
            light = xy_px.new_zeros((*visible.shape, N_LIGHT)) if light is None else light
            pose = Pose(xy_px=xy_px, visible=visible, light=light, body_length_px=body_length_px, valid=valid)
            streams += [stream(pose) for stream in self.pose_streams]
        hidden = self.temporal_head(torch.cat(streams, dim=-1), valid=valid)
        *earlier, action_logits = self.temporal_head.refine(self.action_head(hidden), valid=valid)
        keypoints = None if self.keypoint_head is None else self.keypoint_head(hidden)
        return ModelOutput(action_logits=action_logits, keypoints=keypoints, stage_logits=tuple(earlier))

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
