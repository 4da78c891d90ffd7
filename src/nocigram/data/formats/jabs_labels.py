"""JABS' labels: the annotation json of a video, and the predictions h5 of its classifiers.

JABS labels a behaviour as present or not present, frame by frame and behaviour by behaviour. "Not present" says nothing
of other behaviours, so it is a name of its own, `not <behaviour>`, and frames without a label are those that nobody
looked at.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nocigram.core.errors import InputError
from nocigram.data.formats.hdf5 import array_in, opened_hdf5
from nocigram.data.formats.records import Event, ForeignLabels, events_of_columns
from nocigram.data.formats.registry import register_format
from nocigram.data.formats.sample import Sample
from nocigram.data.formats.text import read_json
from nocigram.data.formats.tracks import shape_fault

if TYPE_CHECKING:
    import h5py

_VERSION = 1
_UNNAMED = "behavior"
"""Name of the behaviour in old predictions, which don't name it."""


def _is_annotation(sample: Sample) -> bool:
    """A JSON object with labels, frames and a video."""
    return sample.is_json and '"num_frames"' in sample.text and '"file"' in sample.text


@register_format("JABS annotation", kind="labels", recognises=_is_annotation)
def read_jabs_annotation(path: Path) -> list[ForeignLabels]:
    """Read the labels of a video. Blocks end with their last frame, which is one before our half-open stop.

    Raises:
        InputError: broken, of another version, or a block beyond the video.
    """
    content = read_json(path)
    if (version := content.get("version", _VERSION)) != _VERSION:
        raise InputError(f"{path.name}: expected an annotation of version {_VERSION}, got {version}. Use another JABS.")
    try:
        n_frames = int(content["num_frames"])
        external = {str(key): str(name) for key, name in (content.get("external_identities") or {}).items()}
        labels = content["unfragmented_labels"] if "unfragmented_labels" in content else content["labels"]
        events = [
            _event_of(block, behaviour, external.get(identity, f"identity_{identity}"))
            for identity, behaviours in labels.items()
            for behaviour, blocks in behaviours.items()
            for block in blocks
        ]
        video = str(content["file"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{path.name}: expected labels as JABS stores them, got '{error}'. Save the project with JABS again."
        ) from error
    for event in events:
        if not 0 <= event.start < event.stop <= n_frames:
            raise InputError(
                f"{path.name}: expected blocks within {n_frames} frames, got '{event.name}' from {event.start:g} to "
                f"{event.stop - 1:g}. Save the project with JABS again."
            )
    names = tuple(dict.fromkeys(event.name for event in events))
    return [
        ForeignLabels(
            path=path, video=video, unit="frames", events=tuple(events), names=names, n_frames=n_frames, scored=()
        )
    ]


def _event_of(block: dict[str, Any], behaviour: str, subject: str) -> Event:
    """One block of one behaviour."""
    name = behaviour if block["present"] else f"not {behaviour}"
    return Event(name=name, start=float(block["start"]), stop=float(block["end"]) + 1, subject=subject)


@register_format(
    "JABS predictions",
    kind="labels",
    recognises=lambda sample: any(each.endswith("predicted_class") for each in sample.members),
)
def read_jabs_predictions(path: Path) -> list[ForeignLabels]:
    """Read what a classifier said of each frame; after post-processing where the file has it.

    Raises:
        InputError: broken, or arrays of another shape.
    """
    events: list[Event] = []
    names: list[str] = []
    n_frames = 0
    with opened_hdf5(path) as content:
        group = content["predictions"]
        behaviours = {_UNNAMED: group} if "predicted_class" in group else dict(group.items())
        for behaviour, node in behaviours.items():
            classes = _classes_in(node, path=path)
            n_frames = max(n_frames, classes.shape[1])
            names += [behaviour, f"not {behaviour}"]
            for identity, row in enumerate(classes):
                present = np.stack((row == 1, row == 0), axis=1)
                events += events_of_columns(names[-2:], present, subject=f"identity_{identity}")
    return [
        ForeignLabels(
            path=path,
            video=None,
            unit="frames",
            events=tuple(events),
            names=tuple(names),
            n_frames=n_frames,
            scored=(),
            notes=("what a classifier said, not a person",),
        )
    ]


def _classes_in(node: "h5py.Group", *, path: Path) -> np.ndarray:
    """Identities x frames: 1 present, 0 not present, -1 not predicted."""
    name = "predicted_class_postprocessed" if "predicted_class_postprocessed" in node else "predicted_class"
    classes = array_in(node, name)
    if classes.ndim != 2 or not np.isin(classes, (-1, 0, 1)).all():
        raise shape_fault(path, "predicted_class with -1, 0 and 1", expected="(animals, frames)", got=classes.shape)
    return classes
