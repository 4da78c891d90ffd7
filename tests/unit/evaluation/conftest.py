from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nocigram.evaluation import TrialPrediction


@pytest.fixture
def trial_of() -> Callable[..., TrialPrediction]:
    """Builds a trial from labels and predicted actions, sure of every frame."""

    def build(
        labels: Sequence[int],
        predicted: Sequence[int] | None = None,
        *,
        n_actions: int = 3,
        recording: str = "mouse1",
        trial: int = 1,
        animal: str = "A",
        **keypoints: object,
    ) -> TrialPrediction:
        labels = np.asarray(labels, dtype=np.int64)
        predicted = np.where(labels < 0, 0, labels) if predicted is None else np.asarray(predicted, dtype=np.int64)
        return TrialPrediction(
            recording=recording,
            trial=trial,
            animal=animal,
            labels=labels,
            probabilities=np.eye(n_actions, dtype=np.float32)[predicted],
            **keypoints,
        )

    return build
