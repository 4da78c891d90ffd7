"""Options of `nocigram audit`."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.labelled import LabelledFolders
from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.files import real_path
from nocigram.core.literals import Accelerator


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Everything that `nocigram audit` is told."""

    source: Path
    """Folder of a `crossval` or `compare`, whose models judge the animals that they never saw; or a trained model."""
    labelled: LabelledFolders
    pictures: int = 40
    """So many rows, those at the top of the table, get a strip of pictures."""
    allow_seen: bool = False
    """Let a trained model judge recordings that it was trained on, too; it has learnt their mistakes."""
    out: Path | None = None
    """Folder for audit.csv and the pictures (default: audit/ in the study's folder or beside the model)."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return self.out or (self.source if self.source.is_dir() else real_path(self.source).parent) / "audit"

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return [*self.labelled.faults(), *out_of_range(self, pictures=(0, None))]
