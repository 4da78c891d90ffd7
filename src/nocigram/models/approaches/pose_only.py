"""The pose-only approach: several small networks on the same kinematics, whose probabilities are averaged.

B batch, T frames, K keypoints, L light numbers, F kinematics, D all numbers of a frame, H width, C actions.
"""

from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.approaches.base import ActionModel
from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.pose_groups import Pose, PoseGroup, numbers_of, pose_groups
from nocigram.models.heads import ActionHead
from nocigram.models.output import ModelOutput
from nocigram.models.standardise import RunningStandardise
from nocigram.models.temporal import TemporalHead, build_temporal

_FARTHEST = 5.0
"""Standard deviations beyond which a number says no more; a lost keypoint may be anywhere."""
_LEAST_PROBABILITY = 1e-9


@final
class PoseMember(nn.Module):
    """One network: numbers of a frame through a narrow layer, a temporal head, actions."""

    def __init__(self, *, project: nn.Module, temporal_head: TemporalHead, action_head: ActionHead) -> None:
        super().__init__()
        self.project = project
        self.temporal_head = temporal_head
        self.action_head = action_head

    def forward(
        self, numbers: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B T C"], ...]:
        """Logits of each frame, of every stage of the temporal head."""
        hidden = self.temporal_head(self.project(numbers), valid=valid)
        return self.temporal_head.refine(self.action_head(hidden), valid=valid)


@final
class PoseOnlyModel(ActionModel):
    """Members that read the same numbers and are trained side by side, each by its own loss.

    A few animals determine a network badly; what its members agree on is what the animals taught (Hansen & Salamon
    1990). Averaging also makes probabilities that know how unsure they are (Lakshminarayanan et al. 2017).
    """

    def __init__(self, *, groups: Sequence[PoseGroup], members: Sequence[PoseMember]) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.standardise = RunningStandardise(sum(group.n_features for group in groups), layer_norm=False)
        self.members = nn.ModuleList(members)

    @property
    def context_frames(self) -> int | None:
        """What the temporal heads see of the window; None: all of it."""
        around = [member.temporal_head.context_frames for member in self.members if isinstance(member, PoseMember)]
        known = [n_frames for n_frames in around if n_frames is not None]
        return max(known) + max(group.context_frames for group in self.groups) if len(known) == len(around) else None

    def forward(
        self,
        *,
        xy_px: Float[Tensor, "B T K 2"] | None = None,
        visible: Bool[Tensor, "B T K"] | None = None,
        light: Float[Tensor, "B T K L"] | None = None,
        kinematics: Float[Tensor, "B T F"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
        **unread: Any,
    ) -> ModelOutput:
        """See `ActionModel.forward`."""
        pose = Pose.of(xy_px, visible, light=light, kinematics=kinematics, body_length_px=body_length_px, valid=valid)
        numbers = self.standardise(numbers_of(self.groups, pose), valid=pose.valid).clamp(-_FARTHEST, _FARTHEST)
        stages = [member(numbers, valid=pose.valid) for member in self.members]
        mean = torch.stack([logits[-1].float().softmax(dim=-1) for logits in stages]).mean(dim=0)
        return ModelOutput(
            action_logits=mean.clamp(min=_LEAST_PROBABILITY).log(),
            keypoints=None,
            trained_logits=tuple(logits for member in stages for logits in member),
        )


@register_approach(
    "pose_only",
    summary="Kinematics over several spans of time into a few small networks, averaged; needs no video.",
    source="multi-scale kinematics as in JAABA (Kabra et al. 2013); Hansen & Salamon 1990",
)
def build_pose_only(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    groups = pose_groups(options.groups, options.body)
    in_dim = sum(group.n_features for group in groups)
    model = PoseOnlyModel(groups=groups, members=[_member(options, in_dim=in_dim) for _ in range(options.members)])
    return BuiltModel(model=model, approach="pose_only", options=rebuild_options(options, None), backbone=None)


def _member(options: ModelOptions, *, in_dim: int) -> PoseMember:
    """One network."""
    width = options.hidden_dim
    return PoseMember(
        project=nn.Sequential(
            nn.Dropout(options.pose_dropout),
            nn.Linear(in_dim, width),
            nn.LayerNorm(width),
            nn.GELU(),
            nn.Dropout(options.dropout),
        ),
        temporal_head=build_temporal(
            options.temporal_head,
            in_dim=width,
            hidden_dim=width,
            n_actions=options.n_actions,
            layers=options.tcn_layers,
            dropout=options.dropout,
        ),
        action_head=ActionHead(width, n_actions=options.n_actions, dropout=0.0),
    )
