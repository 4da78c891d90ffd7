"""Tests of files: what can't be used, what belongs to nothing, what is there twice."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from nocigram.config.data import DataOptions
from nocigram.core.errors import InputError
from nocigram.core.files import real_path
from nocigram.core.findings import FileKind, Finding, from_fault
from nocigram.data.annotations import video_and_number
from nocigram.data.array_cache import content_hash
from nocigram.data.discover import VIDEO_SUFFIXES
from nocigram.data.formats import format_of
from nocigram.data.formats.deeplabcut import read_deeplabcut
from nocigram.data.recordings_table import find_recordings_table, read_recordings_table
from nocigram.data.records import Discovery, Recording
from nocigram.pose.files import find_pose, recordings_without_video

Item = TypeVar("Item")

_OTHER_VIDEO_SUFFIXES = (
    *(".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".webm", ".flv", ".3gp", ".ogv", ".h264", ".h265", ".vob"),
    *(".tif", ".tiff", ".seq", ".mj2", ".dav"),
)
_OTHERS_OF_OURS = (".yaml", ".yml", ".json", ".pickle", ".png", ".pdf", ".svg")
_ALSO_FOUND = ("recordings.csv", "license", "license.txt", "readme", "readme.md", "readme.txt", "thumbs.db")


def file_findings(options: DataOptions, found: Discovery, *, videos: list[Path]) -> list[Finding]:
    """Everything that is wrong with files as a whole."""
    return [
        *_no_recordings(found),
        *_skipped(found),
        *_empty(options, found),
        *_unread(options, videos=videos),
        *_passed_over(options, found, videos=videos),
        *_without_video(options, found, videos=videos),
        *_without_annotation(found),
        *_unknown_recordings(options, found),
        *_unnamed_animals(options, found),
        *_doubles(found, videos=videos),
    ]


def _no_recordings(found: Discovery) -> Iterator[Finding]:
    """Folders in which there is nothing to look at."""
    if not found.recordings and not found.skipped:
        yield Finding(
            severity="unusable",
            kind="no_recordings",
            where="videos",
            expected=f"videos ({', '.join(VIDEO_SUFFIXES)}) in the folder itself",
            got="none",
            fix="Correct --videos; subfolders are not searched. For pose files alone, give --fps.",
        )


def _skipped(found: Discovery) -> Iterator[Finding]:
    """Each reason for which a file is not used."""
    for skip in found.skipped:
        parts = video_and_number(skip.path)
        kind: FileKind = "recording_unusable" if parts is None else "annotation_unusable"
        name = skip.path.stem if parts is None else Path(parts[0]).stem
        for fault in skip.faults:
            recording = name if parts is None or name in found.recordings else None
            yield from_fault(fault, severity="unusable", kind=kind, recording=recording)


def _folders(options: DataOptions) -> list[Path]:
    """Of videos, poses and annotations, each once."""
    folders = [options.videos, options.poses or options.videos, options.annotations]
    return list({real_path(folder): folder for folder in folders}.values())


def _files(options: DataOptions) -> list[Path]:
    """What lies in the folders, hidden files left out."""
    files = [path for folder in _folders(options) for path in folder.iterdir()]
    return sorted(path for path in files if path.is_file() and not path.name.startswith("."))


def _empty(options: DataOptions, found: Discovery) -> Iterator[Finding]:
    """Files without a byte that nothing else tells of."""
    told = {real_path(skip.path) for skip in found.skipped}
    for path in _files(options):
        if path.stat().st_size == 0 and real_path(path) not in told:
            yield Finding(
                severity="suspicious",
                kind="empty_file",
                where=path.name,
                expected="a file with content",
                got="an empty one",
                fix="Copy it again, or remove it.",
            )


def _unread(options: DataOptions, *, videos: list[Path]) -> Iterator[Finding]:
    """Files that nothing reads: those that `convert` would read, videos of another format, tables of another name."""
    by_format: dict[str, list[Path]] = defaultdict(list)
    by_suffix: dict[str, list[Path]] = defaultdict(list)
    for path in _strays(options, videos=videos):
        suffix = path.suffix.lower()
        if (foreign := _foreign(path)) is not None:
            by_format[foreign].append(path)
        elif suffix not in _OTHERS_OF_OURS and not path.name.lower().startswith("prediction"):
            by_suffix[suffix].append(path)
    for foreign, paths in sorted(by_format.items()):
        yield Finding(
            severity="note",
            kind="other_format",
            where=foreign,
            expected="DeepLabCut's csv and h5, prediction_<video name>_<n>.csv",
            got=_listed(paths),
            fix="Bring it in with nocigram convert.",
        )
    for suffix, paths in sorted(by_suffix.items()):
        is_video = suffix in _OTHER_VIDEO_SUFFIXES
        yield Finding(
            severity="suspicious" if is_video else "note",
            kind="unexpected_file",
            where=suffix or "no suffix",
            expected=f"videos ({', '.join(VIDEO_SUFFIXES)}), DeepLabCut's csv and h5, prediction_<video name>_<n>.csv",
            got=_listed(paths),
            fix=(
                f"Write it as mp4: ffmpeg -i '{paths[0].name}' '{paths[0].stem}.mp4'."
                if is_video
                else "Nothing reads it; rename it if it should be one of these."
            ),
        )


def _strays(options: DataOptions, *, videos: list[Path]) -> Iterator[Path]:
    """Files that are called neither as a video or pose file nor as one of our tables."""
    read = {real_path(path) for path in videos}
    for path in _files(options):
        is_pose = path.suffix.lower() in (".csv", ".h5") and ("DLC" in path.stem or "DeepCut" in path.stem)
        is_table = video_and_number(path) is not None or path.name.lower() in _ALSO_FOUND
        if not (real_path(path) in read or path.suffix.lower() in VIDEO_SUFFIXES or is_pose or is_table):
            yield path


def _foreign(path: Path) -> str | None:
    """The format of another tool that `convert` reads, by what is in the file."""
    if path.suffix.lower() in _OTHER_VIDEO_SUFFIXES:
        return None
    try:
        found = format_of(path)
    except (InputError, OSError):
        return None
    return None if found is None or found.read is read_deeplabcut else found.name  # those only need their name


def _listed(paths: list[Path]) -> str:
    """The names of some files."""
    return ", ".join(path.name for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _passed_over(options: DataOptions, found: Discovery, *, videos: list[Path]) -> Iterator[Finding]:
    """Raw pose files beside filtered ones."""
    folder = options.poses or options.videos
    stems = {*(video.stem for video in videos), *found.recordings}
    for name in found.recordings:
        try:
            pose = find_pose(name, folder, others=tuple(stems))
        except InputError:
            continue  # it is among what was skipped
        if pose is not None and pose.note is not None:
            yield Finding(
                severity="note",
                kind="two_pose_files",
                where=name,
                recording=name,
                expected="one pose file",
                got=pose.note,
                fix="Remove the other one if that is wrong.",
            )


def _without_video(options: DataOptions, found: Discovery, *, videos: list[Path]) -> Iterator[Finding]:
    """Pose files of which there is no video, where that isn't meant (--fps)."""
    folder = options.poses or options.videos
    for name in recordings_without_video(folder, videos=[video.stem for video in videos]):
        if name not in found.recordings and options.fps is None:
            yield Finding(
                severity="suspicious",
                kind="pose_without_video",
                where=name,
                expected=f"a video of this name in {options.videos}",
                got="a pose file alone",
                fix="Copy the video there or correct its name; to work with pose alone, give --fps.",
            )


