"""Do probabilities mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.calibration import calibration_curve

from nocigram.core.actions import UNSCORED
from nocigram.evaluation import TrialPrediction, reliability_by_action, reliability_of_best, score_trials
from nocigram.evaluation.calibration import N_BINS, reliability

CLASSES = ("rest", "paw_lick")


def test_the_expected_error_is_that_of_a_hand_computed_case():
    # bin of 0.9 (2 frames, half right): |0.9 - 0.5| * 2/4; bin of 0.6 (2 frames, all right): |0.6 - 1| * 2/4
    found = reliability(np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, False, True, True]))

    assert found.expected_error == pytest.approx(0.4 / 2 + 0.4 / 2)
    assert found.n_frames.sum() == 4


@given(
    probability=arrays.arrays(np.float64, st.integers(2, 60), elements=st.floats(0.001, 0.999)),
    seed=st.integers(0, 99),
)
def test_bins_are_those_of_scikit_learn(probability, seed):
    came_true = np.random.default_rng(seed).random(len(probability)) < probability
    edges = np.linspace(0, 1, N_BINS + 1)
    if np.isclose(probability[:, None], edges, atol=1e-12).any():
        return  # on an edge: the two put it on different sides
    found = reliability(probability, came_true)
    share, mean = calibration_curve(came_true, probability, n_bins=N_BINS)

    filled = found.n_frames > 0
    np.testing.assert_allclose(found.share_true[filled], share)
    np.testing.assert_allclose(found.mean_probability[filled], mean)


def test_unscored_frames_and_frames_beside_a_change_do_not_count():
    labels = np.array([0, 0, 0, 1, 1, 1, UNSCORED])
    sure = np.tile([1.0, 0.0], (7, 1))
    sure[3:] = [0.0, 1.0]
    sure[[2, 3]] = [[0.0, 1.0], [1.0, 0.0]]  # wrong beside the change
    trial = TrialPrediction(recording="r", trial=1, animal="a", labels=labels, probabilities=sure, boundary_tolerance=1)

    assert reliability_of_best([trial]).n_frames.sum() == 4
    assert reliability_of_best([trial]).expected_error == 0
    assert [each.expected_error for each in reliability_by_action([trial], classes=CLASSES).values()] == [0, 0]
    assert score_trials([trial], classes=CLASSES).ece == 0
