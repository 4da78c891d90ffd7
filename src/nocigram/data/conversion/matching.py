"""Which recording a file of another tool is of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nocigram.core.errors import InputError
from nocigram.data.discover import VIDEO_SUFFIXES, video_files
from nocigram.data.formats.records import Recorded
from nocigram.data.reading import require_text

_ENDINGS = re.compile(r"(_pose_est_v\d+|\.analysis|\.predictions|_behaviors?|_labels)$", re.IGNORECASE)
"""What other tools put behind a video's name."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The recording that something is converted for."""

    name: str
    """Of the video, without its suffix."""
    file_name: str
    """Of the video, with its suffix, whether or not it is there."""
    video: Path | None
    note: str | None = None
    """How it was found, where that might be wrong."""


def target_of(found: Recorded, *, videos: Sequence[Path] | None, named: str | None) -> Target | None:
    """The recording of a file: as the user says, as the file says, or as the file is called; None if no video fits.

    Args:
        found: what was read.
        videos: the videos there are; None where the user gave no folder.
        named: `--video`.
    """
    said = base_name(named or found.video or "")
    if videos is None:
        name = said if named else said or _without_endings(found.path)
        path = PurePosixPath(name)
        is_video = path.suffix.lower() in VIDEO_SUFFIXES
        stem = path.stem if is_video else name
        return Target(name=stem, file_name=name if is_video else f"{stem}.mp4", video=None)
    by_name = next((video for video in videos if said in (video.name, video.stem)), None)
    by_name = by_name or next((video for video in videos if said and PurePosixPath(said).stem == video.stem), None)
    if by_name is not None or named:
        return None if by_name is None else _target(by_name)
    fitting = [video for video in videos if found.path.stem.startswith(video.stem)]
    if not fitting:
        return None
    best = max(fitting, key=lambda video: len(video.stem))
    note = f"names the video {said}, and is taken to be of {best.name} by its own name" if said else None
    return _target(best, note=note)


def known_videos(folder: Path | None) -> list[Path] | None:
    """The videos of a folder; None where none is given.

    Raises:
        InputError: no such folder, two videos of one name, or a name that is no text.
    """
    if folder is None:
        return None
    videos = video_files(folder)
    for video in videos:
        require_text(video.stem)
    stems = [video.stem for video in videos]
    for video in videos:
        if stems.count(video.stem) > 1:
            raise InputError(f"{video.stem}: expected one video of this name in {folder}, got several. Move one.")
    return videos


def base_name(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _target(video: Path, note: str | None = None) -> Target:
    """The recording of a video that is there."""
    return Target(name=video.stem, file_name=video.name, video=video, note=note)


def _without_endings(path: Path) -> str:
    """A file's name without what tools add to the video's."""
    return _ENDINGS.sub("", path.stem)
