"""Options of `nocigram audit`."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import Accelerator


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Everything that `nocigram audit` is told."""

    source: Path
    """Folder of a `crossval` or `compare`, whose models judge the animals that they never saw; or a trained model."""
    annotations: Path
    """Folder of annotation files."""
    videos: Path
    """Folder of the videos."""
    poses: Path | None = None
    """Folder of the DeepLabCut files (default: the videos' folder)."""
    recordings: Path | None = None
    """recordings.csv (default: the one in --annotations or its parent, if there is one)."""
    individual: str | None = None
    """Which animal of a multi-animal pose file."""
    fps: float | None = None
    """Frames per second of recordings without a video (default: as in training)."""
    pictures: int = 40
    """So many rows, those at the top of the table, get a strip of pictures."""
    allow_seen: bool = False
    """Let a trained model judge recordings that it was trained on, too; it has learnt their mistakes."""
    out: Path | None = None
    """Folder for audit.csv and the pictures (default: audit/ in the study's folder or beside the model)."""
    cache_dir: Path | None = None
    """Folder for decoded frames (default: .nocigram beside the videos' folder)."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return self.out or (self.source if self.source.is_dir() else self.source.resolve().parent) / "audit"

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, pictures=(0, None), fps=(0.1, 100_000))
