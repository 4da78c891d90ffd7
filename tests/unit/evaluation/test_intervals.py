import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap
from sklearn.metrics import f1_score

from nocigram.core.errors import InputError
from nocigram.evaluation import Measured, Timing, TrialPrediction, measure, score_events, score_trials

CLASSES = ("rest", "paw_withdraw", "walk")


def run_of(animals, *, seed=0, n_frames=60, right=0.7, actions=(0, 1, 2)):
    """A seed's predictions: one trial per animal with the same labels in every run, right in a share of the frames."""
    predictions = []
    for number, animal in enumerate(animals):
        labels = np.random.default_rng(number).choice(actions, n_frames // 5).repeat(5)
        noise = np.random.default_rng([seed, number])
        predicted = np.where(noise.random(n_frames) < right, labels, noise.integers(0, 3, n_frames))
        predictions.append(
            TrialPrediction(
                recording=animal,
                trial=1,
                animal=animal,
                labels=labels,
                probabilities=np.eye(3)[predicted],
                timing=Timing(fps=30.0, start=0, stim_frame=None),
            )
        )
    return predictions


def numbers_of(content, path=""):
    """The numbers of metrics.json by their path."""
    if isinstance(content, dict):
        return {
            key: value for name, part in content.items() for key, value in numbers_of(part, f"{path}/{name}").items()
        }
    return {path[1:]: content}


def test_values_and_paths_are_those_of_metrics_json():
    run = run_of("ABCD")
    numbers = numbers_of(score_trials(run, classes=CLASSES).as_dict())
    events = score_events(run, classes=CLASSES).actions
    numbers |= {f"events/{name}/f1": action.by_onset.f1 for name, action in events.items()}
    measured = measure([run], classes=CLASSES)
    assert {path for path in numbers if not re.search("n_|keypoint|ece|average", path)} == set(measured)
    for path, score in measured.items():
        assert score.value == pytest.approx(numbers[path]), path
        assert 0 <= score.low <= score.value <= score.high <= (100 if path == "edit" else 1), path


def test_intervals_are_those_of_scipy_with_animals_as_observations():
    run = run_of("ABCDEFGH", right=0.6)

    def macro_f1(index):
        drawn = [run[i] for i in index.astype(int)]
        labels, predicted = (np.concatenate([getattr(t, name) for t in drawn]) for name in ("labels", "predicted"))
        return f1_score(labels, predicted, average="macro")

    scipys = bootstrap(
        (np.arange(8),), macro_f1, method="percentile", n_resamples=600, vectorized=False, rng=np.random.default_rng(1)
    ).confidence_interval
    ours = measure([run], classes=CLASSES)["macro_f1"]
    width = scipys.high - scipys.low
    assert (ours.low, ours.high) == pytest.approx((scipys.low, scipys.high), abs=0.15 * width)


def test_many_frames_of_few_animals_do_not_make_an_interval_narrow(trial_of):
    def run(n_frames):
        shares = {"A": 1.0, "B": 0.5, "C": 0.8, "D": 0.6}
        trials = []
        for animal, share in shares.items():
            labels = np.repeat([0, 1], n_frames // 2)
            wrong = np.arange(n_frames) >= share * n_frames
            trials.append(trial_of(labels, np.where(wrong, 1 - labels, labels), recording=animal, animal=animal))
        return trials

    few, many = (measure([run(n_frames)], classes=CLASSES)["accuracy"] for n_frames in (100, 10_000))
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.05)
    assert many.high - many.low > 0.2


@pytest.mark.parametrize(("animals", "has_interval"), [("A", False), ("AB", False), ("ABC", True)])
def test_fewer_than_three_animals_give_no_interval(animals, has_interval):
    macro_f1 = measure([run_of(animals)], classes=CLASSES)["macro_f1"]
    assert (macro_f1.low is not None, macro_f1.high is not None) == (has_interval, has_interval)
    assert 0 < macro_f1.value < 1


def test_an_action_of_two_animals_has_scores_without_intervals_of_its_own():
    run = [*run_of("ABC", actions=(0, 2)), *run_of("DE")]
    measured = measure([run], classes=CLASSES)
    withdraw = measured["per_action/paw_withdraw/f1"]
    assert withdraw.value > 0
    assert withdraw.low is withdraw.high is None
    assert measured["per_action/walk/f1"].low is not None
    assert measured["macro_f1"].low is not None


def test_resamples_without_an_action_are_left_out_of_its_interval(trial_of):
    shows = [trial_of([0, 1, 1, 1], [0, 1, 1, 0], recording=name, animal=name) for name in "ABC"]
    others = [trial_of([0, 0], recording=name, animal=name) for name in "DEFGHI"]
    recall = measure([[*shows, *others]], classes=CLASSES)["per_action/paw_withdraw/recall"]
    assert recall == Measured(value=2 / 3, low=2 / 3, high=2 / 3)


def test_an_absent_action_has_no_number_and_no_interval():
    measured = measure([run_of("ABCD", actions=(0, 2))], classes=CLASSES)
    assert np.isnan(measured["per_action/paw_withdraw/f1"].value)
    assert measured["per_action/paw_withdraw/f1"].low is None
    assert not np.isnan(measured["macro_f1"].value)


def test_an_action_that_is_not_assessable_is_never_0_and_enters_no_mean(trial_of):
    run = [trial_of([0, 0, 1, 2], [0, 0, 0, 2], recording=name, animal=name) for name in "ABC"]
    measured = measure([run], classes=CLASSES, not_assessable={"paw_withdraw"})
    assert np.isnan(measured["per_action/paw_withdraw/f1"].value)
    assert measured["per_action/paw_withdraw/f1"].low is None
    assert measured["macro_f1"].value == pytest.approx((0.8 + 1) / 2)
    assert measured["balanced_accuracy"].value == pytest.approx(1)
    assert measured["accuracy"].value == pytest.approx(3 / 4)


def test_no_assessable_action_leaves_the_means_without_a_number(trial_of):
    run = [trial_of([0, 1], recording=name, animal=name) for name in "ABC"]
    measured = measure([run], classes=CLASSES, not_assessable=CLASSES)
    assert np.isnan(measured["macro_f1"].value)
    assert measured["macro_f1"].low is None


def test_several_seeds_are_scored_one_by_one_and_averaged():
    runs = [run_of("ABCDE", seed=seed) for seed in range(3)]
    alone = [score_trials(run, classes=CLASSES) for run in runs]
    together = measure(runs, classes=CLASSES)
    assert together["macro_f1"].value == pytest.approx(np.mean([scores.macro_f1 for scores in alone]))
    assert together["edit"].value == pytest.approx(np.mean([scores.edit for scores in alone]))


def test_the_animals_of_a_resample_are_the_same_for_all_seeds():
    run = run_of("ABCDE")
    one, three = measure([run], classes=CLASSES), measure([run, run, run], classes=CLASSES)
    for path, score in one.items():
        again = three[path]
        assert (again.value, again.low, again.high) == pytest.approx((score.value, score.low, score.high)), path


def test_a_seed_that_never_calls_an_action_has_no_precision_to_average(trial_of):
    def run(called):
        return [trial_of([0, 1, 1], [0, called, called], recording=name, animal=name) for name in "ABC"]

    measured = measure([run(1), run(0)], classes=CLASSES)
    assert measured["per_action/paw_withdraw/precision"].value == 1
    assert measured["per_action/paw_withdraw/f1"].value == 0.5


def test_the_same_seed_gives_the_same_interval():
    run = run_of("ABCDE")
    first, again, other = (measure([run], classes=CLASSES, seed=seed)["macro_f1"] for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


@settings(max_examples=20, deadline=None)
@given(st.permutations("ABCDE"))
def test_the_order_of_trials_does_not_matter(order):
    run = {trial.animal: trial for trial in run_of("ABCDE")}
    shuffled = measure([[run[animal] for animal in order]], classes=CLASSES, n_resamples=50)
    assert shuffled == measure([list(run.values())], classes=CLASSES, n_resamples=50)


def test_an_animal_without_a_scored_frame_is_not_drawn(trial_of):
    run = run_of("ABC")
    blank = trial_of([-1, -1], [1, 2], recording="D", animal="D")
    assert measure([[*run, blank]], classes=CLASSES) == measure([run], classes=CLASSES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"labels": [0, 0]}, "got other labels in run 2 than in run 1. Compare", id="other labels"),
        pytest.param({"animal": "B"}, "got animal A in run 1 and B in run 2. Compare", id="another animal"),
        pytest.param({"trial": 2}, "got it in run 1 and not in run 2. Compare", id="another trial"),
    ],
)
def test_runs_of_other_trials_are_refused(trial_of, change, message):
    first, second = trial_of([0, 1]), trial_of(**({"labels": [0, 1]} | change))
    with pytest.raises(
        InputError, match=re.escape(f"mouse1 trial 1: expected the same animal and labels in each run, {message}")
    ):
        measure([[first], [second]], classes=CLASSES)


def test_no_run_is_refused():
    with pytest.raises(
        InputError, match=r"evaluation: expected at least 1 run, got 0\. Give the predictions of a seed."
    ):
        measure([], classes=CLASSES)
