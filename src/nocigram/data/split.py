"""Which trials train the model and which judge it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Bool, Float

from nocigram.core.errors import InputError
from nocigram.core.files import write_json
from nocigram.core.literals import SplitBy
from nocigram.data.records import Discovery, Trial

_N_CANDIDATES = 4096


@dataclass(frozen=True, kw_only=True)
class Split:
    """Trials of each side, by name."""

    split_by: SplitBy
    train: tuple[str, ...]
    """Names of trials, `recording#number`."""
    val: tuple[str, ...]
    test: tuple[str, ...] = ()
    """Trials that nothing is trained on or chosen by."""

    def trials(self, found: Discovery, side: str) -> list[Trial]:
        """The trials of one side (`train`, `val` or `test`) that are in the folder."""
        names = set(getattr(self, side))
        return [trial for trial in found.trials if trial.name in names]

    def save(self, path: Path) -> None:
        """Write the split as JSON."""
        sides = {side: list(getattr(self, side)) for side in ("train", "val", "test")}
        content = {"split_by": self.split_by, **sides}
        write_json(path, content)


def read_split(path: Path) -> Split:
    """Read a split that an earlier run saved.

    Raises:
        InputError: it is no split file, or a trial is on two sides.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        split_by = content["split_by"]
        sides = {"train": content["train"], "val": content["val"], "test": content.get("test", [])}
        if split_by not in get_args(SplitBy) or not all(isinstance(names, list) for names in sides.values()):
            raise ValueError(f"split_by {split_by!r}, trials {', '.join(type(n).__name__ for n in sides.values())}")
        split = Split(split_by=split_by, **{side: tuple(map(str, names)) for side, names in sides.items()})
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"--split {path}: expected a split file with split_by, train and val, got {error!r}. "
            "Give one that training saved."
        ) from error
    if both := sorted(name for name, n in Counter([*split.train, *split.val, *split.test]).items() if n > 1):
        raise InputError(
            f"--split {path}: expected each trial on one side, got {', '.join(both)} on two. Remove it from one."
        )
    return split


def make_split(found: Discovery, *, split_by: SplitBy, val_share: float, seed: int) -> Split:
    """Divide whole animals, recordings or trials, about `val_share` of the labelled frames to validation.

    Of all divisions (of many random ones, where there are too many) the best is taken: each action of the data on both
    sides if it can be, then the share of frames, then shares of actions in validation like those of all data.

    Raises:
        InputError: there are not two units to divide.
    """
    units = _units(found.trials, split_by)
    if len(units) < 2:
        raise InputError(
            f"split: expected trials of at least 2 different units of --split_by {split_by}, got {len(units)}. "
            f"Add recordings, name the animals in recordings.csv, or divide by something smaller with --split_by."
        )
    counts = np.array([_action_counts(found, trials) for trials in units.values()], dtype=np.float64)
    is_val = _best_division(counts, val_share=val_share, rng=np.random.default_rng(seed))
    sides: dict[bool, list[str]] = {True: [], False: []}
    for trials, side in zip(units.values(), is_val, strict=True):
        sides[bool(side)] += [trial.name for trial in trials]
    return Split(split_by=split_by, train=tuple(sides[False]), val=tuple(sides[True]))


def require_animals(found: Discovery, animals: Sequence[str]) -> None:
    """Raise an `InputError` when an animal of --test_animals is not in the data."""
    known = sorted({recording.animal for recording in found.recordings.values()})
    if unknown := sorted(set(animals) - set(known)):
        raise InputError(
            f"--test_animals: expected animals among {', '.join(known)}, got {', '.join(unknown)}. "
            "Write them as in recordings.csv."
        )


def leaks(found: Discovery, split: Split) -> list[str]:
    """Animals with trials on more than one side."""
    train, val, test = ({trial.animal for trial in split.trials(found, side)} for side in ("train", "val", "test"))
    return sorted((train & val) | ((train | val) & test))


def _units(trials: Sequence[Trial], split_by: SplitBy) -> dict[str, list[Trial]]:
    """Trials by the unit that must stay together."""
    units: dict[str, list[Trial]] = {}
    for trial in trials:
        key = {"animal": trial.animal, "recording": trial.recording, "trial": trial.name}[split_by]
        units.setdefault(key, []).append(trial)
    return dict(sorted(units.items()))


def _action_counts(found: Discovery, trials: Sequence[Trial]) -> list[int]:
    """Scored frames of each action."""
    labels = np.concatenate([found.labels_of(trial) for trial in trials])
    return [int((labels == action).sum()) for action in range(len(found.scheme.classes))]


def _best_division(
    counts: Float[np.ndarray, "U C"], *, val_share: float, rng: np.random.Generator
) -> Bool[np.ndarray, " U"]:
    """Which units go to validation."""
    candidates = _candidates(len(counts), val_share=val_share, rng=rng)
    val = candidates @ counts
    total = counts.sum(axis=0)
    present = total > 0
    n_missing = ((val == 0) & present).sum(axis=1) + ((total - val == 0) & present).sum(axis=1)
    n_val = val.sum(axis=1)
    off_share = np.abs(n_val / max(total.sum(), 1) - val_share)
    shares = val / np.maximum(n_val, 1)[:, None]
    relative = np.abs(np.log((shares + 1e-4) / (total / max(total.sum(), 1) + 1e-4)))
    off_mix = relative[:, present].mean(axis=1) if present.any() else np.zeros(len(candidates))
    best: Bool[np.ndarray, " U"] = candidates[np.lexsort((off_share + 0.2 * off_mix, n_missing))[0]]
    return best


def _candidates(n_units: int, *, val_share: float, rng: np.random.Generator) -> Bool[np.ndarray, "N U"]:
    """Divisions to choose from, in random order: all, or random ones of about `val_share` and of every other size."""
    if 2**n_units <= _N_CANDIDATES:
        codes = rng.permutation(np.arange(1, 2**n_units - 1))
        return (codes[:, None] >> np.arange(n_units) & 1).astype(bool)
    sizes = np.round(val_share * n_units) + rng.integers(-1, 2, _N_CANDIDATES)
    sizes[::4] = rng.integers(1, n_units, len(sizes[::4]))
    sizes = np.clip(sizes, 1, n_units - 1)
    ranks = rng.random((_N_CANDIDATES, n_units)).argsort(axis=1).argsort(axis=1)
    return ranks < sizes[:, None]
