"""What each command is told."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from nocigram.config.data import DEFAULT_KP_NAMES, DataOptions, SplitOptions, ViewOptions, WindowOptions
from nocigram.config.labelled import LabelledFolders
from nocigram.config.launch import LaunchOptions
from nocigram.config.learning import (
    AugmentOptions,
    LossOptions,
    MachineOptions,
    MonitorOptions,
    OptimiserOptions,
)
from nocigram.config.limits import out_of_range
from nocigram.config.model import ModelOptions, TreeOptions
from nocigram.config.records import flat
from nocigram.config.scoring import EventOptions
from nocigram.core.errors import Fault
from nocigram.core.files import real_path
from nocigram.core.literals import Accelerator, Approach

ABLATED: Approach = "multitask"
"""The approach whose parts `--ablate` takes away."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Everything that `nocigram train` is told."""

    data: DataOptions
    split: SplitOptions = field(default_factory=SplitOptions)
    view: ViewOptions = field(default_factory=ViewOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    trees: TreeOptions = field(default_factory=TreeOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    monitor: MonitorOptions = field(default_factory=MonitorOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)

    @property
    def out(self) -> Path:
        """Folder of the results."""
        return self.machine.out or real_path(self.data.annotations).parent

    @property
    def is_backbone_frozen(self) -> bool:
        """The backbone stays as it is for the whole run, so its features can be computed once.

        An attention pool learns even then.
        """
        model = self.model
        reads_learnt_features = model.streams == "pose" or model.pool == "attention"
        return model.approach == "multitask" and self.optimiser.is_encoder_frozen and not reads_learnt_features

    @property
    def learns_from_unlabelled(self) -> bool:
        """Recordings with pose and without annotation train the keypoint head."""
        has_keypoint_head = (self.model.approach, self.model.model_type) == ("multitask", "multitask")
        return has_keypoint_head and not self.split.labelled_only

    def faults(self) -> list[Fault]:
        """Every fault of every group."""
        return [fault for group in fields(self) for fault in getattr(self, group.name).faults()]

    def flat(self) -> dict[str, Any]:
        """All flags and their values, plain types only: the `args` of a checkpoint."""
        return flat(self)


@dataclass(frozen=True, kw_only=True)
class FoldOptions:
    """How animals take turns at judging."""

    folds: int | None = None
    """Groups of animals that are held out in turn (default: one animal at a time)."""
    seeds: int = 1
    """Trainings per fold, with seeds from --seed upwards."""
    fold_seed: int = 0
    """Decides how animals are grouped, where there is a choice."""
    boundary_tolerance: int = 0
    """Labelled frames within so many of a change of action don't count in scores of frames; bouts keep all theirs."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, folds=(2, None), seeds=(1, None), fold_seed=(0, None), boundary_tolerance=(0, None))


@dataclass(frozen=True, kw_only=True)
class CrossvalOptions:
    """Everything that `nocigram crossval` is told: the options of training, and how to hold out animals."""

    train: TrainOptions
    folding: FoldOptions = field(default_factory=FoldOptions)
    events: EventOptions = field(default_factory=EventOptions)
    launch: LaunchOptions = field(default_factory=LaunchOptions)

    @property
    def out(self) -> Path:
        """Folder of the results."""
        return self.train.machine.out or real_path(self.train.data.annotations).parent / "crossval"

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = [*self.train.faults(), *self.folding.faults(), *self.events.faults(), *self.launch.faults()]
        split, machine = self.train.split, self.train.machine
        meaningless = {
            "--split": (split.split, "no split, since folds are made of animals"),
            "--split_by": (
                None if split.split_by == "animal" else split.split_by,
                "animal, since folds are made of them",
            ),
            "--resume": (machine.resume or None, "no such flag, since what is finished is never trained again"),
        }
        return faults + [
            Fault(where=flag, expected=expected, got=str(got), fix="Leave it out.")
            for flag, (got, expected) in meaningless.items()
            if got is not None
        ]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Everything that `nocigram compare` is told."""

    data: DataOptions
    approaches: str = "all"
    """Approaches to compare, comma-separated, or 'all'."""
    ablate: bool = False
    """Add rows of the multitask approach without one of its parts each; those that it doesn't have are left out."""
    overrides: Path | None = None
    """YAML file: approach -> flags of its training that differ from its defaults; 'all' stands for every approach."""
    val_share: float = 0.2
    """Share of the training side's labelled frames that chooses epochs, thresholds and smoothing, about."""
    test_animals: str | None = None
    """Animals that are kept out for good, comma-separated: they are in no fold."""
    seed: int = 0
    """First seed of the trainings."""
    preset: str | None = None
    """Name of a set of flags for every approach, such as 'cpu'."""
    out: Path | None = None
    """Folder of the results (default: compare/ beside --annotations)."""
    cache_dir: Path | None = None
    """Folder for decoded frames and features (default: .nocigram beside the videos' folder)."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""
    folding: FoldOptions = field(default_factory=FoldOptions)
    launch: LaunchOptions = field(default_factory=LaunchOptions)

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return self.out or real_path(self.data.annotations).parent / "compare"

    @property
    def approach_names(self) -> tuple[Approach, ...]:
        """`approaches` as a tuple, in the order of the table."""
        named = {name.strip() for name in self.approaches.split(",")}
        if self.ablate:
            named.add(ABLATED)
        return tuple(name for name in get_args(Approach) if name in named or "all" in named)

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = [*self.data.faults(), *self.folding.faults(), *self.launch.faults()]
        known = get_args(Approach)
        unknown = sorted({name.strip() for name in self.approaches.split(",")} - {*known, "all"})
        if unknown:
            expected = f"'all' or names among {', '.join(known)}"
            faults.append(Fault(where="--approaches", expected=expected, got=", ".join(unknown), fix="Correct them."))
        return faults + out_of_range(self, val_share=(0.01, 0.9), seed=(0, None))


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Everything that `nocigram check` is told."""

    videos: Path
    """Folder of the videos; their pose files lie beside them unless --poses is given."""
    annotations: Path | None = None
    """Folder of annotation files (default: the videos' folder, and it is no fault if there are none)."""
    poses: Path | None = None
    """Folder of the DeepLabCut files (default: the videos' folder)."""
    recordings: Path | None = None
    """recordings.csv (default: the one in --annotations or its parent, if there is one)."""
    actions: Path | None = None
    """YAML file with names, merges and ignore (default: the eight actions of the guide, merged to six)."""
    individual: str | None = None
    """Which animal of a multi-animal pose file."""
    kp_names: str = DEFAULT_KP_NAMES
    """The six keypoints as named in the pose files, comma-separated, in the order of train."""
    skeleton: Path | None = None
    """YAML file of another body (default: the mouse of --kp_names)."""
    fps: float | None = None
    """Frames per second of recordings that have a pose file and no video (default: none can be used)."""
    kp_likelihood_thr: float = 0.9
    """A keypoint is visible where its likelihood is at least this."""
    min_frames: int = 345
    """Trials with fewer rows are skipped."""
    split: Path | None = None
    """A split to look through, such as the split.json of a run."""
    quick: bool = False
    """Decode no video: look at headers and tables only."""
    json: Path | None = None
    """File to write everything to as JSON."""
    out: Path | None = None
    """Folder to write check.json and the figures to."""

    @property
    def data(self) -> DataOptions:
        """Where the data are and how to read them."""
        shared = {entry.name: getattr(self, entry.name) for entry in fields(DataOptions)}
        return DataOptions(**shared | {"annotations": self.annotations or self.videos})

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
    labelled: LabelledFolders
    split: str = "auto"
    """'test': the trials that --test_animals kept out of the training; 'val': the checkpoint's validation trials;
    'all': every trial; 'auto': 'val' where the checkpoint's validation recordings are in the folder, else 'all'; or a
    split file, of which the validation part is taken."""
    allow_seen: bool = False
    """Score recordings that trained the model, too; all results are stamped with their names."""
    boundary_tolerance: int = 0
    """Labelled frames within so many of a change of action don't count in scores of frames; bouts keep all theirs."""
    out: Path | None = None
    """Folder for metrics.json and the figures (default: evaluation/ beside the checkpoint)."""
    accelerator: Accelerator = "auto"
    """Device to compute on."""
    events: EventOptions = field(default_factory=EventOptions)

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        own = out_of_range(self, boundary_tolerance=(0, None))
        return [*self.labelled.faults(), *self.events.faults(), *own]


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Everything that `nocigram predict` is told."""

    checkpoint: Path
    """A trained model, best_model_multitask.pt."""
    videos: list[Path]
    """Videos, or folders of them; for a model that needs no video also pose files."""
    fps: float | None = None
    """Frames per second of recordings without a video (default: as in training)."""
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
