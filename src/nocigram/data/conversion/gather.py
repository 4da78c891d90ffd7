"""Read all files that are to be converted, and find the recording, the animal and the observation of each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nocigram.config.convert import ConvertOptions
from nocigram.core.errors import InputError
from nocigram.data.annotations import video_and_number
from nocigram.data.conversion.matching import Target, known_videos, target_of
from nocigram.data.discover import VIDEO_SUFFIXES
from nocigram.data.formats import FORMATS, ForeignLabels, ForeignPose, Reading, Skipped, format_of
from nocigram.pose.tracks import PoseTrack

NOBODY = "No focal subject"
"""BORIS' word for an event of no animal."""
_MOST_NAMED = 10
"""Animals, tracks or files that a message lists."""


@dataclass(frozen=True, kw_only=True)
class LabelsOf:
    """The labels of a recording, of one animal by one observer."""

    target: Target
    format: str
    labels: ForeignLabels


@dataclass(frozen=True, kw_only=True)
class PoseOf:
    """The keypoints of a recording, of one animal."""

    target: Target
    format: str
    track: PoseTrack
    animal: str | None
    has_every_frame: bool
    """As of `ForeignPose`."""


@dataclass
class Gathered:
    """What was read of all files, and what could not be."""

    labels: list[LabelsOf] = field(default_factory=list)
    poses: list[PoseOf] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    """What should have been of use and isn't."""
    notes: list[str] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)
    """Files of folders that are of no known format."""


def gather(options: ConvertOptions) -> Gathered:
    """Read every file; folders are searched, and what in them is of no known format is left out with a note.

    Raises:
        InputError: a file that the user named can't be read, several animals or observations to choose from, or two
            files of one kind for one recording.
    """
    found, videos = Gathered(), known_videos(options.videos)
    for path, is_named in _files_of(options.files):
        for kind, reading in _readings_of(path, is_named, found):
            if not _is_of(reading, options.observation):
                continue
            if isinstance(reading, Skipped):
                found.skipped.append(reading)
            else:
                _take(reading, found, kind=kind, videos=videos, options=options)
    found.notes += _notes_on(found.unknown)
    found.poses = [each for each in found.poses if not _has_twin(each, found.poses)]
    _refuse_doubles(found)
    return found


def _notes_on(unknown: list[Path]) -> list[str]:
    """A line on files that are in our layout already, and one on files of no known format."""
    ours = [path for path in unknown if video_and_number(path)]
    others = [path.name for path in unknown if path not in ours]
    notes = [f"{len(ours)} annotations are left out, since they are in Nocigram's layout already"] if ours else []
    return notes + ([f"left out, since they are of no format that is known: {_listed(others)}"] if others else [])


def _has_twin(pose: PoseOf, poses: Sequence[PoseOf]) -> bool:
    """Whether a file is the h5 that DeepLabCut writes beside a csv."""
    path = pose.track.path
    twins = [each.track.path for each in poses if each.format == pose.format and each.target == pose.target]
    return path.suffix.lower() != ".csv" and path.with_suffix(".csv") in twins


def _take(
    reading: ForeignLabels | ForeignPose,
    found: Gathered,
    *,
    kind: str,
    videos: Sequence[Path] | None,
    options: ConvertOptions,
) -> None:
    """Add what was read to its recording, or to what is skipped where no video fits.

    Raises:
        InputError: several animals, and none was chosen.
    """
    target = target_of(reading, videos=videos, named=options.video)
    if target is None:
        name = options.video or reading.video or reading.path.stem
        reason = f"no video for '{name}' in {options.videos}. Name it with --video."
        found.skipped.append(Skipped(what=reading.path.name, reason=reason))
        return
    found.notes += [f"{reading.path.name}: {note}" for note in (*reading.notes, target.note) if note]
    if isinstance(reading, ForeignPose):
        track = _track_of(reading, options.individual)
        if isinstance(track, Skipped):
            found.skipped.append(track)
        else:
            every, animal = reading.has_every_frame, reading.animal
            found.poses.append(PoseOf(target=target, format=kind, track=track, animal=animal, has_every_frame=every))
    else:
        labels = _of_one_subject(reading, options.subject)
        if isinstance(labels, Skipped):
            found.skipped.append(labels)
        else:
            found.labels.append(LabelsOf(target=target, format=kind, labels=labels))


