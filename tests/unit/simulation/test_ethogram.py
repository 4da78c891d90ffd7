import numpy as np
import pytest

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.bouts import bouts_of
from nocigram.simulation.ethogram import CODES, TRIAL_N_FRAMES, TrialPlan, plan_trials
from nocigram.simulation.traits import draw_animal


def _plans(seed: int, *, group: str, n_trials: int) -> list[TrialPlan]:
    rng = np.random.default_rng(seed)
    return plan_trials(rng, animal=draw_animal(rng, name="a", group=group, size_px=320), n_trials=n_trials)


@pytest.fixture(scope="module")
def many_plans() -> dict[str, list[TrialPlan]]:
    return {
        group: [plan for seed in range(40) for plan in _plans(seed, group=group, n_trials=10)]
        for group in ("CFA", "control")
    }


@pytest.mark.parametrize("n_trials", [1, 2, 7])
def test_every_trial_has_its_length(n_trials):
    assert [len(plan.actions) for plan in _plans(3, group="CFA", n_trials=n_trials)] == [TRIAL_N_FRAMES] * n_trials


@pytest.mark.parametrize("group", ["CFA", "control"])
def test_from_three_trials_on_an_animal_shows_every_merged_action(group):
    for seed in range(60):
        actions = np.concatenate([plan.actions for plan in _plans(seed, group=group, n_trials=3)])
        assert set(DEFAULT_SCHEME.merged(actions)) == set(range(len(DEFAULT_SCHEME.classes)))


@pytest.mark.parametrize(
    ("action", "low", "high"),
    [
        ("rest", 0.46, 0.62),
        ("paw_withdraw", 0.006, 0.018),
        ("paw_lick", 0.007, 0.025),
        ("paw_guard", 0.002, 0.012),
        ("paw_shake", 0.014, 0.036),
        ("flinch", 0.0003, 0.004),
        ("walk", 0.07, 0.14),
        ("active", 0.24, 0.37),
    ],
)
def test_shares_of_frames_are_near_the_guides(many_plans, action, low, high):
    actions = np.concatenate([plan.actions for plans in many_plans.values() for plan in plans])
    assert low < (actions == CODES[action]).mean() < high


def test_withdraw_follows_the_stimulus_often_when_inflamed_and_seldom_otherwise(many_plans):
    def responding(plans: list[TrialPlan]) -> float:
        withdraw = CODES["paw_withdraw"]
        return float(np.mean([withdraw in plan.actions[plan.stim_frame : plan.stim_frame + 32] for plan in plans]))

    assert responding(many_plans["CFA"]) > 0.7
    assert responding(many_plans["control"]) < 0.25


def test_a_response_is_said_to_be_one(many_plans):
    for plan in many_plans["CFA"]:
        after = plan.actions[plan.stim_frame + 4 : plan.stim_frame + 32]
        assert plan.has_response == (CODES["paw_withdraw"] in after)


def test_a_withdraw_lasts_3_to_12_frames(many_plans):
    lengths = [
        len(bout.span)
        for plans in many_plans.values()
        for plan in plans
        for bout in bouts_of(plan.actions)
        if bout.action == CODES["paw_withdraw"]
    ]
    assert min(lengths) == 3
    assert max(lengths) == 12


def test_lick_and_shake_tend_to_follow_a_withdraw(many_plans):
    followed = [
        plan.bouts[index + 1].kind
        for plan in many_plans["CFA"]
        for index, bout in enumerate(plan.bouts[:-1])
        if bout.kind == "paw_withdraw"
    ]
    assert np.mean([kind in ("paw_lick", "paw_shake", "paw_guard") for kind in followed]) > 0.5
