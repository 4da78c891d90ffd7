"""Labelled recordings that a trained model is asked about."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault


@dataclass(frozen=True, kw_only=True)
class LabelledFolders:
    """Where the labelled recordings are; the rest of how to read them is as in the training of the model."""

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
    cache_dir: Path | None = None
    """Folder for decoded frames (default: .nocigram beside the videos' folder)."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, fps=(0.1, 100_000))
