"""Whether two folders of results are equal, but for what says when, where and how fast they were made."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

_TIMINGS = {"training_minutes", "frames_per_s", "outcome"}
_HOW = {"resume"}
"""Options of which a continued run has others."""
_UNCOMPARED = (".log", ".md", ".png", ".yaml")
"""Logs, which tell of every try; the table of a comparison for people, which has times; figures of the same numbers."""


def differences(expected: Path, found: Path) -> list[str]:
    """What differs, by file."""
    names = _names(expected)
    faults = [f"{name} is missing or too much" for name in sorted(names ^ _names(found))]
    for name in sorted(names & _names(found)):
        reader = _READERS.get(Path(name).suffix)
        if Path(name).suffix not in _UNCOMPARED and reader is not None:
            where = _first_difference(reader(expected / name), reader(found / name))
            faults += [f"{name}{where} differs"] if where is not None else []
    return faults


def _names(folder: Path) -> set[str]:
    """Files under final names, but for the logs of each try."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(path) for path in paths if ".partial" not in path.name and not {"logs", "cache"} & {*path.parts}}


def _first_difference(one: Any, other: Any, where: str = "") -> str | None:
    """The place of the first difference of two nested containers; None where they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return where
        places = [(one[key], other[key], f"{where}.{key}") for key in one if key not in _TIMINGS | _HOW]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            return where
        places = [(a, b, f"{where}[{at}]") for at, (a, b) in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, torch.Tensor):
        return None if torch.equal(one, other) else where
    elif isinstance(one, np.ndarray):
        return None if np.array_equal(one, other, equal_nan=one.dtype.kind == "f") else where
    else:
        return None if one == other or (one != one and other != other) else where
    return next((found for place in places if (found := _first_difference(*place)) is not None), None)


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _point(path: Path) -> Any:
    """Without Lightning's counters of the process."""
    content = torch.load(path, weights_only=True)
    content.pop("loops")
    return content


_READERS = {
    ".csv": _csv,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".npz": _npz,
    ".pt": lambda path: torch.load(path, weights_only=True),
    ".ckpt": _point,
}
