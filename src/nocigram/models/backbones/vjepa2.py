"""3D backbone: V-JEPA 2 over clips that slide over the window.

N clips, L frames of a clip, P steps in time, D width of a feature vector.
"""

from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.backbones.base import BackboneOptions, BuiltBackbone, Triple
from nocigram.models.backbones.build import register_backbone
from nocigram.models.backbones.clip_backbone import ClipBackbone, check_tubelets, layers_and_norm
from nocigram.models.backbones.transformers_hub import folder_file, hub_config, loaded
from nocigram.models.backbones.weights import read_weights

DEFAULT_ENCODER = "facebook/vjepa2-vitl-fpc64-256"
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)

_FLAG = "--backbone_type vjepa2_3d"
_SIZES: dict[str, dict[str, Any]] = {
    "vitl": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "mlp_ratio": 4.0},
    "vith": {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 16, "mlp_ratio": 4.0},
    "vitg": {"hidden_size": 1408, "num_hidden_layers": 40, "num_attention_heads": 22, "mlp_ratio": 48 / 11},
}
"""Sizes by the part of an encoder's name (Assran et al. 2025, table of models)."""
_IGNORED = ("predictor.", "pooler.", "classifier.")
"""Beginnings of names of what predicts masked tokens, and of the classifier."""
_CONFIG_KEYS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "mlp_ratio",
    "patch_size",
    "tubelet_size",
    "layer_norm_eps",
    "qkv_bias",
    "hidden_act",
)
_LEAST_PREDICTOR: dict[str, Any] = {"pred_num_hidden_layers": 0, "pred_hidden_size": 12, "pred_num_mask_tokens": 0}
"""What predicts masked tokens is built along with the encoder and thrown away."""


@final
class VJEPA2Backbone(ClipBackbone):
    """The encoder of V-JEPA 2, a step of whose time is a tubelet. Positions are rotary, so any image size will do.

    Source: Assran et al. 2025 (V-JEPA 2); transformers' implementation.
    """

    def __init__(self, encoder: Any, *, options: BackboneOptions) -> None:
        super().__init__(
            encoder,
            feature_dim=encoder.config.hidden_size,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            options=options,
        )

    def steps(self, clips: Float[Tensor, "N L 3 H W"]) -> Float[Tensor, "N P D"]:
        """Mean over each tubelet's places."""
        tokens: Tensor = self.encoder(clips).last_hidden_state
        n_tubelets = self.clip_frames // int(self.encoder.config.tubelet_size)
        return torch.unflatten(tokens, 1, (n_tubelets, -1)).mean(2)

    def blocks(self) -> list[nn.Module]:
        """The transformer's layers; the final norm is part of the last one."""
        return layers_and_norm(self.encoder.layer, self.encoder.layernorm)


@register_backbone(
    "vjepa2_3d",
    summary="V-JEPA 2 over clips.",
    source="Assran et al. 2025; transformers",
)
def build_vjepa2(options: BackboneOptions) -> BuiltBackbone:
    """Build the 3D backbone. There is no fallback to 2D."""
    name = options.encoder_name if "vjepa2" in options.encoder_name.lower() else DEFAULT_ENCODER
    try:
        from transformers import VJEPA2Config, VJEPA2Model
    except ImportError as error:
        raise MissingExtraError(_FLAG, package="transformers", extra="videomae") from error
    sizes = _sizes(name, options)
    native: Any = VJEPA2Config(**sizes)
    check_tubelets(name, options, patch_px=native.patch_size, tubelet_frames=native.tubelet_size)
    weights = options.encoder_weights
    model = loaded(
        VJEPA2Model,
        VJEPA2Config(**sizes, **_LEAST_PREDICTOR, crop_size=options.img_size, frames_per_clip=options.clip_T),
        name=name,
        weights=weights,
        tensors=read_weights(Path(weights)) if _is_file(weights) else None,
        ignored=tuple(f"{prefix}{part}" for prefix in ("", "vjepa2.") for part in _IGNORED),
        where=_FLAG,
    )
    return BuiltBackbone(
        backbone=VJEPA2Backbone(model.encoder, options=options),
        backbone_type="vjepa2_3d",
        encoder_name=name,
        description=f"[info] Using V-JEPA 2 (3D) backbone: {name}",
        encoder_config=sizes,
    )


def _sizes(name: str, options: BackboneOptions) -> dict[str, Any]:
    """Sizes of the encoder: as given, of the hub, of a folder, or by its name."""
    from transformers import VJEPA2Config

    weights = options.encoder_weights
    if options.encoder_config is not None:
        return dict(options.encoder_config)
    if weights == "pretrained":
        config = hub_config(name, config_class=VJEPA2Config, where=_FLAG)
    elif weights != "none" and Path(weights).is_dir():
        config = VJEPA2Config.from_pretrained(folder_file(Path(weights)).parent)
    else:
        size = next((size for size in _SIZES if size in name.lower()), None)
        if size is None:
            raise InputError(
                f"--encoder_name: expected a V-JEPA 2 name with one of {', '.join(_SIZES)} in it, got {name!r}. "
                f"Use {DEFAULT_ENCODER}."
            )
        return dict(_SIZES[size])
    return {key: getattr(config, key) for key in _CONFIG_KEYS}


def _is_file(weights: str) -> bool:
    return weights not in {"none", "pretrained"} and not Path(weights).is_dir()
