"""2D backbones: any timm model, one frame at a time.

B batch, T frames, C channels, H height, W width, D width of a feature vector.
"""

import math
from pathlib import Path
from typing import Any, final

import timm
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nocigram.core.errors import InputError
from nocigram.models.backbones.base import Backbone, BackboneOptions, BuiltBackbone, Frames, Triple
from nocigram.models.backbones.build import register_backbone
from nocigram.models.backbones.embedded import EMBEDDED, EMBEDDED_TIMM_NAME, as_timm, read_embedded_file
from nocigram.models.backbones.pooling import TokenPool, token_pool
from nocigram.models.backbones.weights import (
    HUB_ERRORS,
    cached_weights,
    hub_answers,
    load_timm_weights,
    read_weights,
)


@final
class FrameBackbone(Backbone):
    """A timm image model applied to every frame on its own."""

    per_frame = True
    context_frames = 0

    def __init__(
        self,
        encoder: nn.Module,
        *,
        pool: TokenPool | None,
        feature_dim: int,
        mean: Triple,
        std: Triple,
        chunk_frames: int | None,
        gradient_checkpointing: bool,
        keeps_batch_statistics: bool,
    ) -> None:
        super().__init__(
            feature_dim=feature_dim,
            mean=mean,
            std=std,
            chunk_frames=chunk_frames,
            gradient_checkpointing=gradient_checkpointing,
            keeps_batch_statistics=keeps_batch_statistics,
        )
        self.is_convolutional = not hasattr(encoder, "patch_embed")
        memory_format = torch.channels_last if self.is_convolutional else torch.contiguous_format
        self.encoder = encoder.to(memory_format=memory_format)
        self.pool = pool

    def forward(self, frames: Frames, *, n_frames: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B T D"]:
        """Features of each frame; `n_frames` is of no account, since frames don't see each other."""
        chunks = torch.split(frames.flatten(0, 1), self.n_frames_at_once(frames.device))
        features = torch.cat([self.run_chunk(self._encoded, chunk) for chunk in chunks])
        return torch.unflatten(features, 0, frames.shape[:2])

    def blocks(self) -> list[nn.Module]:
        """The encoder's repeated blocks, or its stages where it does not keep them in plain sequences."""
        return encoder_blocks(self.encoder)

    def untrained(self) -> list[nn.Module]:
        """Adapters, and a pool that learns."""
        learns = self.pool is not None and self.pool.attention is not None
        return [*super().untrained(), *([self.pool] if learns and self.pool is not None else [])]

    def _encoded(self, pixels: Tensor) -> Tensor:
        normalised = self.normalised(pixels)
        if self.is_convolutional:  # measured on one core with efficientnet_lite0 at 96 px: 374 frames/s instead of 303
            normalised = normalised.contiguous(memory_format=torch.channels_last)
        encoder: Any = self.encoder
        if self.pool is None:
            features: Tensor = encoder(normalised)
        else:
            features = self.pool(encoder.forward_features(normalised), encoder)
        return features


def encoder_blocks(encoder: nn.Module) -> list[nn.Module]:
    """Blocks of a timm model from first to last; the modules after the last block are part of it."""
    children = dict(encoder.named_children())
    holders = [name for name in children if name in {"blocks", "stages", "layers"} or name.startswith("layer")]
    if not holders:
        return [child for child in children.values() if any(True for _ in child.parameters())]
    blocks: list[nn.Module] = []
    for holder in holders:
        # resnet's `layer1` is a stage itself; the others hold stages or blocks
        stages = [children[holder]] if holder[-1].isdigit() else list(children[holder].children())
        for stage in stages:
            blocks.extend(stage.children() if type(stage) is nn.Sequential else [stage])
    names = list(children)
    after = [children[name] for name in names[names.index(holders[-1]) + 1 :]]
    return [*blocks[:-1], nn.ModuleList([blocks[-1], *after])]


@register_backbone(
    "vit_2d",
    summary="Any timm image model by name, or the embedded encoder; one frame at a time.",
    source="timm (Wightman), https://github.com/huggingface/pytorch-image-models",
)
def build_frame_backbone(options: BackboneOptions) -> BuiltBackbone:
    """Build a 2D backbone with the weights that the options ask for."""
    name = EMBEDDED_TIMM_NAME if options.encoder_name == EMBEDDED else options.encoder_name
    if not _is_known(name):
        raise InputError(_unknown_name(name))
    encoder = _with_weights(name, options)
    _check_img_size(encoder, name, options.img_size)
    pool = token_pool(encoder, options.pool, name=options.encoder_name)
    own_dim = int(getattr(encoder, "head_hidden_size", encoder.num_features))
    backbone = FrameBackbone(
        encoder,
        pool=pool,
        feature_dim=own_dim if pool is None else pool.feature_dim,
        mean=_triple(encoder.pretrained_cfg["mean"]),
        std=_triple(encoder.pretrained_cfg["std"]),
        chunk_frames=options.chunk_frames,
        gradient_checkpointing=options.gradient_checkpointing,
        keeps_batch_statistics=options.encoder_weights != "none",
    )
    return BuiltBackbone(
        backbone=backbone,
        backbone_type="vit_2d",
        encoder_name=options.encoder_name,
        description=f"[info] Using 2D backbone: {options.encoder_name}",
    )


def _is_known(name: str) -> bool:
    """Whether timm has the architecture, and the tag after the dot if there is one."""
    architecture, _, tag = name.partition(".")
    return timm.is_model(architecture) and (not tag or name in timm.list_pretrained(f"{architecture}.*"))


def _with_weights(name: str, options: BackboneOptions) -> Any:
    """The timm model, with weights from the package, the hub, a file, or none."""
    weights = options.encoder_weights
    if weights == "none":
        return _create(name, options.img_size)
    if weights != "pretrained":
        encoder = _create(name, options.img_size)
        load_timm_weights(encoder, read_weights(Path(weights)), where=weights, head=_head_names(encoder))
        return encoder
    if options.encoder_name == EMBEDDED:
        encoder = _create(name, options.img_size)
        load_timm_weights(encoder, as_timm(read_embedded_file()), where=EMBEDDED, head=_head_names(encoder))
        return encoder
    return _pretrained(name, options.img_size)


def _create(name: str, img_size: int, **kwargs: Any) -> Any:
    """A timm model without classifier, of a variable image size where its family allows one.

    timm has no way to ask a family for its arguments: an unknown one is a TypeError that names it.
    """
    sizes: dict[str, Any] = {"dynamic_img_size": True, "img_size": img_size}
    while True:
        try:
            return timm.create_model(name, num_classes=0, **kwargs, **sizes)
        except TypeError as error:
            refused = next((key for key in sizes if f"'{key}'" in str(error)), None)
            if refused is None:
                raise
            del sizes[refused]


def _pretrained(name: str, img_size: int) -> Any:
    """A timm model with its hub weights, from the cache if they are there."""
    if not timm.models.is_model_pretrained(name):
        raise InputError(_no_weights(name, "timm knows of none"))
    hub_name = timm.get_pretrained_cfg_value(name, "hf_hub_id")
    cached = cached_weights(hub_name) if hub_name else None
    if cached is not None:
        return _create(name, img_size, pretrained=True, pretrained_cfg_overlay={"file": str(cached)})
    if not hub_answers():
        raise InputError(_no_weights(name, "no connection to the hub"))
    try:
        return _create(name, img_size, pretrained=True)
    except HUB_ERRORS as error:
        raise InputError(_no_weights(name, str(error).partition("\n")[0][:200])) from error


def _check_img_size(encoder: Any, name: str, img_size: int) -> None:
    """An image size that the encoder's patches don't divide is an error with the nearest one that they do."""
    patch = getattr(getattr(encoder, "patch_embed", None), "patch_size", None)
    side = 1 if patch is None else math.lcm(*patch)
    if img_size % side:
        nearest = max(side, round(img_size / side) * side)
        raise InputError(
            f"--img_size: expected a multiple of {side} for {name}, got {img_size}. Use --img_size {nearest}."
        )


def _head_names(encoder: Any) -> tuple[str, ...]:
    """Names of the classifier's modules in a full model's state dict."""
    classifier = encoder.pretrained_cfg["classifier"]
    return (classifier,) if isinstance(classifier, str) else tuple(classifier)


def _triple(values: tuple[float, ...]) -> Triple:
    """Three channels from one or three numbers."""
    red, green, blue = values if len(values) == 3 else (values[0],) * 3
    return float(red), float(green), float(blue)


def _no_weights(name: str, reason: str) -> str:
    """The three ways on when pretrained weights can't be had."""
    return (
        f"--encoder_name {name}: expected its pretrained weights, got none ({reason}). "
        "Use --encoder_weights FILE (a timm state dict that you have), --encoder_weights none (random weights), "
        f"or --encoder_name {EMBEDDED} (pretrained weights that come with Nocigram)."
    )


def _unknown_name(name: str) -> str:
    """What to write instead of a name that timm does not know."""
    architecture = name.partition(".")[0]
    near = (timm.list_pretrained(f"{architecture}.*") or timm.list_models(f"*{architecture}*"))[:5]
    advice = f"Did you mean {', '.join(near)}?" if near else f"See timm.list_models(), or use {EMBEDDED}."
    return f"--encoder_name: expected a timm model or {EMBEDDED}, got {name!r}. {advice}"
