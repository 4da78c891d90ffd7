"""What every approach's model returns.

B batch, T frames, C actions, K keypoints.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ModelOutput:
    """Predictions of one batch of windows."""

    action_logits: Float[Tensor, "B T C"]
    keypoints: Float[Tensor, "B T K 2"] | None
    """x, y relative to the square that the backbone sees: 0 its left or upper edge, 1 its right or lower one; a
    keypoint outside of the square lies outside of [0, 1]. None without a keypoint head."""
    trained_logits: tuple[Float[Tensor, "B T C"], ...] = ()
    """Logits whose losses are averaged: those of every stage of the temporal head, or of every member of a model that
    averages. Empty: `action_logits` alone."""
