"""Keypoint tracks, and what a model needs of them: its keypoints, visibility, no NaN.

T frames, K keypoints of the file, M keypoints of the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from nocigram.core.errors import InputError
from nocigram.pose.skeleton import plain_name, spellings_of


@dataclass(frozen=True, kw_only=True)
class PoseTrack:
    """The keypoints of one animal in every frame of a recording."""

    path: Path
    """The file that it was read from."""
    names: tuple[str, ...]
    """Keypoints as the file spells them."""
    xy_px: Float32[np.ndarray, "T K 2"]
    """x right, y down; NaN where the file has no position."""
    likelihood: Float32[np.ndarray, "T K"]
    """Finite; 0 where the position is NaN."""
    individual: str | None = None
    """Which animal of a multi-animal file; None for a file of one."""

    def __post_init__(self) -> None:
        expected = (len(self.likelihood), len(self.names))
        if self.xy_px.shape != (*expected, 2) or self.likelihood.shape != expected:
            raise ValueError(
                f"{self.path.name}: expected xy_px {(*expected, 2)} and likelihood {expected}, "
                f"got {self.xy_px.shape} and {self.likelihood.shape}"
            )

    @property
    def n_frames(self) -> int:
        """Frames of the pose file, which may differ from the video's."""
        return len(self.likelihood)


def select_keypoints(
    track: PoseTrack, kp_names: Sequence[str], *, warn: Callable[[str], None]
) -> tuple[Float32[np.ndarray, "T M 2"], Float32[np.ndarray, "T M"], tuple[str | None, ...]]:
    """The keypoints in the order of `kp_names`, matched without regard to case and through the alias table.

    Args:
        track: all keypoints of the file.
        kp_names: M names; an exact match wins over one by alias.
        warn: called once for each name that the file lacks.

    Returns:
        xy_px and likelihood, NaN and 0 for a missing keypoint; and each keypoint's name in the file, None if missing.

    Raises:
        InputError: two of the names mean the same keypoint of the file.
    """
    columns = [_column_of(name, track.names) for name in kp_names]
    for name, column in zip(kp_names, columns, strict=True):
        if column is not None and columns.count(column) > 1:
            raise InputError(
                f"{track.path.name}: expected each name of --kp_names to be another keypoint, "
                f"got '{name}' and another one for '{track.names[column]}'. Correct --kp_names."
            )
        if column is None:
            warn(
                f"[warn] Keypoint '{name}' not found in DLC file {track.path.name}, which has {', '.join(track.names)}"
            )
    xy_px = np.full((track.n_frames, len(kp_names), 2), np.nan, dtype=np.float32)
    likelihood = np.zeros((track.n_frames, len(kp_names)), dtype=np.float32)
    for position, column in enumerate(columns):
        if column is not None:
            xy_px[:, position] = track.xy_px[:, column]
            likelihood[:, position] = track.likelihood[:, column]
    return xy_px, likelihood, tuple(None if column is None else track.names[column] for column in columns)


def _column_of(name: str, names: Sequence[str]) -> int | None:
    """Position of the file's keypoint that `name` means, or None."""
    if name in names:
        return names.index(name)
    plain = [plain_name(candidate) for candidate in names]
    return next((plain.index(spelling) for spelling in spellings_of(name) if spelling in plain), None)


def visible_keypoints(
    xy_px: Float32[np.ndarray, "T M 2"], likelihood: Float32[np.ndarray, "T M"], *, likelihood_thr: float
) -> tuple[Float32[np.ndarray, "T M 2"], Bool[np.ndarray, "T M"]]:
    """Keypoints as a tensor may hold them: every number finite (0 where there is none), and which are visible.

    Visible means likelihood >= `likelihood_thr` (`--kp_likelihood_thr`) and a finite position.
    """
    finite = np.isfinite(xy_px).all(axis=-1)
    # The file's numbers are doubles and 0.9 isn't exact in float32; a written 0.9 has to pass a threshold of 0.9.
    visible = finite & (likelihood >= np.float32(likelihood_thr))
    return np.where(finite[..., None], xy_px, np.float32(0.0)), visible
