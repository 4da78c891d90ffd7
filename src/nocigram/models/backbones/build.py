"""The registry of backbones.

To add one: write a builder from `BackboneOptions` to `BuiltBackbone`, decorate it with `register_backbone`, import its
module in `backbones/__init__.py`, and add its name to `core.literals.BackboneType`.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_args

from nocigram.core.errors import Fault, raise_faults
from nocigram.core.literals import Pool
from nocigram.models.backbones.base import BackboneOptions, BuiltBackbone
from nocigram.models.backbones.lora import add_adapters
from nocigram.models.registry import Registry

_LOGGER = logging.getLogger(__name__)

BackboneBuilder: TypeAlias = Callable[[BackboneOptions], BuiltBackbone]

BACKBONES: Registry[BackboneBuilder] = Registry("--backbone_type")
register_backbone = BACKBONES.register


def build_backbone(
    backbone_type: str,
    *,
    encoder_name: str,
    encoder_weights: str,
    img_size: int,
    pool: str = "auto",
    lora_rank: int | None = None,
    clip_T: int = 16,
    clip_stride: int | None = None,
    chunk_frames: int | None = None,
    gradient_checkpointing: bool = False,
    strict: bool = False,
    encoder_config: Mapping[str, Any] | None = None,
    warn: Callable[[str], None] = _LOGGER.warning,
) -> BuiltBackbone:
    """Build a backbone by its type and its encoder's name; the other options are described in `BackboneOptions`.

    Args:
        lora_rank: rank of the adapters that learn in place of the encoder's own weights; None: none are added.

    Raises:
        InputError: unknown names, sizes that don't fit the encoder, weights that can't be had.
        MissingExtraError: a package that the backbone or its adapters need is not installed.
    """
    options = BackboneOptions(
        encoder_name=encoder_name,
        encoder_weights=encoder_weights,
        img_size=img_size,
        pool=pool,
        clip_T=clip_T,
        clip_stride=clip_stride,
        chunk_frames=chunk_frames,
        gradient_checkpointing=gradient_checkpointing,
        strict=strict,
        warn=warn,
        encoder_config=encoder_config,
    )
    raise_faults(_faults_of(backbone_type, options))
    built = BACKBONES[backbone_type].build(options)
    if lora_rank is not None:
        add_adapters(built.backbone.encoder, name=built.encoder_name, rank=lora_rank)
    return built


def _faults_of(backbone_type: str, options: BackboneOptions) -> list[Fault]:
    """Sizes that are not positive, and a pool that the backbone has not got."""
    pools = get_args(Pool) if backbone_type == "vit_2d" else ("auto",)
    faults = [
        Fault(
            where=f"--pool with --backbone_type {backbone_type}",
            expected=" or ".join(pools),
            got=options.pool,
            fix="Leave --pool out, or use --backbone_type vit_2d.",
        )
    ]
    sizes = {
        "--img_size": options.img_size,
        "--backbone_chunk": options.chunk_frames,
        "--clip_T": options.clip_T,
        "--clip_stride": options.clip_stride,
    }
    return faults * (options.pool not in pools) + [
        Fault(where=flag, expected="at least 1", got=str(size), fix="Give a positive number.")
        for flag, size in sizes.items()
        if size is not None and size < 1
    ]
