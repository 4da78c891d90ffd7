"""Groups of numbers that models read of keypoints, by the names of `--features`.

B batch, T frames, K keypoints, L light numbers, F features, P width of the projection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.core.literals import Features
from nocigram.models.standardise import RunningStandardise
from nocigram.pose.features import pose_features
from nocigram.pose.kinematics import n_kinematics
from nocigram.pose.light import N_LIGHT
from nocigram.pose.motion import LAGS_N_FRAMES, motion_features, n_motion_features
from nocigram.pose.skeleton import Skeleton


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Keypoints of a batch of windows, and the light at them."""

    xy_px: Float[Tensor, "B T K 2"]
    visible: Bool[Tensor, "B T K"]
    light: Float[Tensor, "B T K L"]
    """0 where it is unknown."""
    body_length_px: Float[Tensor, " B"]
    valid: Bool[Tensor, "B T"]
    kinematics: Float[Tensor, "B T F"] | None = None
    """Of the frames, computed over the whole recording; None where no group reads them."""


@dataclass(frozen=True, kw_only=True)
class PoseGroup:
    """One group of numbers."""

    name: Features
    n_features: int
    """F."""
    context_frames: int
    """Frames of the window on either side that a frame's numbers depend on."""
    compute: Callable[[Pose], Tensor]
    """From `Pose` to (B, T, F)."""


def pose_group(name: Features, skeleton: Skeleton) -> PoseGroup:
    """The group of that name for a body."""
    if name == "graph":
        return PoseGroup(
            name=name, n_features=2 * skeleton.n_pose_features, context_frames=0, compute=lambda p: _graph(p, skeleton)
        )
    if name == "motion":
        return PoseGroup(
            name=name,
            n_features=n_motion_features(skeleton),
            context_frames=max(LAGS_N_FRAMES),
            compute=lambda p: _motion(p, skeleton),
        )
    if name == "kinematics":
        return PoseGroup(name=name, n_features=n_kinematics(skeleton), context_frames=0, compute=_kinematics)
    return PoseGroup(
        name=name,
        n_features=N_LIGHT * len(skeleton.paws),
        context_frames=0,
        compute=lambda p: p.light[:, :, list(skeleton.paws)].flatten(2),
    )


def _graph(pose: Pose, skeleton: Skeleton) -> Float[Tensor, "B T F"]:
    """The pose graph's features, and which of them are known."""
    features, known = pose_features(pose.xy_px, pose.visible, body_length_px=pose.body_length_px, skeleton=skeleton)
    return torch.cat([features, known.to(features.dtype)], dim=-1)


def _motion(pose: Pose, skeleton: Skeleton) -> Float[Tensor, "B T F"]:
    """Coordinates and velocities in the body's own frame."""
    return motion_features(
        pose.xy_px, pose.visible, body_length_px=pose.body_length_px, valid=pose.valid, skeleton=skeleton
    )


def _kinematics(pose: Pose) -> Float[Tensor, "B T F"]:
    """What was computed before, over the whole recording."""
    if pose.kinematics is None:
        raise ValueError("model: expected kinematics, got None")
    return pose.kinematics


@final
class PoseStream(nn.Module):
    """One group, standardised by what training saw of it, and projected."""

    def __init__(self, group: PoseGroup, *, out_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.group = group
        self.standardise = RunningStandardise(group.n_features, layer_norm=False)
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(group.n_features, out_dim), nn.GELU())

    def forward(self, pose: Pose) -> Float[Tensor, "B T P"]:
        """Compute the group's numbers and project them."""
        projected: Tensor = self.project(self.standardise(self.group.compute(pose), valid=pose.valid))
        return projected
