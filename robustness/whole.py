"""Files that look finished are: each is read to its end by what its name says it is."""

import csv
import hashlib
import json
import stat
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from PIL import Image

_N_PREDICTION_COLUMNS = 4


def broken_files(folder: Path, *, was_killed: bool = False, but: Collection[Path] = ()) -> list[str]:
    """What is wrong with the files below a folder: final ones that can't be read, temporary ones left behind.

    Args:
        folder: of outputs.
        was_killed: whoever wrote could remove nothing.
        but: these.
    """
    faults = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path in but:
            continue
        if is_temporary(path):
            if not was_killed:
                faults.append(f"{path}: a temporary file was left")
            continue
        try:
            _READERS.get(path.suffix, lambda _: None)(path)
        except Exception as error:  # noqa: BLE001 - whatever a reader raises, the file is broken
            faults.append(f"{path}: looks finished, but {type(error).__name__}: {error}")
    return faults


def is_temporary(path: Path) -> bool:
    """A name that says that the file is not finished."""
    return ".partial" in path.name or any(part.startswith(".simulate.") for part in path.parts)


def digests(folder: Path) -> dict[str, str]:
    """Relative path -> what it holds: the hash of a file's bytes, or the kind of everything else."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else "no file"
        found[str(path.relative_to(folder))] = f"{stat.S_IFMT(status.st_mode)} {content}"
    return found


def _read_csv(path: Path) -> None:
    """Rows as long as the first; of predictions, frames that count upwards from 0."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ValueError(f"rows of {sorted(lengths)} cells")
    if rows[0][:_N_PREDICTION_COLUMNS] == ["Frame", "Time_s", "Action", "Confidence"]:
        frames = [int(row[0]) for row in rows[1:]]
        if not frames or frames != list(range(len(frames))):
            raise ValueError("frames that don't count from 0")


def _read_npz(path: Path) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            arrays[name]


def _read_picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


_READERS = {
    ".csv": _read_csv,
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".npz": _read_npz,
    ".png": _read_picture,
    ".pt": lambda path: torch.load(path, weights_only=True),
    ".ckpt": lambda path: torch.load(path, weights_only=True),
}
