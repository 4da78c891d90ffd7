"""What a model has to be given of a recording."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Inputs of a model; a file that none of them comes from is not opened."""

    pixels: bool
    """Frames, cut to the view and resized."""
    pose: bool
    """Keypoints from a pose file."""
    light: bool
    """Light at the keypoints, measured in the video; recordings without a video are used all the same."""
    kinematics: bool
    """Posture and motion over several spans of time, computed once per recording."""
    only_with_pose: bool
    """A recording without keypoints can't be used."""

    @property
    def video(self) -> bool:
        """A recording without a video can't be used."""
        return self.pixels


EVERYTHING = Needs(pixels=True, pose=True, light=True, kinematics=False, only_with_pose=False)
"""All that is in a recording's files, of recordings with a video."""
