"""Learning rates over a run, and which parameters learn."""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from nocigram.core.literals import Scheduler
from nocigram.models.backbones import Backbone

PLATEAU_PATIENCE = 4
"""Epochs without a better macro F1 before the learning rate halves."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How an optimizer is set up."""

    lr: float
    weight_decay: float
    backbone_lr_factor: float
    scheduler: Scheduler
    n_warmup_steps: int
    n_steps: int
    """Optimizer steps of the whole run."""

    def factor(self, step: int) -> float:
        """Learning rate of a step relative to `lr`; above 0 at every step, the first and the last included."""
        if step < self.n_warmup_steps:
            return (step + 1) / (self.n_warmup_steps + 1)
        if self.scheduler == "plateau":
            return 1.0
        n_falling = max(1, self.n_steps - self.n_warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(step - self.n_warmup_steps, n_falling - 1) / n_falling))

    def configure(self, model: nn.Module, backbone: Backbone | None) -> dict[str, Any]:
        """Optimizer and scheduler as Lightning takes them."""
        optimizer = AdamW(_parameter_groups(model, backbone, schedule=self), lr=self.lr)
        if self.scheduler == "cosine":
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": LambdaLR(optimizer, lambda step: self.factor(step)), "interval": "step"},
            }
        plateau = ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=PLATEAU_PATIENCE)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": plateau, "interval": "epoch", "monitor": "val/macro_f1"},
        }

    def warm_up(self, optimizer: Optimizer, *, step: int) -> None:
        """Raise the learning rate before a plateau scheduler takes over; cosine does it by itself."""
        if self.scheduler == "plateau" and step <= self.n_warmup_steps:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * self.factor(step)


def _parameter_groups(model: nn.Module, backbone: Backbone | None, *, schedule: Schedule) -> list[dict[str, Any]]:
    """Backbone and rest, each with and without weight decay: biases and norms have none.

    What begins untrained within a backbone belongs to the rest.
    """
    in_backbone = {id(parameter) for parameter in backbone.parameters()} if backbone is not None else set()
    if backbone is not None:
        in_backbone -= {id(parameter) for module in backbone.untrained() for parameter in module.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault((id(parameter) in in_backbone, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": schedule.lr * (schedule.backbone_lr_factor if is_backbone else 1.0),
            "initial_lr": schedule.lr * (schedule.backbone_lr_factor if is_backbone else 1.0),
            "weight_decay": schedule.weight_decay if decays else 0.0,
        }
        for (is_backbone, decays), parameters in groups.items()
    ]
