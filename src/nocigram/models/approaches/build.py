"""The registry of approaches, and the builder of whole models from plain numbers and strings.

To add one: write a builder from `ModelOptions` to `BuiltModel`, decorate it with `register_approach`, import its module
in `approaches/__init__.py`, and add its name to `Approach`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from torch import nn

from nocigram.core.errors import Fault, raise_faults
from nocigram.core.literals import ModelType, Streams
from nocigram.models.backbones import BuiltBackbone
from nocigram.models.registry import Registry

_LOGGER = logging.getLogger(__name__)

Approach = Literal["multitask"]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What a model is built from: plain numbers and strings, kept in the checkpoint. Flags of the same names."""

    n_actions: int
    model_type: str = "multitask"
    """A `ModelType`."""
    streams: str = "pixels+pose"
    """A `Streams`."""
    features: Sequence[str] = ("graph", "motion", "light")
    """What is read of keypoints, names of `core.literals.Features`."""
    n_keypoints: int = 6
    temporal: str = "tcn"
    hidden_dim: int = 256
    tcn_layers: int = 3
    dropout: float = 0.3
    pixel_dropout: float = 0.5
    backbone_type: str = "vit_2d"
    encoder_name: str = "vit_small_patch14_dinov2.lvd142m"
    encoder_weights: str = "pretrained"
    encoder_config: Mapping[str, Any] | None = None
    """Sizes of a 3D encoder, written by the build that loaded its weights."""
    pool: str = "auto"
    """A `Pool`."""
    lora_rank: int | None = None
    """Rank of the adapters of a training; a checkpoint has them merged, so they are never built again."""
    img_size: int = 224
    clip_T: int = 16
    clip_stride: int | None = None
    backbone_chunk: int = 64
    gradient_checkpointing: bool = False
    strict_backbone: bool = False


@dataclass(frozen=True, kw_only=True)
class BuiltModel:
    """A model and how it came about."""

    model: nn.Module
    approach: str
    options: dict[str, Any]
    """Keywords of `build_model` that build the same architecture without any weights, for the checkpoint."""
    backbone: BuiltBackbone | None
    """None if no pixels are read."""


ApproachBuilder: TypeAlias = Callable[[ModelOptions, Callable[[str], None]], BuiltModel]

APPROACHES: Registry[ApproachBuilder] = Registry("approach")
register_approach = APPROACHES.register


def build_model(
    approach: str = "multitask", *, warn: Callable[[str], None] = _LOGGER.warning, **options: Any
) -> BuiltModel:
    """Build an approach's model.

    Args:
        approach: a registered approach.
        warn: told about a backbone that fell back to another.
        options: the fields of `ModelOptions`; `n_actions` is required.

    Raises:
        InputError: unknown names, sizes that don't fit, weights that can't be had.
    """
    given = ModelOptions(**options)
    raise_faults(_faults_of(given))
    return APPROACHES[approach].build(given, warn)


def rebuild_options(options: ModelOptions, built: BuiltBackbone | None) -> dict[str, Any]:
    """The options that build the same architecture again: no weights to fetch, no fallback to take anew."""
    again = replace(options, encoder_weights="none", strict_backbone=True, lora_rank=None)
    if built is not None:
        again = replace(
            again,
            backbone_type=built.backbone_type,
            encoder_name=built.encoder_name,
            encoder_config=built.encoder_config,
        )
    return {**asdict(again), "features": list(again.features)}


def _faults_of(options: ModelOptions) -> list[Fault]:
    """Numbers that no model can have."""
    least = {"n_actions": 2, "n_keypoints": 1, "hidden_dim": 1, "tcn_layers": 1}
    faults = [
        Fault(where=f"--{name}", expected=f"at least {low}", got=str(number), fix="Give a larger number.")
        for name, low in least.items()
        if (number := getattr(options, name)) < low
    ]
    if not 0 <= options.dropout < 1:
        faults.append(
            Fault(where="--dropout", expected="0 <= rate < 1", got=str(options.dropout), fix="The default is 0.3.")
        )
    choices: dict[str, tuple[str, ...]] = {"model_type": get_args(ModelType), "streams": get_args(Streams)}
    faults.extend(
        Fault(where=f"--{name}", expected=f"one of {', '.join(known)}", got=repr(choice), fix="Correct its spelling.")
        for name, known in choices.items()
        if (choice := getattr(options, name)) not in known
    )
    return faults
