"""Nocigram: from videos of mice, keypoint tracks and a few labelled trials to the action of every frame."""

from typing import TYPE_CHECKING

from nocigram.core.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from nocigram.core.literals import Accelerator
    from nocigram.prediction import Predictor

__version__ = VERSION


def load_model(path: "Path | str", *, accelerator: "Accelerator" = "auto") -> "Predictor":
    """Load a checkpoint, ready to `.predict(video=..., pose=...)`.

    Raises:
        InputError: the file is no checkpoint, is damaged or comes from a newer version.
    """
    from nocigram.prediction import Predictor  # torch is only paid for here

    return Predictor.load(path, accelerator=accelerator)
