"""Weights of encoders: where they come from, and what can go wrong on the way."""

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path

import timm
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HTTPError  # type: ignore[attr-defined]  # HTTPError: its client's
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]
from safetensors import SafetensorError
from torch import Tensor, nn

from nocigram.core.errors import InputError

HUB_TIMEOUT_S = 5.0
HUB_ERRORS: tuple[type[Exception], ...] = (HTTPError, OSError, EntryNotFoundError)
"""What the hub's client raises without a network, offline, for an unknown name, or for a model without weights."""
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


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


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict of a .pth, .pt, .bin or .safetensors file.

    Raises:
        InputError: no such file, or none that holds a plain state dict.
    """
    if not path.is_file():
        raise InputError(
            f"--encoder_weights: expected pretrained, none or a file, got {path} (no such file). Correct the path."
        )
    try:
        tensors: dict[str, Tensor] = timm.models.load_state_dict(str(path), use_ema=False, weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: expected a state dict (.pth, .pt or .safetensors), got something that is not one. "
            "Save it with torch.save(model.state_dict(), FILE)."
        ) from error
    if not tensors or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise InputError(
            f"{path}: expected a state dict of tensors, got something that is not one. "
            "Save it with torch.save(model.state_dict(), FILE)."
        )
    return tensors


def load_timm_weights(model: nn.Module, tensors: Mapping[str, Tensor], *, where: str, head: tuple[str, ...]) -> None:
    """Load a timm state dict in place: strictly, but for the classifier `head` that a backbone has no use for.

    Position embeddings of another image size are resampled by timm's own filter of that model family.

    Raises:
        InputError: keys or shapes that don't fit.
    """
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(tuple(f"{part}." for part in head))}
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    try:
        adapted = kept if adapt is None else adapt(kept, model)
        found = model.load_state_dict(adapted, strict=False)
    except (RuntimeError, KeyError) as error:  # shapes that differ
        raise InputError(
            f"{where}: expected the weights of this encoder, got other shapes ({_first_line(error)}). "
            "Check --encoder_name."
        ) from error
    faults = {"missing": found.missing_keys, "left over": found.unexpected_keys}
    told = "; ".join(f"{len(keys)} {word}: {_some(keys)}" for word, keys in faults.items() if keys)
    if told:
        raise InputError(f"{where}: expected the weights of this encoder, got {told}. Check --encoder_name.")


def _first_line(error: Exception) -> str:
    """The first informative line of a loading error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 else lines[0]


def _some(keys: list[str]) -> str:
    """A few names of many."""
    return ", ".join(keys[:8]) + (", ..." if len(keys) > 8 else "")
