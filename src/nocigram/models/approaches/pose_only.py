"""The pose-only approach: kinematics through a temporal head; no pixel is looked at."""

from collections.abc import Callable

from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.multitask import MultitaskModel
from nocigram.models.approaches.pose_groups import PoseStream, pose_group
from nocigram.models.heads import ActionHead
from nocigram.models.temporal import build_temporal


@register_approach(
    "pose_only",
    summary="Kinematics of the keypoints into a temporal head; needs no video.",
    source="multi-scale kinematics as in JAABA (Kabra et al. 2013)",
)
def build_pose_only(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    width = options.hidden_dim
    streams = [
        PoseStream(pose_group(name, options.body, fps=options.fps), out_dim=width, dropout=options.pose_dropout)
        for name in options.groups
    ]
    model = MultitaskModel(
        backbone=None,
        pixel_stream=None,
        pose_streams=streams,
        temporal=build_temporal(
            options.temporal,
            in_dim=width * len(streams),
            hidden_dim=width,
            layers=options.tcn_layers,
            dropout=options.dropout,
        ),
        action_head=ActionHead(width, n_actions=options.n_actions, dropout=options.dropout),
        keypoint_head=None,
    )
    return BuiltModel(model=model, approach="pose_only", options=rebuild_options(options, None), backbone=None)
