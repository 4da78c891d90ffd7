"""3D backbone: VideoMAE and VideoMAE V2 over clips that slide over the window.

N clips, L frames of a clip, P steps in time, D width of a feature vector, S places of a clip's grid of tokens.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.backbones.base import BackboneOptions, BuiltBackbone, Triple
from nocigram.models.backbones.build import register_backbone
from nocigram.models.backbones.clip_backbone import ClipBackbone, check_tubelets, layers_and_norm
from nocigram.models.backbones.transformers_hub import UnavailableError, folder_file, hub_config, hub_file, loaded
from nocigram.models.backbones.videomae_weights import LAYER_NORM_EPS, from_authors, is_authors_layout
from nocigram.models.backbones.vit_2d import build_frame_backbone
from nocigram.models.backbones.weights import read_weights

DEFAULT_ENCODER = "MCG-NJU/videomae-base"
FALLBACK_ENCODER = "vit_small_patch14_dinov2.lvd142m"
"""2D encoder of a fallback from a 3D name, which names no 2D encoder."""
FALLBACK_WARNING = "[warn] VideoMAE2 not available, falling back to 2D path"
DESCRIPTION = "[info] Using VideoMAE2 (3D) backbone"
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)

_FLAG = "--backbone_type videomae2_3d"
_SIZES: dict[str, dict[str, Any]] = {
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
    "huge": {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 16, "intermediate_size": 5120},
    "giant": {
        "hidden_size": 1408,
        "num_hidden_layers": 40,
        "num_attention_heads": 16,
        "intermediate_size": 6144,
        "patch_size": 14,
    },
}
"""Sizes by the word in an encoder's name (Tong et al. 2022 and Wang et al. 2023, appendices); patches are 16 px wide
where nothing else is said, and 2 frames long."""
_IGNORED = ("classifier.", "fc_norm.", "decoder.", "encoder_to_decoder.", "mask_token", "videomae.mask_token")
"""Beginnings of names of transformers' classifier and decoder of pretraining."""
_CONFIG_KEYS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "patch_size",
    "tubelet_size",
    "num_frames",
    "image_size",
    "qkv_bias",
    "layer_norm_eps",
    "use_mean_pooling",
    "hidden_act",
)
_POOLED_NORM = "pooled_norm"
"""Key of an `encoder_config` that has a norm behind the pool, which transformers' encoder has not."""


@final
class VideoMAEBackbone(ClipBackbone):
    """VideoMAE, a step of whose time is a tubelet.

    Source: Tong et al. 2022 (VideoMAE), Wang et al. 2023 (V2); transformers' implementation.
    """

    def __init__(self, encoder: Any, *, pooled_norm: nn.Module, options: BackboneOptions) -> None:
        super().__init__(
            encoder,
            feature_dim=encoder.config.hidden_size,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            options=options,
        )
        self.pooled_norm = pooled_norm

    def steps(self, clips: Float[Tensor, "N L 3 H W"]) -> Float[Tensor, "N P D"]:
        """Mean over each tubelet's places."""
        tokens: Tensor = self.encoder(clips).last_hidden_state
        n_tubelets = self.clip_frames // int(self.encoder.config.tubelet_size)
        pooled: Tensor = self.pooled_norm(torch.unflatten(tokens, 1, (n_tubelets, -1)).mean(2))
        return pooled

    def blocks(self) -> list[nn.Module]:
        """The transformer's layers; a final norm is part of the last one."""
        norms = [norm for norm in (self.encoder.layernorm, self.pooled_norm) if isinstance(norm, nn.LayerNorm)]
        return layers_and_norm(self.encoder.encoder.layer, norms[0] if norms else None)


def resampled_positions(
    table: Float[Tensor, "1 S D"], *, grid: tuple[int, int, int], to_grid: tuple[int, int, int]
) -> Float[Tensor, "1 R D"]:
    """A table of position encodings for another number of tubelets, rows and columns, by trilinear interpolation.

    VideoMAE's fixed table counts tokens through; a table of another image size would mean other places than those
    that the weights were trained with.
    """
    if grid == to_grid:
        return table
    volume = table.reshape(1, *grid, -1).permute(0, 4, 1, 2, 3)
    resampled = interpolate(volume, size=to_grid, mode="trilinear", align_corners=False)
    return resampled.permute(0, 2, 3, 4, 1).flatten(1, 3)


@register_backbone(
    "videomae2_3d",
    summary="VideoMAE V1 or V2 over clips of 16 frames; falls back to vit_2d where its weights can't be had.",
    source="Tong et al. 2022, Wang et al. 2023; transformers",
)
def build_videomae(options: BackboneOptions) -> BuiltBackbone:
    """Build the 3D backbone, or the documented fallback to 2D."""
    name = options.encoder_name if "videomae" in options.encoder_name.lower() else DEFAULT_ENCODER
    try:
        encoder, pooled_norm, config = _encoder(name, options)
    except (UnavailableError, MissingExtraError):
        if options.strict or options.encoder_weights not in {"pretrained", "none"}:
            raise
        options.warn(FALLBACK_WARNING)
        return _fallback(options)
    return BuiltBackbone(
        backbone=VideoMAEBackbone(encoder, pooled_norm=pooled_norm, options=options),
        backbone_type="videomae2_3d",
        encoder_name=name,
        description=DESCRIPTION,
        encoder_config=config,
    )


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """What was found before the encoder is built."""

    sizes: dict[str, Any]
    """Keywords of transformers' configuration; of the sizes that the weights came with."""
    tensors: Mapping[str, Tensor] | None = None
    """By transformers' names; None: random, or transformers reads them itself."""
    pooled_norm: Mapping[str, Tensor] | None = None
    """Weights of the norm behind the pool, if there is one."""


