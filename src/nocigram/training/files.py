"""Where a run writes."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.core.literals import Approach


@dataclass(frozen=True)
class RunFiles:
    """The files of one run."""

    out: Path
    approach: Approach = "multitask"

    @property
    def best(self) -> Path:
        """The best model."""
        return self.out / f"best_model_{self.approach}.pt"

    @property
    def folder(self) -> Path:
        """Everything else: split, options, metrics.csv, the point to resume from."""
        return self.out / "training"

    @property
    def split(self) -> Path:
        """The trials on both sides."""
        return self.folder / "split.json"

    @property
    def resume(self) -> Path:
        """The point to resume from."""
        return self.folder / "resume.ckpt"

    @property
    def refit_resume(self) -> Path:
        """The point to resume the second training of `--refit` from."""
        return self.folder / "refit_resume.ckpt"

    @property
    def options(self) -> Path:
        """The options of the run."""
        return self.folder / "options.json"
