"""What happens around the training loop: the point to resume from and its file, the bar."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm
from lightning.pytorch.plugins.io import TorchCheckpointIO

from nocigram.models.tensor_file import write_tensors


class ResumePoint(Checkpoint):
    """Keeps, at the start of every epoch, what is needed to go on from there.

    Not at the end: a plateau scheduler learns of an epoch's score only after Lightning's last hook of that epoch.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Every process takes part; one writes."""
        # Lightning takes the first epoch of a continued run for the rest of the one before: it would not train on a
        # window of it, nor tell the plateau scheduler
        trainer.fit_loop.restarting = False
        trainer.save_checkpoint(self.path)


class WholeFiles(TorchCheckpointIO):
    """Lightning's own files whole or not at all, as all others."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Called in the process that writes; there are no options of storage for a local file."""
        write_tensors(Path(path), checkpoint)


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
