"""Low-rank adapters: a few weights that learn beside an encoder's own, which stay as they are.

Adapters exist during training only. The checkpoint holds them merged into the weights that they adapt, as a plain
encoder: `W + scale * B A` is the function that was validated, also for averaged A and B; prediction needs no peft, and
a newer peft can't break an older checkpoint. The point to resume from keeps A and B apart, so that they go on learning.

Source: Hu et al. 2021 (LoRA), by peft.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from nocigram.core.errors import InputError, MissingExtraError

SCALE = 2
"""Factor of B A; a constant, so that a state dict alone tells what to merge."""
_BASE, _DOWN, _UP = ".base_layer.", ".lora_A.default.weight", ".lora_B.default.weight"
_CALLED_BY_WEIGHT = ("ShiftedWindowAttention",)
"""Attention of torchvision that reads its layers' weights without calling them, and would pass adapters by."""


def add_adapters(encoder: nn.Module, *, name: str, rank: int) -> None:
    """Put an adapter beside each linear layer of the encoder's attention, in place. B is 0, so nothing changes yet.

    Args:
        encoder: of timm, transformers or torchvision.
        name: the encoder's name, for messages.
        rank: width of the adapters.

    Raises:
        MissingExtraError: peft is not installed.
        InputError: no attention to adapt.
    """
    targets = attention_layers(encoder)
    if not targets:
        raise InputError(
            f"--finetune lora: expected an encoder with attention layers, got {name}. Use --finetune last_blocks."
        )
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtraError("--finetune lora", package="peft", extra="lora") from error
    module: Any
    for module in encoder.modules():
        if hasattr(module, "qkv_bias_separate"):  # timm's: else attention reads qkv's weight without calling qkv
            module.qkv_bias_separate = True
    config = LoraConfig(r=rank, lora_alpha=SCALE * rank, lora_dropout=0.0, target_modules=targets)
    inject_adapter_in_model(config, encoder)


def attention_layers(encoder: nn.Module) -> list[str]:
    """Names of the linear layers within modules that are called attention."""
    found = []
    for path, module in encoder.named_modules():
        kind = type(module).__name__
        if ("attention" in kind.lower() or "attn" in kind.lower()) and not kind.startswith(_CALLED_BY_WEIGHT):
            # a subclass of Linear, as in torch's MultiheadAttention, is read by its weight
            found += [f"{path}.{name}" for name, layer in module.named_modules() if type(layer) is nn.Linear]
    return sorted(set(found))


def adapters_of(module: nn.Module) -> list[nn.Module]:
    """The adapters within a module; none unless `add_adapters` was there."""
    return [part for name, part in module.named_modules() if name.endswith((".lora_A", ".lora_B"))]


def merged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with adapters as that of the same model without them; any other one as it is."""
    plain = {}
    for name, tensor in state.items():
        if name.endswith((_DOWN, _UP)):
            continue
        layer, is_adapted, kind = name.rpartition(_BASE)
        if not is_adapted:
            plain[name] = tensor
        elif kind == "weight":
            plain[f"{layer}.{kind}"] = tensor + SCALE * (state[layer + _UP] @ state[layer + _DOWN]).to(tensor.dtype)
        else:
            plain[f"{layer}.{kind}"] = tensor
    return plain
