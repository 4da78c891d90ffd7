"""Groups of numbers that models read of keypoints, by the names of `--features`.

B batch, T frames, K keypoints, L light numbers, F features, P width of the projection.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.core.errors import InputError
from nocigram.core.literals import Features
from nocigram.models.approaches.base import all_valid
from nocigram.models.standardise import RunningStandardise
from nocigram.pose.features import pose_features
from nocigram.pose.kinematics import n_kinematics
from nocigram.pose.light import N_LIGHT
from nocigram.pose.light_features import LIGHT_LAGS_N_FRAMES, light_features, n_light_features
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

    @classmethod
    def of(
        cls,
        xy_px: Float[Tensor, "B T K 2"] | None,
        visible: Bool[Tensor, "B T K"] | None,
        *,
        light: Float[Tensor, "B T K L"] | None,
        kinematics: Float[Tensor, "B T F"] | None,
        body_length_px: Float[Tensor, " B"] | None,
        valid: Bool[Tensor, "B T"] | None,
    ) -> "Pose":
        """From the arguments of a model; light that nobody gave is unknown.

        Raises:
            ValueError: keypoints are missing.
        """
        if xy_px is None or visible is None or body_length_px is None:
            raise ValueError("model: expected xy_px, visible and body_length_px, got None")
        return cls(
            xy_px=xy_px,
            visible=visible,
            light=xy_px.new_zeros((*visible.shape, N_LIGHT)) if light is None else light,
            body_length_px=body_length_px,
            valid=all_valid(xy_px) if valid is None else valid,
            kinematics=kinematics,
        )


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


def pose_groups(names: Sequence[Features], skeleton: Skeleton) -> tuple[PoseGroup, ...]:
    """The groups of those names that a body has: one without paws has no light at them.

    Raises:
        InputError: it has none of them.
    """
    groups = tuple(_group(name, skeleton) for name in names if name != "light" or skeleton.paws)
    if not groups:
        raise InputError(
            "--features: expected something to read of the keypoints, got nothing: light needs paws, and a model that "
            "reads pixels. Name 'pose' as well."
        )
    return groups


def numbers_of(groups: Sequence[PoseGroup], pose: Pose) -> Float[Tensor, "B T F"]:
    """All numbers of several groups side by side."""
    return torch.cat([group.compute(pose) for group in groups], dim=-1)


def _group(name: Features, skeleton: Skeleton) -> PoseGroup:
    """One group for a body."""
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
        n_features=n_light_features(skeleton),
        context_frames=max(LIGHT_LAGS_N_FRAMES),
        compute=lambda p: light_features(p.light, p.valid, skeleton),
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
