"""From arrays of another tool to a pose track.

T frames, K keypoints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from nocigram.core.errors import InputError
from nocigram.pose.tracks import PoseTrack

MOST_TRACKS = 20
"""Tracks of a file to choose from. Trackers that lose an animal make thousands of short ones, and each takes as much
memory as a whole recording."""


def longest(lengths: Mapping[int, int]) -> list[int]:
    """The tracks in most frames, at most `MOST_TRACKS`, the longest first.

    Args:
        lengths: track -> frames.
    """
    return sorted(lengths, key=lambda track: -lengths[track])[:MOST_TRACKS]


def notes_on_tracks(n_tracks: int) -> tuple[str, ...]:
    """A line where not all tracks can be chosen."""
    return (f"has {n_tracks} tracks, of which the {MOST_TRACKS} longest are read",) if n_tracks > MOST_TRACKS else ()


def track_of(
    path: Path,
    names: Sequence[str],
    xy_px: Shaped[np.ndarray, "T K 2"],
    likelihood: Shaped[np.ndarray, "T K"] | None,
    *,
    individual: str | None = None,
) -> PoseTrack:
    """A track in which a position that isn't finite is NaN with likelihood 0.

    Args:
        path: the file.
        names: K names.
        xy_px: x right, y down.
        likelihood: None where the tool gives none: 1 at each position.
        individual: the animal or track; None for a file of one.

    Raises:
        InputError: no frames, no keypoints, or a keypoint twice.
    """
    if not xy_px.shape[0] or not names:
        raise InputError(
            f"{path.name}: expected keypoints in at least one frame, "
            f"got {len(names)} keypoints in {len(xy_px)} frames. Export the predictions."
        )
    if len(set(names)) < len(names):
        raise InputError(f"{path.name}: expected each keypoint once, got {', '.join(names)}. Rename one.")
    xy_px = xy_px.astype(np.float32)
    absent = ~np.isfinite(xy_px).all(axis=-1)
    known = np.ones(absent.shape) if likelihood is None else likelihood
    return PoseTrack(
        path=path,
        names=tuple(names),
        xy_px=np.where(absent[..., None], np.float32(np.nan), xy_px),
        likelihood=np.where(absent | ~np.isfinite(known), 0.0, known).astype(np.float32),
        individual=individual,
    )


def shape_fault(path: Path, what: str, *, expected: str, got: Sequence[int]) -> InputError:
    """The error of an array of another shape."""
    return InputError(f"{path.name}: expected {what} of shape {expected}, got {tuple(got)}. Export the file again.")
