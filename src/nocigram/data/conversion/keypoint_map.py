"""Which of the model's keypoints another tool's are: `--keypoints_map`, or names that are known anyway."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nocigram.core.errors import InputError
from nocigram.data.conversion.action_map import read_yaml
from nocigram.pose.skeleton import Skeleton, plain_name, spellings_of
from nocigram.pose.tracks import PoseTrack


def read_keypoint_map(path: Path | None) -> dict[str, str] | None:
    """Read `--keypoints_map`, their keypoint -> ours; None where no file is given. A blank keeps their name.

    Raises:
        InputError: the file can't be read, or two of theirs become one of ours.
    """
    if path is None:
        return None
    names = {str(theirs): str(ours) for theirs, ours in read_yaml(path, flag="--keypoints_map").items() if ours}
    doubles = sorted({ours for ours in names.values() if list(names.values()).count(ours) > 1})
    if doubles:
        raise InputError(f"--keypoints_map {path}: expected each keypoint once, got {', '.join(doubles)}. Correct it.")
    return names


def renamed(track: PoseTrack, names: dict[str, str]) -> PoseTrack:
    """The track with its keypoints called as the user says.

    Raises:
        InputError: a keypoint's new name is that of another one.
    """
    new = tuple(names.get(name, name) for name in track.names)
    if len(set(new)) < len(new):
        raise InputError(
            f"{track.path.name}: expected keypoints of different names, got {', '.join(new)}. Correct --keypoints_map."
        )
    return replace(track, names=new)


def ask_for_keypoints(tracks: Iterable[PoseTrack], *, skeleton: Skeleton) -> None:
    """Raise if a keypoint that the model needs is not among a file's, so that nobody finds out after training.

    Raises:
        InputError: with a file to fill in.
    """
    for track in tracks:
        if missing := missing_keypoints(track, skeleton=skeleton):
            known = {spelling for name in skeleton.names for spelling in spellings_of(name)}
            free = [name for name in track.names if plain_name(name) not in known]
            raise InputError(
                f"{track.path.name}: expected the keypoints {', '.join(skeleton.names)}, got none for "
                f"{', '.join(missing)}. Fill in this file and give it as --keypoints_map; leave blank what is none of "
                "them:\n\n# their keypoint: ours\n" + "\n".join(f"{name}:" for name in free) + "\n"
            )


def missing_keypoints(track: PoseTrack, *, skeleton: Skeleton) -> list[str]:
    """Keypoints of the model that a track has under none of their known names."""
    there = {plain_name(name) for name in track.names}
    return [name for name in skeleton.names if not there & set(spellings_of(name))]
