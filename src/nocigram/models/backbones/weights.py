"""Weights of encoders: where they come from, and what can go wrong on the way."""

import pickle
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HTTPError  # type: ignore[attr-defined]  # HTTPError: its client's
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.serialization import safe_globals

from nocigram.core.errors import InputError

HUB_TIMEOUT_S = 5.0
HUB_ERRORS: tuple[type[Exception], ...] = (HTTPError, OSError, EntryNotFoundError)
"""What the hub's client raises without a network, offline, for an unknown name, or for a model without weights."""
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_NESTED = ("state_dict", "model", "module")
"""Where a training's checkpoint keeps the weights."""
_TRAINING_PREFIX = re.compile(r"^(?:module\.|_orig_mod\.)+")


def hub_answers() -> bool:
    """Whether the hub can be reached. One short request, since the client itself retries for most of a minute."""
    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT_S)
    except HUB_ERRORS:
        return False
    return True


def cached_weights(hub_name: str) -> Path | None:
    """The weights file of a hub model if an earlier run has fetched it."""
    found = (try_to_load_from_cache(hub_name, file_name) for file_name in WEIGHT_FILES)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def weights_in(folder: Path) -> Path | None:
    """The weights file of a folder; None if it has none."""
    return next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict of a .pth, .pt, .bin or .safetensors file, executing nothing of it.

    It may lie within a training's checkpoint, under `model`, `module` or `state_dict`; what distributed or compiled
    training puts before every name is taken off.

    Raises:
        InputError: no such file, or none that holds a state dict.
    """
    if not path.is_file():
        raise InputError(
            f"--encoder_weights: expected pretrained, none or a file, got {path} (no such file). Correct the path."
        )
    try:
        found = _content(path)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: expected a state dict (.pth, .pt or .safetensors), got something that is not one. "
            "Save it with torch.save(model.state_dict(), FILE)."
        ) from error
    while isinstance(found, dict) and (nested := next((key for key in _NESTED if _is_dict(found.get(key))), None)):
        found = found[nested]
    if not _is_dict(found) or not found or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise InputError(
            f"{path}: expected a state dict of tensors, got something that is not one. "
            "Save it with torch.save(model.state_dict(), FILE)."
        )
    return {_TRAINING_PREFIX.sub("", name): tensor for name, tensor in found.items()}


def _content(path: Path) -> Any:
    """What a file holds, read by a loader that refuses pickled classes."""
    if path.suffix == ".safetensors":
        return load_file(path)
    with safe_globals([Namespace]):  # arguments of a training's script, which lie beside the weights; plain values
        return torch.load(path, map_location="cpu", weights_only=True)


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def load_timm_weights(model: nn.Module, tensors: Mapping[str, Tensor], *, where: str, head: tuple[str, ...]) -> None:
    """Load a timm state dict in place: strictly, but for the classifier `head` that a backbone has no use for.

    Position embeddings of another image size are resampled by timm's own filter of that model family.

    Raises:
        InputError: keys or shapes that don't fit.
    """
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    load_strictly(model, tensors, where=where, ignored=head, adapt=adapt)


def load_strictly(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    *,
    where: str,
    ignored: tuple[str, ...],
    adapt: Callable[..., Any] | None = None,
) -> None:
    """Load a state dict in place, every name of it and of the model, but for those of `ignored` modules.

    Args:
        adapt: tensors and model to tensors that fit it.

    Raises:
        InputError: names or shapes that don't fit.
    """
    prefixes = tuple(f"{part}." for part in ignored)
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}
    try:
        adapted = kept if adapt is None else adapt(kept, model)
        found = model.load_state_dict(adapted, strict=False)
    except (RuntimeError, KeyError) as error:  # shapes that differ
        raise InputError(
            f"{where}: expected the weights of this encoder, got other shapes ({_first_line(error)}). "
            "Check --encoder_name."
        ) from error
    if told := key_faults(found.missing_keys, found.unexpected_keys):
        raise InputError(f"{where}: expected the weights of this encoder, got {told}. Check --encoder_name.")


def key_faults(missing: Iterable[str], left_over: Iterable[str], reshaped: Iterable[str] = ()) -> str:
    """Names that are missing, left over, or of another shape, in words; empty when there are none."""
    faults = {"missing": list(missing), "left over": list(left_over), "of another shape": list(reshaped)}
    return "; ".join(f"{len(keys)} {word}: {_some(sorted(keys))}" for word, keys in faults.items() if keys)


def _first_line(error: Exception) -> str:
    """The first informative line of a loading error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 else lines[0]


def _some(keys: list[str]) -> str:
    """A few names of many."""
    return ", ".join(keys[:8]) + (", ..." if len(keys) > 8 else "")
