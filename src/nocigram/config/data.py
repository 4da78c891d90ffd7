"""Options about the data: where they are, how they are split, what the model is shown of them."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import Crop, SplitBy

DEFAULT_KP_NAMES = "mouth,tail_base,L_frontpaw,R_frontpaw,L_hindpaw,R_hindpaw"


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Where the data are and how to read them."""

    annotations: Path
    """Folder of annotation files, prediction_<video name>_<n>.csv."""
    videos: Path
    """Folder of the videos; their pose files lie beside them unless --poses is given."""
    poses: Path | None = None
    """Folder of the DeepLabCut files (default: the videos' folder)."""
    recordings: Path | None = None
    """recordings.csv with trials, animals and groups (default: the one in --annotations or its parent, if any)."""
    actions: Path | None = None
    """YAML file with names, merges and ignore (default: the eight actions of the guide, merged to six)."""
    individual: str | None = None
    """Which animal of a multi-animal pose file."""
    kp_names: str = DEFAULT_KP_NAMES
    """The six keypoints as named in the pose files, comma-separated, in the order mouth, tail base, left front,
    right front, left hind, right hind paw."""
    skeleton: Path | None = None
    """YAML file of another body: keypoints, front, back, edges, angles, paws (default: the mouse of --kp_names)."""
    fps: float | None = None
    """Frames per second of recordings that have a pose file and no video (default: none can be used)."""
    kp_likelihood_thr: float = 0.9
    """A keypoint is visible where its likelihood is at least this."""
    min_frames: int = 345
    """Trials with fewer rows are skipped."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """`kp_names` as a tuple."""
        return tuple(name.strip() for name in self.kp_names.split(","))

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = []
        n_names, n_different = len(self.keypoint_names), len(set(self.keypoint_names))
        if self.skeleton is not None and self.kp_names != DEFAULT_KP_NAMES:
            faults.append(
                Fault(
                    where="--kp_names",
                    expected="no names beside --skeleton, which has its own",
                    got=self.kp_names,
                    fix="Leave one of the two flags out.",
                )
            )
        elif (n_names, n_different) != (6, 6):
            faults.append(
                Fault(
                    where="--kp_names",
                    expected="6 different names",
                    got=f"{n_different}" if n_different != 6 else f"{n_names}, some twice",
                    fix="Name mouth, tail base, left front, right front, left hind and right hind paw, in this order.",
                )
            )
        return faults + out_of_range(self, kp_likelihood_thr=(0, 1), min_frames=(1, None), fps=(0.1, 100_000))


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """Which recordings train the model and which judge it."""

    split_by: SplitBy = "animal"
    """Unit that is never divided. 'trial' lets frames of one animal be on both sides: a leak."""
    val_share: float = 0.2
    """Share of labelled frames that goes to validation, about."""
    split: Path | None = None
    """A split saved by an earlier run, to use again."""
    test_animals: str | None = None
    """Animals that are kept out for good, comma-separated: none of their recordings trains or chooses. Score them once,
    at the end, with evaluate --split test."""
    labelled_only: bool = False
    """Leave out recordings that have pose but no annotation (they would train the keypoint head)."""

    @property
    def test_animal_names(self) -> tuple[str, ...]:
        """`test_animals` as a tuple."""
        return tuple(name.strip() for name in (self.test_animals or "").split(",") if name.strip())

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, val_share=(0.01, 0.9))


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """What the backbone sees of a frame."""

    img_size: int = 224
    """Side of the square that the backbone sees, in pixels."""
    crop: Crop = "full"
    """'full': the whole frame; 'mouse': a square that follows the animal, of one size per recording."""
    cache_dir: Path | None = None
    """Folder for decoded frames and features (default: .nocigram beside the videos' folder)."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, img_size=(16, 2048))


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """Lengths of what the model is shown at once."""

    train_T: int = 345
    """Frames of a training window."""
    val_T: int = 345
    """Frames of a window in validation and prediction."""
    clip_T: int = 16
    """Frames that a 3D backbone sees at once."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, train_T=(2, None), val_T=(2, None), clip_T=(2, None))
