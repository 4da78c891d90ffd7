"""Video encoders of transformers: from the hub, a folder, a file, or random; never with code from the hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError
from torch import Tensor

from nocigram.core.errors import InputError
from nocigram.models.backbones.weights import (
    HUB_ERRORS,
    WEIGHT_FILES,
    cached_weights,
    hub_answers,
    key_faults,
    weights_in,
)


class UnavailableError(InputError):
    """A 3D encoder's weights can't be had."""


def hub_config(name: str, *, config_class: Any, where: str) -> Any:
    """The configuration of a hub model, from the cache if an earlier run has fetched it.

    Raises:
        UnavailableError: no connection, or no such model.
    """
    is_cached = is_in_cache(name)
    if not is_cached and not hub_answers():
        raise UnavailableError(no_weights(name, "no connection to the hub", where=where))
    try:
        return config_class.from_pretrained(name, local_files_only=is_cached)
    except HUB_ERRORS as error:
        raise UnavailableError(no_weights(name, _first_line(error), where=where)) from error


def hub_file(name: str, *, where: str) -> Path:
    """The weights file of a hub model whose code we don't run, from the cache or fetched.

    Raises:
        UnavailableError: no connection, no such model, or no weights in it.
    """
    if (cached := cached_weights(name)) is not None:
        return cached
    if not hub_answers():
        raise UnavailableError(no_weights(name, "no connection to the hub", where=where))
    for file_name in WEIGHT_FILES:
        try:
            return Path(hf_hub_download(name, file_name))
        except EntryNotFoundError:
            continue
        except HUB_ERRORS as error:
            raise UnavailableError(no_weights(name, _first_line(error), where=where)) from error
    raise UnavailableError(no_weights(name, f"it has none of {', '.join(WEIGHT_FILES)}", where=where))


def folder_file(folder: Path) -> Path:
    """The weights file of a folder as transformers saves it.

    Raises:
        InputError: `config.json` or the weights are missing.
    """
    found = weights_in(folder)
    if found is None or not (folder / "config.json").is_file():
        raise InputError(
            f"--encoder_weights: expected a folder with config.json and {WEIGHT_FILES[0]}, got {folder}. "
            "Save it with model.save_pretrained(FOLDER)."
        )
    return found


def loaded(
    model_class: Any,
    config: Any,
    *,
    name: str,
    weights: str,
    tensors: Mapping[str, Tensor] | None,
    ignored: tuple[str, ...],
    where: str,
) -> Any:
    """A model with random weights (`none`), given tensors, or those of the hub or a folder.

    Args:
        model_class: of transformers.
        config: for the image size and clip length that are asked for.
        name: the encoder's hub name.
        weights: `none`, `pretrained`, or the path that the tensors came from.
        tensors: in transformers' layout; None: transformers reads them.
        ignored: beginnings of names of parts that a backbone has no use for.
        where: flag and value of the backbone's type, for messages.

    Raises:
        UnavailableError: the hub can't give them.
        InputError: names that are missing or left over, or other shapes.
    """
    if weights == "none":
        return model_class(config)
    if tensors is not None:
        source: str | None = None
        given: dict[str, Any] = {"state_dict": dict(tensors)}
    else:
        source = name if weights == "pretrained" else weights
        given = {"local_files_only": is_in_cache(name)} if weights == "pretrained" else {}
    shown = name if weights == "pretrained" else weights
    try:
        model, found = model_class.from_pretrained(
            source, config=config, output_loading_info=True, ignore_mismatched_sizes=True, **given
        )
    except HUB_ERRORS as error:
        if weights == "pretrained":
            raise UnavailableError(no_weights(name, _first_line(error), where=where)) from error
        raise
    missing, left_over = found["missing_keys"], found["unexpected_keys"]
    reshaped = [entry[0] for entry in found["mismatched_keys"]]
    read = [[key for key in keys if not key.startswith(ignored)] for keys in (missing, left_over, reshaped)]
    if told := key_faults(*read):
        raise InputError(f"{shown}: expected the weights of {name}, got {told}. Check --encoder_name.")
    return model.float()


def is_in_cache(name: str) -> bool:
    """Whether an earlier run has fetched the model; then the hub is not asked, whose client retries when offline."""
    return isinstance(try_to_load_from_cache(name, "config.json"), str) and cached_weights(name) is not None


def no_weights(name: str, reason: str, *, where: str) -> str:
    """The ways on when pretrained weights can't be had."""
    return (
        f"{where}: expected the weights of {name}, got none ({reason}). "
        "Use --encoder_weights FOLDER (with config.json and model.safetensors), --encoder_weights none, "
        "or --backbone_type vit_2d."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
