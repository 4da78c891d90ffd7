"""From predictions of animals that were held out to metrics.json and the table."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nocigram.config.commands import CrossvalOptions, TrainOptions
from nocigram.config.records import unflat
from nocigram.evaluation import Timing, TrialPrediction, score_events, score_trials
from nocigram.study.crossval import Crossvalidation

CLASSES = ("rest", "walk", "flinch")


def run_of(*, seed, animals="ABC", right=0.8):
    """One trial an animal, of bouts of rest and walk; a single bout of flinch, of animal A."""
    run = []
    for number, animal in enumerate(animals):
        labels = np.tile(np.repeat([0, 1], 5), 6)
        if animal == "A":
            labels[:3] = 2
        rng = np.random.default_rng([seed, number])
        predicted = np.where(rng.random(60) < right, labels, rng.integers(0, 3, 60))
        labels = np.where(np.arange(60) == 59, -1, labels)
        probabilities = np.eye(3)[predicted]
        run.append(
            TrialPrediction(
                recording=animal,
                trial=1,
                animal=animal,
                labels=labels,
                probabilities=probabilities,
                timing=Timing(fps=30.0, start=0, stim_frame=None),
            )
        )
    return run


@pytest.fixture
def by_seed():
    return {seed: run_of(seed=seed) for seed in (4, 5)}


def test_the_keys_are_those_of_evaluate_and_what_only_folds_can_tell(by_seed):
    found = Crossvalidation.of(by_seed, classes=CLASSES).as_dict()
    pooled = score_trials(by_seed[4], classes=CLASSES).as_dict()
    more = ["intervals", "per_animal", "boundary_tolerance", "seeds", "before_smoothing", "onset_tolerance_s", "events"]
    assert list(found) == [*pooled, *more]
    assert set(found["per_action"]["walk"]) == {*pooled["per_action"]["walk"], "n_animals", "is_assessable"}
    assert found["segment_f1"].keys() == pooled["segment_f1"].keys()
    assert (found["n_frames"], found["n_trials"], found["n_animals"]) == (177, 3, 3)
    assert (found["seeds"], found["before_smoothing"]) == ([4, 5], None)
    json.dumps(found, allow_nan=False)


def test_scores_are_means_over_seeds(by_seed):
    found = Crossvalidation.of(by_seed, classes=CLASSES).as_dict()
    each = [score_trials(run, classes=CLASSES) for run in by_seed.values()]
    assert found["accuracy"] == pytest.approx(np.mean([scores.accuracy for scores in each]))
    assert found["ece"] == pytest.approx(np.mean([scores.ece for scores in each]))
    precision = np.mean([scores.per_action["walk"].average_precision for scores in each])
    assert found["per_action"]["walk"]["average_precision"] == pytest.approx(precision)
    assert found["per_action"]["walk"]["f1"] == pytest.approx(
        np.mean([scores.per_action["walk"].f1 for scores in each])
    )
    low, high = found["intervals"]["accuracy"]
    assert low <= found["accuracy"] <= high
    own = [score_trials([run[1]], classes=CLASSES).accuracy for run in by_seed.values()]
    assert found["per_animal"]["B"]["accuracy"] == pytest.approx(np.mean(own))


def test_the_f1_of_events_is_the_mean_over_seeds_with_an_interval(by_seed):
    found = Crossvalidation.of(by_seed, classes=CLASSES, onset_tolerance_s=0.05).as_dict()
    each = [score_events(run, classes=CLASSES, onset_tolerance_s=0.05).actions["walk"] for run in by_seed.values()]
    assert each[0].by_onset.f1 != each[1].by_onset.f1
    assert found["events"]["walk"]["f1"] == pytest.approx(np.mean([events.by_onset.f1 for events in each]))
    assert found["events"]["walk"]["n_found"] == each[0].by_onset.n_found
    assert found["events"]["walk"]["animals"].keys() == set("ABC")
    low, high = found["intervals"]["events/walk/f1"]
    assert low <= found["events"]["walk"]["f1"] <= high
    assert found["events"]["flinch"]["f1"] is None
    assert found["onset_tolerance_s"] == 0.05


def test_an_action_that_is_too_rare_is_not_assessable_anywhere(by_seed):
    result = Crossvalidation.of(by_seed, classes=CLASSES)
    found = result.as_dict()
    support = found["per_action"]["flinch"]
    assert support == {
        **dict.fromkeys(("f1", "precision", "recall", "average_precision")),
        **{"n_frames": 3, "n_bouts": 1, "n_animals": 1, "is_assessable": False},
    }
    assert found["intervals"]["per_action/flinch/f1"] == [None, None]
    others = [found["per_action"][name]["f1"] for name in ("rest", "walk")]
    assert found["macro_f1"] == pytest.approx(np.mean(others))
    assert found["per_animal"]["A"]["per_action"]["flinch"]["f1"] is None
    own = found["per_animal"]["A"]
    assert own["macro_f1"] == pytest.approx(np.mean([own["per_action"][name]["f1"] for name in ("rest", "walk")]))
    line = next(line for line in result.as_text().splitlines() if line.startswith("flinch"))
    assert line.split() == ["flinch", "not", "assessable", "3", "1", "1"]


def test_scores_before_smoothing_are_there_where_bouts_were_decoded(by_seed):
    decoded = {
        seed: [replace(trial, decoded=np.where(trial.labels < 0, 0, trial.labels)) for trial in run]
        for seed, run in by_seed.items()
    }
    found = Crossvalidation.of(decoded, classes=CLASSES).as_dict()
    assert found["accuracy"] == 1
    assert found["before_smoothing"]["accuracy"] == Crossvalidation.of(by_seed, classes=CLASSES).as_dict()["accuracy"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            {"split": Path("s.json")}, "--split: expected no split, since folds are made of animals", id="split"
        ),
        pytest.param(
            {"split_by": "trial"}, "--split_by: expected animal, since folds are made of them, got trial", id="by"
        ),
        pytest.param({"resume": True}, "--resume: expected no such flag, since what is finished is never", id="resume"),
    ],
)
def test_flags_that_mean_nothing_to_folds_are_refused(values, message):
    train = unflat(TrainOptions, {"annotations": Path("A"), "videos": Path("V"), **values})
    (fault,) = CrossvalOptions(train=train).faults()
    assert str(fault).startswith(message)
    assert str(fault).endswith("Leave it out.")
