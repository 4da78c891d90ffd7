"""What each command is told."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nocigram.config.data import DataOptions, SplitOptions, ViewOptions, WindowOptions
from nocigram.config.learning import (
    AugmentOptions,
    LossOptions,
    MachineOptions,
    ModelOptions,
    MonitorOptions,
    OptimiserOptions,
)
from nocigram.config.limits import out_of_range
from nocigram.config.records import flat
from nocigram.core.errors import Fault
from nocigram.core.literals import Accelerator


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Everything that `nocigram train` is told."""

    data: DataOptions
    split: SplitOptions = field(default_factory=SplitOptions)
    view: ViewOptions = field(default_factory=ViewOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    monitor: MonitorOptions = field(default_factory=MonitorOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)

    @property
    def out(self) -> Path:
        """Folder of the results."""
        return self.machine.out or self.data.annotations.resolve().parent

    @property
    def is_backbone_frozen(self) -> bool:
        """The backbone stays as it is for the whole run, so its features can be computed once.

        An attention pool learns even then.
        """
        reads_learnt_features = self.model.streams == "pose" or self.model.pool == "attention"
        return self.optimiser.is_encoder_frozen and not reads_learnt_features

    def faults(self) -> list[Fault]:
        """Every fault of every group."""
        return [fault for group in fields(self) for fault in getattr(self, group.name).faults()]

    def flat(self) -> dict[str, Any]:
        """All flags and their values, plain types only: the `args` of a checkpoint."""
        return flat(self)


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Everything that `nocigram check` is told."""

    data: DataOptions

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return self.data.faults()


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """Everything that `nocigram simulate` is told."""

    folder: Path
    """Folder to write Videos/, Annotations/ and recordings.csv to."""
    animals: int = 6
    """Number of animals, one recording each."""
    trials: int = 3
    """Trials of 360 frames in each recording."""
    seed: int = 0
    """Same seed, same bytes."""
    unlabelled: int = 0
    """Further recordings with pose but without annotation."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, animals=(1, None), trials=(1, None), seed=(0, None), unlabelled=(0, None))


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Everything that `nocigram evaluate` is told."""

    checkpoint: Path
    """A trained model, best_model_multitask.pt."""
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
    split: str = "auto"
    """'val': the checkpoint's validation trials; 'all': every trial; 'auto': 'val' where the checkpoint's
    validation recordings are in the folder, else 'all'; or a split file, of which the validation part is taken."""
    out: Path | None = None
    """Folder for metrics.json and the figures (default: evaluation/ beside the checkpoint)."""
    cache_dir: Path | None = None
    """Folder for decoded frames (default: .nocigram beside the videos' folder)."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Everything that `nocigram predict` is told."""

    checkpoint: Path
    """A trained model, best_model_multitask.pt."""
    videos: list[Path]
    """Videos, or folders of them."""
    poses: Path | None = None
    """Folder of the DeepLabCut files (default: beside each video)."""
    individual: str | None = None
    """Which animal of a multi-animal pose file."""
    out: Path = Path("predictions")
    """Folder for one csv per recording."""
    overwrite: bool = False
    """Predict again what is there already."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""
