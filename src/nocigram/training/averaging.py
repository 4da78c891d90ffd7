"""Exponential moving average of weights and buffers, by Lightning's weight-averaging callback."""

from collections.abc import Mapping

import torch
from jaxtyping import Shaped
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn


class MovingAverage(WeightAveraging):
    """Averages after every step; validation sees the average.

    The decay rises to `decay` over the first steps, as (1 + n) / (10 + n), so that a short run isn't judged by its
    first weights (as in TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, *, decay: float) -> None:
        self.decay = decay
        super().__init__(use_buffers=True, avg_fn=self._averaged)

    def raw_state_dict(self, model_name: str) -> Mapping[str, Tensor]:
        """The weights that are not in use during validation: those of training.

        Args:
            model_name: the attribute of the Lightning module that is averaged and kept.
        """
        if self._average_model is None:
            raise RuntimeError("MovingAverage: expected to be asked during a run")
        kept: nn.Module = getattr(self._average_model.module, model_name)
        return kept.state_dict()

    def _averaged(
        self, average: Shaped[Tensor, "..."], current: Shaped[Tensor, "..."], n_averaged: Tensor | int
    ) -> Shaped[Tensor, "..."]:
        """One step of the average; counters such as batch norm's are taken as they are."""
        if not torch.is_floating_point(average):
            return current
        n = float(n_averaged)
        decay = min(self.decay, (1 + n) / (10 + n))
        return average.lerp(current, 1 - decay)
