import re

import jaxtyping
import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.evaluation import TrialPrediction


def arrays(n_frames=4, n_keypoints=2):
    return {
        "labels": np.array([0, 1, 1, -1]),
        "probabilities": np.full((n_frames, 2), 0.5),
        "xy_true_px": np.zeros((n_frames, n_keypoints, 2)),
        "xy_pred_px": np.ones((n_frames, n_keypoints, 2)),
        "visible": np.ones((n_frames, n_keypoints), dtype=bool),
        "view_side_px": np.full(n_frames, 100.0),
    }


@pytest.fixture
def shapes_unchecked():
    """As for a user: the test run's own check of shapes would be faster than ours."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def predict(**changes):
    return TrialPrediction(recording="mouse1", trial=2, animal="A", **(arrays() | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"probabilities": np.full((3, 2), 0.5)},
            "mouse1 trial 2: expected labels (T,) and probabilities (T, C), got (4,) and (3, 2).",
            id="fewer rows of probabilities than labels",
        ),
        pytest.param(
            {"labels": np.array([0, 1, 2, 7])},
            "expected labels from 0 to 1, or -1 for unscored, got [2, 7]. Merge the labels",
            id="labels that are no action of the model",
        ),
        pytest.param(
            {"probabilities": np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 4.0], [0.5, 0.5]])},
            "expected probabilities from 0 to 1, got 0.5 to 4. Give probabilities, not logits.",
            id="a probability above 1",
        ),
        pytest.param(
            {"probabilities": np.array([[0.5, 0.5], [0.5, 0.5], [0.5, -3.0], [0.5, 0.5]])},
            "expected probabilities from 0 to 1, got -3 to 0.5. Give probabilities, not logits.",
            id="a probability below 0",
        ),
        pytest.param(
            {"probabilities": np.full((4, 2), np.nan)},
            "expected probabilities from 0 to 1, got nan to nan.",
            id="probabilities that are not numbers",
        ),
        pytest.param(
            {"visible": None, "view_side_px": None},
            "expected xy_true_px, xy_pred_px, visible and view_side_px together, got only xy_true_px and xy_pred_px.",
            id="keypoints without their visibility",
        ),
        pytest.param(
            {"xy_pred_px": np.ones((4, 3, 2))},
            "view_side_px (4,), got (4, 2, 2), (4, 3, 2), (4, 2), (4,). Give one row per labelled frame.",
            id="another number of predicted keypoints",
        ),
        pytest.param(
            {"xy_true_px": np.full((4, 2, 2), np.nan)},
            "expected numbers for every visible keypoint, got NaN or infinity. Mark such keypoints as not visible.",
            id="a visible keypoint without a place",
        ),
        pytest.param(
            {"xy_pred_px": np.full((4, 2, 2), np.inf)},
            "expected numbers for every visible keypoint, got NaN or infinity.",
            id="a prediction without a place",
        ),
        pytest.param({"view_side_px": np.zeros(4)}, "expected view_side_px above 0, got 0.", id="a view without size"),
    ],
)
@pytest.mark.usefixtures("shapes_unchecked")
def test_arrays_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        predict(**changes)


def test_every_fault_of_a_trial_is_named_at_once():
    with pytest.raises(InputError) as caught:
        predict(labels=np.array([0, 9, 0, 0]), view_side_px=np.zeros(4))
    assert len(str(caught.value).splitlines()) == 2


def test_keypoints_that_are_not_visible_may_be_unknown():
    predict(visible=np.zeros((4, 2), dtype=bool), xy_true_px=np.full((4, 2, 2), np.nan))


def test_one_view_side_serves_all_frames():
    assert predict(view_side_px=100).view_side_px == 100


def test_unscored_frames_are_no_scored_frames():
    assert predict().scored.tolist() == [True, True, True, False]


def test_the_likeliest_action_is_the_prediction():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]])
    assert predict(probabilities=probabilities).predicted.tolist() == [0, 1, 0, 1]
