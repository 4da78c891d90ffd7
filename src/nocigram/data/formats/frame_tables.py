"""Tables with a row per frame, or per step of time, and a column per behaviour: DeepEthogram, SimBA, A-SOiD."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from nocigram.core.errors import InputError
from nocigram.data.formats.records import Event, ForeignLabels, events_of_columns
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.sample import Sample
from nocigram.data.formats.text import read_table

_INDEX = ("", "unnamed: 0")
_FEATURE = re.compile(r"_(x|y|p)$|^low_prob_|^probability_|^feature", re.IGNORECASE)
"""Columns of SimBA that are no behaviour, though they may hold nothing but 0 and 1."""
_UNLABELLED = -1
"""DeepEthogram's number for a frame that nobody labelled."""


def _is_deepethogram(sample: Sample) -> bool:
    """A column for the frame, then background."""
    header = [cell.lower() for cell in sample.header]
    return len(header) > 2 and header[0] in _INDEX and header[1] == "background"


@register_format("DeepEthogram labels", kind="labels", recognises=_is_deepethogram)
def read_deepethogram(path: Path) -> list[ForeignLabels]:
    """Read a label csv. `background` is a column like the others; rows of -1 are unlabelled.

    Raises:
        InputError: other values, or rows that don't count frames.
    """
    table = _counted(read_table(path), path=path)
    values = _numbers(table, list(table.columns[1:]), path=path, allowed=(0, 1, _UNLABELLED))
    names = tuple(table.columns[1:])
    labelled = (values != _UNLABELLED).all(axis=1)
    spans = events_of_columns(("labelled",), labelled[:, None])
    return [
        ForeignLabels(
            path=path,
            video=None,
            unit="frames",
            events=events_of_columns(names, (values == 1) & labelled[:, None]),
            names=names,
            n_frames=len(table),
            scored=tuple((span.start, span.stop) for span in spans),
        )
    ]


def _is_simba(sample: Sample) -> bool:
    """A column for the frame, then x, y and p of a keypoint."""
    header = [cell.lower() for cell in sample.header]
    suffixes = [cell[-2:] for cell in header[1:4]]
    return len(header) > 4 and header[0] in _INDEX and suffixes == ["_x", "_y", "_p"]


@register_format("SimBA targets_inserted", kind="labels", recognises=_is_simba)
def read_simba(path: Path) -> list[ForeignLabels]:
    """Read the behaviours of a targets_inserted csv: the last columns, as far as they hold nothing but 0 and 1.

    Raises:
        InputError: no such column, or rows that don't count frames.
    """
    table = _counted(read_table(path), path=path)
    names: list[str] = []
    for name in reversed(table.columns[1:]):
        if _FEATURE.search(name) or not table[name].isin((0, 1)).all():
            break
        names.insert(0, name)
    if not names:
        raise InputError(
            f"{path.name}: expected columns of behaviours with 0 and 1 at the end, got '{table.columns[-1]}'. "
            "Give a file of the folder targets_inserted."
        )
    values = _numbers(table, names, path=path, allowed=(0, 1))
    return [
        ForeignLabels(
            path=path,
            video=None,
            unit="frames",
            events=events_of_columns(names, values == 1),
            names=tuple(names),
            n_frames=len(table),
            scored=((0.0, float(len(table))),),
        )
    ]


def _is_asoid(sample: Sample) -> bool:
    """A column of times, and columns of 0 and 1."""
    header = [cell.lower() for cell in sample.header]
    cells = {cell for row in sample.rows[1:] if len(row) == len(header) for cell in row[1:]}
    return len(header) > 1 and header[0] == "time" and bool(cells) and cells <= {"0", "1", "0.0", "1.0"}


@register_format("A-SOiD labels", kind="labels", recognises=_is_asoid)
def read_asoid(path: Path) -> list[ForeignLabels]:
    """Read labels by steps of time, as A-SOiD and BORIS' binary table have them; a row lasts until the next one.

    Raises:
        InputError: other values, or times that don't rise.
    """
    table = read_table(path)
    names = tuple(table.columns[1:])
    times_s = _numbers(table, [table.columns[0]], path=path, allowed=None)[:, 0]
    values = _numbers(table, list(names), path=path, allowed=(0, 1))
    steps_s = np.diff(times_s)
    if len(times_s) < 2 or not (steps_s > 0).all() or times_s[0] < 0:
        row = int(np.flatnonzero(steps_s <= 0)[0]) + 3 if (steps_s <= 0).any() else 2
        raise InputError(
            f"{path.name}: expected rising times in seconds from 0, got {times_s[row - 2]:g} in row {row}. "
            "Export one observation per file."
        )
    edges_s = np.append(times_s, times_s[-1] + np.median(steps_s))
    events = tuple(
        Event(name=each.name, start=float(edges_s[int(each.start)]), stop=float(edges_s[int(each.stop)]))
        for each in events_of_columns(names, values == 1)
    )
    scored = ((float(edges_s[0]), float(edges_s[-1])),)
    return [ForeignLabels(path=path, video=None, unit="s", events=events, names=names, scored=scored)]


def _counted(table: pd.DataFrame, *, path: Path) -> pd.DataFrame:
    """The table, if its first column counts frames 0, 1, 2, ..."""
    frames = pd.to_numeric(table.iloc[:, 0], errors="coerce").to_numpy(dtype=np.float64)
    if (wrong := np.flatnonzero(frames != np.arange(len(frames)))).size:
        row = int(wrong[0])
        raise InputError(
            f"{path.name}: expected the first column to count 0, 1, 2, ..., "
            f"got {frames[row]:g} in row {row + 2}. Export the file again."
        )
    return table


def _numbers(
    table: pd.DataFrame, names: list[str], *, path: Path, allowed: tuple[int, ...] | None
) -> Float64[np.ndarray, "T N"]:
    """Columns as numbers, each among those allowed."""
    columns = []
    for name in names:
        numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        right = np.isfinite(numbers) if allowed is None else np.isin(numbers, allowed)
        if (wrong := np.flatnonzero(~right)).size:
            what = "a number" if allowed is None else " or ".join(map(str, allowed))
            raise InputError(
                f"{path.name}: expected {what} in column '{name}', got '{table[name].iloc[wrong[0]]}' in row "
                f"{int(wrong[0]) + 2}. Correct the cell."
            )
        columns.append(numbers)
    return np.stack(columns, axis=1)
