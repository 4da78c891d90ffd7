"""The pose graph as numbers of each frame, 18 for the guide's mouse: 8 lengths in body lengths, 10 angles in radians.

B batch, T frames, K keypoints, L lengths, A angles, F features: all of them.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nocigram.pose.skeleton import MOUSE, Skeleton

_SHORTEST_ARM = 1e-6
"""Arms below this many body lengths have no direction, so the angle between them is unknown."""


def pose_features(
    xy_px: Float[Tensor, "*B T K 2"],
    visible: Bool[Tensor, "*B T K"],
    *,
    body_length_px: Float[Tensor, "*B"],
    skeleton: Skeleton = MOUSE,
) -> tuple[Float[Tensor, "*B T F"], Bool[Tensor, "*B T F"]]:
    """Pose features, and which of them are known.

    Invariant to translation, rotation and scale. Angles are unsigned, in [0, pi]: a mirrored mouse with left and right
    keypoints swapped (`--aug_hflip`) then has the same numbers with left and right swapped, a view from below
    and one from above agree, and no angle jumps between -pi and pi. A feature that needs an invisible keypoint, or an
    angle with an arm of no length, is 0 and not known; gradients there are 0, never NaN.

    The guide's eighth length, mouth to centroid, needs all keypoints: the centroid of those that happen to be
    visible moves when one drops out, which a model can't tell from a movement.

    Args:
        xy_px: keypoints in pixels, in the order of the skeleton; what is not visible may hold anything, NaN included.
        visible: which keypoints can be believed.
        body_length_px: the recording's `body_length_px`, above 0.
        skeleton: says which lengths and angles; for the guide's mouse they are in the order of `FEATURE_NAMES`.

    Returns:
        Lengths in body lengths, then angles in radians; and which are known.
    """
    xy = torch.where(visible[..., None], xy_px, 0.0) / body_length_px[..., None, None, None]
    lengths, lengths_known = _lengths(xy, visible, skeleton)
    angles, angles_known = _angles(xy, visible, skeleton)
    known = torch.cat((lengths_known, angles_known), dim=-1)
    return torch.cat((lengths, angles), dim=-1).masked_fill(~known, 0.0), known


def _lengths(
    xy: Float[Tensor, "*B T K 2"], visible: Bool[Tensor, "*B T K"], skeleton: Skeleton
) -> tuple[Float[Tensor, "*B T L"], Bool[Tensor, "*B T L"]]:
    """The edges between keypoints, then front to centroid; the unit is that of `xy`."""
    start, end = torch.tensor(skeleton.edges, dtype=torch.long, device=xy.device).view(-1, 2).unbind(dim=-1)
    to_centroid = xy.mean(dim=-2) - xy[..., skeleton.front, :]
    edges = torch.cat((xy[..., end, :] - xy[..., start, :], to_centroid[..., None, :]), dim=-2)
    known = torch.cat((visible[..., start] & visible[..., end], visible.all(dim=-1, keepdim=True)), dim=-1)
    return torch.linalg.vector_norm(edges, dim=-1), known  # its gradient at 0 is 0


def _angles(
    xy: Float[Tensor, "*B T K 2"], visible: Bool[Tensor, "*B T K"], skeleton: Skeleton
) -> tuple[Float[Tensor, "*B T A"], Bool[Tensor, "*B T A"]]:
    """Angles in [0, pi] between the two arms at each vertex: atan2(|cross|, dot)."""
    vertex, first, second = torch.tensor(skeleton.angles, dtype=torch.long, device=xy.device).view(-1, 3).unbind(-1)
    a, b = xy[..., first, :] - xy[..., vertex, :], xy[..., second, :] - xy[..., vertex, :]
    long_enough = (a.square().sum(dim=-1) > _SHORTEST_ARM**2) & (b.square().sum(dim=-1) > _SHORTEST_ARM**2)
    known = visible[..., vertex] & visible[..., first] & visible[..., second] & long_enough
    cross = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).abs()
    dot = (a * b).sum(dim=-1)
    # atan2(0, 0) has a NaN gradient even where its value is masked afterwards, so what is unknown never gets there.
    return torch.atan2(torch.where(known, cross, 0.0), torch.where(known, dot, 1.0)), known


def body_length_px(
    xy_px: Float[np.ndarray, "T K 2"], visible: Bool[np.ndarray, "T K"], *, skeleton: Skeleton = MOUSE
) -> float:
    """A recording's body length in pixels: the median distance from front to back, robust to swaps and jumps.

    Where these two are never visible together, it is the median over frames of the largest distance between visible
    keypoints, and 1.0 where no frame has two (every feature is unknown then).
    """
    xy = np.where(visible[..., None], xy_px, np.nan).astype(np.float64)
    straight = np.linalg.norm(xy[:, skeleton.front] - xy[:, skeleton.back], axis=-1)
    length = float(np.nanmedian(straight)) if np.isfinite(straight).any() else _median_extent_px(xy)
    return length if length > 0 else 1.0


def _median_extent_px(xy: Float[np.ndarray, "T K 2"]) -> float:
    """Median over frames of the largest distance between two visible keypoints; 0 where no frame has two."""
    distances = np.linalg.norm(xy[:, :, None] - xy[:, None, :], axis=-1)
    extents = np.where(np.isfinite(distances), distances, 0.0).max(axis=(1, 2), initial=0.0)
    return float(np.median(extents[extents > 0])) if (extents > 0).any() else 0.0
