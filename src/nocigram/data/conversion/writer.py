"""Write what was converted in the layout of docs/data.md.

T frames.
"""

import csv
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from jaxtyping import Int

from nocigram.config.convert import Link
from nocigram.core.actions import UNSCORED, ActionScheme
from nocigram.core.errors import InputError
from nocigram.core.files import real_path
from nocigram.data.recordings_table import COLUMNS
from nocigram.pose.tracks import PoseTrack

OUTPUTS = ("Videos", "Annotations", "recordings.csv", "actions.yaml")
SCORER = "DLC_converted"
"""Stands behind the recording's name, so that the pose file is found beside its video."""


@dataclass(frozen=True, kw_only=True)
class RecordingRow:
    """A row of recordings.csv; blank where it is not known."""

    recording: str
    trial: int | None = None
    start: int | None = None
    stop: int | None = None
    stim_frame: int | None = None
    animal: str | None = None


def write_pose(folder: Path, recording: str, track: PoseTrack) -> Path:
    """A pose track as DeepLabCut's csv; reading it gives the same numbers. A blank position has likelihood 0."""
    path = folder / f"{recording}{SCORER}.csv"
    values = np.concatenate((track.xy_px, track.likelihood[..., None]), axis=-1).reshape(track.n_frames, -1)
    header = [
        ["scorer", *[SCORER] * values.shape[1]],
        ["bodyparts", *(name for name in track.names for _ in range(3))],
        ["coords", *("x", "y", "likelihood") * len(track.names)],
    ]
    _write_csv(path, header)
    # nine digits tell every float32 from its neighbours
    pd.DataFrame(values).to_csv(path, mode="a", header=False, float_format="%.9g", lineterminator="\n")
    return path


def write_annotation(folder: Path, file_name: str, codes: Int[np.ndarray, " T"], *, number: int = 1) -> Path:
    """One action per frame; blank where unscored."""
    path = folder / f"prediction_{file_name}_{number}.csv"
    rows = [(frame, "" if code == UNSCORED else int(code)) for frame, code in enumerate(codes)]
    _write_csv(path, [("Frame", "Action"), *rows])
    return path


def write_recordings(path: Path, rows: Iterable[RecordingRow]) -> None:
    """recordings.csv."""
    known = [asdict(row) for row in rows]
    cells = [["" if row.get(column) is None else row[column] for column in COLUMNS] for row in known]
    _write_csv(path, [COLUMNS, *cells])


def write_scheme(path: Path, scheme: ActionScheme) -> None:
    """The file for --actions that names the codes."""
    content = {"names": list(scheme.names), "merges": dict(scheme.merges), "ignore": sorted(scheme.ignore)}
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def place_video(video: Path, folder: Path, *, how: Link) -> None:
    """A link to a video, a copy of it, or nothing.

    Raises:
        InputError: links can't be made here.
    """
    if how == "copy":
        shutil.copyfile(video, folder / video.name)
    elif how == "symlink":
        try:
            os.symlink(real_path(video), folder / video.name)
        except OSError as error:
            raise InputError(
                f"{video.name}: expected to make a link to it, got '{error.strerror}'. Give --link copy."
            ) from error


def _write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Rows to a comma-separated file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
