import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from nocigram.core.errors import InputError
from nocigram.evaluation import TrialPrediction, TunedThreshold, best_thresholds


def trial(labels, second, number=1):
    second = np.array(second, dtype=np.float64)
    return TrialPrediction(
        recording="mouse1",
        trial=number,
        animal="A",
        labels=np.array(labels),
        probabilities=np.stack([1 - second, second], axis=1),
    )


def test_a_rare_action_below_one_half_gets_a_lower_threshold():
    tuned = best_thresholds([trial([0, 0, 0, 1, 1], [0.1, 0.2, 0.1, 0.3, 0.4])], classes=("rest", "paw_lick"))
    assert tuned["paw_lick"] == TunedThreshold(threshold=0.3, f1=1.0)


def test_unscored_frames_tune_nothing():
    scored, unscored = trial([0, 1], [0.1, 0.4]), trial([-1, -1], [0.9, 0.35], number=2)
    classes = ("rest", "paw_lick")
    assert best_thresholds([scored, unscored], classes=classes) == best_thresholds([scored], classes=classes)


def test_an_action_without_a_true_frame_has_no_threshold():
    tuned = best_thresholds([trial([0, 0], [0.1, 0.4])], classes=("rest", "paw_lick"))
    assert tuned["paw_lick"] == TunedThreshold(threshold=None, f1=None)


def test_without_trials_there_is_nothing_to_tune():
    with pytest.raises(InputError, match="expected at least 1 trial, got 0"):
        best_thresholds([], classes=("rest", "paw_lick"))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=30))
def test_no_other_threshold_is_better(frames):
    labels = np.array([int(is_lick) for is_lick, _ in frames])
    probability = np.array([tenths / 10 for _, tenths in frames])
    tuned = best_thresholds([trial(labels, probability)], classes=("rest", "paw_lick"))["paw_lick"]
    if labels.any():
        f1s = [f1_score(labels, probability >= tenths / 10, zero_division=0) for tenths in range(11)]
        assert tuned.f1 == pytest.approx(max(f1s))
        assert f1_score(labels, probability >= tuned.threshold) == pytest.approx(tuned.f1)
