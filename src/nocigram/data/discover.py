"""Find recordings, their pose and their trials in a laboratory's folders."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nocigram.config.data import DataOptions
from nocigram.core.actions import ActionScheme
from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.core.needs import EVERYTHING, Needs
from nocigram.core.ranges import FrameRange
from nocigram.data.annotations import Annotation, faults_of, frame_faults, read_annotation, video_and_number
from nocigram.data.placement import Placement, place_trials
from nocigram.data.reading import PoseOptions, body_of, read_pose_alone, read_recording
from nocigram.data.recordings_table import RecordingsTable, TrialRow, find_recordings_table, read_recordings_table
from nocigram.data.records import Discovery, Recording, Skip, Trial
from nocigram.data.scheme_file import read_scheme
from nocigram.pose.files import recordings_without_video
from nocigram.pose.skeleton import Skeleton

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v")


def video_files(folder: Path) -> list[Path]:
    """Videos of a folder in order of name; not DeepLabCut's own `*_labeled` ones, nor names that begin with a dot.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of videos, got none. Correct the path.")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in VIDEO_SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
        and not path.stem.endswith("_labeled")
    )


def discover(
    annotations: Path | str,
    videos: Path | str,
    *,
    poses: Path | str | None = None,
    recordings: Path | str | None = None,
    actions: Path | str | None = None,
    **more: object,
) -> Discovery:
    """Find what a laboratory's folders hold; nothing is decoded.

    Args:
        annotations: folder of prediction_<video name>_<n>.csv.
        videos: folder of videos.
        poses: folder of the pose files (default: the videos').
        recordings: recordings.csv (default: the one in `annotations` or its parent).
        actions: YAML file of the actions (default: the eight of the guide).
        **more: further fields of `DataOptions`: individual, kp_names, kp_likelihood_thr, min_frames.

    Raises:
        InputError: a folder is missing, or a table or option contradicts itself. Faults of single files are skips.
    """
    paths = {"poses": poses, "recordings": recordings, "actions": actions}
    given = {name: Path(path) for name, path in paths.items() if path is not None}
    options = DataOptions(annotations=Path(annotations), videos=Path(videos), **given, **more)  # type: ignore[arg-type]
    raise_faults(options.faults())
    return discover_from(options, scheme=read_scheme(options.actions))


def discover_from(
    options: DataOptions, *, scheme: ActionScheme, needs: Needs = EVERYTHING, skeleton: Skeleton | None = None
) -> Discovery:
    """`discover`, from a record of options and an action scheme.

    Args:
        needs: without pixels, pose files that have no video are recordings too; without pose, no pose file is opened.
        skeleton: the body (default: as the options say).
    """
    if not options.annotations.is_dir():
        raise InputError(f"{options.annotations}: expected a folder of annotations, got none. Correct --annotations.")
    if options.poses is not None and not options.poses.is_dir():
        raise InputError(f"{options.poses}: expected a folder of pose files, got none. Correct --poses.")
    videos = video_files(options.videos)
    alone = (
        []
        if needs.video
        else recordings_without_video(options.poses or options.videos, videos={video.stem for video in videos})
    )
    names = _stems(videos) | {written: name for name in alone for written in _written(name)}
    table_path = find_recordings_table(options.annotations, options.recordings)
    table = read_recordings_table(table_path, stems=names) if table_path else RecordingsTable()
    found = _Found(
        skeleton=skeleton or body_of(options),
        needs=needs,
        options=options,
        scheme=scheme,
        table=table,
        skipped=[],
        warnings=[],
    )
    recordings = found.recordings(videos, alone)
    trials, rules = found.trials(recordings, names)
    if table_path and (unknown := sorted(table.recordings - set(recordings))):
        found.warnings.append(f"[warn] {table_path.name} names recordings without a usable file: {', '.join(unknown)}")
    return Discovery(
        recordings=recordings,
        trials=trials,
        skipped=found.skipped,
        warnings=list(dict.fromkeys(found.warnings)),
        rules=rules,
        scheme=scheme,
        skeleton=found.skeleton,
    )


def _past_the_end(path: Path, span: FrameRange, what: str) -> Fault:
    """A trial with frames that its recording lacks."""
    return Fault(
        where=path.name,
        expected="frames that the recording has",
        got=f"{span}, past the end of the {what}",
        fix="Correct recordings.csv, or label the frames that exist.",
    )


def _stems(videos: list[Path]) -> dict[str, str]:
    """Every way to write a recording's name, with and without suffix -> its name."""
    stems: dict[str, list[str]] = defaultdict(list)
    for video in videos:
        stems[video.stem].append(video.name)
    if doubles := {stem: files for stem, files in stems.items() if len(files) > 1}:
        stem, files = next(iter(doubles.items()))
        raise InputError(f"{stem}: expected one video of this name, got {', '.join(files)}. Rename or move one.")
    return {written: video.stem for video in videos for written in (video.name, video.stem)}


def _written(name: str) -> list[str]:
    """Ways to write the name of a recording whose video is not there."""
    return [name, *(name + suffix for suffix in VIDEO_SUFFIXES)]


