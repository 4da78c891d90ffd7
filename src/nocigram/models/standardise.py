"""Bring features to zero mean and unit deviation, by statistics gathered while training.

B batch, T frames, D width of a feature vector.
"""

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


@final
class RunningStandardise(nn.Module):
    """Standardise each dimension by its running mean and deviation; then, if asked for, layer-normalise each frame.

    What frames of one arena have in common fills most of an encoder's feature vector, and the animal's posture little
    of it; a layer norm alone would keep that proportion. Unlike a batch norm it normalises by the running statistics
    in training too, so that a batch of two windows will do and no frame depends on the others of its batch. The
    statistics are the plain average over the first `1 / floor` batches and then forget slowly, as the backbone learns.
    """

    mean: Tensor
    variance: Tensor
    n_batches: Tensor

    def __init__(self, width: int, *, layer_norm: bool = True, floor: float = 0.01) -> None:
        super().__init__()
        self.floor = floor
        self.norm = nn.LayerNorm(width) if layer_norm else nn.Identity()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.float32))

    def forward(self, features: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Standardised features; frames that are not `valid` don't enter the statistics."""
        if self.training:
            self._gather(features.detach(), valid)
        # a floor under the deviation: a dimension that never moved must not blow up noise
        deviation = (self.variance + 1e-2 * self.variance.mean() + 1e-8).sqrt()
        normed: Tensor = self.norm((features - self.mean) / deviation)
        return normed

    @torch.no_grad()
    def _gather(self, features: Float[Tensor, "B T D"], valid: Bool[Tensor, "B T"]) -> None:
        rows = features[valid].float()
        if len(rows) < 2:
            return
        share = (1 / (self.n_batches + 1)).clamp(min=self.floor)
        difference = rows.mean(0) - self.mean
        # law of total variance: within the batch, within what was seen, and between the two
        spread = share * rows.var(0, correction=0) + (1 - share) * self.variance
        between = share * (1 - share) * difference.square()
        self.variance.copy_(torch.where(self.n_batches > 0, spread + between, rows.var(0, correction=0)))
        self.mean.add_(share * difference)
        self.n_batches.add_(1)
