"""Read DeepLabCut's pose files: csv with 3 header rows, multi-animal csv with 4, and the h5 twins of both.

Both kinds become one table first, so that a csv and its h5 twin give the same track and the same faults.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64

from nocigram.core.errors import Fault, InputError, raise_faults, reason_in
from nocigram.core.separators import SEPARATOR_FIX, other_separator
from nocigram.pose.plain_pickles import CodeFoundError, plain_pickles
from nocigram.pose.tracks import PoseTrack

_COORDS = ("x", "y", "likelihood")
_NOT_POSE_FIX = "Give the csv or h5 file that deeplabcut.analyze_videos writes."

_FARTHEST_PX = 1e6
"""No picture is so large; squares of much larger numbers are infinite in float32."""

_H5_SUFFIXES = (".h5", ".hdf5")
POSE_SUFFIXES = (".csv", *_H5_SUFFIXES)
"""Of DeepLabCut's files."""


@dataclass(frozen=True)
class _Table:
    """A pose file before anyone asked whether it is sound."""

    individuals: tuple[str, ...]
    """One per column; empty strings in a single-animal file."""
    bodyparts: tuple[str, ...]
    coords: tuple[str, ...]
    frames: Float64[np.ndarray, " R"]
    """Frame of each row; NaN where its cell is no number."""
    values: Float64[np.ndarray, "R C"]


def read_pose(path: Path, *, individual: str | None = None) -> PoseTrack:
    """Read one animal's track from a DeepLabCut file.

    A row belongs to the frame that its first column names; frames without a row are NaN with likelihood 0, and so is
    a keypoint whose x or y is blank, NaN, infinite or more than a million pixels away.

    Args:
        path: a `.csv` or `.h5` file.
        individual: which animal of a multi-animal file; needed when it has several.

    Raises:
        InputError: it can't be read, is no DeepLabCut file, or `individual` doesn't settle whose track to take.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected a pose file, got nothing there. Check the path.")
    try:
        table = _read_h5(path) if path.suffix.lower() in _H5_SUFFIXES else _read_csv(path)
    except OSError as error:
        raise InputError(
            f"{path.name}: expected a pose file, got '{reason_in(error)}'. Check the file and its rights."
        ) from error
    raise_faults(_faults_of(table, path=path))
    chosen = _chosen_individual(table, path=path, individual=individual)
    columns = [position for position, owner in enumerate(table.individuals) if owner == chosen]
    return _track_of(table, columns, path=path, individual=chosen or None)


def _read_csv(path: Path) -> _Table:
    """Header rows by their first cell; values by pandas without a header, which would drop an empty first row."""
    header = _csv_header(path)
    n_header_rows = len(header)
    labels = {row[0].strip().lower(): tuple(cell.strip() for cell in row[1:]) for row in header if row}
    missing = [name for name in ("scorer", "bodyparts", "coords") if name not in labels]
    if missing:
        expected = f"{path.name}: expected header rows scorer, (individuals,) bodyparts, coords, got"
        if (separator := other_separator(",".join(header[0]) if header else "")) is not None:
            raise InputError(f"{expected} cells separated by {separator}. {SEPARATOR_FIX}")
        raise InputError(f"{expected} none that begins with {' or '.join(missing)}. {_NOT_POSE_FIX}")
    bodyparts, coords = labels["bodyparts"], labels["coords"]
    individuals = labels.get("individuals", ("",) * len(bodyparts))
    if not len(bodyparts) == len(coords) == len(individuals):
        raise InputError(
            f"{path.name}: expected header rows of equal length, got {len(bodyparts)} bodyparts, {len(coords)} coords"
            f" and {len(individuals)} individuals. {_NOT_POSE_FIX}"
        )
    cells = _csv_cells(path, n_header_rows=n_header_rows, n_columns=len(bodyparts) + 1)
    frames = pd.to_numeric(cells[0], errors="coerce").to_numpy(dtype=np.float64)
    return _Table(individuals, bodyparts, coords, frames, _numbers(cells, path=path, first_row=n_header_rows + 1))


def _csv_header(path: Path) -> list[list[str]]:
    """Rows up to the one that begins with `coords`, and pandas' row for the index's name if there is one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(islice(csv.reader(lines), 6))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name}: expected a text file, got {reason_in(error)}. {_NOT_POSE_FIX}") from error
    firsts = [row[0].strip().lower() if row else "" for row in rows]
    n_rows = firsts.index("coords") + 1 if "coords" in firsts else len(rows)
    if n_rows < len(rows) and firsts[n_rows] and not firsts[n_rows][0].isdigit() and not any(rows[n_rows][1:]):
        n_rows += 1
    return rows[:n_rows]


