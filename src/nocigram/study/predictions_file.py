"""The predictions of labelled trials on disk: plain arrays and JSON, no pickle."""

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from nocigram.core.errors import InputError
from nocigram.core.files import written_whole
from nocigram.evaluation import TrialPrediction

_PLAIN = ("recording", "trial", "animal")
_NOT_KEPT = ("timing",)
"""Of the data, not of the model's answer: it is taken from the data as they are when the answers are scored."""


def save_predictions(path: Path, predictions: Sequence[TrialPrediction]) -> None:
    """Write trials with their labels, probabilities and keypoints, without their timing, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    for number, trial in enumerate(predictions):
        arrays[f"{number}.about"] = np.array(json.dumps({name: getattr(trial, name) for name in _PLAIN}))
        for entry in fields(trial):
            value = getattr(trial, entry.name)
            if entry.name not in (*_PLAIN, *_NOT_KEPT) and value is not None:
                arrays[f"{number}.{entry.name}"] = np.asarray(value)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stub has a keyword of its own there


def load_predictions(path: Path) -> list[TrialPrediction]:
    """The trials of a file that `save_predictions` wrote.

    Raises:
        InputError: it is damaged, or something else.
    """
    try:
        return _loaded(path)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"{path}: expected the predictions of a finished cell, got a damaged file. "
            f"Remove its folder {path.parent.name} and run the study again."
        ) from error


def _loaded(path: Path) -> list[TrialPrediction]:
    """The trials."""
    with np.load(path, allow_pickle=False) as arrays:
        found: dict[int, dict[str, Any]] = {}
        for key in arrays.files:
            number, name = key.split(".")
            array = arrays[key]
            value = array if array.ndim else array.item()
            found.setdefault(int(number), {}).update(json.loads(value) if name == "about" else {name: value})
    return [TrialPrediction(**found[number]) for number in sorted(found)]
