"""bf16 where the device computes it, 32 bits elsewhere; one rule for training, cached features and prediction."""

from contextlib import AbstractContextManager

import torch

from nocigram.core.errors import InputError
from nocigram.core.literals import Accelerator, Precision


def device_of(accelerator: Accelerator) -> torch.device:
    """The device to compute on.

    Raises:
        InputError: a device is named that this machine hasn't got.
    """
    has = {"gpu": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not has.get(accelerator, True):
        raise InputError(f"--accelerator {accelerator}: expected such a device, got none. Use auto or cpu.")
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.device("cuda")
    if accelerator in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def computes_bf16(device: torch.device) -> bool:
    """The device has instructions for bf16 (CPUs: AVX-512 BF16 or AMX), so that it is faster than 32 bits there."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.6 has none
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
    return False


def uses_bf16(device: torch.device, precision: Precision) -> bool:
    """bf16 is asked for, or on 'auto' the device computes it."""
    return precision == "bf16" or (precision == "auto" and computes_bf16(device))


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """Autocast to bf16 where it is used."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=uses_bf16(device, precision))
