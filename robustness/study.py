"""A small simulated study that is healthy, and copies of it to be spoilt."""

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nocigram.simulation import simulate
from robustness.running import run

COMMANDS = ("check", "train", "predict", "evaluate")
ANIMALS = "abc"
"""Short names of the study's recordings, one animal each, in the order of their names."""
TRIALS = (1, 2)
DEVICE = ("--accelerator", "cpu")
TINY = (
    *("--train_T", "60", "--val_T", "60", "--batch_size", "8", "--epochs", "1", "--warmup_epochs", "0"),
    *("--encoder_name", "test_vit", "--encoder_weights", "none", "--img_size", "32", "--hidden_dim", "16"),
    *("--freeze_backbone_epochs", "1", "--rare_boost_cap", "2", "--precision", "32", *DEVICE),
)
"""A training of half a second, from pixels and pose."""
TREES = ("--approach", "pose_trees", "--trees", "2", "--tree_depth", "2", *DEVICE)


@dataclass(kw_only=True)
class Study:
    """A copy of the healthy study, with the commands that are to be run on it. Cases change it in place."""

    place: Path
    """Folder of the copy and of all that commands write."""
    names: dict[str, str]
    """Short name -> name of the recording."""
    checkpoint: Path
    """Of a model that reads pixels and pose; trained on other animals."""
    trees: Path
    """Of one that reads pose alone."""
    cache: Path
    """Shared by all copies: its files are known by their content."""
    folders: dict[str, Path] = field(default_factory=dict)
    """Flag -> folder, given to every command."""
    flags: dict[str, list[str]] = field(default_factory=dict)
    """Command -> further flags."""
    out: Path = Path()
    """Folder of what commands write."""
    around: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    """What holds while a command runs, such as a limit."""
    undo: list[Callable[[], object]] = field(default_factory=list)
    """What has to be done before the copy can be removed."""

    def __post_init__(self) -> None:
        self.folders = self.folders or {"annotations": self.folder / "Annotations", "videos": self.folder / "Videos"}
        self.out = self.place / "out"

    def restore(self) -> None:
        """Undo what would hinder the removal of the copy."""
        while self.undo:
            self.undo.pop()()

    @property
    def folder(self) -> Path:
        """The copy."""
        return self.place / "study"

    @property
    def table(self) -> Path:
        """recordings.csv."""
        return self.folder / "recordings.csv"

    def video(self, animal: str) -> Path:
        """A recording's video."""
        return self.folder / "Videos" / f"{self.names[animal]}.mp4"

    def pose(self, animal: str) -> Path:
        """A recording's pose file."""
        return next(path for path in self.video(animal).parent.glob("*.csv") if self.names[animal] in path.name)

    def annotation(self, animal: str, trial: int) -> Path:
        """A trial's labels."""
        return self.folder / "Annotations" / f"prediction_{self.names[animal]}.mp4_{trial}.csv"

    def files_of(self, animal: str) -> list[Path]:
        """Everything that bears a recording's name."""
        return [path for path in sorted(self.folder.rglob("*")) if self.names[animal] in path.name]

    def arguments(self, command: str) -> list[str]:
        """A command of this study."""
        folders = [word for flag, path in self.folders.items() for word in (f"--{flag}", str(path))]
        more = self.flags.get(command, [])
        cache, out = ["--cache_dir", str(self.cache)], ["--out", str(self.out / command)]
        if command == "check":
            return ["check", *folders, *more]
        if command == "train":
            return ["train", *folders, *cache, *out, *TINY, *more]
        if command == "evaluate":
            return ["evaluate", str(self.checkpoint), *folders, *cache, *out, "--split", "all", *DEVICE, *more]
        poses = ["--poses", str(self.folders["poses"])] if "poses" in self.folders else []
        return ["predict", str(self.checkpoint), str(self.folders["videos"]), *poses, *out, *DEVICE, *more]


@dataclass(frozen=True, kw_only=True)
class Healthy:
    """The study, two models that were trained on another one, and a cache."""

    place: Path
    names: dict[str, str]

    @classmethod
    def made(cls, place: Path) -> "Healthy":
        """Simulate and train, quietly; takes some ten seconds."""
        for name, seed in (("healthy", 0), ("others", 1)):
            simulate(place / name, n_animals=len(ANIMALS), n_trials=len(TRIALS), seed=seed, size_px=96)
        others = ["--annotations", str(place / "others/Annotations"), "--videos", str(place / "others/Videos")]
        for flags in (TINY, TREES):
            ran = run(["train", *others, "--cache_dir", str(place / "cache"), "--out", str(place / "models"), *flags])
            if ran.status != 0:
                raise RuntimeError(f"robustness: the healthy study can't be trained on:\n{ran.text}")
        return cls.at(place)

    @classmethod
    def at(cls, place: Path) -> "Healthy":
        """The one that was made before."""
        videos = sorted((place / "healthy/Videos").glob("*.mp4"))
        return cls(place=place, names={short: video.stem for short, video in zip(ANIMALS, videos, strict=True)})

    def copied(self, place: Path) -> Study:
        """A copy to be spoilt, with copies of the models."""
        shutil.copytree(self.place / "healthy", place / "study")
        shutil.copytree(self.place / "models", place / "models", ignore=shutil.ignore_patterns("training"))
        return Study(
            place=place,
            names=dict(self.names),
            checkpoint=place / "models/best_model_multitask.pt",
            trees=place / "models/best_model_pose_trees.pt",
            cache=self.place / "cache",
        )
