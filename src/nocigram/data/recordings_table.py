"""recordings.csv: which animal, which group, and where each trial lies when the rules don't say it right."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.core.files import real_path
from nocigram.data.csv_table import read_csv_table

COLUMNS = ("recording", "trial", "start", "stop", "stim_frame", "animal", "group")
_WHOLE = ("trial", "start", "stop", "stim_frame")


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """What the table says of one trial; None where a cell is blank."""

    start: int | None
    stop: int | None
    stim_frame: int | None
    """Frame of the recording, like start and stop."""


@dataclass(frozen=True, kw_only=True)
class RecordingsTable:
    """The table by recording. A recording's name may be written with or without the video's suffix."""

    path: Path | None = None
    animals: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    trials: dict[tuple[str, int], TrialRow] = field(default_factory=dict)

    @property
    def recordings(self) -> set[str]:
        """Every recording that the table names."""
        return {*self.animals, *self.groups, *(recording for recording, _ in self.trials)}


def find_recordings_table(annotations: Path, given: Path | None) -> Path | None:
    """The file given, else recordings.csv in the annotations folder or its parent, else None.

    Raises:
        InputError: a file was given and is not there, or something that is no file has its name.
    """
    if given is not None:
        if not given.is_file():
            raise InputError(f"--recordings: expected a csv file, got nothing at {given}. Correct the path.")
        return given
    candidates = (annotations / "recordings.csv", real_path(annotations).parent / "recordings.csv")
    for path in candidates:
        if path.is_file():
            return path
        if os.path.lexists(path):  # a link to nothing: trials would be placed by other rules without a word
            raise InputError(f"{path}: expected a csv file, got something else. Remove or replace it.")
    return None


def read_recordings_table(path: Path, *, stems: dict[str, str]) -> RecordingsTable:
    """Read recordings.csv.

    Args:
        path: the file.
        stems: every way to write a recording's name -> its name without suffix.

    Raises:
        InputError: every fault of the table.
    """
    table = read_csv_table(path, where=str(path), columns=", ".join(COLUMNS), dtype=str)
    if "recording" not in table:
        raise InputError(f"{path}: expected a column 'recording', got {list(table.columns)}. Name it in the first row.")
    table = table.reindex(columns=COLUMNS).apply(_stripped).dropna(how="all")
    table["recording"] = table["recording"].map(lambda name: stems.get(name, name))
    numbers = {column: pd.to_numeric(table[column], errors="coerce").astype(float) for column in _WHOLE}
    raise_faults(_faults_of(path, table, numbers))
    cells = zip(table["recording"], *(numbers[column] for column in _WHOLE), strict=True)
    trials = {
        (str(recording), int(trial)): TrialRow(
            start=_optional(start), stop=_optional(stop), stim_frame=_optional(stim_frame)
        )
        for recording, trial, start, stop, stim_frame in cells
        if not math.isnan(trial)
    }
    return RecordingsTable(
        path=path, animals=_one_each(table, "animal"), groups=_one_each(table, "group"), trials=trials
    )


def _faults_of(path: Path, table: pd.DataFrame, numbers: dict[str, pd.Series]) -> list[Fault]:
    """Rows without a recording, cells that are no whole numbers, trials named twice, two animals or groups of one."""
    faults = [
        Fault(where=f"{path.name} row {row + 2}", expected="a name in 'recording'", got="a blank", fix="Fill the cell.")
        for row in table.index[table["recording"].isna()]
    ]
    for column, values in numbers.items():
        wrong = table[column].notna() & ~(values.between(0, 2**53) & (values == values.round()))
        faults += [
            Fault(
                where=f"{path.name} row {row + 2}",
                expected=f"a whole number in '{column}'",
                got=f"'{table.loc[row, column]}'",
                fix="Correct the cell.",
            )
            for row in table.index[wrong]
        ]
    named = table[table["trial"].notna()]
    doubles = named.loc[named.duplicated(["recording", "trial"]), ["recording", "trial"]]
    faults += [
        Fault(where=path.name, expected=f"trial {trial} of {recording} once", got="two rows", fix="Remove one.")
        for recording, trial in doubles.itertuples(index=False)
    ]
    for column in ("animal", "group"):
        n_values = table.dropna(subset=[column]).groupby("recording")[column].nunique()
        faults += [
            Fault(
                where=path.name,
                expected=f"one {column} for {recording}",
                got=f"{n_values[recording]}",
                fix="Correct the rows.",
            )
            for recording in n_values.index[n_values > 1]
        ]
    return faults


def _stripped(cells: pd.Series) -> pd.Series:
    """Cells without blanks around their text; NaN where nothing is left, and in a column that the file lacks."""
    text = cells.astype(object).str.strip()
    return text.mask(text == "")


def _one_each(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Recording -> its animal or group, where the table says it."""
    known = table.dropna(subset=[column]).drop_duplicates("recording")
    return {str(recording): str(value) for recording, value in zip(known["recording"], known[column], strict=True)}


def _optional(value: float) -> int | None:
    """A cell as a whole number, or None where it is blank."""
    return None if math.isnan(value) else int(value)
