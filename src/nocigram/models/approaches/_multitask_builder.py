"""From options to a whole multi-task model."""

from collections.abc import Callable

from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.multitask import MultitaskModel, PixelStream
from nocigram.models.approaches.pose_groups import PoseStream, pose_groups
from nocigram.models.backbones import BuiltBackbone, build_backbone
from nocigram.models.heads import ActionHead, KeypointHead
from nocigram.models.temporal import build_temporal


@register_approach(
    "multitask",
    summary="Pixels and pose into a network along time; actions and keypoints out of one model.",
    source="the multi-task guide of the project",
)
def build_multitask(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    built = _backbone(options, warn) if "pixels" in options.streams else None
    width = options.hidden_dim
    pixel_dim, pose_dim = max(4, width // 8), width // 2
    pose_streams = _pose_streams(options, out_dim=pose_dim)
    model = MultitaskModel(
        backbone=None if built is None else built.backbone,
        pixel_stream=None
        if built is None
        else PixelStream(built.backbone.feature_dim, out_dim=pixel_dim, dropout=options.pixel_dropout),
        pose_streams=pose_streams,
        temporal_head=build_temporal(
            options.temporal_head,
            in_dim=pixel_dim * (built is not None) + pose_dim * len(pose_streams),
            hidden_dim=width,
            n_actions=options.n_actions,
            layers=options.tcn_layers,
            dropout=options.dropout,
        ),
        action_head=ActionHead(width, n_actions=options.n_actions, dropout=options.dropout),
        keypoint_head=KeypointHead(width, n_keypoints=options.body.n_keypoints)
        if options.model_type == "multitask"
        else None,
    )
    return BuiltModel(model=model, approach="multitask", options=rebuild_options(options, built), backbone=built)


def _pose_streams(options: ModelOptions, *, out_dim: int) -> list[PoseStream]:
    """What is read of the keypoints; light is seen in pixels, so a model without pixels has none."""
    if "pose" not in options.streams:
        return []
    names = [name for name in options.groups if name != "light" or "pixels" in options.streams]
    return [PoseStream(group, out_dim=out_dim) for group in pose_groups(names, options.body)]


def _backbone(options: ModelOptions, warn: Callable[[str], None]) -> BuiltBackbone:
    return build_backbone(
        options.backbone_type,
        encoder_name=options.encoder_name,
        encoder_weights=options.encoder_weights,
        img_size=options.img_size,
        pool=options.pool,
        lora_rank=options.lora_rank,
        clip_T=options.clip_T,
        clip_stride=options.clip_stride,
        chunk_frames=options.backbone_chunk,
        gradient_checkpointing=options.gradient_checkpointing,
        strict=options.strict_backbone,
        encoder_config=options.encoder_config,
        warn=warn,
    )
