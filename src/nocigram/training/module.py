"""The Lightning module: a model, its loss, its augmentation, and what is frozen when."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nocigram.data.batches import Batch
from nocigram.models.backbones import Backbone
from nocigram.training.augment import Augmentation
from nocigram.training.losses import MultitaskLoss
from nocigram.training.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """When the backbone learns, and how much of it."""

    n_epochs: int
    """Epochs at the start in which its encoder stays as it is, in eval mode."""
    last_blocks: int | None
    """Blocks that learn afterwards, counted from the end; None: the whole of it."""


class ActionModule(LightningModule):
    """Trains a model. Knows nothing of files: batches in, losses and predictions out.

    A step draws from the seed and the numbers of its epoch and batch alone, so that a run that was stopped and
    continued draws the same numbers as one that wasn't.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        loss: MultitaskLoss,
        augmentation: Augmentation,
        schedule: Schedule,
        freeze: Freeze,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.augmentation = augmentation
        self.schedule = schedule
        self.freeze_plan = freeze
        self.seed = seed

    @property
    def backbone(self) -> Backbone | None:
        """The model's backbone; None where it reads no pixels or works on cached features."""
        backbone = getattr(self.model, "backbone", None)
        return backbone if isinstance(backbone, Backbone) else None

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up, then cosine or plateau."""
        return self.schedule.configure(self.model, self.backbone)

    def on_train_epoch_start(self) -> None:
        """Freeze or unfreeze the backbone."""
        if self.backbone is not None:
            set_learning(self.backbone, freeze=self.freeze_plan, epoch=self.current_epoch)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed the step's dropout; raise the learning rate where the scheduler doesn't do it by itself."""
        # every step, not once an epoch: Lightning makes the loader's iterator, which draws a number, at another moment
        # in a run that it continues
        torch.manual_seed(self._seed_of(self.current_epoch, 2 * batch_idx))
        optimizer = self.optimizers()
        if not isinstance(optimizer, list):
            self.schedule.warm_up(optimizer.optimizer, step=self.global_step)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """Loss of a batch."""
        generator = torch.Generator().manual_seed(self._seed_of(self.current_epoch, 2 * batch_idx + 1))
        batch = self.augmentation(batch, generator=generator)
        terms = self.loss(self.model(**batch.inputs()), batch)
        logged = {f"train/{name}": value.detach() for name, value in terms.items()}
        self.log_dict(logged, on_step=False, on_epoch=True, batch_size=len(batch.index))
        return {name: value if name == "loss" else value.detach() for name, value in terms.items()}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor | None]:
        """Predictions of a batch of windows, for whoever stitches them."""
        output = self.model(**batch.inputs())
        terms = self.loss(output, batch)
        self.log("val/loss", terms["loss"], on_step=False, on_epoch=True, batch_size=len(batch.index))
        probabilities: Float[Tensor, "B T C"] = output.action_logits.float().softmax(dim=-1)
        return {"probabilities": probabilities, "keypoints": output.keypoints, "loss": terms["loss"]}

    def _seed_of(self, epoch: int, step: int) -> int:
        """A seed of its own for each step of each epoch on each device."""
        mixed = torch.tensor([self.seed, epoch, step, self.global_rank], dtype=torch.int64)
        multipliers = torch.tensor([1_000_003, 998_244_353, 19_260_817, 104_729], dtype=torch.int64)
        return int((mixed * multipliers).sum().item() % (2**63 - 1))


def set_learning(backbone: Backbone, *, freeze: Freeze, epoch: int) -> None:
    """Put the frozen part of a backbone into eval mode without gradients, the rest into training mode.

    What begins untrained learns in every epoch.
    """
    backbone.requires_grad_(False).eval()
    for module in backbone.untrained():
        module.requires_grad_(True).train()
    if epoch < freeze.n_epochs:
        return
    if freeze.last_blocks is None:
        backbone.requires_grad_(True).train()
        return
    blocks = backbone.blocks()
    for block in blocks[max(0, len(blocks) - freeze.last_blocks) :]:
        block.requires_grad_(True).train()
    if backbone.keeps_batch_statistics:
        for module in backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
