"""What happens around the training loop: the point to resume from, the bar."""

from pathlib import Path

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm

from nocigram.core.files import written_whole


class ResumePoint(Checkpoint):
    """Keeps what is needed to go on after a stop: before the first epoch, then after every one.

    A run continues at the start of the epoch in which it was stopped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """So that a run that is stopped in its first epoch can be continued too."""
        if trainer.current_epoch == 0 and trainer.global_step == 0:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """After validation, when early stopping and the best score know of this epoch."""
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        """Every process takes part; one writes."""
        with written_whole(self.path) as temporary:
            trainer.save_checkpoint(temporary)


class ProgressBar(TQDMProgressBar):
    """The guide's words before the bars."""

    def init_train_tqdm(self) -> Tqdm:
        """The bar over training batches."""
        bar = super().init_train_tqdm()
        bar.set_description_str("Training")
        return bar

    def init_validation_tqdm(self) -> Tqdm:
        """The bar over validation batches."""
        bar = super().init_validation_tqdm()
        bar.set_description_str("Validation")
        return bar
