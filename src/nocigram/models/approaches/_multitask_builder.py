"""From options to a whole multi-task model."""

from collections.abc import Callable

from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.multitask import MultitaskModel, PixelStream, PoseStream
from nocigram.models.backbones import BuiltBackbone, build_backbone
from nocigram.models.heads import ActionHead, KeypointHead
from nocigram.models.temporal import build_temporal


@register_approach(
    "multitask",
    summary="Pixels and pose into a temporal convolutional network; actions and keypoints out of one model.",
    source="the multi-task guide of the project",
)
def build_multitask(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    built = _backbone(options, warn) if "pixels" in options.streams else None
    width = options.hidden_dim
    has_pose = "pose" in options.streams
    model = MultitaskModel(
        backbone=None if built is None else built.backbone,
        pixel_stream=None
        if built is None
        else PixelStream(built.backbone.feature_dim, out_dim=width, dropout=options.dropout),
        pose_stream=PoseStream(out_dim=width) if has_pose else None,
        temporal=build_temporal(
            options.temporal,
            in_dim=width * ((built is not None) + has_pose),
            hidden_dim=width,
            layers=options.tcn_layers,
            dropout=options.dropout,
        ),
        action_head=ActionHead(width, n_actions=options.n_actions, dropout=options.dropout),
        keypoint_head=KeypointHead(width, n_keypoints=options.n_keypoints)
        if options.model_type == "multitask"
        else None,
    )
    return BuiltModel(model=model, approach="multitask", options=rebuild_options(options, built), backbone=built)


def _backbone(options: ModelOptions, warn: Callable[[str], None]) -> BuiltBackbone:
    return build_backbone(
        options.backbone_type,
        encoder_name=options.encoder_name,
        encoder_weights=options.encoder_weights,
        img_size=options.img_size,
        clip_T=options.clip_T,
        clip_stride=options.clip_stride,
        chunk_frames=options.backbone_chunk,
        gradient_checkpointing=options.gradient_checkpointing,
        strict=options.strict_backbone,
        encoder_config=options.encoder_config,
        warn=warn,
    )
