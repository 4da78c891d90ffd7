"""Whole models, by name."""

from nocigram.models.approaches import _multitask_builder  # noqa: F401 - its import registers it
from nocigram.models.approaches.build import (
    APPROACHES,
    Approach,
    BuiltModel,
    ModelOptions,
    build_model,
    register_approach,
)
from nocigram.models.approaches.multitask import MultitaskModel

__all__ = [
    "APPROACHES",
    "Approach",
    "BuiltModel",
    "ModelOptions",
    "MultitaskModel",
    "build_model",
    "register_approach",
]
