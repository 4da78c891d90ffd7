import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score

from nocigram.evaluation.frame_scores import count_frames, score_confusion

N_ACTIONS = 4
frame_pairs = st.lists(st.tuples(st.integers(0, N_ACTIONS - 1), st.integers(0, N_ACTIONS - 1)), min_size=1).map(
    lambda pairs: np.array(pairs).T
)


def score_frames(labels, predicted, *, n_actions):
    return score_confusion(count_frames(labels, predicted, n_actions=n_actions))


@given(frame_pairs)
def test_scores_are_those_of_scikit_learn(pair):
    labels, predicted = pair
    scores = score_frames(labels, predicted, n_actions=N_ACTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of predictions that are no label
        balanced = balanced_accuracy_score(labels, predicted)
    assert scores.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert scores.balanced_accuracy == pytest.approx(balanced)
    assert scores.macro_f1 == pytest.approx(
        f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    )
    for action in np.unique(labels):
        options = {"labels": [action], "average": "macro", "zero_division": 0}
        assert scores.f1[action] == pytest.approx(f1_score(labels, predicted, **options))
        assert scores.recall[action] == pytest.approx(recall_score(labels, predicted, **options))
    for action in np.unique(predicted):
        options = {"labels": [action], "average": "macro", "zero_division": 0}
        assert scores.precision[action] == pytest.approx(precision_score(labels, predicted, **options))


@given(frame_pairs)
def test_every_frame_is_in_the_confusion_matrix_once(pair):
    labels, predicted = pair
    confusion = count_frames(labels, predicted, n_actions=N_ACTIONS)
    expected = [[np.sum((labels == i) & (predicted == j)) for j in range(N_ACTIONS)] for i in range(N_ACTIONS)]
    assert confusion.tolist() == expected


def test_an_action_without_a_true_frame_is_left_out_of_the_means():
    scores = score_frames(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), n_actions=3)
    assert (scores.macro_f1, scores.balanced_accuracy) == (1.0, 1.0)
    assert np.isnan([scores.f1[2], scores.recall[2], scores.precision[2]]).all()


def test_calling_an_absent_action_counts_against_the_action_that_it_was():
    scores = score_frames(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), n_actions=3)
    assert np.isnan(scores.f1[2])
    assert scores.precision[2] == 0.0
    assert scores.f1[0] == pytest.approx(2 / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1) / 2)


def test_an_action_that_is_never_called_has_f1_zero_and_no_precision():
    scores = score_frames(np.array([0, 0, 1]), np.array([0, 0, 0]), n_actions=2)
    assert scores.f1[1] == 0.0
    assert scores.recall[1] == 0.0
    assert np.isnan(scores.precision[1])
    assert scores.macro_f1 == pytest.approx(0.8 / 2)


def test_an_action_that_is_not_averaged_keeps_its_scores_and_enters_no_mean():
    confusion = count_frames(np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 0, 1]), n_actions=3)
    scores = score_confusion(confusion, averaged=np.array([True, True, False]))
    assert scores.f1.tolist() == pytest.approx([4 / 5, 2 / 4, 0])
    assert scores.macro_f1 == pytest.approx((4 / 5 + 2 / 4) / 2)
    assert scores.balanced_accuracy == pytest.approx((1 + 1 / 2) / 2)
    assert np.isnan(score_confusion(confusion, averaged=np.array([False] * 3)).macro_f1)


def test_many_confusion_matrices_are_scored_at_once():
    confusions = np.random.default_rng(0).integers(0, 4, (5, 2, N_ACTIONS, N_ACTIONS))
    confusions[0, 0] = 0
    together = score_confusion(confusions)
    for index in np.ndindex(5, 2):
        alone = score_confusion(confusions[index])
        for measure in ("macro_f1", "accuracy", "balanced_accuracy", "f1", "precision", "recall"):
            np.testing.assert_array_equal(getattr(together, measure)[index], getattr(alone, measure))
