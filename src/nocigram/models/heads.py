"""Heads: from a frame's features to what is asked of it.

B batch, T frames, H width of the features, C actions, K keypoints.
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class ActionHead(nn.Module):
    """One logit per action and frame."""

    def __init__(self, in_dim: int, *, n_actions: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_dim, n_actions)

    def forward(self, hidden: Float[Tensor, "B T H"]) -> Float[Tensor, "B T C"]:
        """Logits, in the order of the scheme's classes."""
        logits: Tensor = self.linear(self.dropout(hidden))
        return logits


@final
class KeypointHead(nn.Module):
    """Coordinates of each keypoint relative to the square that the backbone sees.

    Unconstrained rather than through a sigmoid: a paw may lie outside of a square that follows the animal, and a
    sigmoid's gradient fades towards the borders, where paws often are. It begins at the middle of the square.
    """

    def __init__(self, in_dim: int, *, n_keypoints: int) -> None:
        super().__init__()
        self.n_keypoints = n_keypoints
        self.linear = nn.Linear(in_dim, 2 * n_keypoints)
        nn.init.constant_(self.linear.bias, 0.5)

    def forward(self, hidden: Float[Tensor, "B T H"]) -> Float[Tensor, "B T K 2"]:
        """x, y of each keypoint; [0, 1] is inside the square."""
        flat: Tensor = self.linear(hidden)
        return torch.unflatten(flat, -1, (self.n_keypoints, 2))
