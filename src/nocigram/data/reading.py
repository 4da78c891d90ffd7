"""Read one recording: look into its video, read its pose."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nocigram.config.data import DataOptions
from nocigram.core.errors import InputError
from nocigram.core.needs import EVERYTHING, Needs
from nocigram.data.records import Recording
from nocigram.pose.files import find_pose
from nocigram.pose.jumps import without_jumps
from nocigram.pose.readers import read_pose
from nocigram.pose.skeleton import MOUSE, Skeleton, in_order
from nocigram.pose.skeleton_file import read_skeleton
from nocigram.pose.tracks import select_keypoints, visible_keypoints
from nocigram.video.count import n_frames_of
from nocigram.video.probe import probe


@dataclass(frozen=True, kw_only=True)
class PoseOptions:
    """How the pose of a recording is found and read."""

    skeleton: Skeleton
    likelihood_thr: float
    individual: str | None = None
    folder: Path | None = None
    """Where pose files lie; None: beside the video."""
    pose_file: Path | None = None
    """The file itself, where it is known."""
    others: tuple[str, ...] = ()
    """Recordings of the same run, so that a name that begins like another's doesn't take its file."""
    fps: float | None = None
    """Of recordings without a video."""


def body_of(options: DataOptions) -> Skeleton:
    """The skeleton file's body, or the mouse with the keypoints of `--kp_names`.

    Raises:
        InputError: the file can't be used, or the names are in another order.
    """
    if options.skeleton is not None:
        return read_skeleton(options.skeleton)
    return MOUSE.named(in_order(options.keypoint_names))


def read_recording(
    video: Path,
    *,
    options: PoseOptions,
    warn: Callable[[str], None],
    needs: Needs = EVERYTHING,
    animal: str | None = None,
    group: str | None = None,
) -> Recording:
    """Probe a video and read its pose, if it has one and pose is needed.

    Raises:
        InputError: the video or its pose file can't be used.
    """
    require_text(video.stem)
    info = probe(video)
    n_frames = n_frames_of(info)
    n_keypoints = options.skeleton.n_keypoints
    xy_px, visible = np.zeros((0, n_keypoints, 2), dtype=np.float32), np.zeros((0, n_keypoints), dtype=bool)
    likelihood = None
    pose_file = _pose_file(video.stem, options.folder or video.parent, options, warn) if needs.pose else None
    if pose_file is not None:
        xy_px, visible, likelihood = _read_pose(pose_file, options, warn)
        if len(xy_px) != n_frames:
            warn(f"[warn] {video.name}: {n_frames} frames in the video, {len(xy_px)} rows in {pose_file.name}")
    return Recording(
        name=video.stem,
        info=info,
        fps=info.nominal_fps,
        n_frames=n_frames,
        pose_file=pose_file,
        xy_px=xy_px,
        visible=visible,
        animal=animal or video.stem,
        group=group,
        skeleton=options.skeleton,
        likelihood=likelihood,
    )


def read_pose_alone(
    name: str,
    folder: Path,
    *,
    options: PoseOptions,
    warn: Callable[[str], None],
    animal: str | None = None,
    group: str | None = None,
) -> Recording:
    """A recording of which there is a pose file and no video; its frames are the file's rows.

    Args:
        name: of the recording.
        folder: where its pose file lies.

    Raises:
        InputError: the file can't be used, or nobody said the frame rate.
    """
    require_text(name)
    pose_file = _pose_file(name, folder, options, warn)
    if pose_file is None:
        raise InputError(f"{name}: expected a pose file, got none. Put it into --videos or give --poses.")
    if options.fps is None:
        raise InputError(
            f"{pose_file.name}: expected --fps for a recording without a video, got none. Give the camera's frame rate."
        )
    xy_px, visible, likelihood = _read_pose(pose_file, options, warn)
    return Recording(
        name=name,
        info=None,
        fps=options.fps,
        n_frames=len(xy_px),
        pose_file=pose_file,
        xy_px=xy_px,
        visible=visible,
        animal=animal or name,
        group=group,
        skeleton=options.skeleton,
        likelihood=likelihood,
    )


def require_text(name: str) -> None:
    """Tables hold the name of a recording, and are UTF-8.

    Raises:
        InputError: the name has bytes of another encoding, which Python keeps as lone surrogates.
    """
    if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
        shown = name.encode("ascii", errors="backslashreplace").decode()
        raise InputError(f"{shown}: expected a name in UTF-8, got one in another encoding. Rename the recording.")


def _pose_file(name: str, folder: Path, options: PoseOptions, warn: Callable[[str], None]) -> Path | None:
    """The file that was named, or the one that belongs to the recording."""
    if options.pose_file is not None:
        return options.pose_file
    found = find_pose(name, folder, others=options.others)
    if found is not None and found.note is not None:
        warn(f"[info] {found.note}")
    return None if found is None else found.path


def _read_pose(
    path: Path, options: PoseOptions, warn: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions (T, K, 2), visibility (T, K) and likelihood (T, K) of the skeleton's keypoints.

    What jumps counts as not visible.
    """
    track = read_pose(path, individual=options.individual)
    xy_px, likelihood, _ = select_keypoints(track, options.skeleton.names, warn=warn)
    xy_px, likely = visible_keypoints(xy_px, likelihood, likelihood_thr=options.likelihood_thr)
    visible = without_jumps(xy_px, likely, skeleton=options.skeleton)
    if n_jumps := int((likely & ~visible).sum()):
        warn(
            f"[info] {path.name}: {n_jumps} of {int(likely.sum())} visible positions are jumps and count as not visible"
        )
    return xy_px, visible, likelihood
