"""JABS pose files, `*_pose_est_v2.h5` to v5 and later ones, which keep v4's layout of the pose.

The version is told by the data sets that are there: files name it in an attribute that is missing in v2 and is known to
be wrong in some of v5.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from nocigram.core.errors import InputError
from nocigram.data.formats.hdf5 import array_in, opened_hdf5, texts_of
from nocigram.data.formats.records import ForeignPose
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.tracks import MOST_TRACKS, notes_on_tracks, shape_fault, track_of
from nocigram.pose.tracks import PoseTrack

if TYPE_CHECKING:
    import h5py

KEYPOINTS = (
    "nose",
    "left_ear",
    "right_ear",
    "base_neck",
    "left_front_paw",
    "right_front_paw",
    "center_spine",
    "left_rear_paw",
    "right_rear_paw",
    "base_tail",
    "mid_tail",
    "tip_tail",
)
"""JABS' twelve, in the order of its arrays."""


@register_format("JABS pose", kind="pose", recognises=lambda sample: "poseest/points" in sample.members)
def read_jabs_pose(path: Path) -> list[ForeignPose]:
    """Read a pose file. Points are stored as y, x. A keypoint with confidence 0 was not found.

    v2 has one animal; v3 has tracks, each for a part of the recording; from v4 on there are identities.

    Raises:
        InputError: broken, or arrays of other shapes.
    """
    with opened_hdf5(path) as content:
        group = content["poseest"]
        points, confidence = array_in(group, "points"), array_in(group, "confidence")
        if points.shape[-2:] != (len(KEYPOINTS), 2) or points.shape[:-1] != confidence.shape or points.ndim > 4:
            raise shape_fault(path, "points", expected=f"(frames, animals, {len(KEYPOINTS)}, 2)", got=points.shape)
        notes: tuple[str, ...] = ()
        if points.ndim == 3:
            tracks = [_track(path, points, confidence, individual=None)]
        else:
            owners, names = _owners_in(group, path=path)
            if owners.shape != points.shape[:2]:
                raise shape_fault(path, "identities", expected=str(points.shape[:2]), got=owners.shape)
            notes = notes_on_tracks(len(names))
            tracks = [
                _track(path, *_of_owner(points, confidence, owners == owner), individual=name)
                for owner, name in list(names.items())[:MOST_TRACKS]
            ]
    if not tracks:
        raise InputError(f"{path.name}: expected at least one animal, got none. Track the video first.")
    return [ForeignPose(path=path, video=None, tracks=tuple(tracks), notes=notes)]


def _owners_in(group: "h5py.Group", *, path: Path) -> tuple[Shaped[np.ndarray, "T N"], dict[int, str]]:
    """Whose each instance is, -1 where it is nobody's, and the names of the owners."""
    if "instance_embed_id" in group and "id_mask" in group:
        is_valid = ~array_in(group, "id_mask").astype(bool)
        owners = np.where(is_valid, array_in(group, "instance_embed_id").astype(np.int64), -1)
        has_names = "external_identity_mapping" in group
        external = texts_of(array_in(group, "external_identity_mapping")) if has_names else ()
        found = [int(owner) for owner in np.unique(owners) if owner > 0]
        names = {owner: external[owner - 1] if owner <= len(external) else f"identity_{owner - 1}" for owner in found}
        return owners, names
    if "instance_track_id" in group and "instance_count" in group:
        tracks = array_in(group, "instance_track_id").astype(np.int64)
        is_there = np.arange(tracks.shape[1]) < array_in(group, "instance_count")[:, None]
        owners = np.where(is_there, tracks, -1)
        ids, lengths = np.unique(owners[owners >= 0], return_counts=True)
        longest_first = ids[np.argsort(-lengths, kind="stable")]
        return owners, {int(track): f"track_{track}" for track in longest_first}
    raise InputError(
        f"{path.name}: expected instance_track_id (v3) or instance_embed_id (v4 and later), got neither. "
        "Export the pose file again."
    )


def _of_owner(
    points: Shaped[np.ndarray, "T N K 2"], confidence: Shaped[np.ndarray, "T N K"], is_owners: Shaped[np.ndarray, "T N"]
) -> tuple[Shaped[np.ndarray, "T K 2"], Shaped[np.ndarray, "T K"]]:
    """The points of one animal; confidence 0 in frames without it."""
    frames, places = np.nonzero(is_owners)
    own_points = np.zeros((points.shape[0], *points.shape[2:]), dtype=points.dtype)
    own_confidence = np.zeros((points.shape[0], points.shape[2]), dtype=confidence.dtype)
    own_points[frames], own_confidence[frames] = points[frames, places], confidence[frames, places]
    return own_points, own_confidence


def _track(
    path: Path,
    points: Shaped[np.ndarray, "T K 2"],
    confidence: Shaped[np.ndarray, "T K"],
    *,
    individual: str | None,
) -> PoseTrack:
    """A track from y, x and confidence."""
    xy_px = points[..., ::-1].astype(np.float32)
    xy_px[confidence <= 0] = np.nan
    return track_of(path, KEYPOINTS, xy_px, confidence, individual=individual)