def _files_of(given: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Every file, and whether the user named it; a folder stands for the files in it."""
    files: list[tuple[Path, bool]] = []
    for path in given:
        if path.is_dir():
            files += [(each, False) for each in sorted(path.rglob("*")) if each.is_file() and each.name[0] != "."]
        else:
            files.append((path, True))
    return files


def _readings_of(path: Path, is_named: bool, found: Gathered) -> list[tuple[str, Reading]]:
    """What is in a file, each with the format's name; what of a folder can't be read is skipped with the reason.

    Raises:
        InputError: a file that the user named is of no known format, or can't be read.
    """
    try:
        kind = format_of(path)
        if kind is not None:
            return [(kind.name, reading) for reading in kind.read(path)]
    except InputError as error:
        if is_named:
            raise
        found.skipped.append(Skipped(what=path.name, reason=str(error).removeprefix(f"{path.name}: ")))
        return []
    if is_named:
        known = ", ".join(each.name for each in FORMATS)
        raise InputError(
            f"{path.name}: expected a file of {known}, got something else. Check what was exported; text is UTF-8."
        )
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        found.unknown.append(path)
    return []


def _is_of(reading: Reading, observation: str | None) -> bool:
    """Whether a reading belongs to the observation that the user chose; those of files without any do."""
    if observation is None or isinstance(reading, ForeignPose) or not reading.observation:
        return True
    return reading.observation == observation


def _track_of(pose: ForeignPose, individual: str | None) -> PoseTrack | Skipped:
    """The track of the animal that is meant; a file of one needs no choice, and one without a name is never another.

    Raises:
        InputError: several, and none was chosen.
    """
    if len(pose.tracks) == 1 and (individual is None or pose.tracks[0].individual is None):
        return pose.tracks[0]
    names = [track.individual or "" for track in pose.tracks]
    listed = _listed(names)
    if individual is None:
        raise InputError(
            f"{pose.path.name}: expected one of its animals {listed}, got no choice. Choose one with --individual."
        )
    chosen = _chosen(individual, names)
    if chosen is None:
        return Skipped(what=pose.path.name, reason=f"no '{individual}' among its animals {listed}")
    return pose.tracks[chosen]


def _of_one_subject(labels: ForeignLabels, subject: str | None) -> ForeignLabels | Skipped:
    """The labels of the animal that is meant; a file of one needs no choice as long as none is made.

    Raises:
        InputError: several, and none was chosen.
    """
    names = list(dict.fromkeys(event.subject or NOBODY for event in labels.events))
    where = labels.path.name + (f": observation '{labels.observation}'" if labels.observation else "")
    listed = ", ".join(names)
    if subject is None:
        if len(names) > 1:
            raise InputError(
                f"{where}: expected one of its subjects {listed}, got no choice. Choose one with --subject."
            )
        return labels
    chosen = _chosen(subject, names)
    if chosen is None:
        return Skipped(what=where, reason=f"no '{subject}' among its subjects {listed}")
    events = tuple(event for event in labels.events if (event.subject or NOBODY) == names[chosen])
    return replace(labels, events=events)


def _listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    n_more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {n_more} more" if n_more > 0 else "")


def _chosen(name: str, names: Sequence[str]) -> int | None:
    """Where a name stands, exactly or without regard to case; None if it doesn't, or not for sure."""
    if name in names:
        return names.index(name)
    matches = [at for at, each in enumerate(names) if each.lower() == name.lower()]
    return matches[0] if len(matches) == 1 else None


def _refuse_doubles(found: Gathered) -> None:
    """Raise where a recording has two pose files or two sets of labels."""
    poses, labels = defaultdict(list), defaultdict(list)
    for pose in found.poses:
        poses[pose.target.name].append(pose.track.path.name)
    for each in found.labels:
        observation = f" ('{each.labels.observation}')" if each.labels.observation else ""
        labels[each.target.name].append(f"{each.labels.path.name}{observation}")
    for name, files in poses.items():
        if len(files) > 1:
            raise InputError(f"{name}: expected one pose file, got {', '.join(files)}. Give the one to use.")
    for name, files in labels.items():
        if len(files) > 1:
            raise InputError(
                f"{name}: expected labels from one observation, got {', '.join(files)}. "
                "Choose one with --observation, or convert them into two folders."
            )
