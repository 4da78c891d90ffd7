"""Where a run writes, and what it reads again of an earlier one."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nocigram.core.errors import InputError
from nocigram.core.literals import Approach

_ANEW = "Leave --resume out to begin anew."
_OF_A_POINT = {"pytorch-lightning_version", "state_dict", "optimizer_states", "lr_schedulers", "loops", "epoch"}


@dataclass(frozen=True)
class RunFiles:
    """The files of one run."""

    out: Path
    approach: Approach = "multitask"

    @property
    def best(self) -> Path:
        """The best model."""
        return self.out / f"best_model_{self.approach}.pt"

    @property
    def folder(self) -> Path:
        """Everything else: split, options, metrics.csv, the point to resume from."""
        return self.out / "training"

    @property
    def split(self) -> Path:
        """The trials on both sides."""
        return self.folder / "split.json"

    @property
    def resume(self) -> Path:
        """The point to resume from."""
        return self.folder / "resume.ckpt"

    @property
    def refit_resume(self) -> Path:
        """The point to resume the second training of `--refit` from."""
        return self.folder / "refit_resume.ckpt"

    @property
    def options(self) -> Path:
        """The options of the run."""
        return self.folder / "options.json"


def read_options(path: Path) -> dict[str, Any]:
    """The options of a run that was stopped.

    Raises:
        InputError: the file is damaged.
    """
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise InputError(f"{path}: expected the options of the stopped run, got a damaged file. {_ANEW}")
    return options


def check_point(path: Path) -> None:
    """Refuse a point to resume from that is damaged, or holds anything but plain containers and tensors.

    Raises:
        InputError: it can't be read by a loader that runs no code, or Lightning didn't write it.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError):
        content = None
    if not isinstance(content, dict) or not content.keys() >= _OF_A_POINT:
        raise InputError(
            f"{path}: expected the point at which training stopped, got a damaged or foreign file. {_ANEW}"
        )
