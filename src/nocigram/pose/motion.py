"""How the body is held and how it moves, in the body's own frame: what the pose graph, frame by frame, can't say.

B batch, T frames, K keypoints.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nocigram.pose.skeleton import MOUSE, Skeleton

LAGS_N_FRAMES = (1, 3)
"""Velocities are differences over this many frames on either side: a shake needs the short one, a step the long one."""
_VELOCITY_SCALE = 10.0
"""Brings velocities, in body lengths a frame, to about the size of coordinates."""


def n_motion_features(skeleton: Skeleton = MOUSE) -> int:
    """Numbers of a frame: coordinates, velocities and speeds of each lag, visibility."""
    return (2 + 3 * len(LAGS_N_FRAMES) + 1) * skeleton.n_keypoints


def motion_features(
    xy_px: Float[Tensor, "B T K 2"],
    visible: Bool[Tensor, "B T K"],
    *,
    body_length_px: Float[Tensor, " B"],
    valid: Bool[Tensor, "B T"],
    skeleton: Skeleton = MOUSE,
) -> Float[Tensor, "B T M"]:
    """Coordinates and velocities of the keypoints, M = `n_motion_features` numbers a frame.

    In order: coordinates along and across the axis from back to front, about the keypoints' mean, in body lengths;
    for each lag the velocity along and across, then the speed of each keypoint; which keypoints are visible. Invariant
    to translation, rotation and scale. A keypoint that is not visible in any frame of the window is 0 throughout, and
    so are all coordinates and velocities in a window in which front or back never is.

    Args:
        xy_px: keypoints, bridged where they are not visible; one that never is may hold anything, NaN included.
        visible: which of them were tracked in the frame itself.
        body_length_px: each recording's body length.
        valid: False for padding; a velocity that would reach into it is 0.
        skeleton: whose front and back are the axis.
    """
    known = (visible & valid[..., None]).any(dim=1, keepdim=True)
    weights = known[..., None].to(xy_px.dtype)
    xy_px = torch.where(known[..., None], xy_px, 0.0)
    centre = (xy_px * weights).sum(dim=2, keepdim=True) / weights.sum(dim=2, keepdim=True).clamp(min=1)
    has_axis = (known[..., skeleton.front] & known[..., skeleton.back])[..., None]
    axis = functional.normalize((xy_px[:, :, skeleton.front] - xy_px[:, :, skeleton.back]) * has_axis, dim=-1)
    turn = torch.stack((axis, torch.stack((-axis[..., 1], axis[..., 0]), dim=-1)), dim=-2)
    length = body_length_px[:, None, None, None]
    parts = [_turned((xy_px - centre) / length, turn) * weights]
    for lag in LAGS_N_FRAMES:
        velocity = _velocity(xy_px / length, valid, lag=lag) * weights * _VELOCITY_SCALE
        parts += [_turned(velocity, turn), torch.linalg.vector_norm(velocity, dim=-1, keepdim=True)]
    parts.append((visible & known)[..., None].to(xy_px.dtype))
    return torch.cat([part.flatten(2) for part in parts], dim=-1)


def _turned(xy: Float[Tensor, "B T K 2"], turn: Float[Tensor, "B T 2 2"]) -> Float[Tensor, "B T K 2"]:
    """Vectors in the frame of the body axis: along it, across it."""
    return torch.einsum("btij,btkj->btki", turn, xy)


def _velocity(xy: Float[Tensor, "B T K 2"], valid: Bool[Tensor, "B T"], *, lag: int) -> Float[Tensor, "B T K 2"]:
    """Central differences per frame; 0 where a neighbour is missing."""
    if xy.shape[1] <= 2 * lag:
        return torch.zeros_like(xy)
    inner = (xy[:, 2 * lag :] - xy[:, : -2 * lag]) / (2 * lag)
    both = (valid[:, 2 * lag :] & valid[:, : -2 * lag])[..., None, None]
    return functional.pad(inner * both, (0, 0, 0, 0, lag, lag))
