"""Batches for training and validation, as Lightning asks for them."""

from typing import Any

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from nocigram.data.batches import Batch, Windows, collate
from nocigram.data.sources import Source
from nocigram.data.trial_windows import TrialWindows
from nocigram.training.epochs import EpochPlanner


class WindowBatches(LightningDataModule):
    """New training windows every epoch, the same validation windows always."""

    def __init__(
        self,
        planner: EpochPlanner,
        validation: TrialWindows | None,
        *,
        sources: dict[str, Source],
        batch_size: int,
        num_workers: int,
        pin_memory: bool,
    ) -> None:
        super().__init__()
        self.planner = planner
        self.validation = validation
        self.sources = sources
        self._loading: dict[str, Any] = {
            "batch_size": batch_size,
            "num_workers": num_workers,
            "pin_memory": pin_memory,
            "collate_fn": collate,
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """The windows of the current epoch; each device takes every n-th of them."""
        epoch, rank, n_ranks = 0, 0, 1
        if self.trainer is not None:
            epoch, rank, n_ranks = self.trainer.current_epoch, self.trainer.global_rank, self.trainer.world_size
        windows = self.planner.windows(epoch)
        windows = windows[rank : len(windows) - len(windows) % n_ranks : n_ranks]
        dataset = Windows(windows, sources=self.sources, window_T=self.planner.window_T)
        return DataLoader(dataset, **self._loading)

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """All windows of all validation trials, on every device: each then knows the whole score."""
        if self.validation is None:
            return []
        return DataLoader(self.validation.dataset(), **self._loading)
