"""Find the pose file of a video by the names that DeepLabCut gives.

A pose file is called `<video name>DLC<network, project, shuffle, iteration>` plus, for several animals, the tracker
(`_el`, `_bx`, `_sk`), plus `_filtered` after deeplabcut.filterpredictions; `.csv`, `.h5` or both. Files from before
DeepLabCut 2.1 say `DeepCut_` in place of `DLC`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nocigram.core.errors import InputError

_MARKS = ("DLC", "DeepCut_")
_NO_POSE = re.compile(r"_skeleton(_filtered)?$|_labeled$")
"""Endings of other tables that DeepLabCut writes beside the pose: bone lengths, labelled data."""


@dataclass(frozen=True)
class PoseFile:
    """The pose file of one video."""

    path: Path
    note: str | None
    """What to tell the user about the choice, or None."""


def find_pose(recording: str, folder: Path, *, others: Collection[str] = ()) -> PoseFile | None:
    """The pose file of a recording, or None.

    Of csv and h5 twins the csv is taken, of `_filtered` and raw the filtered.

    Args:
        recording: name of the video file without its suffix.
        folder: where pose files lie; subfolders are not searched.
        others: recordings of the run. A file belongs to the one with the longest name that fits, so that
            `aDLC2DLC_resnet50.csv` is not taken for one of `a` when there is a recording `aDLC2`.

    Raises:
        InputError: several candidates, which are listed.
    """
    longer = {other for other in others if len(other) > len(recording)}
    files = [path for path in sorted(folder.iterdir()) if _belongs(path, recording)]
    files = [path for path in files if not any(_belongs(path, stem) for stem in longer)]
    analyses: dict[str, list[Path]] = {}
    for path in files:
        analyses.setdefault(path.stem.removesuffix("_filtered"), []).append(path)
    if len(analyses) > 1:
        raise InputError(
            f"{recording}: expected one pose file in {folder}, got {', '.join(path.name for path in files)}. "
            "Keep one, or put the ones to use in a folder of their own and give it as --poses."
        )
    return _preferred(files) if files else None


def recordings_without_video(folder: Path, *, videos: Collection[str] = ()) -> list[str]:
    """Names of the recordings of which a folder has a pose file and there is no video, in order.

    Args:
        folder: of the pose files.
        videos: names of the recordings that have a video; files that may be theirs are.
    """
    names = {recording_name(path) for path in folder.iterdir() if not any(_belongs(path, video) for video in videos)}
    return sorted(name for name in names if name is not None)


def recording_name(path: Path) -> str | None:
    """The recording that a pose file belongs to: what stands before DeepLabCut's mark; None if it didn't name the file.

    A file beside its video is found by the video's name (`find_pose`), which may hold a mark too.
    """
    # the last mark, as the name of the video may hold one too; DeepLabCut's own begins with DLC_
    marks = [at for mark in ("DLC_", "DeepCut_") if (at := path.stem.rfind(mark)) > 0] or [path.stem.rfind("DLC")]
    name = path.stem[: max(0, *marks)]
    return name if name and _belongs(path, name) else None


def _belongs(path: Path, stem: str) -> bool:
    """Whether DeepLabCut would give this name to a pose file of the video `stem`."""
    return (
        path.suffix.lower() in (".csv", ".h5")
        and path.stem.startswith(tuple(stem + mark for mark in _MARKS))
        and not _NO_POSE.search(path.stem)
    )


def _preferred(files: list[Path]) -> PoseFile:
    """Filtered before raw, csv before h5."""
    best = min(files, key=lambda path: (not path.stem.endswith("_filtered"), path.suffix.lower() != ".csv"))
    passed_over = sorted({path.name for path in files if path.stem != best.stem})
    return PoseFile(best, f"{best.name} is used rather than {', '.join(passed_over)}" if passed_over else None)
