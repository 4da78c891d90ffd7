"""What `nocigram convert` is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault

Link = Literal["symlink", "copy", "none"]
"""How videos come into the converted folder."""


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """Everything that `nocigram convert` is told."""

    files: list[Path]
    """Pose and label files of other tools, or folders of them."""
    out: Path = Path("converted")
    """Folder to write Videos/, Annotations/, recordings.csv and actions.yaml to."""
    videos: Path | None = None
    """Folder of the videos, whose time stamps say which frame a time is."""
    video: str | None = None
    """Name of the one video that all files are of, where names don't tell."""
    fps: float | None = None
    """Frames per second of recordings without a video (default: as the label file says)."""
    actions: Path | None = None
    """YAML file with names, merges and ignore of your own actions (default: the eight of the guide)."""
    actions_map: Path | None = None
    """YAML file that says which action each behaviour of the other tool is."""
    keypoints_map: Path | None = None
    """YAML file that says which keypoint each of the other tool's is."""
    skeleton: Path | None = None
    """YAML file of another body than the mouse with six keypoints."""
    observation: str | None = None
    """Which observation, where there are several of one video."""
    subject: str | None = None
    """Whose labels, where there are several animals in a video."""
    individual: str | None = None
    """Whose keypoints, where there are several animals or tracks in a video."""
    link: Link = "symlink"
    """How videos come into the folder: links to them, copies, or not at all."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = out_of_range(self, fps=(1e-3, 1e5))
        if self.videos is not None and self.fps is not None:
            expected, fix = "no --fps beside --videos, whose time stamps count", "Leave one out."
            faults.append(Fault(where="--fps", expected=expected, got=f"{self.fps:g}", fix=fix))
        return faults
