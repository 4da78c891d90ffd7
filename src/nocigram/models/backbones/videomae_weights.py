"""VideoMAE's weights in the layout of its authors, V1 and V2, as transformers names them.

The authors' files (MCG-NJU/VideoMAE, OpenGVLab/VideoMAEv2) hold a timm-like transformer: one fused `qkv` per block,
whose bias is `[q_bias, 0, v_bias]`, and sinusoidal positions that are computed, not stored. Models that end in mean
pooling have `fc_norm` behind the pool, the others `norm` before it.

Source: Tong et al. 2022, Wang et al. 2023 (VideoMAE V2), and the code they published.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from nocigram.core.errors import InputError
from nocigram.models.backbones.weights import key_faults

LAYER_NORM_EPS = 1e-6
"""Of every norm in the authors' code; transformers' default is 1e-12."""
IGNORED = ("head.", "decoder.", "encoder_to_decoder.", "mask_token")
"""Beginnings of names of the classifier, and of what pretraining rebuilds masked pixels with."""

_PREFIX = re.compile(r"^(?:(?:module|model|encoder)\.)+")
_AROUND_BLOCKS = {"patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm"}
_IN_BLOCK = {
    "norm1.weight": "layernorm_before.weight",
    "norm1.bias": "layernorm_before.bias",
    "attn.q_bias": "attention.attention.q_bias",
    "attn.v_bias": "attention.attention.v_bias",
    "attn.proj.weight": "attention.output.dense.weight",
    "attn.proj.bias": "attention.output.dense.bias",
    "norm2.weight": "layernorm_after.weight",
    "norm2.bias": "layernorm_after.bias",
    "mlp.fc1.weight": "intermediate.dense.weight",
    "mlp.fc1.bias": "intermediate.dense.bias",
    "mlp.fc2.weight": "output.dense.weight",
    "mlp.fc2.bias": "output.dense.bias",
}
_QKV = "attn.qkv.weight"
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")


@dataclass(frozen=True, kw_only=True)
class AuthorsWeights:
    """An encoder's tensors, renamed."""

    encoder: dict[str, Tensor]
    """By the names of transformers' published VideoMAE files."""
    pooled_norm: dict[str, Tensor] | None
    """`weight` and `bias` of the norm behind the pool; None where the norm is before it, in `encoder`."""


def is_authors_layout(tensors: Mapping[str, Tensor]) -> bool:
    """Whether names are those of the authors' code."""
    return any(name.endswith(f".{_QKV}") for name in tensors)


def from_authors(tensors: Mapping[str, Tensor], *, n_layers: int, where: str) -> AuthorsWeights:
    """Rename, and cut `qkv` into its three.

    Args:
        tensors: with or without the prefixes `module.`, `model.` and `encoder.`; of any precision.
        n_layers: blocks that the encoder has.
        where: file or hub name, for messages.

    Raises:
        InputError: a name is missing or left over, beyond those of `IGNORED`.
    """
    named = {_PREFIX.sub("", name): tensor for name, tensor in tensors.items()}
    named = {name: tensor.float() for name, tensor in named.items() if not name.startswith(IGNORED)}
    norm = "fc_norm" if "fc_norm.weight" in named else "norm"
    expected = {f"{layer}.{kind}" for layer in ("patch_embed.proj", norm) for kind in ("weight", "bias")}
    expected |= {f"blocks.{number}.{part}" for number in range(n_layers) for part in (_QKV, *_IN_BLOCK)}
    if told := key_faults(expected - named.keys(), named.keys() - expected):
        raise InputError(f"{where}: expected a VideoMAE of {n_layers} blocks, got {told}. Check --encoder_name.")
    encoder: dict[str, Tensor] = {}
    for name, tensor in named.items():
        if not name.startswith("fc_norm."):
            encoder |= _renamed(name, tensor)
    pooled_norm = {kind: named[f"fc_norm.{kind}"] for kind in ("weight", "bias")} if norm == "fc_norm" else None
    return AuthorsWeights(encoder=encoder, pooled_norm=pooled_norm)


def _renamed(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """One tensor under its new name, or `qkv` as three."""
    match = _BLOCK.fullmatch(name)
    if match is None:
        layer, _, kind = name.rpartition(".")
        return {f"{_AROUND_BLOCKS[layer]}.{kind}": tensor}
    layer, part = f"encoder.layer.{match[1]}", match[2]
    if part != _QKV:
        return {f"{layer}.{_IN_BLOCK[part]}": tensor}
    thirds = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
    return {f"{layer}.attention.attention.{third}.weight": rows.contiguous() for third, rows in thirds}
