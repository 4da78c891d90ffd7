"""The checkpoint file: one trained model with all that prediction needs.

It holds plain containers, numbers, strings and tensors only, so that `torch.load(path)` reads it without executing
anything, today and after the code has moved on. The keys are those of the guide and a few of our own.
"""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from nocigram.core.errors import InputError
from nocigram.core.literals import Approach
from nocigram.core.version import VERSION
from nocigram.models.approaches import ActionModel, build_model
from nocigram.models.approaches.pose_trees import PoseTreesModel
from nocigram.models.checkpoint_content import wrong_parts
from nocigram.models.tensor_file import write_tensors

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint file holds; the fields are its keys."""

    model_state_dict: Mapping[str, Any]
    """Weights and buffers of the model; trees as the text of XGBoost's JSON."""
    ema_state_dict: Mapping[str, Any] | None = None
    """Their exponential moving average, which then is what was validated; the key is absent where there was none."""
    classes: list[str]
    """Merged actions, in the order of the model's outputs."""
    orig_classes: list[str]
    """Original actions, in the order of their codes."""
    col_map: dict[int, int]
    """Original code -> position in `classes`, -1 for an ignored action."""
    merge_idxs: list[int]
    """Original codes that share their merged action with another code."""
    best_thresholds: list[float | None]
    """Probability of each of `classes` from which on F1 was best on validation; None for one that wasn't there."""
    kp_names: list[str]
    val_metrics: dict[str, Any]
    """The keys of metrics.json."""
    args: dict[str, Any]
    """Every option of the run."""
    approach: Approach
    model: dict[str, Any]
    """Keywords of `build_model` that build the architecture without any weights."""
    backbone: dict[str, Any] | None
    """`description`, `is_fallback`, `mean`, `std`, `feature_dim`; None for a model without pixels."""
    scheme: dict[str, Any]
    """The action scheme: `names`, `merges`, `ignore`."""
    split: dict[str, Any]
    """Which animals, recordings or trials were for training and which for validation."""
    seen: list[dict[str, Any]]
    """One record per recording of the run, with its content hash."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Whatever else the writer keeps, such as how pixels were cropped."""
    format_version: int = FORMAT_VERSION
    nocigram_version: str = VERSION


_KEYS = tuple(item.name for item in fields(Checkpoint))
_OPTIONAL = frozenset({"ema_state_dict", "extra"})


def save_checkpoint(path: Path, content: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        TypeError: something in it is no plain container, number, string or tensor; the message says where.
    """
    plain = {name: _plain(getattr(content, name), where=name) for name in _KEYS}
    if content.ema_state_dict is None:
        del plain["ema_state_dict"]
    write_tensors(path, plain)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU, executing nothing of it.

    Raises:
        InputError: no such file, a file that is damaged or no checkpoint, or one of a newer format.
    """
    found = _read(path)
    version = found.get("format_version", 1) if isinstance(found, dict) else 1
    if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
        raise InputError(
            f"{path}: expected format version {FORMAT_VERSION} or older, got {version} "
            f"(written by nocigram {found.get('nocigram_version')}). Update nocigram."
        )
    missing = [name for name in _KEYS if name not in _OPTIONAL and not (isinstance(found, dict) and name in found)]
    if missing:
        raise InputError(
            f"{path}: expected a nocigram checkpoint, got one without {', '.join(missing)}. "
            "Give a best_model_*.pt of nocigram train."
        )
    if wrong := wrong_parts(found):
        raise InputError(
            f"{path}: expected a checkpoint as nocigram train writes it, got something else as {', '.join(wrong)}. "
            "Train it again, or ask its author for the file as it was."
        )
    return Checkpoint(**{name: found[name] for name in _KEYS if name in found})


def restore_model(checkpoint: Checkpoint) -> ActionModel:
    """The trained model in eval mode, with the averaged weights where there are any. Needs no hub.

    Raises:
        InputError: the weights don't fit the architecture that the checkpoint describes, or are no finite numbers.
    """
    model = build_model(checkpoint.approach, **checkpoint.model).model
    weights = checkpoint.model_state_dict if checkpoint.ema_state_dict is None else checkpoint.ema_state_dict
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"checkpoint: expected the weights of its model, got others ({error}). "
            f"Use nocigram {checkpoint.nocigram_version}, which wrote it."
        ) from error
    if wrong := [name for name, value in model.named_parameters() if not value.isfinite().all()]:
        raise InputError(
            f"checkpoint: expected finite weights, got NaN or infinity in {wrong[0]}. "
            "Train it again, with a smaller --lr."
        )
    if isinstance(model, PoseTreesModel) and not model.is_grown:
        raise InputError("checkpoint: expected grown trees, got none. Train it again.")
    return model.eval()


def _read(path: Path) -> Any:
    """The file's content, by a loader that refuses pickled classes."""
    if not path.is_file():
        raise InputError(f"{path}: expected a checkpoint file, got none. Check the path.")
    with path.open("rb") as file:
        return _loaded(file, path)


def _loaded(file: BinaryIO, path: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path):
            raise InputError(
                f"{path}: expected plain containers and tensors, got pickled classes, which could run code. "
                "Train it again with nocigram train, or ask its author for a plain one."
            ) from error
        raise InputError(_damaged(path)) from error
    except MemoryError:
        raise
    except Exception as error:  # bytes that are no checkpoint make the unpickler fail in any way
        raise InputError(_damaged(path)) from error


def _damaged(path: Path) -> str:
    return f"{path}: expected a whole checkpoint, got a damaged or foreign file. Copy it again, or train again."


def _plain(value: Any, *, where: str) -> Any:
    """Containers, numbers and strings as their plain kinds; a path becomes a string, a tensor moves to the CPU."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)  # a subclass, such as an enum or numpy's float64, would be pickled as a class
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()  # a view would drag its whole storage into the file
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {_plain(key, where=where): _plain(item, where=f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item, where=f"{where}[{index}]") for index, item in enumerate(items)]
    raise TypeError(f"checkpoint: expected plain values, got {type(value).__name__} in {where}")