def _encoder(name: str, options: BackboneOptions) -> tuple[Any, nn.Module, dict[str, Any]]:
    """The encoder for the options' image and clip, the norm behind the pool, and the sizes to build both again.

    Raises:
        MissingExtraError: transformers is not installed.
        UnavailableError: pretrained weights can't be had.
        InputError: sizes that don't fit, or a file or folder that doesn't.
    """
    try:
        from transformers import VideoMAEConfig, VideoMAEModel
    except ImportError as error:
        raise MissingExtraError(_FLAG, package="transformers", extra="videomae") from error
    found = _weights(name, options)
    has_pooled_norm = found.sizes.pop(_POOLED_NORM, False)
    native: Any = VideoMAEConfig(**found.sizes)
    check_tubelets(name, options, patch_px=native.patch_size, tubelet_frames=native.tubelet_size)
    config = {key: value for key in _CONFIG_KEYS if (value := getattr(native, key, None)) is not None}
    wanted = VideoMAEConfig(**config | {"image_size": options.img_size, "num_frames": options.clip_T})
    encoder = loaded(
        VideoMAEModel,
        wanted,
        name=name,
        weights=options.encoder_weights,
        tensors=found.tensors,
        ignored=_IGNORED,
        where=_FLAG,
    )
    native_grid, grid = _grid(native), _grid(wanted)
    if native_grid != grid:
        from transformers.models.videomae.modeling_videomae import get_sinusoid_encoding_table

        table: Tensor = get_sinusoid_encoding_table(math.prod(native_grid), native.hidden_size)  # type: ignore[no-untyped-call]
        encoder.embeddings.position_embeddings = resampled_positions(table, grid=native_grid, to_grid=grid)
    if not has_pooled_norm:
        return encoder, nn.Identity(), config
    norm = nn.LayerNorm(native.hidden_size, eps=native.layer_norm_eps)
    if found.pooled_norm is not None:
        norm.load_state_dict(found.pooled_norm)
    return encoder, norm, config | {_POOLED_NORM: True}


def _weights(name: str, options: BackboneOptions) -> _Weights:
    """Sizes of the encoder, and its tensors where we read them ourselves."""
    where, given = options.encoder_weights, options.encoder_config
    tensors = _own_reading(name, where)
    if given is not None:
        sizes = dict(given)
    elif tensors is None and where != "none":
        sizes = _published_sizes(name, where)
    else:
        sizes = _sizes_by_name(name)
    if tensors is None or not is_authors_layout(tensors):
        return _Weights(sizes=sizes, tensors=tensors)
    n_layers = sizes.get("num_hidden_layers", 12)
    read = from_authors(tensors, n_layers=n_layers, where=name if where == "pretrained" else where)
    of_layout = {
        "layer_norm_eps": LAYER_NORM_EPS,
        "use_mean_pooling": "layernorm.weight" not in read.encoder,
        _POOLED_NORM: read.pooled_norm is not None,
    }
    return _Weights(sizes=sizes | of_layout, tensors=read.encoder, pooled_norm=read.pooled_norm)


def _own_reading(name: str, weights: str) -> dict[str, Tensor] | None:
    """Tensors of a file, or of a folder or hub model whose code is not transformers'; None otherwise."""
    if weights == "none":
        return None
    if weights == "pretrained":
        return read_weights(hub_file(name, where=_FLAG)) if "videomaev2" in name.lower() else None
    path = Path(weights)
    if not path.is_dir():
        return read_weights(path)
    file = folder_file(path)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    return None if config.get("model_type") == "videomae" else read_weights(file)


def _published_sizes(name: str, weights: str) -> dict[str, Any]:
    """Sizes in the configuration of a hub model or a folder of transformers."""
    from transformers import VideoMAEConfig

    if weights == "pretrained":
        config = hub_config(name, config_class=VideoMAEConfig, where=_FLAG)
    else:
        config = VideoMAEConfig.from_pretrained(weights)
    return {key: value for key in _CONFIG_KEYS if (value := getattr(config, key, None)) is not None}


def _sizes_by_name(name: str) -> dict[str, Any]:
    """Sizes of a named encoder without asking the hub."""
    size = next((size for size in _SIZES if size in name.lower()), None)
    if size is None:
        raise InputError(
            f"--encoder_name: expected a VideoMAE name with one of {', '.join(_SIZES)} in it, got {name!r}. "
            f"Use {DEFAULT_ENCODER}."
        )
    return dict(_SIZES[size])


def _grid(config: Any) -> tuple[int, int, int]:
    """Tubelets, rows and columns of a clip's tokens."""
    side = config.image_size // config.patch_size
    return config.num_frames // config.tubelet_size, side, side


def _fallback(options: BackboneOptions) -> BuiltBackbone:
    """The 2D backbone in place of the 3D one, marked as such."""
    is_3d_name = "videomae" in options.encoder_name.lower()
    name = FALLBACK_ENCODER if is_3d_name else options.encoder_name
    built = build_frame_backbone(replace(options, encoder_name=name))
    return replace(built, is_fallback=True)
