"""SLEAP: the project file .slp and the analysis file .h5.

The layouts are those of SLEAP's own writers: an .slp keeps instances, whose points lie in one long list; an analysis
file keeps one array of all tracks.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped

from nocigram.core.errors import InputError
from nocigram.data.formats.hdf5 import array_in, opened_hdf5, text_of, texts_of
from nocigram.data.formats.records import MOST_FRAMES, ForeignPose
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.tracks import longest, notes_on_tracks, shape_fault, track_of
from nocigram.pose.tracks import PoseTrack

_SMALLEST_VERSION, _LARGEST_VERSION = 1.0, 2.0
_PIXEL_CENTRE_VERSION = 1.1
"""Older files put (0, 0) at the first pixel's corner, newer ones at its centre."""
_FIELDS = {
    "frames": ("video", "frame_idx", "instance_id_start", "instance_id_end"),
    "instances": ("instance_type", "track", "point_id_start", "point_id_end"),
    "points": ("x", "y", "visible"),
    "pred_points": ("x", "y", "visible", "score"),
}
"""What is read of each table."""
_USER = 0
"""instance_type of what a person placed; 1 is predicted."""


@dataclass(frozen=True, kw_only=True)
class _Project:
    """An .slp file as it stands."""

    nodes: tuple[str, ...]
    tracks: tuple[str, ...]
    videos: tuple[str, ...]
    frames: Shaped[np.ndarray, " F"]
    instances: Shaped[np.ndarray, " I"]
    points: Shaped[np.ndarray, " P"]
    predicted: Shaped[np.ndarray, " Q"]
    shift_px: float
    """Added to every coordinate."""


@register_format("SLEAP project", kind="pose", recognises=lambda sample: {"pred_points", "frames"} <= sample.members)
def read_slp(path: Path) -> list[ForeignPose]:
    """Read the tracks of each video of an .slp file; what a person placed wins over what was predicted.

    Raises:
        InputError: broken, of an unknown version, without instances, or with several instances in a frame that no track
            tells apart.
    """
    project = _project_in(path)
    poses = []
    for video, name in enumerate(project.videos):
        frames = project.frames[project.frames["video"] == video]
        if len(frames):
            tracks, notes = _tracks_of(path, project, frames)
            poses.append(ForeignPose(path=path, video=name, tracks=tracks, has_every_frame=False, notes=notes))
    if not poses:
        raise InputError(f"{path.name}: expected frames with instances, got none. Predict the video with SLEAP first.")
    return poses


def _project_in(path: Path) -> _Project:
    """All that is needed of an .slp file."""
    with opened_hdf5(path) as content:
        attributes = dict(content["metadata"].attrs) if "metadata" in content else {}
        version = float(attributes.get("format_id", 1.0))
        if not _SMALLEST_VERSION <= version < _LARGEST_VERSION:
            raise InputError(
                f"{path.name}: expected an .slp file of version 1, got {version:g}. Save an analysis h5 with SLEAP."
            )
        names = {name: texts_of(array_in(content, name)) for name in ("tracks_json", "videos_json")}
        arrays = {name: array_in(content, name) for name in ("frames", "instances", "points")}
        predicted = array_in(content, "pred_points")
    for name, array in (*arrays.items(), ("pred_points", predicted)):
        if not set(_FIELDS[name]) <= set(array.dtype.names or ()):
            expected = ", ".join(_FIELDS[name])
            raise InputError(f"{path.name}: expected the fields {expected} in '{name}', got others. Save it again.")
    try:
        nodes = _nodes_of(json.loads(text_of(attributes["json"])), path=path)
        tracks = tuple(str(json.loads(text)[1]) for text in names["tracks_json"])
        videos = tuple(_video_of(json.loads(text)) for text in names["videos_json"])
    except (KeyError, IndexError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path.name}: expected a skeleton, tracks and videos as SLEAP stores them, got '{error}'. Save it again."
        ) from error
    shift_px = -0.5 if version < _PIXEL_CENTRE_VERSION else 0.0
    return _Project(nodes=nodes, tracks=tracks, videos=videos, predicted=predicted, shift_px=shift_px, **arrays)


def _nodes_of(metadata: dict[str, Any], *, path: Path) -> tuple[str, ...]:
    """Keypoints in the order of an instance's points."""
    skeletons = metadata["skeletons"]
    if len(skeletons) != 1:
        raise InputError(f"{path.name}: expected one skeleton, got {len(skeletons)}. Save one skeleton per file.")
    names = [str(node["name"] if isinstance(node, dict) else node) for node in metadata["nodes"]]
    return tuple(names[node["id"]] for node in skeletons[0]["nodes"])


def _video_of(video: dict[str, Any]) -> str:
    """The file of a video; a list of pictures has the first one's."""
    backend = video.get("backend") or video
    name = backend.get("filename") or (backend.get("image_filenames") or ["video"])[0]
    return str(name[0] if isinstance(name, list) else name)


