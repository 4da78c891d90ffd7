"""Two people and a model about the same frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import InputError
from nocigram.evaluation import Timing, TrialPrediction, compare_pair, human_as_text, human_ceiling, score_trials

CLASSES = ("rest", "paw_withdraw", "walk")
runs = st.lists(st.tuples(st.integers(UNSCORED, 2), st.integers(1, 6)), min_size=2, max_size=8)


def trial_of(labels, predicted, *, trial=1):
    return TrialPrediction(
        recording="mouse1",
        trial=trial,
        animal="A",
        labels=np.asarray(labels),
        probabilities=np.eye(3)[np.asarray(predicted)],
        timing=Timing(fps=10.0, start=0, stim_frame=None),
    )


def frames_of(pairs, n_frames):
    return np.resize(np.concatenate([np.repeat(*pair) for pair in pairs]), n_frames)


def test_kappa_of_a_case_worked_out_by_hand():
    # 10 frames, A 6 rest and 4 withdraw, B 5 and 5, both rest in 4 and withdraw in 3: 7 of 10 agree.
    # By chance 0.6 * 0.5 + 0.4 * 0.5 = 0.5 would. Kappa = (0.7 - 0.5) / (1 - 0.5) = 0.4. F1 of withdraw: 2 * 3 / 9.
    pair = compare_pair([trial_of([0] * 6 + [1] * 4, [0] * 4 + [1] * 2 + [0] + [1] * 3)], classes=CLASSES)
    assert pair.overall.kappa == pair.actions["paw_withdraw"].kappa == pytest.approx(0.4)
    assert (pair.accuracy, pair.actions["paw_withdraw"].f1) == pytest.approx((0.7, 6 / 9))
    # Bouts of A: rest, withdraw; of B: rest [0, 4), withdraw [4, 6), rest [6, 7), withdraw [7, 10).
    # Onsets within 2 frames: rest 0-0, withdraw 6-4 or 6-7. Overlaps: rest 4/6, withdraw 3/4.
    assert (pair.overall.event_f1, pair.overall.segment_f1) == pytest.approx((2 * 2 / 6, 2 * 2 / 6))
    assert pair.actions["paw_withdraw"].event_f1 == pytest.approx(2 * 1 / 3)
    assert pair.edit == 50  # two of four bouts too many
    assert np.isnan([pair.actions["walk"].kappa, pair.actions["walk"].f1, pair.actions["walk"].event_f1]).all()


@settings(deadline=None, max_examples=12)
@given(runs, runs, runs)
def test_numbers_are_those_of_scikit_learn_on_frames_that_both_scored(of_a, of_b, said):
    labels_a, labels_b, predicted = (frames_of(each, 40) for each in (of_a, of_b, said))
    both = (labels_a != UNSCORED) & (labels_b != UNSCORED)
    if not both.any():
        return
    model = np.maximum(predicted, 0)
    human = human_ceiling([trial_of(labels_a, model)], {("mouse1", 1): labels_b}, classes=CLASSES)
    pairs = {"people": (labels_a, labels_b), "model_a": (labels_a, model), "model_b": (labels_b, model)}
    assert human.n_frames == both.sum()
    for name, (first, other) in pairs.items():
        pair = getattr(human, name)
        assert pair.accuracy == pytest.approx((first[both] == other[both]).mean())
        if len(np.union1d(first[both], other[both])) > 1:
            assert pair.overall.kappa == pytest.approx(cohen_kappa_score(first[both], other[both]))
        for action, scores in enumerate(pair.actions.values()):
            if (first[both] == action).any():
                assert scores.f1 == pytest.approx(f1_score(first[both] == action, other[both] == action))
    assert human.n_bouts.keys() == set(CLASSES)


@settings(deadline=None, max_examples=12)
@given(runs, runs)
def test_it_doesn_t_matter_which_person_is_taken_for_the_truth(of_a, of_b):
    labels_a, labels_b = frames_of(of_a, 40), frames_of(of_b, 40)
    both = (labels_a != UNSCORED) & (labels_b != UNSCORED)
    if not both.any():
        return
    nobody = np.zeros(40, dtype=int)
    there = human_ceiling([trial_of(labels_a, nobody)], {("mouse1", 1): labels_b}, classes=CLASSES)
    back = human_ceiling([trial_of(labels_b, nobody)], {("mouse1", 1): labels_a}, classes=CLASSES)
    for action in range(3):
        one, other = (human.people.actions[CLASSES[action]] for human in (there, back))
        for measure in ("kappa", "segment_f1", "event_f1"):
            assert getattr(one, measure) == pytest.approx(getattr(other, measure), nan_ok=True)
        if (labels_a[both] == action).any() and (labels_b[both] == action).any():
            assert one.f1 == pytest.approx(other.f1)
    assert there.people.edit == pytest.approx(back.people.edit)


def test_the_model_against_a_is_scored_as_anywhere_where_b_scored_every_frame():
    trial = trial_of([0] * 10 + [1] * 5 + [2] * 5, [0] * 12 + [1] * 4 + [2] * 4)
    human = human_ceiling([trial], {("mouse1", 1): np.zeros(20, dtype=int)}, classes=CLASSES)
    scores = score_trials([trial], classes=CLASSES)
    assert human.model_a.overall.f1 == scores.macro_f1
    assert human.model_a.edit == scores.edit
    assert human.model_a.overall.segment_f1 == scores.segment_f1["0.3"]


@pytest.fixture
def two_of_three():
    """Three trials of A, of which B labelled two, one of them in part."""
    trials = [trial_of([0, 0, 1, 1], [0, 0, 1, 1], trial=number) for number in (1, 2, 3)]
    second = {("mouse1", 1): np.array([0, 1, 1, 1]), ("mouse1", 3): np.array([UNSCORED, UNSCORED, 1, 1])}
    return human_ceiling(trials, second, classes=CLASSES)


def test_trials_of_one_person_alone_are_left_out_and_counted(two_of_three):
    assert (two_of_three.n_trials, two_of_three.n_trials_of_a, two_of_three.n_frames) == (2, 3, 6)
    assert two_of_three.people.accuracy == pytest.approx(5 / 6)
    assert two_of_three.model_a.accuracy == 1
    assert two_of_three.n_bouts == {"rest": (1, 1), "paw_withdraw": (2, 2), "walk": (0, 0)}


def test_the_table_has_the_pain_sign_first_and_says_what_it_rests_on(two_of_three):
    lines = human_as_text(two_of_three).splitlines()
    # Kappa of withdraw: 5 of 6 agree; A 4 of 6, B 5 of 6: by chance 4/6 * 5/6 + 2/6 * 1/6 = 22/36; (30 - 22) / 14.
    assert lines[2].split()[:4] == ["paw_withdraw", "0.571", "1.000", "0.571"]
    assert lines[5].split()[0] == "all"
    assert "On 6 frames of 2 of 3 trials that both scored." in lines[6]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({}, id="no trial in common"),
        pytest.param({("mouse1", 1): np.array([UNSCORED, UNSCORED, 1, 1])}, id="no frame in common"),
    ],
)
def test_people_with_nothing_in_common_are_refused(second):
    trial = trial_of([0, 1, UNSCORED, UNSCORED], [0, 1, 0, 0])
    with pytest.raises(InputError, match=r"expected a frame that both people scored, got none\. Give another folder\."):
        human_ceiling([trial], second, classes=CLASSES)