def _without_annotation(found: Discovery) -> Iterator[Finding]:
    """Recordings that nobody labelled, where others are."""
    for name in found.recordings:
        if found.rules and name not in found.rules:
            yield Finding(
                severity="note",
                kind="no_annotation",
                where=name,
                recording=name,
                expected="an annotation file",
                got="none",
                fix="It trains the keypoint head at most.",
            )


def _unknown_recordings(options: DataOptions, found: Discovery) -> Iterator[Finding]:
    """Rows of recordings.csv for recordings that aren't there."""
    path = find_recordings_table(options.annotations, options.recordings)
    if path is None:
        return
    spelt = {
        written: name for name in found.recordings for suffix in ("", *VIDEO_SUFFIXES) for written in (name + suffix,)
    }
    for name in sorted(read_recordings_table(path, stems=spelt).recordings - set(found.recordings)):
        yield Finding(
            severity="suspicious",
            kind="unknown_recording",
            where=path.name,
            expected="recordings with a file that can be used",
            got=name,
            fix="Correct the name, or mend its file.",
        )


def _unnamed_animals(options: DataOptions, found: Discovery) -> Iterator[Finding]:
    """Recordings whose animal nobody named, so that each counts as another one."""
    labelled = {trial.recording: trial.animal for trial in found.trials}
    unnamed = [name for name, animal in labelled.items() if animal == name]
    if len(labelled) > 1 and unnamed:
        yield Finding(
            severity="note",
            kind="animals_unnamed",
            where="recordings.csv",
            expected="the animal of each recording",
            got=f"none for {len(unnamed)} of {len(labelled)} labelled recordings, each taken for another animal",
            fix="If an animal was filmed twice, name the animals, or it is trained on and scored.",
        )


def _doubles(found: Discovery, *, videos: list[Path]) -> Iterator[Finding]:
    """The same recording or the same pose under two names."""
    of_one_size = _alike(videos, lambda path: path.stat().st_size)
    same = [group for paths in of_one_size if paths[0].stat().st_size for group in _alike(paths, content_hash)]
    for paths in same:
        yield _double("same_video", [path.stem for path in paths], what="file, byte for byte")
    posed = [recording for recording in found.recordings.values() if recording.has_pose]
    for recordings in _alike(posed, _pose_key):
        yield _double("same_pose", [recording.name for recording in recordings], what="keypoints in every frame")


def _pose_key(recording: Recording) -> Hashable:
    """Equal for equal keypoints."""
    return recording.xy_px.shape, hash(recording.xy_px.tobytes())


def _alike(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Groups of two or more with an equal key."""
    groups: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return [group for group in groups.values() if len(group) > 1]


def _double(kind: FileKind, names: list[str], *, what: str) -> Finding:
    """Recordings that are one."""
    return Finding(
        severity="suspicious",
        kind=kind,
        where=names[1],
        recording=names[1],
        expected="another recording than all others",
        got=f"the same {what} as {', '.join(names[:1] + names[2:])}",
        fix="Keep one: two names may come to both sides of a split.",
    )