def _tracks_of(
    path: Path, project: _Project, frames: Shaped[np.ndarray, " F"]
) -> tuple[tuple[PoseTrack, ...], tuple[str, ...]]:
    """One track per animal of a video, and notes."""
    n_frames, n_nodes = int(frames["frame_idx"].max()) + 1, len(project.nodes)
    if n_frames > MOST_FRAMES:
        raise InputError(f"{path.name}: expected frames of a video, got frame {n_frames - 1}. Save the file again.")
    instances = [_instances_of(project, frame) for frame in frames]
    lengths = Counter(int(track) for each in instances for track in each["track"])
    values = {track: np.full((n_frames, n_nodes, 3), np.nan) for track in sorted(longest(lengths))}
    taken: dict[tuple[int, int], int] = {}
    for at, each in zip(frames["frame_idx"].tolist(), instances, strict=True):
        for instance in each:
            track, kind = int(instance["track"]), int(instance["instance_type"])
            before = taken.get((at, track))
            if before == kind:
                _refuse_untracked(path, project, track, at)
            if track in values and before != _USER:
                taken[at, track] = kind
                values[track][at] = _points_of(project, instance, path=path)
    if not values:
        raise InputError(
            f"{path.name}: expected instances, got frames without any. Predict the video with SLEAP first."
        )
    tracks = tuple(
        track_of(path, project.nodes, array[..., :2], array[..., 2], individual=_name_of(project, track, len(values)))
        for track, array in values.items()
    )
    return tracks, notes_on_tracks(len(lengths))


def _instances_of(project: _Project, frame: Any) -> Shaped[np.ndarray, " I"]:
    """The instances of a frame."""
    return project.instances[int(frame["instance_id_start"]) : int(frame["instance_id_end"])]


def _refuse_untracked(path: Path, project: _Project, track: int, frame: int) -> None:
    """The error of two instances of one kind and track in a frame."""
    of = f"track '{_name_of(project, track, 2)}'" if track >= 0 else "no track"
    raise InputError(
        f"{path.name}: expected one instance per track and frame, got two of {of} in frame {frame}. "
        "Track the animals with SLEAP, or remove the false instance."
    )


def _points_of(project: _Project, instance: Any, *, path: Path) -> Float64[np.ndarray, "K 3"]:
    """x, y, score of an instance's keypoints; NaN where one is not visible."""
    is_user = int(instance["instance_type"]) == _USER
    source = project.points if is_user else project.predicted
    points = source[int(instance["point_id_start"]) : int(instance["point_id_end"])]
    if len(points) != len(project.nodes):
        raise shape_fault(path, "the points of an instance", expected=f"({len(project.nodes)},)", got=points.shape)
    score = np.ones(len(points)) if is_user else points["score"]
    values = np.stack((points["x"] + project.shift_px, points["y"] + project.shift_px, score), axis=-1)
    values[~points["visible"].astype(bool)] = np.nan
    return values.astype(np.float64)


def _name_of(project: _Project, track: int, n_tracks: int) -> str | None:
    """The name of a track; None where there is nothing to choose."""
    if track < 0:
        return None if n_tracks == 1 else "untracked"
    return project.tracks[track] if track < len(project.tracks) else f"track_{track}"


@register_format("SLEAP analysis", kind="pose", recognises=lambda sample: {"tracks", "node_names"} <= sample.members)
def read_analysis(path: Path) -> list[ForeignPose]:
    """Read an analysis file; without point scores, a position that is there has likelihood 1.

    Raises:
        InputError: broken, or its arrays don't fit.
    """
    with opened_hdf5(path) as content:
        tracks = array_in(content, "tracks")
        nodes = texts_of(array_in(content, "node_names"))
        names = texts_of(array_in(content, "track_names")) if "track_names" in content else ()
        scores = array_in(content, "point_scores") if "point_scores" in content else None
        video = text_of(array_in(content, "video_path")) if "video_path" in content else None
    if tracks.ndim != 4 or tracks.shape[1:3] != (2, len(nodes)):
        raise shape_fault(path, "tracks", expected=f"(tracks, 2, {len(nodes)}, frames)", got=tracks.shape)
    if scores is not None and scores.shape != (tracks.shape[0], *tracks.shape[2:]):
        expected = str((tracks.shape[0], *tracks.shape[2:]))
        raise shape_fault(path, "point_scores", expected=expected, got=scores.shape)
    individuals = names if len(names) == len(tracks) else tuple(f"track_{at}" for at in range(len(tracks)))
    lengths = {at: int(np.isfinite(track[0]).any(axis=0).sum()) for at, track in enumerate(tracks)}
    found = tuple(
        track_of(
            path,
            nodes,
            tracks[at].transpose(2, 1, 0),
            None if scores is None else scores[at].T,
            individual=individuals[at],
        )
        for at in sorted(longest(lengths))
    )
    if not found:
        raise InputError(f"{path.name}: expected at least one track, got none. Track the video with SLEAP first.")
    notes = notes_on_tracks(len(tracks))
    return [ForeignPose(path=path, video=video or None, tracks=found, has_every_frame=False, notes=notes)]