def _csv_cells(path: Path, *, n_header_rows: int, n_columns: int) -> pd.DataFrame:
    """The cells below the header, a column each; empty rows are kept, but for those at the end."""
    try:
        n_rows = _n_rows_of(path, n_header_rows=n_header_rows, n_columns=n_columns)
        return pd.read_csv(
            path,
            header=None,
            names=range(n_columns),
            index_col=False,
            skiprows=n_header_rows,
            nrows=n_rows,
            encoding="utf-8-sig",
            skip_blank_lines=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(n_columns), dtype=np.float64)
    except (pd.errors.ParserError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path.name}: expected {n_columns} cells in every row, got {reason_in(error)}. "
            "Check that the file was written to its end."
        ) from error


def _n_rows_of(path: Path, *, n_header_rows: int, n_columns: int) -> int:
    """Rows below the header up to the last that holds anything.

    pandas would fill a short row up and cut a long one, so that after a decimal comma cells are taken for others.

    Raises:
        InputError: a row has more or fewer cells than the header.
    """
    n_rows = 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(islice(csv.reader(lines), n_header_rows, None), start=1):
            if not any(map(str.strip, row)):
                continue
            if len(row) != n_columns:
                fix = "Check that the file was written to its end."
                if len(row) > n_columns:
                    fix = "Write decimal points, and commas between cells only."
                raise InputError(
                    f"{path.name}: expected {n_columns} cells in every row, "
                    f"got {len(row)} in row {n_header_rows + number}. {fix}"
                )
            n_rows = number
    return n_rows


def _numbers(cells: pd.DataFrame, *, path: Path, first_row: int) -> Float64[np.ndarray, "R C"]:
    """Cells of all columns but the first as numbers; a cell that is text is an error that names its row."""
    for column in cells.columns[1:]:
        if pd.api.types.is_numeric_dtype(cells[column]):
            continue
        numbers = pd.to_numeric(cells[column], errors="coerce")
        blank = cells[column].isna() | (cells[column].astype(str).str.strip() == "")
        if (wrong := np.flatnonzero(numbers.isna() & ~blank)).size:
            raise InputError(
                f"{path.name}: expected a number in row {first_row + int(wrong[0])}, column {int(column) + 1}, "
                f"got '{cells[column].iloc[wrong[0]]}'. Correct the cell or leave it blank."
            )
        cells[column] = numbers
    return cells.iloc[:, 1:].to_numpy(dtype=np.float64)


def _read_h5(path: Path) -> _Table:
    """DeepLabCut's h5: one pandas table whose columns have the levels that are header rows in the csv."""
    try:
        with plain_pickles():
            data = pd.read_hdf(path)
    except CodeFoundError as error:
        raise InputError(
            f"{path.name}: expected plain tables, got a pickle of {error}, which could run code. {_NOT_POSE_FIX}"
        ) from error
    except (ValueError, OSError, KeyError, TypeError, AttributeError, RuntimeError) as error:  # PyTables' RuntimeErrors
        reason = reason_in(error, line=-1)
        raise InputError(f"{path.name}: expected an h5 file of DeepLabCut, got '{reason}'. {_NOT_POSE_FIX}") from error
    levels = [str(name).lower() for name in data.columns.names] if isinstance(data, pd.DataFrame) else []
    if not {"bodyparts", "coords"} <= set(levels) or not isinstance(data, pd.DataFrame):
        raise InputError(f"{path.name}: expected column levels bodyparts and coords, got {levels}. {_NOT_POSE_FIX}")
    columns = {name: tuple(str(cell) for cell in data.columns.get_level_values(at)) for at, name in enumerate(levels)}
    individuals = columns.get("individuals", ("",) * data.shape[1])
    index = pd.Series(data.index.get_level_values(-1))  # hand labels have several levels: folder, picture
    frames = pd.to_numeric(index, errors="coerce").to_numpy(dtype=np.float64)
    values = data.to_numpy(dtype=np.float64)
    return _Table(individuals, columns["bodyparts"], columns["coords"], frames, values)


def _faults_of(table: _Table, *, path: Path) -> list[Fault]:
    """Every reason not to take a table for a pose track."""
    return _column_faults(table, path=path) + _row_faults(table, path=path)


