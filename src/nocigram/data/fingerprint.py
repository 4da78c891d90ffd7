"""One short name for the content of the data that a model is trained and tested on."""

import hashlib
from collections.abc import Collection

import numpy as np

from nocigram.core.needs import Needs
from nocigram.data.array_cache import content_hash
from nocigram.data.records import Discovery, Recording


def fingerprint(found: Discovery, *, trials: Collection[str], needs: Needs, with_unlabelled: bool) -> str:
    """Equal for equal data wherever they lie; another one where any label, animal, keypoint or used video differs.

    Args:
        found: as the model reads it: without keypoints, where it needs none.
        trials: names of those that it is trained, chosen and tested on.
        needs: of the model; a video that no pixel is taken from is not opened.
        with_unlabelled: the model also learns from recordings without annotation.
    """
    used = [trial for trial in found.trials if trial.name in trials]
    names = {trial.recording for trial in used}
    if with_unlabelled:
        names |= {recording.name for recording in found.unlabelled}
    digest = hashlib.sha256(repr((found.scheme.classes, sorted(found.skeleton.as_plain().items()))).encode())
    for trial in sorted(used, key=lambda trial: trial.name):
        digest.update(repr((trial.name, trial.animal, trial.start, trial.stop)).encode())
        digest.update(found.labels_of(trial).astype("<i8").tobytes())
    for name in sorted(names):
        digest.update(_content_of(found.recordings[name], needs=needs))
    return digest.hexdigest()[:24]


def _content_of(recording: Recording, *, needs: Needs) -> bytes:
    """Everything that a model of these needs reads of a recording."""
    digest = hashlib.sha256(repr((recording.name, recording.animal, recording.fps, recording.n_frames)).encode())
    digest.update(np.ascontiguousarray(recording.xy_px, dtype="<f4").tobytes())
    digest.update(np.ascontiguousarray(recording.visible).tobytes())
    if recording.info is not None and (needs.pixels or needs.light):
        digest.update(content_hash(recording.info.path).encode())
    return digest.digest()
