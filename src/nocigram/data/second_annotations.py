"""A second person's annotations of trials that a first one annotated: same files, same layout, another folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.data.annotations import Annotation, faults_of, read_annotation, video_and_number
from nocigram.data.discover import VIDEO_SUFFIXES
from nocigram.data.placement import place_trials
from nocigram.data.recordings_table import TrialRow, read_recordings_table
from nocigram.data.records import Discovery, Recording, Trial

TrialKey = tuple[str, int]
"""Recording and number of a trial."""
SecondLabels = dict[TrialKey, Int[np.ndarray, " T"]]
"""Merged actions of trials, frame by frame; UNSCORED where the second person did not look."""


def second_labels(found: Discovery, trials: Sequence[Trial], folder: Path) -> SecondLabels:
    """Merged actions of the trials that the second person annotated, frame by frame as the first one's.

    A trial is known by its recording and number. Its frames are those of the first person's file; where `folder` has a
    recordings.csv of its own, that has to place it there, too.

    Args:
        found: the data as the first person annotated them.
        trials: those that are wanted; files of others are left alone.
        folder: with the second person's prediction_<video name>_<n>.csv.

    Raises:
        InputError: there is no such folder, a file of a wanted trial is at fault, or no frame was scored by both.
    """
    if not folder.is_dir():
        raise InputError(f"--annotations_b {folder}: expected a folder of annotations, got none. Correct the path.")
    names = _written_names(found.recordings)
    table = folder / "recordings.csv"
    rows = read_recordings_table(table, stems=names).trials if table.is_file() else {}
    wanted = {(trial.recording, trial.number): trial for trial in trials}
    labels: SecondLabels = {}
    faults: list[Fault] = []
    for path in sorted(folder.iterdir()):
        key = _key_of(path, names)
        if key is None or key not in wanted:
            continue
        annotation = read_annotation(path)
        reasons = faults_of(annotation, scheme=found.scheme, min_frames=1)
        reasons = reasons or _place_faults(annotation, wanted[key], row=rows.get(key))
        if key in labels:
            fix = "Keep one of them."
            reasons.append(Fault(where=path.name, expected="one file for each trial", got="a second one", fix=fix))
        if not reasons:
            labels[key] = found.scheme.merged(annotation.actions)
        faults += reasons
    raise_faults(faults)
    scored = {key: (each != UNSCORED) & (found.labels_of(wanted[key]) != UNSCORED) for key, each in labels.items()}
    if not any(each.any() for each in scored.values()):
        raise InputError(
            f"--annotations_b {folder}: expected a frame that both people scored of the {len(wanted)} trials, got none "
            f"in {len(labels)} files of them. Name the files like those of --annotations."
        )
    return labels


def _written_names(recordings: Mapping[str, Recording]) -> dict[str, str]:
    """Every way to write a recording's name, with and without suffix -> its name."""
    names = {name + suffix: name for name in recordings for suffix in ("", *VIDEO_SUFFIXES)}
    return names | {each.info.path.name: name for name, each in recordings.items() if each.info}


def _key_of(path: Path, names: Mapping[str, str]) -> TrialKey | None:
    """The trial of a file; None where it is no annotation of a known recording."""
    parts = video_and_number(path)
    return None if parts is None or parts[0] not in names else (names[parts[0]], parts[1])


def _place_faults(annotation: Annotation, trial: Trial, *, row: TrialRow | None) -> list[Fault]:
    """Reasons why a file's rows are not the trial's frames."""
    where, n_rows = f"--annotations_b: {annotation.path.name}", len(annotation.frames)
    if n_rows != len(trial.span):
        expected, got = f"{len(trial.span)} rows like {trial.path}", str(n_rows)
        return [Fault(where=where, expected=expected, got=got, fix="Have both people label the same frames.")]
    if row is None or (row.start, row.stop) == (None, None):
        return []
    placement = place_trials({trial.number: n_rows}, table={trial.number: row})
    span = placement.spans.get(trial.number)
    if span == trial.span:
        return []
    got = str(placement.faults.get(trial.number, f"frames {span} by its folder's recordings.csv"))
    fix = "Correct start or stop in one of the tables."
    return [Fault(where=where, expected=f"frames {trial.span} like {trial.path}", got=got, fix=fix)]