def _column_faults(table: _Table, *, path: Path) -> list[Fault]:
    """Keypoints without x, y or likelihood, or with a column twice."""
    coords: dict[tuple[str, str], list[str]] = {}
    for individual, bodypart, coord in zip(table.individuals, table.bodyparts, table.coords, strict=True):
        coords.setdefault((individual, bodypart), []).append(coord)
    if not coords:
        return [Fault(where=path.name, expected="keypoints", got="no columns", fix=_NOT_POSE_FIX)]
    return [
        Fault(
            where=f"{path.name}: keypoint '{bodypart}'" + (f" of '{individual}'" if individual else ""),
            expected="one column each of x, y and likelihood",
            got=", ".join(found),
            fix=_NOT_POSE_FIX,
        )
        for (individual, bodypart), found in coords.items()
        if sorted(found) != sorted(_COORDS)
    ]


def _row_faults(table: _Table, *, path: Path) -> list[Fault]:
    """A first column that doesn't count frames 0, 1, 2, ... upwards; holes are allowed."""
    frames, fix = table.frames, "Write the file again with deeplabcut.analyze_videos."
    if not len(frames):
        return [Fault(where=path.name, expected="a row per frame", got="no rows below the header", fix=fix)]
    expected = "the first column to hold the frame number"
    if not (np.isfinite(frames) & (frames == np.floor(frames)) & (frames >= 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(frames) & (frames == np.floor(frames)) & (frames >= 0)))[0])
        return [Fault(where=path.name, expected=expected, got=f"something else in data row {row + 1}", fix=fix)]
    if frames[0] != 0:
        return [Fault(where=path.name, expected="the first frame to be 0", got=f"{int(frames[0])}", fix=fix)]
    if (steps := np.flatnonzero(np.diff(frames) <= 0)).size:
        before, after = int(frames[steps[0]]), int(frames[steps[0] + 1])
        return [Fault(where=path.name, expected="frames in rising order", got=f"{after} after {before}", fix=fix)]
    if frames[-1] > 10 * len(frames) + 1000:
        return [Fault(where=path.name, expected=f"about {len(frames)} frames", got=f"frame {int(frames[-1])}", fix=fix)]
    return []


def _chosen_individual(table: _Table, *, path: Path, individual: str | None) -> str:
    """The name of the animal whose columns to take; empty in a single-animal file."""
    names = list(dict.fromkeys(table.individuals))
    if names == [""]:
        return ""  # a folder may mix both kinds of file, so --individual says nothing about this one
    if individual is None and len(names) == 1:
        return names[0]
    matches = [name for name in names if individual is not None and name.lower() == individual.lower()]
    if individual in names or len(matches) == 1:
        return individual if individual in names else matches[0]
    raise InputError(
        f"{path.name}: expected one of its individuals {', '.join(names)}, got {individual or 'no choice'}. "
        f"Choose one with --individual."
    )


def _track_of(table: _Table, columns: Sequence[int], *, path: Path, individual: str | None) -> PoseTrack:
    """Place the columns of one animal at (frame, keypoint)."""
    names = tuple(dict.fromkeys(table.bodyparts[column] for column in columns))
    n_frames, rows = int(table.frames[-1]) + 1, table.frames.astype(np.int64)
    numbers = np.full((n_frames, len(names), 3), np.nan, dtype=np.float32)
    for column in columns:
        part, coord = names.index(table.bodyparts[column]), _COORDS.index(table.coords[column])
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and so unknown
            numbers[rows, part, coord] = table.values[:, column]
    xy_px, likelihood = _without_nonsense(numbers)
    return PoseTrack(path=path, names=names, xy_px=xy_px, likelihood=likelihood, individual=individual)


def _without_nonsense(
    numbers: Float32[np.ndarray, "T K 3"],
) -> tuple[Float32[np.ndarray, "T K 2"], Float32[np.ndarray, "T K"]]:
    """Where x or y can't be a place both become NaN with likelihood 0; a likelihood that is not finite becomes 0."""
    xy_px, likelihood = numbers[..., :2].copy(), numbers[..., 2].copy()
    absent = ~(np.abs(xy_px) <= _FARTHEST_PX).all(axis=-1)
    xy_px[absent] = np.nan
    likelihood[absent | ~np.isfinite(likelihood)] = 0.0
    return xy_px, likelihood
