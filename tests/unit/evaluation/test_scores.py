import json
import re

import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.evaluation import score_trials

CLASSES = ("rest", "paw_withdraw", "walk")


@pytest.fixture
def scores(trial_of):
    """Two trials of two animals: withdraw is found once of twice, and called once where there is none."""
    first = trial_of([0] * 6 + [1] * 4 + [-1] * 2 + [2] * 4, [0] * 7 + [1] * 3 + [2] * 6)
    second = trial_of([0] * 6 + [1] * 4, [0] * 2 + [1] * 2 + [0] * 6, trial=2, animal="B")
    return score_trials([first, second], classes=CLASSES)


def test_metrics_json_has_the_documented_keys(scores):
    metrics = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert list(metrics) == [
        "macro_f1",
        "accuracy",
        "balanced_accuracy",
        "per_action",
        "segment_f1",
        "edit",
        "ece",
        "keypoint_mae_px",
        "keypoint_mae_norm",
        "n_frames",
        "n_trials",
        "n_animals",
    ]
    assert list(metrics["per_action"]) == list(CLASSES)
    assert list(metrics["per_action"]["walk"]) == [
        *("f1", "precision", "recall", "average_precision", "n_frames", "n_bouts")
    ]
    assert list(metrics["segment_f1"]) == ["0.1", "0.25", "0.3", "0.5"]
    assert (metrics["n_frames"], metrics["n_trials"], metrics["n_animals"]) == (24, 2, 2)
    assert metrics["keypoint_mae_px"] is None


def test_numbers_are_those_worked_out_by_hand(scores):
    withdraw = scores.per_action["paw_withdraw"]
    assert (withdraw.n_frames, withdraw.n_bouts, withdraw.n_bouts_found, withdraw.n_bouts_predicted) == (8, 2, 1, 2)
    assert withdraw.recall == pytest.approx(3 / 8)
    assert withdraw.precision == pytest.approx(3 / 5)
    assert scores.confusion.tolist() == [[10, 2, 0], [5, 3, 0], [0, 0, 4]]
    assert scores.accuracy == pytest.approx(17 / 24)
    assert scores.macro_accuracy == scores.balanced_accuracy == pytest.approx((10 / 12 + 3 / 8 + 1) / 3)
    assert scores.edit == pytest.approx((100 + 200 / 3) / 2)
    assert scores.segment_f1["0.5"] == pytest.approx(2 * 3 / (5 + 6))
    assert scores.segment_f1["0.3"] == pytest.approx(2 * 4 / (5 + 6))


def test_the_table_names_the_actions_in_order_and_points_at_the_pain_sign(scores):
    lines = scores.as_text().splitlines()
    assert [line.split()[0] for line in lines[2:5]] == list(CLASSES)
    assert lines[3].split() == ["paw_withdraw", "0.462", "0.375", "0.600", "8", "2", "1", "←", "pain", "sign"]
    assert "pain sign" not in lines[2] + lines[4]
    assert "measured on        24 scored frames of 2 trials and 2 animals" in lines
    assert lines[-1] == (
        "paw_withdraw (pain sign): finds 38% of its frames and 1 of its 2 bouts; 60% of the frames that it calls "
        "paw_withdraw are right, and 1 of the 2 bouts that it calls so fit no labelled bout."
    )


def test_the_columns_of_the_table_stand_below_each_other(scores):
    header, _, *rows = scores.as_text().splitlines()[:5]
    for name in ("F1", "recall", "precision", "frames", "bouts"):
        end = header.index(name) + len(name)
        assert all(row[end - 1].isdigit() and row[end : end + 2].strip() == "" for row in rows), name


def test_actions_of_another_laboratory_have_no_pain_sign(trial_of):
    text = score_trials([trial_of([0, 1, 2])], classes=("still", "dig", "rear")).as_text()
    assert "pain sign" not in text


@pytest.mark.parametrize(
    ("labels", "predicted", "sentence"),
    [
        pytest.param(
            [0, 1, 1],
            [0, 0, 0],
            "paw_withdraw (pain sign): finds 0% of its frames and 0 of its 1 bout; it is never called.",
            id="a pain sign that is never called",
        ),
        pytest.param(
            [0, 0, 2],
            [0, 1, 2],
            "paw_withdraw (pain sign): not in these labels, so nothing can be said about it.",
            id="a pain sign that is not labelled",
        ),
    ],
)
def test_what_can_be_said_of_the_pain_sign(trial_of, labels, predicted, sentence):
    text = score_trials([trial_of(labels, predicted)], classes=CLASSES).as_text()
    assert text.splitlines()[-1] == sentence


