"""Write a simulated study to disk in the laboratory's layout."""

import csv
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nocigram.core.errors import InputError
from nocigram.core.files import staged, written_whole
from nocigram.simulation.ethogram import TRIAL_N_FRAMES
from nocigram.simulation.recording import DEFAULT_SIZE_PX, SimulatedRecording, simulate_recording
from nocigram.video.encode import VideoWriter

SCORER = "DLC_resnet50_pawtracking_comparisionMay7shuffle1_500000"
_COLUMN_ORDER = ("mouth", "L_frontpaw", "R_frontpaw", "L_hindpaw", "R_hindpaw", "tail_base")
_COLUMN_INDEX = (0, 2, 3, 4, 5, 1)
"""Where each column's keypoint lies in the arrays, which have the tail base second."""
_OUTPUTS = ("Videos", "Annotations", "recordings.csv")
_RECORDINGS_HEADER = ("recording", "trial", "start", "stop", "stim_frame", "animal", "group")

Progress = Callable[[int, int], None]
"""Called with (frames written, frames in all)."""


@dataclass(frozen=True)
class SimulationSummary:
    """What was written."""

    out: Path
    n_recordings: int
    """Videos, those without annotation included."""
    n_trials: int
    """Labelled trials."""
    n_frames: int
    """Frames of all videos."""
    frames_per_s: float
    """Frames simulated, drawn, encoded and written per second."""


def simulate(
    out: Path,
    *,
    n_animals: int,
    n_trials: int,
    seed: int,
    size_px: int = DEFAULT_SIZE_PX,
    fps: float = 30.0,
    n_unlabelled: int = 0,
    progress: Progress | None = None,
) -> SimulationSummary:
    """Simulate a study and write Videos/, Annotations/ and recordings.csv to `out`, all of it or nothing.

    Args:
        out: folder, made if it is not there.
        n_animals: one recording each, alternately inflamed (CFA) and control.
        n_trials: trials of 360 frames in each recording.
        seed: the same seed gives the same bytes; animal k is the same however many there are.
        size_px: width and height of the videos, even.
        fps: nominal rate in the files; the animal moves as if filmed at 30 Hz.
        n_unlabelled: recordings of further animals, with pose but no annotation.
        progress: told after each frame.

    Raises:
        InputError: `out` already holds one of the outputs, or a number is out of range.
    """
    _check(n_animals=n_animals, n_trials=n_trials, seed=seed, size_px=size_px, n_unlabelled=n_unlabelled)
    begin = time.perf_counter()
    labelled = [True] * n_animals + [False] * n_unlabelled
    indices = [*range(n_animals), *range(n_unlabelled)]
    recordings = (
        simulate_recording(seed=seed, index=index, n_trials=n_trials, size_px=size_px, is_labelled=is_labelled)
        for index, is_labelled in zip(indices, labelled, strict=True)
    )
    n_frames = len(indices) * n_trials * TRIAL_N_FRAMES
    with staged(out, _OUTPUTS) as stage:
        for folder in ("Videos", "Annotations"):
            (stage / folder).mkdir()
        for n_done, _ in enumerate(_write_study(stage, recordings, fps=fps), 1):
            if progress is not None:
                progress(n_done, n_frames)
    speed, n_labelled = n_frames / (time.perf_counter() - begin), n_animals * n_trials
    return SimulationSummary(out, len(indices), n_labelled, n_frames, speed)


def _check(*, n_animals: int, n_trials: int, seed: int, size_px: int, n_unlabelled: int) -> None:
    """Refuse numbers out of range."""
    for flag, value, least in (
        ("--animals", n_animals, 1),
        ("--trials", n_trials, 1),
        ("--seed", seed, 0),
        ("--size_px", size_px, 96),
        ("--unlabelled", n_unlabelled, 0),
    ):
        if value < least:
            raise InputError(f"{flag}: expected {least} or more, got {value}. Give a larger number.")
    if size_px % 2:
        raise InputError(f"--size_px: expected an even number, got {size_px}. Give {size_px + 1}.")


def _write_study(stage: Path, recordings: Iterable[SimulatedRecording], *, fps: float) -> Iterator[None]:
    """Write all files, yielding after each frame of a video."""
    rows = []
    for recording in recordings:
        yield from _write_recording(stage, recording, fps=fps)
        rows += _rows_of(recording)
    _write_csv(stage / "recordings.csv", [_RECORDINGS_HEADER, *rows])


def _write_recording(stage: Path, recording: SimulatedRecording, *, fps: float) -> Iterator[None]:
    """Write a recording's files, yielding after each frame of the video."""
    size_px = recording.camera.size_px
    _write_pose(stage / "Videos" / f"{recording.name}{SCORER}.csv", recording)
    _write_annotations(stage / "Annotations", recording)
    path = stage / "Videos" / f"{recording.name}.mp4"
    with VideoWriter(path, width_px=size_px, height_px=size_px, fps=fps) as video:
        for frame in recording.frames():
            video.write(frame)
            yield


def _write_pose(path: Path, recording: SimulatedRecording) -> None:
    """The tracked keypoints as DeepLabCut writes them: three header rows, x, y and likelihood of each body part."""
    header = [
        ["scorer"] + [SCORER] * (3 * len(_COLUMN_ORDER)),
        ["bodyparts", *(name for name in _COLUMN_ORDER for _ in range(3))],
        ["coords"] + ["x", "y", "likelihood"] * len(_COLUMN_ORDER),
    ]
    xy_px, likelihood = recording.tracked.xy_px, recording.tracked.likelihood
    rows = []
    for frame in range(recording.n_frames):
        row = [str(frame)]
        for keypoint in _COLUMN_INDEX:
            x_px, y_px = xy_px[frame, keypoint]
            row += [f"{x_px:.4f}", f"{y_px:.4f}", f"{likelihood[frame, keypoint]:.6f}"]
        rows.append(row)
    _write_csv(path, [*header, *rows])


def _write_annotations(folder: Path, recording: SimulatedRecording) -> None:
    """One file a trial; Frame counts from 0 within the file."""
    for trial in recording.trials:
        path = folder / f"prediction_{recording.name}.mp4_{trial.number}.csv"
        codes = [(frame, int(code)) for frame, code in enumerate(trial.annotated_actions)]
        _write_csv(path, [("Frame", "Action"), *codes])


def _rows_of(recording: SimulatedRecording) -> list[tuple[str, int, int, int, int, str, str]]:
    """The recording's rows in recordings.csv. All frame numbers count from the recording's first frame."""
    return [
        (
            recording.name,
            trial.number,
            trial.span.start,
            trial.span.stop,
            trial.stim_frame,
            recording.animal.name,
            recording.animal.group,
        )
        for trial in recording.trials
    ]


def _write_csv(path: Path, rows: Sequence[Sequence[str | int]]) -> None:
    """Rows to a comma-separated file."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
