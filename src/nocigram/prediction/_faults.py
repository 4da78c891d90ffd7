"""Whether what a checkpoint keeps beside its weights can be right."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from nocigram.core.errors import Fault
from nocigram.core.literals import Crop, Precision

if TYPE_CHECKING:
    from nocigram.prediction.predictor import Predictor


def faults_of(predictor: "Predictor") -> list[Fault]:
    """What of the options that the checkpoint keeps can't be right. Reads all that prediction reads later on."""
    choices = {"crop": (predictor.crop, get_args(Crop)), "precision": (predictor.precision, get_args(Precision))}
    faults = [
        Fault(where=name, expected=f"one of {', '.join(known)}", got=repr(value), fix="It was changed.")
        for name, (value, known) in choices.items()
        if value not in known
    ]
    numbers = {
        "val_T": (predictor.window_T, 2, np.inf),
        "img_size": (predictor.img_size, 1, np.inf),
        "fps": (predictor.fps, 1e-3, 1e6),
        "kp_likelihood_thr": (predictor.likelihood_thr, 0, 1),
    }
    faults += [
        Fault(where=name, expected=f"a number from {low:g} to {high:g}", got=str(value), fix="It was changed.")
        for name, (value, low, high) in numbers.items()
        if not low <= value <= high
    ]
    predictor.decoder.decode(np.full((2, len(predictor.classes)), 1 / len(predictor.classes)))
    predictor.needs, predictor.skeleton  # noqa: B018 - they are read from the checkpoint
    return faults