def test_an_absent_action_is_null_and_named_in_the_text(trial_of):
    scores = score_trials([trial_of([0, 0, 1], [0, 2, 1])], classes=CLASSES)
    assert scores.as_dict()["per_action"]["walk"] == {
        "f1": None,
        "precision": 0.0,
        "recall": None,
        "average_precision": None,
        "n_frames": 0,
        "n_bouts": 0,
    }
    assert "walk is not in these labels: left out of the means above; 1 frame called so." in scores.as_text()


def test_labels_of_one_action_alone_can_be_scored(trial_of):
    scores = score_trials([trial_of([0, 0, 0])], classes=CLASSES)
    assert (scores.macro_f1, scores.balanced_accuracy, scores.edit, scores.segment_f1["0.5"]) == (1, 1, 100, 1)


def test_a_trial_without_scored_frames_counts_nowhere(trial_of, scores):
    first = trial_of([0, 1, 2])
    unscored = trial_of([-1, -1], [1, 2], trial=2, animal="B")
    alone, both = score_trials([first], classes=CLASSES), score_trials([first, unscored], classes=CLASSES)
    assert alone.as_dict() == both.as_dict()


def test_the_order_of_trials_does_not_matter(trial_of):
    trials = [trial_of([0, 1, 1, 2], [0, 1, 2, 2]), trial_of([1, 0], [1, 1], trial=2), trial_of([2, -1], trial=3)]
    assert score_trials(trials, classes=CLASSES).as_dict() == score_trials(trials[::-1], classes=CLASSES).as_dict()


def test_bouts_of_two_trials_never_meet(trial_of):
    trials = [trial_of([0, 1], trial=1), trial_of([1, 0], trial=2)]
    assert score_trials(trials, classes=CLASSES).per_action["paw_withdraw"].n_bouts == 2


@pytest.mark.parametrize(("n_shared", "n_found"), [(2, 0), (3, 1)], ids=["overlap 0.2", "overlap 0.3"])
def test_a_bout_is_found_from_an_overlap_of_three_tenths(trial_of, n_shared, n_found):
    labels = [1] * 10 + [0] * 10
    predicted = [1] * n_shared + [0] * (20 - n_shared)
    scores = score_trials([trial_of(labels, predicted)], classes=CLASSES)
    assert scores.per_action["paw_withdraw"].n_bouts_found == n_found


def test_keypoint_errors_are_in_the_scores(trial_of):
    keypoints = {"xy_true_px": np.zeros((2, 6, 2)), "xy_pred_px": np.full((2, 6, 2), 3.0)}
    trial = trial_of([0, 1], visible=np.ones((2, 6), dtype=bool), view_side_px=60.0, **keypoints)
    scores = score_trials([trial], classes=CLASSES)
    assert (scores.keypoint_mae_px, scores.keypoint_mae_norm) == pytest.approx((3.0, 0.05))
    assert "keypoint MAE       3.00 px, 0.0500 of the view's side" in scores.as_text()


def test_no_trial_is_refused():
    with pytest.raises(InputError, match="evaluation: expected at least 1 trial, got 0"):
        score_trials([], classes=CLASSES)


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        pytest.param(
            [{"labels": [-1, -1, -1], "predicted": [0, 1, 2]}],
            "evaluation: expected at least 1 scored frame, got 3 unscored frames in 1 trials. Label some frames",
            id="nothing is scored",
        ),
        pytest.param(
            [{"labels": [0, 1]}, {"labels": [0, 1]}],
            "mouse1 trial 1: expected each trial once, got it twice. Drop the double.",
            id="a trial given twice",
        ),
        pytest.param(
            [{"labels": [0, 1], "n_actions": 2}],
            "expected 3 columns of probabilities (rest, paw_withdraw, walk), got 2. Use the actions",
            id="a model of other actions",
        ),
    ],
)
def test_trials_that_cannot_be_scored_are_refused(trial_of, trials, message):
    with pytest.raises(InputError, match=re.escape(message)):
        score_trials([trial_of(**trial) for trial in trials], classes=CLASSES)
