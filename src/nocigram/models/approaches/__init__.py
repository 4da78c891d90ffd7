"""Whole models, by name."""

from nocigram.models.approaches import (  # noqa: F401 - their imports register them
    _multitask_builder,
    multimodal,
    pose_only,
    pose_trees,
    video_only,
)
from nocigram.models.approaches.base import ActionModel
from nocigram.models.approaches.build import (
    APPROACHES,
    BuiltModel,
    ModelOptions,
    build_model,
    register_approach,
)
from nocigram.models.approaches.multitask import MultitaskModel

__all__ = [
    "APPROACHES",
    "ActionModel",
    "BuiltModel",
    "ModelOptions",
    "MultitaskModel",
    "build_model",
    "register_approach",
]
