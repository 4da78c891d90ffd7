"""DeepLabCut's csv and h5, and the predictions of Lightning Pose, which have the same header."""

from pathlib import Path

import pandas as pd

from nocigram.core.errors import InputError
from nocigram.data.formats.records import ForeignPose
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.sample import Sample
from nocigram.pose.files import recording_name
from nocigram.pose.readers import read_pose

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def _is_deeplabcut(sample: Sample) -> bool:
    """Header rows scorer, bodyparts, coords; in the h5 twin, a table of pandas."""
    firsts = [row[0].lower() for row in sample.rows[:4] if row]
    if {"scorer", "bodyparts", "coords"} <= set(firsts):
        return True
    return any(member.endswith(("/block0_values", "/_i_table")) for member in sample.members)


@register_format("DeepLabCut or Lightning Pose", kind="pose", recognises=_is_deeplabcut)
def read_deeplabcut(path: Path) -> list[ForeignPose]:
    """Read predictions, one track per animal.

    Hand labels are of single pictures rather than of a recording, so they are refused.

    Raises:
        InputError: hand labels, or not a sound pose file.
    """
    _refuse_hand_labels(path)
    tracks = tuple(read_pose(path, individual=name or None) for name in _individuals(path))
    return [ForeignPose(path=path, video=recording_name(path), tracks=tracks)]


def _individuals(path: Path) -> list[str]:
    """The animals of a file, in order; one empty name where it is of one animal."""
    if path.suffix.lower() == ".csv":
        rows = Sample.of(path).rows[:4]
        names = next((row[1:] for row in rows if row and row[0].lower() == "individuals"), ("",))
    else:
        columns = pd.read_hdf(path, start=0, stop=1).columns
        names = tuple(columns.get_level_values("individuals")) if "individuals" in columns.names else ("",)
    return list(dict.fromkeys(map(str, names)))


def _refuse_hand_labels(path: Path) -> None:
    """An error for a table whose rows are pictures."""
    if path.suffix.lower() != ".csv":
        return
    rows = Sample.of(path).rows
    pictures = [row[0] for row in rows if row and row[0].lower().endswith(_PICTURES)]
    pictures += [row[2] for row in rows if len(row) > 2 and row[2].lower().endswith(_PICTURES)]
    if pictures:
        raise InputError(
            f"{path.name}: expected predictions for every frame of a video, got hand labels of pictures such as "
            f"{pictures[0]}. Give the csv that the trained network wrote for the video."
        )
