"""`nocigram predict`: one csv for each recording of files and folders."""

import csv
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nocigram.config.commands import PredictOptions
from nocigram.core.errors import InputError
from nocigram.core.files import write_json, written_whole
from nocigram.data.appearance import Appearance
from nocigram.data.array_cache import content_hash
from nocigram.data.discover import video_files
from nocigram.data.outside import Compared, outside, sentence
from nocigram.data.progress import progress_bar
from nocigram.data.records import Recording
from nocigram.pose.files import find_pose, recording_name, recordings_without_video
from nocigram.pose.readers import POSE_SUFFIXES
from nocigram.prediction.answer import Prediction
from nocigram.prediction.caution import NO_STATISTICS, CautionFiles, TrainingLooks
from nocigram.prediction.look_at import Watch
from nocigram.prediction.predictor import Predictor

_LEDGER = "predictions.json"
"""Which checkpoint, video and pose each csv of a folder comes from."""


@dataclass
class Summary:
    """What became of each recording."""

    out: Path
    done: list[str] = field(default_factory=list)
    finished_before: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Recording -> reason."""
    n_frames: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = []
        if self.done:
            rate = self.n_frames / max(self.seconds, 1e-9)
            lines.append(f"[info] Predicted {len(self.done)} recordings: {self.n_frames} frames, {rate:.0f} frames/s")
        if self.finished_before:
            lines.append(f"[info] {len(self.finished_before)} were finished before; --overwrite predicts them again")
        lines += [f"[warn] {name}: {reason}" for name, reason in self.failed.items()]
        return "\n".join([*lines, f"[info] Results: {self.out}"])


def predict_recordings(options: PredictOptions) -> Summary:
    """Predict every recording that is named or lies in a folder that is named.

    Raises:
        InputError: the checkpoint can't be used, there is no video, or two have one name.
    """
    if options.poses is not None and not options.poses.is_dir():
        raise InputError(f"--poses {options.poses}: expected a folder of pose files, got none. Correct the path.")
    predictor = Predictor.load(options.checkpoint, accelerator=options.accelerator)
    summary = Summary(out=options.out)
    places = _recordings(options, with_pose_alone=not predictor.needs.video, failed=summary.failed)
    folder = _Folder(
        options,
        checkpoint_hash=content_hash(options.checkpoint),
        names=tuple(places),
        looks=TrainingLooks.of(predictor.checkpoint, needs=predictor.needs, skeleton=predictor.skeleton),
    )
    if not folder.looks.are_known:
        print(f"[info] {options.checkpoint.name}: {NO_STATISTICS}")
    for name, place in places.items():
        try:
            _predict_one(predictor, place, folder, summary)
        except InputError as error:
            summary.failed[name] = str(error)
    return summary


@dataclass(frozen=True)
class _Folder:
    """The folder of results, and where each came from."""

    options: PredictOptions
    checkpoint_hash: str
    names: tuple[str, ...]
    looks: TrainingLooks

    @property
    def caution(self) -> CautionFiles:
        """The tables of what not to believe."""
        return CautionFiles(self.options.out / "caution")

    def origin(self, recording: Recording) -> dict[str, str | None]:
        """What a csv of this recording is made from."""
        return {
            "checkpoint_sha256": self.checkpoint_hash,
            "video_sha256": content_hash(recording.info.path) if recording.info else None,
            "pose_sha256": content_hash(recording.pose_file) if recording.pose_file else None,
        }

    def csv_of(self, name: str) -> Path:
        """The file of a recording."""
        return self.options.out / f"{name}.csv"

    def ledger(self) -> dict[str, dict[str, str | None]]:
        """What is known of the csv files of the folder."""
        try:
            content = json.loads((self.options.out / _LEDGER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def is_finished(self, recording: Recording) -> bool:
        """The csv is there and made from the same checkpoint, video and pose.

        Raises:
            InputError: a csv is there that is made from something else.
        """
        path = self.csv_of(recording.name)
        if self.options.overwrite or not path.exists():
            return False
        if self.ledger().get(recording.name) == self.origin(recording):
            return True
        raise InputError(
            f"{path}: expected a result of this checkpoint and recording, got one of another. "
            "Choose another --out, or replace it with --overwrite."
        )

    def note(self, recording: Recording) -> None:
        """Write down where the csv of a recording comes from."""
        content = {**self.ledger(), recording.name: self.origin(recording)}
        write_json(self.options.out / _LEDGER, content)


def _recordings(options: PredictOptions, *, with_pose_alone: bool, failed: dict[str, str]) -> dict[str, Path]:
    """Name -> video, or pose file where there is no video and none is needed.

    Args:
        options: the files and folders that were named.
        with_pose_alone: pose files in these folders that belong to no video are recordings.
        failed: gets the reason of each recording whose pose file isn't clear.
    """
    places: list[Path] = []
    for place in options.videos:
        if place.is_dir():
            places += video_files(place)
        elif place.is_file():
            places.append(place)
        else:
            raise InputError(f"{place}: expected a video or a folder of videos, got nothing there. Correct the path.")
    folders = [place for place in options.videos if place.is_dir()]
    if with_pose_alone and folders:
        folders = folders if options.poses is None else [options.poses]
        places += _pose_alone(folders, known={_name_of(place) for place in places}, failed=failed)
    if not places and not failed:
        listed = ", ".join(map(str, options.videos))
        raise InputError(f"{listed}: expected videos, got none. Name files or another folder.")
    names = [_name_of(place) for place in places]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"{', '.join(doubles)}: expected videos of different names, got two. Predict them into two --out."
        )
    return dict(zip(names, places, strict=True))


def _pose_alone(folders: list[Path], *, known: set[str], failed: dict[str, str]) -> list[Path]:
    """Pose files of folders that belong to no recording that is known already."""
    found = []
    for folder in folders:
        names = recordings_without_video(folder, videos=known)
        for name in names:
            try:
                pose = find_pose(name, folder, others={*known, *names})
            except InputError as error:
                failed[name] = str(error)
                continue
            if pose is not None:
                found.append(pose.path)
                if pose.note is not None:
                    print(f"[info] {pose.note}")
    return found


def _name_of(place: Path) -> str:
    """Name of the recording that a file belongs to."""
    if place.suffix.lower() in POSE_SUFFIXES:
        return recording_name(place) or place.stem
    return place.stem


def _predict_one(predictor: Predictor, place: Path, folder: _Folder, summary: Summary) -> None:
    """One recording to one csv."""
    options = folder.options
    recording = predictor.read(
        place, folder=options.poses, individual=options.individual, others=folder.names, fps=options.fps
    )
    if folder.is_finished(recording):
        summary.finished_before.append(recording.name)
        return
    started = time.perf_counter()
    watch = Watch(
        recording=recording.name,
        classes=predictor.classes,
        fps=recording.fps,
        visible=recording.visible if predictor.needs.pose else None,
    )
    rows: list[Compared] = []

    def on_look(seen: Appearance) -> None:
        rows.extend(folder.looks.beside(seen))

    with written_whole(folder.csv_of(recording.name)) as temporary:
        with progress_bar(recording.name, total=recording.n_frames, unit="frames") as advance:
            parts = predictor.stream(recording, on_look=on_look)
            n_frames = _write_csv(temporary, parts, predictor.classes, on_frames=advance, watch=watch)
        # before the csv is renamed: a recording that is finished has its rows
        folder.caution.update(recording.name, rows, watch.rows(is_outside=bool(outside(rows))))
    folder.note(recording)
    if (said := sentence(rows)) is not None:
        print(said)
    summary.done.append(recording.name)
    summary.n_frames += n_frames
    summary.seconds += time.perf_counter() - started


def _write_csv(
    path: Path, parts: Iterable[Prediction], classes: tuple[str, ...], *, on_frames: Callable[[int], None], watch: Watch
) -> int:
    """Frame, Time_s, Action, Confidence and a probability for each action; returns the number of frames."""
    n_frames = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Frame", "Time_s", "Action", "Confidence", *(f"P_{name}" for name in classes)])
        for part in parts:
            for time_s, action, probabilities in zip(part.times_s, part.actions, part.probabilities, strict=True):
                row = [f"{p:.5f}" for p in probabilities]
                writer.writerow([n_frames, f"{time_s:.6f}", classes[action], row[action], *row])
                n_frames += 1
            watch.see(part)
            on_frames(len(part.actions))
    return n_frames