def _n_rows_of(annotation: Annotation | None) -> int | None:
    """Rows of an annotation; None where they can't be trusted to be its frames, to place the next trial by."""
    if annotation is None or frame_faults(annotation):
        return None
    return len(annotation.frames) or None


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The steps of discovery, with the skips and warnings that they gather."""

    options: DataOptions
    skeleton: Skeleton
    needs: Needs
    scheme: ActionScheme
    table: RecordingsTable
    skipped: list[Skip]
    warnings: list[str]

    def recordings(self, videos: list[Path], alone: list[str]) -> dict[str, Recording]:
        """Every video that can be used, with its pose, and every pose file that is to be used without a video."""
        folder = self.options.poses or self.options.videos
        options = PoseOptions(
            skeleton=self.skeleton,
            likelihood_thr=self.options.kp_likelihood_thr,
            individual=self.options.individual,
            folder=folder,
            others=(*(video.stem for video in videos), *alone),
            fps=self.options.fps,
        )
        recordings = {}
        for name, video in sorted([*((video.stem, video) for video in videos), *((name, None) for name in alone)]):
            about: dict[str, Any] = {
                "options": options,
                "warn": self.warnings.append,
                "animal": self.table.animals.get(name),
                "group": self.table.groups.get(name),
            }
            try:
                if video is None:
                    recordings[name] = read_pose_alone(name, folder, **about)
                else:
                    recordings[name] = read_recording(video, needs=self.needs, **about)
            except InputError as error:
                path = video or folder / name
                self.skipped.append(Skip(path, tuple(error.faults(where=path.name))))
        return recordings

    def trials(self, recordings: dict[str, Recording], names: dict[str, str]) -> tuple[list[Trial], dict[str, str]]:
        """Every trial that can be used, and the rule that placed those of each recording."""
        trials: list[Trial] = []
        rules: dict[str, str] = {}
        for name, files in self._annotation_files(recordings, names).items():
            annotations = {number: self._read(path) for number, path in files.items()}
            n_rows = {number: _n_rows_of(annotation) for number, annotation in annotations.items()}
            placement = place_trials(
                n_rows,
                table=self._rows_of(name),
                min_frames=self.options.min_frames,
                n_frames=recordings[name].n_frames,
            )
            rules[name] = placement.rule
            if placement.doubtful:
                numbers = ", ".join(map(str, placement.doubtful))
                self.warnings.append(
                    f"[warn] {name}: trials {numbers} have 345 or 360 rows and others do not, so all are placed one "
                    "after another. If they are trials of 360 frames, give their starts in recordings.csv."
                )
            for number, annotation in sorted(annotations.items()):
                if annotation is not None:
                    trials += self._trial(recordings[name], number, annotation, placement)
        return trials, rules

    def _annotation_files(self, recordings: dict[str, Recording], names: dict[str, str]) -> dict[str, dict[int, Path]]:
        """Recording -> trial number -> file; files that fit no recording are skipped."""
        files: dict[str, dict[int, Path]] = defaultdict(dict)
        for path in sorted(self.options.annotations.iterdir()):
            parts = video_and_number(path)
            if parts is None:
                if path.name.lower().startswith("prediction") and path.suffix.lower() == ".csv":
                    self._skip(path, "the name prediction_<video name>_<n>.csv", got="another", fix="Rename it.")
                continue
            name = names.get(parts[0])
            if name is None:
                kind = "video" if self.needs.video else "video or pose file"
                missing = f"no {kind} named {parts[0]} in {self.options.videos}"
                fix = "Copy it there, or correct the file's name."
                self._skip(path, "a recording of its name", got=missing, fix=fix)
            elif name not in recordings:
                self._skip(path, "a recording that can be used", got="one that can't", fix="Mend the recording.")
            elif parts[1] in files[name]:
                twice = f"trial {parts[1]}, which is in {files[name][parts[1]].name} already"
                self._skip(path, "each trial once", got=twice, fix="Remove or rename one of the two files.")
            else:
                files[name][parts[1]] = path
        return dict(sorted(files.items()))

    def _read(self, path: Path) -> Annotation | None:
        """An annotation, or a skip."""
        try:
            return read_annotation(path)
        except InputError as error:
            self.skipped.append(Skip(path, tuple(error.faults(where=path.name))))
            return None

    def _skip(self, path: Path, expected: str, *, got: str, fix: str) -> None:
        """Leave a file out for one reason."""
        self.skipped.append(Skip(path, (Fault(where=path.name, expected=expected, got=got, fix=fix),)))

    def _rows_of(self, name: str) -> dict[int, TrialRow]:
        """What recordings.csv says of the trials of one recording."""
        return {number: row for (recording, number), row in self.table.trials.items() if recording == name}

    def _trial(self, recording: Recording, number: int, annotation: Annotation, placement: Placement) -> list[Trial]:
        """The trial, or nothing and a skip with every reason."""
        faults = faults_of(annotation, scheme=self.scheme, min_frames=self.options.min_frames)
        span = placement.spans.get(number)
        if number in placement.faults:
            faults.append(placement.faults[number])
        if span is not None and recording.info and span.stop > recording.n_frames:
            faults.append(_past_the_end(annotation.path, span, f"video ({recording.n_frames} frames)"))
        if span is not None and recording.pose_file and span.stop > len(recording.xy_px):
            faults.append(_past_the_end(annotation.path, span, f"pose file ({len(recording.xy_px)} rows)"))
        if faults or span is None:
            self.skipped.append(Skip(annotation.path, tuple(faults)))
            return []
        row = self._rows_of(recording.name).get(number)
        stim_frame = row.stim_frame if row else None
        if stim_frame is None and annotation.stim_row is not None:
            stim_frame = span.start + annotation.stim_row
        trial = Trial(
            recording=recording.name,
            number=number,
            span=span,
            actions=annotation.actions,
            stim_frame=stim_frame,
            animal=recording.animal,
            group=recording.group,
            path=annotation.path,
        )
        return [trial]
