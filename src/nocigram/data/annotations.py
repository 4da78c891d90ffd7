"""Annotation files: prediction_<video name>_<n>.csv with the columns Frame and Action."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from nocigram.core.actions import UNSCORED, ActionScheme
from nocigram.core.errors import Fault, InputError
from nocigram.data.csv_table import read_csv_table

_NAME = re.compile(r"prediction_(?P<video>.+)_(?P<number>\d+)\.csv", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One file as it stands; `faults_of` says whether it is sound."""

    path: Path
    frames: Int[np.ndarray, " T"]
    """The Frame column."""
    actions: Int[np.ndarray, " T"]
    """The Action column: original codes, UNSCORED where it is blank."""
    stim_row: int | None
    """Value of the StimFrame column, counted like Frame; None where there is none."""


def video_and_number(path: Path) -> tuple[str, int] | None:
    """The video's name and the trial's number in a file's name; None when it is named otherwise."""
    match = _NAME.fullmatch(path.name)
    return (match["video"], int(match["number"])) if match else None


def read_annotation(path: Path) -> Annotation:
    """Read an annotation file without judging it.

    Raises:
        InputError: it can't be read, has no Frame or Action column, or holds something other than whole numbers.
    """
    table = read_csv_table(path, where=path.name, columns="Frame and Action")
    missing = [name for name in ("Frame", "Action") if name.lower() not in table]
    if missing:
        raise InputError(
            f"{path.name}: expected the columns Frame and Action, got {list(table.columns)} "
            f"(missing {', '.join(missing)}). Name the columns in the first row."
        )
    table = table.dropna(how="all")
    frames = _whole_numbers(table["frame"], path=path, column="Frame", blank=None)
    actions = _whole_numbers(table["action"], path=path, column="Action", blank=UNSCORED)
    stim = table["stimframe"].dropna() if "stimframe" in table else pd.Series(dtype=float)
    stim_row = int(_whole_numbers(stim[:1], path=path, column="StimFrame", blank=None)[0]) if len(stim) else None
    return Annotation(path=path, frames=frames, actions=actions, stim_row=stim_row)


def _whole_numbers(cells: pd.Series, *, path: Path, column: str, blank: int | None) -> Int[np.ndarray, " T"]:
    """A column as integers; blank cells become `blank`, or are an error where it is None."""
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    is_blank = cells.isna().to_numpy() | (cells.astype(str).str.strip() == "").to_numpy()
    # UNSCORED is written as a blank, never as a number
    is_wrong = ~is_blank & ~((numbers == np.round(numbers)) & (numbers >= 0) & (numbers < 2**53))
    if blank is None:
        is_wrong |= is_blank
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong)[0])
        got = "a blank" if is_blank[row] else f"'{cells.iloc[row]}'"
        raise InputError(
            f"{path.name}: expected whole numbers from 0 in {column}, got {got} in row {row + 2}. Correct the cell."
        )
    return np.where(is_blank, -1 if blank is None else blank, np.nan_to_num(numbers)).astype(np.int64)


def faults_of(annotation: Annotation, *, scheme: ActionScheme, min_frames: int) -> list[Fault]:
    """Every reason not to use an annotation. Empty when it is sound."""
    name, frames = annotation.path.name, annotation.frames
    faults = []
    if len(frames) < min_frames:
        faults.append(
            Fault(
                where=name,
                expected=f"at least {min_frames} rows",
                got=f"{len(frames)}",
                fix="Label more frames, or lower --min_frames.",
            )
        )
    faults += frame_faults(annotation)
    codes = {int(code) for code in annotation.actions}
    if unknown := sorted(codes - {*scheme.col_map, UNSCORED}):
        faults.append(
            Fault(
                where=name,
                expected=f"actions from 0 to {len(scheme.names) - 1}",
                got=str(unknown),
                fix="Correct the codes, or name them with --actions.",
            )
        )
    if not {code for code in codes if scheme.col_map.get(code, code) != UNSCORED}:
        faults.append(
            Fault(
                where=name,
                expected="at least one scored frame",
                got="blank and ignored actions only",
                fix="Label it, or remove the file.",
            )
        )
    return faults


def frame_faults(annotation: Annotation) -> list[Fault]:
    """What is wrong with the Frame column: it must count 0, 1, 2, ... without a hole or a double."""
    frames = annotation.frames
    if not len(frames):
        return []
    values, counts = np.unique(frames, return_counts=True)
    if (counts > 1).any():
        got = f"frame {values[counts > 1][0]} twice"
    elif values[0] != 0:
        got = f"{values[0]} as the first frame"
    elif len(values) != values[-1] + 1:
        got = f"frame {np.flatnonzero(values != np.arange(len(values)))[0]} missing"
    elif (np.diff(frames) != 1).any():
        got = f"frame {frames[1:][np.diff(frames) != 1][0]} out of order"
    else:
        return []
    name = annotation.path.name
    return [Fault(where=name, expected="Frame to count 0, 1, 2, ...", got=got, fix="Correct the Frame column.")]
