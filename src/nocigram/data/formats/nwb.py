"""NWB files with the extension ndx-pose: a container PoseEstimation per animal, a series per keypoint.

Read as HDF5, since the layout of ndx-pose 0.1 to 0.4 differs only in where the skeleton lies, which isn't needed here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from nocigram.core.errors import InputError
from nocigram.data.formats.hdf5 import array_in, opened_hdf5, text_of, texts_of
from nocigram.data.formats.records import ForeignPose
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.sample import Sample
from nocigram.data.formats.tracks import shape_fault, track_of
from nocigram.pose.tracks import PoseTrack

if TYPE_CHECKING:
    import h5py

_GAP = 1.5
"""Time stamps farther apart than this many usual intervals leave frames out."""


def _is_nwb(sample: Sample) -> bool:
    """The groups that every NWB file has."""
    return {"session_description", "processing"} <= sample.members


@register_format("NWB with ndx-pose", kind="pose", recognises=_is_nwb)
def read_nwb(path: Path) -> list[ForeignPose]:
    """Read every pose estimation of an NWB file that can be read. Rows are the frames of the video, as ndx-pose has it.

    Raises:
        InputError: broken, no pose in it, or in all of it keypoints in three dimensions, of unequal length, or frames
            left out.
    """
    with opened_hdf5(path) as content:
        containers: list[Any] = []
        content["processing"].visititems(
            lambda _, node: containers.append(node) if _is(node, "PoseEstimation") else None
        )
        if not containers:
            raise InputError(f"{path.name}: expected a PoseEstimation in 'processing', got none. Store the pose in it.")
        has_name = "general/subject/subject_id" in content
        animal = text_of(array_in(content, "general/subject/subject_id")) if has_name else None
        poses: dict[tuple[str, ...], list[PoseTrack]] = {}
        said: dict[str, None] = {}
        faults: list[str] = []
        for container in containers:
            name = container.name.rsplit("/", 1)[-1]
            try:
                track = _track_in(path, container, individual=name if len(containers) > 1 else None)
            except InputError as error:
                faults.append(str(error))
                continue
            poses.setdefault(_videos_of(container), []).append(track)
            said.update(dict.fromkeys(_notes_of(container)))
    if not poses:
        raise InputError("\n".join(faults))
    notes = (*said, *(f"without what can't be read: {fault}" for fault in faults))
    return [
        ForeignPose(
            path=path,
            video=seen[0] if len(seen) == 1 else None,
            tracks=tuple(found),
            animal=animal,
            notes=notes if len(seen) < 2 else (*notes, f"of the videos {', '.join(seen)}: say which with --video"),
        )
        for seen, found in poses.items()
    ]


def _is(node: Any, kind: str) -> bool:
    """Whether a group is of a type of ndx-pose."""
    return text_of(node.attrs.get("neurodata_type", "")) == kind


def _videos_of(container: "h5py.Group") -> tuple[str, ...]:
    """The videos that a container names; of several cameras the file doesn't say which one is meant."""
    return texts_of(array_in(container, "original_videos")) if "original_videos" in container else ()


def _track_in(path: Path, container: "h5py.Group", *, individual: str | None) -> PoseTrack:
    """The keypoints of a container, in the order of `nodes` where it has them."""
    series = {name: node for name, node in container.items() if _is(node, "PoseEstimationSeries")}
    if not series:
        where = f"{path.name}: {container.name.rsplit('/', 1)[-1]}"
        raise InputError(f"{where}: expected keypoints, got a PoseEstimation without any. Store the pose in it.")
    nodes = texts_of(array_in(container, "nodes")) if "nodes" in container else ()
    names = [*(name for name in nodes if name in series), *(name for name in series if name not in nodes)]
    positions = [array_in(series[name], "data") for name in names]
    for name, position in zip(names, positions, strict=True):
        if position.shape[1:] != (2,):
            raise shape_fault(path, f"keypoint '{name}'", expected="(frames, 2), in pixels", got=position.shape)
        _refuse_gaps(path, name, series[name])
    if len(lengths := {len(position) for position in positions}) > 1:
        raise InputError(f"{path.name}: expected keypoints of equal length, got {sorted(lengths)}. Store them again.")
    xy_px = np.stack(positions, axis=1)
    known = [_confidence_in(series[name], path=path, name=name, n_frames=len(xy_px)) for name in names]
    return track_of(path, names, xy_px, np.stack(known, axis=1), individual=individual)


def _confidence_in(series: "h5py.Group", *, path: Path, name: str, n_frames: int) -> Float64[np.ndarray, " T"]:
    """The confidence of a keypoint; 1 where the file has none."""
    confidence = array_in(series, "confidence") if "confidence" in series else np.ones(n_frames)
    if confidence.shape != (n_frames,):
        raise shape_fault(path, f"confidence of '{name}'", expected=f"({n_frames},)", got=confidence.shape)
    return confidence.astype(np.float64)


def _refuse_gaps(path: Path, name: str, series: "h5py.Group") -> None:
    """The error of rows that are not every frame."""
    steps_s = np.diff(array_in(series, "timestamps")) if "timestamps" in series else np.zeros(0)
    if len(steps_s) < 2:
        return
    if (gaps := np.flatnonzero(steps_s > _GAP * np.median(steps_s))).size:
        row = int(gaps[0])
        raise InputError(
            f"{path.name}: expected a row for every frame of '{name}', got {steps_s[row]:.3f} s between rows {row} and "
            f"{row + 1}, where {np.median(steps_s):.3f} s are usual. Store a row for each frame, NaN if unknown."
        )


def _notes_of(container: "h5py.Group") -> list[str]:
    """What the file claims about its axes, where it isn't what the tools that write it do."""
    frames = {
        text_of(array_in(node, "reference_frame"))
        for node in container.values()
        if _is(node, "PoseEstimationSeries") and "reference_frame" in node
    }
    return [
        f"says '{frame}'; y is taken to point down all the same, as DeepLabCut's does. Look at it on the video"
        for frame in sorted(frames)
        if "bottom" in frame.lower()
    ]
