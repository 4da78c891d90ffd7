"""When not to believe a prediction: the tables beside the csv files, and what is said in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nocigram.core.needs import Needs
from nocigram.data.appearance import Appearance
from nocigram.data.csv_table import write_csv_table
from nocigram.data.outside import Compared, compared
from nocigram.data.quantities import quantities_of
from nocigram.models.checkpoint import Checkpoint
from nocigram.pose.skeleton import Skeleton
from nocigram.prediction.look_at import Doubtful

NO_STATISTICS = "the checkpoint keeps no statistics of its training, so nothing is said of recordings unlike it"


@dataclass(frozen=True, kw_only=True)
class TrainingLooks:
    """What the training recordings of a checkpoint look like."""

    recordings: tuple[Appearance, ...]
    needs: Needs
    skeleton: Skeleton

    @classmethod
    def of(cls, checkpoint: Checkpoint, *, needs: Needs, skeleton: Skeleton) -> "TrainingLooks":
        """As the checkpoint keeps them; none in one of an earlier version."""
        plain = checkpoint.extra.get("appearance", [])
        return cls(recordings=tuple(map(Appearance.from_plain, plain)), needs=needs, skeleton=skeleton)

    @property
    def are_known(self) -> bool:
        """The checkpoint keeps them."""
        return bool(self.recordings)

    def beside(self, seen: Appearance) -> list[Compared]:
        """Every quantity of a recording beside the training's; empty where these are not known."""
        return compared(seen, self.recordings, quantities_of(self.skeleton, self.needs)) if self.are_known else []


@dataclass(frozen=True)
class CautionFiles:
    """The two tables of a folder of predictions, kept up to date recording by recording."""

    folder: Path

    @property
    def outside(self) -> Path:
        """A row for each recording and quantity."""
        return self.folder / "outside_training.csv"

    @property
    def look_at(self) -> Path:
        """A row for each bout in need of a look, the worst of all recordings first."""
        return self.folder / "look_at.csv"

    def update(self, recording: str, rows: Sequence[Compared], doubtful: Sequence[Doubtful]) -> None:
        """Put the rows of a recording in place of those that it had."""
        outside = pd.DataFrame([row.as_row() for row in rows])
        if rows or self.outside.is_file():
            write_csv_table(self.outside, _joined(self.outside, recording, _rounded(outside)))
        table = _joined(self.look_at, recording, _rounded(pd.DataFrame(map(_row_of, doubtful), columns=_COLUMNS)))
        order = pd.to_numeric(table["doubt"]).sort_values(ascending=False, kind="stable").index
        write_csv_table(self.look_at, table.loc[order])


def write_outside(path: Path, rows: Sequence[Compared]) -> None:
    """The table of a run that knows all of its recordings at once."""
    write_csv_table(path, _rounded(pd.DataFrame([row.as_row() for row in rows])))


_COLUMNS = [
    *("recording", "start_frame", "stop_frame", "start_s", "stop_s", "action", "confidence"),
    *("second", "second_confidence", "doubt", "worst_frame", "why"),
]


def _row_of(row: Doubtful) -> dict[str, Any]:
    """A row of the csv."""
    return {**{name: getattr(row, name) for name in _COLUMNS}, "why": "; ".join(row.why)}


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as they are written, 5 digits that count; nothing in place of NaN."""
    return table.map(lambda cell: "" if pd.isna(cell) else f"{cell:.5g}" if isinstance(cell, float) else str(cell))


def _joined(path: Path, recording: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The table that is there without a recording's rows, then these."""
    if not path.is_file():
        return rows
    there = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.concat([there[there["recording"] != recording], rows], ignore_index=True)
