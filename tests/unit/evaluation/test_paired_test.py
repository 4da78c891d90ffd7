from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.errors import InputError
from nocigram.evaluation import TrialPrediction, paired_test, score_trials

CLASSES = ("rest", "paw_withdraw", "walk")
WITHDRAW_F1 = "per_action/paw_withdraw/f1"


def run_of(shares_right, *, seed=0, n_frames=40):
    """One trial per animal, of which about the given share is right."""
    run = []
    for number, share in enumerate(shares_right):
        labels = np.random.default_rng(number).integers(0, 3, n_frames // 4).repeat(4)
        noise = np.random.default_rng([seed, number])
        predicted = np.where(noise.random(n_frames) < share, labels, noise.integers(0, 3, n_frames))
        run.append(
            TrialPrediction(
                recording=f"m{number}",
                trial=1,
                animal=f"m{number:02}",
                labels=labels,
                probabilities=np.eye(3)[predicted],
            )
        )
    return run


def slow_p(first, second, *, score_of):
    """The test by its definition: every swap scored from its trials."""
    differences = []
    for swaps in product((False, True), repeat=len(first)):
        sides = zip(first, second, swaps, strict=True)
        one, other = zip(*((b, a) if swap else (a, b) for a, b, swap in sides), strict=True)
        differences.append(score_of(one) - score_of(other))
    return np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([0.2, 0.5, 0.8]), min_size=2, max_size=4), st.integers(0, 5))
def test_p_is_the_share_of_all_swaps_that_differ_as_much(shares, seed):
    first, second = run_of(shares, seed=seed), run_of(shares[::-1], seed=seed + 10)

    def macro_f1(trials):
        return score_trials(trials, classes=CLASSES).macro_f1

    test = paired_test([first], [second], classes=CLASSES)
    assert test.is_exact
    assert test.difference == pytest.approx(macro_f1(first) - macro_f1(second))
    assert test.p == pytest.approx(slow_p(first, second, score_of=macro_f1))


def test_the_f1_of_one_action_can_be_tested():
    first, second = run_of([0.9] * 5, seed=1), run_of([0.5] * 5, seed=2)

    def withdraw_f1(trials):
        return score_trials(trials, classes=CLASSES).per_action["paw_withdraw"].f1

    test = paired_test([first], [second], classes=CLASSES, score=WITHDRAW_F1)
    assert test.difference == pytest.approx(withdraw_f1(first) - withdraw_f1(second))
    assert test.p == pytest.approx(slow_p(first, second, score_of=withdraw_f1))


@pytest.mark.parametrize(
    ("n_animals", "least_p", "is_exact"),
    [(5, 2 / 2**5, True), (12, 2 / 2**12, True), (14, 2 / 10_001, False)],
    ids=["5 animals: 32 swaps", "12 animals: 4096 swaps", "14 animals: 10,000 random swaps and the observed one"],
)
def test_an_approach_that_is_better_on_every_animal_has_the_least_p(n_animals, least_p, is_exact):
    test = paired_test([run_of([1.0] * n_animals)], [run_of([0.3] * n_animals)], classes=CLASSES)
    assert test.p == pytest.approx(least_p)
    assert test.least_p == pytest.approx(least_p)
    assert (test.n_animals, test.is_exact) == (n_animals, is_exact)


def test_an_approach_does_not_differ_from_itself():
    run = run_of([0.3, 0.6, 0.9, 0.5])
    test = paired_test([run], [run], classes=CLASSES)
    assert (test.difference, test.p) == (0, 1)


def test_the_order_of_the_approaches_turns_the_sign_alone():
    first, second = run_of([0.8, 0.7, 0.6, 0.9], seed=1), run_of([0.5, 0.7, 0.6, 0.6], seed=2)
    there, back = paired_test([first], [second], classes=CLASSES), paired_test([second], [first], classes=CLASSES)
    assert there.difference == pytest.approx(-back.difference)
    assert there.p == back.p


def test_several_seeds_are_scored_one_by_one_and_averaged():
    first, second = ([run_of([share] * 4, seed=round(10 * share) + seed) for seed in range(2)] for share in (0.9, 0.6))
    means = [np.mean([score_trials(run, classes=CLASSES).macro_f1 for run in runs]) for runs in (first, second)]
    assert paired_test(first, second, classes=CLASSES).difference == pytest.approx(means[0] - means[1])


def test_random_swaps_depend_on_the_seed_alone():
    first, second = run_of([0.6] * 14, seed=1), run_of([0.6] * 14, seed=2)
    p = [paired_test([first], [second], classes=CLASSES, seed=seed).p for seed in (0, 0, 1)]
    assert p[0] == p[1] != p[2]
    assert p[0] == pytest.approx(p[2], abs=0.03)


@pytest.mark.parametrize(
    ("score", "not_assessable"),
    [pytest.param(WITHDRAW_F1, {"paw_withdraw"}, id="an action"), pytest.param("macro_f1", CLASSES, id="all actions")],
)
def test_what_is_not_assessable_is_not_tested(score, not_assessable):
    run = run_of([0.5] * 4)
    test = paired_test([run], [run], classes=CLASSES, score=score, not_assessable=not_assessable)
    assert np.isnan(test.difference)
    assert test.p is None


def test_a_single_animal_is_not_tested():
    test = paired_test([run_of([0.9])], [run_of([0.5])], classes=CLASSES)
    assert test.difference > 0
    assert test.p is None


def test_approaches_with_other_numbers_of_seeds_are_refused():
    run = run_of([0.5] * 3)
    message = "evaluation: expected as many seeds of both approaches, got 2 and 1. Train both with the same seeds."
    with pytest.raises(InputError, match=message):
        paired_test([run, run], [run], classes=CLASSES)


def test_approaches_on_other_trials_are_refused():
    message = "m2 trial 1: expected the same animal and labels in each run, got it in run 1 and not in run 2. Compare"
    with pytest.raises(InputError, match=message):
        paired_test([run_of([0.5] * 3)], [run_of([0.5] * 2)], classes=CLASSES)
