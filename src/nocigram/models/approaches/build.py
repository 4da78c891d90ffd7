"""The registry of approaches, and the builder of whole models from plain numbers and strings.

To add one: write a builder from `ModelOptions` to `BuiltModel`, decorate it with `register_approach`, import its module
in `approaches/__init__.py`, and add its name to `core.literals.Approach`; flags whose defaults differ from the
guide's stand in `config/presets`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias, get_args

from nocigram.core.errors import Fault, raise_faults
from nocigram.core.literals import Approach, CnnSize, Features, ModelType, Streams
from nocigram.models.approaches.base import ActionModel
from nocigram.models.backbones import BuiltBackbone
from nocigram.models.registry import Registry
from nocigram.pose.skeleton import MOUSE, Skeleton

_LOGGER = logging.getLogger(__name__)


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
    skeleton: Mapping[str, Any] = field(default_factory=MOUSE.as_plain)
    """A `Skeleton` in plain containers."""
    cnn_size: str = "standard"
    """A `CnnSize`."""
    temporal_head: str = "tcn"
    hidden_dim: int = 256
    tcn_layers: int = 3
    dropout: float = 0.3
    pixel_dropout: float = 0.5
    pose_dropout: float = 0.0
    members: int = 1
    """Networks of pose_only that are averaged."""
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
    backbone_chunk: int | None = None
    gradient_checkpointing: bool = False
    strict_backbone: bool = False

    @property
    def body(self) -> Skeleton:
        """`skeleton` as a record."""
        return Skeleton.from_plain(self.skeleton)

    @property
    def groups(self) -> list[Features]:
        """`features` in one order, however they were written."""
        return [name for name in get_args(Features) if name in self.features]


@dataclass(frozen=True, kw_only=True)
class BuiltModel:
    """A model and how it came about."""

    model: ActionModel
    approach: Approach
    options: dict[str, Any]
    """Keywords of `build_model` that build the same architecture without any weights, for the checkpoint."""
    backbone: BuiltBackbone | None
    """None if no pixels are read."""


ApproachBuilder: TypeAlias = Callable[[ModelOptions, Callable[[str], None]], BuiltModel]

APPROACHES: Registry[ApproachBuilder] = Registry("approach")
register_approach = APPROACHES.register


def build_model(
    approach: Approach = "multitask", *, warn: Callable[[str], None] = _LOGGER.warning, **options: Any
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
    least = {"n_actions": 2, "hidden_dim": 1, "tcn_layers": 0, "members": 1}
    faults = [
        Fault(where=f"--{name}", expected=f"at least {low}", got=str(number), fix="Give a larger number.")
        for name, low in least.items()
        if (number := getattr(options, name)) < low
    ]
    if not 0 <= options.dropout < 1:
        faults.append(
            Fault(where="--dropout", expected="0 <= rate < 1", got=str(options.dropout), fix="The default is 0.3.")
        )
    choices: dict[str, tuple[str, ...]] = {
        "model_type": get_args(ModelType),
        "streams": get_args(Streams),
        "cnn_size": get_args(CnnSize),
    }
    faults.extend(
        Fault(where=f"--{name}", expected=f"one of {', '.join(known)}", got=repr(choice), fix="Correct its spelling.")
        for name, known in choices.items()
        if (choice := getattr(options, name)) not in known
    )
    return faults
