"""The multimodal approach: the 3D CNN's clip features beside pose features, attended to over the same clip.

B batch, T frames, N clip frames, C channels, H height, W width, K keypoints, L light numbers, F features, P width.
"""

from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from nocigram.models.approaches.base import ActionModel, Frames, n_valid
from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.clip_cnn import CLIP_N_FRAMES, N_BEFORE, ClipCnn, build_clip_cnn
from nocigram.models.approaches.pose_groups import Pose, PoseGroup, numbers_of, pose_groups
from nocigram.models.output import ModelOutput
from nocigram.models.standardise import RunningStandardise

_STREAM_DIM, _HIDDEN_DIM = 256, 512


@final
class ClipAttention(nn.Module):
    """A weighted mean over the clip around each frame; the weights are learnt from what the frames show.

    Source: attention pooling as in Ilse et al. 2018 (one query), over the clip that the 3D CNN sees.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, x: Float[Tensor, "B T P"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T P"]:
        """Pool; frames that are not `valid` weigh nothing."""
        score = self.score(x).squeeze(-1).masked_fill(~valid, -torch.inf)
        n_after = CLIP_N_FRAMES - N_BEFORE - 1
        scores = functional.pad(score, (N_BEFORE, n_after), value=-torch.inf).unfold(1, CLIP_N_FRAMES, 1)
        values = functional.pad(x, (0, 0, N_BEFORE, n_after)).unfold(1, CLIP_N_FRAMES, 1)
        # a clip of padding alone has no weights; it is as good as any number there
        weights = scores.masked_fill(~torch.isfinite(scores).any(-1, keepdim=True), 0.0).softmax(dim=-1)
        return torch.einsum("btn,btpn->btp", weights, values)


@final
class MultimodalModel(ActionModel):
    """Two streams of equal width, joined late."""

    def __init__(self, *, cnn: ClipCnn, groups: Sequence[PoseGroup], n_actions: int, dropout: float) -> None:
        super().__init__()
        width = sum(group.n_features for group in groups)
        self.cnn = cnn
        self.groups = tuple(groups)
        self.see = nn.Sequential(nn.Linear(cnn.out_dim, _STREAM_DIM), nn.ReLU())
        self.standardise = RunningStandardise(width, layer_norm=False)
        self.pose = nn.Sequential(
            nn.Linear(width, _STREAM_DIM // 2), nn.ReLU(), nn.Linear(_STREAM_DIM // 2, _STREAM_DIM), nn.ReLU()
        )
        self.attend = ClipAttention(_STREAM_DIM)
        self.head = nn.Sequential(
            nn.Linear(2 * _STREAM_DIM, _HIDDEN_DIM),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(_HIDDEN_DIM, _HIDDEN_DIM // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(_HIDDEN_DIM // 2, n_actions),
        )

    @property
    def context_frames(self) -> int:
        """Half a clip, and what the pose features of its frames know of their neighbours."""
        return N_BEFORE + max(group.context_frames for group in self.groups)

    def forward(
        self,
        *,
        frames: Frames | None = None,
        xy_px: Float[Tensor, "B T K 2"] | None = None,
        visible: Bool[Tensor, "B T K"] | None = None,
        light: Float[Tensor, "B T K L"] | None = None,
        kinematics: Float[Tensor, "B T F"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        has_pixels: Bool[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
        **unread: Any,
    ) -> ModelOutput:
        """See `ActionModel.forward`."""
        if frames is None:
            raise ValueError("MultimodalModel: expected frames, got None")
        pose = Pose.of(xy_px, visible, light=light, kinematics=kinematics, body_length_px=body_length_px, valid=valid)
        numbers = self.standardise(numbers_of(self.groups, pose), valid=pose.valid)
        posture = self.attend(self.pose(numbers), valid=pose.valid)
        seen = self.see(self.cnn(frames, n_frames=n_valid(pose.valid)))
        if has_pixels is not None:
            seen = seen * has_pixels[:, None, None]
        return ModelOutput(action_logits=self.head(torch.cat([seen, posture], dim=-1)), keypoints=None)


@register_approach(
    "multimodal",
    summary="The video-only 3D CNN beside pose features with attention over the clip, joined late.",
    source="the multi-task guide of the project",
)
def build_multimodal(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    model = MultimodalModel(
        cnn=build_clip_cnn(options),
        groups=pose_groups(options.groups, options.body),
        n_actions=options.n_actions,
        dropout=options.dropout,
    )
    return BuiltModel(model=model, approach="multimodal", options=rebuild_options(options, None), backbone=None)
