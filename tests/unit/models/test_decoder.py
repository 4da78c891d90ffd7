"""From probabilities to bouts: exact, no shorter than it may be, and blind to nothing that is sure."""

import itertools
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.models.bout_statistics import BoutStatistics, learn_bouts
from nocigram.models.decoder import BoutDecoder, _candidates, fit_decoder

REST, WITHDRAW, LICK, WALK = range(4)
N_ACTIONS = 4


def trial(*runs):
    """Actions from (action, n_frames) pairs."""
    return np.concatenate([np.full(n_frames, action) for action, n_frames in runs])


def certain(actions, *, p=1.0, n_actions=N_ACTIONS):
    return np.where(np.eye(n_actions, dtype=bool)[actions], p, (1 - p) / (n_actions - 1))


def study(seed, *, n_bouts=60, shortest=3):
    """Labels of a long trial: rest between withdrawals, licks and walks."""
    rng = np.random.default_rng(seed)
    runs = [(REST, 40)]
    for _ in range(n_bouts):
        action = int(rng.choice([WITHDRAW, LICK, WALK], p=[0.3, 0.4, 0.3]))
        least, most = {WITHDRAW: (shortest, shortest + 15), LICK: (15, 80), WALK: (20, 90)}[action]
        runs += [(action, int(rng.integers(least, most))), (REST, int(rng.integers(20, 200)))]
    return trial(*runs)


def noisy(actions, seed, *, noise=2.0):
    """Probabilities of a network that flickers."""
    rng = np.random.default_rng(seed)
    logits = 3 * np.eye(N_ACTIONS)[actions] + noise * rng.normal(size=(len(actions), N_ACTIONS))
    exp = np.exp(logits)
    return exp / exp.sum(axis=1, keepdims=True)


@st.composite
def statistics(draw, n_actions=3):
    probability = st.floats(0.05, 0.9)
    weights = np.array([[draw(probability) for _ in range(n_actions)] for _ in range(n_actions)])
    weights *= 1 - np.eye(n_actions)
    share = np.array([draw(probability) for _ in range(n_actions)])
    return {  # the record is made in the test: its type check draws random numbers, which Hypothesis warns of
        "shortest_n_frames": tuple(draw(st.integers(1, 5)) for _ in range(n_actions)),
        "share": tuple((share / share.sum()).tolist()),
        "leave": tuple(draw(probability) for _ in range(n_actions)),
        "transitions": tuple(map(tuple, (weights / weights.sum(axis=1, keepdims=True)).tolist())),
    }


def score_by_definition(actions, probabilities, decoder):
    """Log score of one course, bout by bout; -inf where a bout in the middle is too short."""
    bouts, runs = decoder.bouts, bouts_of(actions)
    score = np.log(bouts.share[runs[0].action])
    for frame, action in enumerate(actions):
        log_p = np.log(max(probabilities[frame, action], 1e-6))
        score += decoder.weight * (log_p - decoder.prior_power * np.log(bouts.share[action]))
    for index, run in enumerate(runs):
        # the first may have begun before the recording, so all its frames are beyond the minimum
        minimum = 1 if index == 0 else min(bouts.shortest_n_frames[run.action], 3)
        beyond = len(run.span) - minimum
        if beyond < 0 and index < len(runs) - 1:
            return -np.inf
        score += max(0, beyond) * np.log1p(-bouts.leave[run.action])
        if index < len(runs) - 1:
            score += np.log(bouts.leave[run.action]) + np.log(bouts.transitions[run.action][runs[index + 1].action])
    return score


@settings(max_examples=40, deadline=None)
@given(
    bouts=statistics(),
    n_frames=st.integers(1, 6),
    seed=st.integers(0, 1000),
    weight=st.floats(0.2, 4),
    prior_power=st.sampled_from([0.0, 0.5]),
)
def test_viterbi_finds_the_best_of_all_courses(bouts, n_frames, seed, weight, prior_power):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), size=n_frames)
    decoder = BoutDecoder(kind="viterbi", bouts=BoutStatistics(**bouts), weight=weight, prior_power=prior_power)
    every = [np.array(course) for course in itertools.product(range(3), repeat=n_frames)]
    best = max(score_by_definition(course, probabilities, decoder) for course in every)

    found = decoder.decode(probabilities)

    assert score_by_definition(found, probabilities, decoder) == pytest.approx(best)


@settings(max_examples=50, deadline=None)
@given(bouts=statistics(), n_frames=st.integers(1, 60), seed=st.integers(0, 1000), weight=st.floats(0.2, 10))
def test_only_the_first_and_the_last_bout_are_shorter_than_the_minimum(bouts, n_frames, seed, weight):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(3, 0.3), size=n_frames)
    bouts = BoutStatistics(**bouts)
    found = BoutDecoder(kind="viterbi", bouts=bouts, weight=weight).decode(probabilities)

    assert all(len(bout.span) >= bouts.min_n_frames[bout.action] for bout in bouts_of(found)[1:-1])


@settings(max_examples=50, deadline=None)
@given(data=st.data(), seed=st.integers(0, 20))
def test_certain_probabilities_that_respect_the_minima_come_back_unchanged(data, seed):
    bouts = learn_bouts([study(seed)], n_actions=N_ACTIONS)
    order = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=8).filter(lambda a: np.diff(a).all()))
    cut = (0, len(order) - 1)
    actions = trial(
        *((a, data.draw(st.integers(1 if at in cut else int(bouts.min_n_frames[a]), 9))) for at, a in enumerate(order))
    )

    for decoder in _candidates("viterbi", bouts):
        np.testing.assert_array_equal(decoder.decode(certain(actions)), actions)


@pytest.mark.parametrize(
    ("kind", "n_bouts", "shortest"),
    [
        pytest.param("viterbi", 4, 3, id="viterbi, few labelled bouts"),
        pytest.param("viterbi", 60, 3, id="viterbi, many, some as short"),
        pytest.param("viterbi", 60, 25, id="viterbi, many, all of them longer"),
        pytest.param("median", 4, 25, id="median, few, all of them longer"),
        pytest.param("median", 60, 3, id="median, many, some as short"),
    ],
)
def test_a_confident_withdrawal_of_three_frames_in_rest_survives(kind, n_bouts, shortest):
    bouts = learn_bouts([study(seed, n_bouts=n_bouts, shortest=shortest) for seed in range(4)], n_actions=N_ACTIONS)
    actions = trial((REST, 70), (WITHDRAW, 3), (REST, 70))
    candidates = list(_candidates(kind, bouts))

    assert candidates
    for decoder in candidates:
        np.testing.assert_array_equal(decoder.decode(certain(actions, p=0.951)), actions)


@pytest.mark.parametrize("kind", ["median", "viterbi"])
def test_fitting_is_deterministic_fast_and_takes_flicker_away(kind):
    labels, held_out = [study(0), study(1)], study(2, n_bouts=70)[:12_000]
    probabilities = noisy(held_out, 3)
    begun = time.perf_counter()
    decoder = fit_decoder(kind, labels, [(held_out, probabilities)], n_actions=N_ACTIONS)
    seconds = time.perf_counter() - begun
    found, likeliest = decoder.decode(probabilities), probabilities.argmax(axis=1)

    assert decoder.kind == kind
    assert decoder == fit_decoder(kind, labels, [(held_out, probabilities)], n_actions=N_ACTIONS)
    assert seconds < 5
    assert (found == held_out).mean() > (likeliest == held_out).mean() + 0.05
    assert len(bouts_of(found)) < len(bouts_of(likeliest)) / 5


@pytest.mark.parametrize("kind", ["none", "median", "viterbi"])
@pytest.mark.parametrize(
    "validation",
    [
        pytest.param([], id="no validation"),
        pytest.param([(np.full(9, UNSCORED), certain(np.zeros(9, int)))], id="nothing scored"),
        pytest.param([(study(5), certain(study(5)))], id="nothing to gain"),
    ],
)
def test_without_a_gain_on_validation_frames_stay_as_they_are(kind, validation):
    assert fit_decoder(kind, [study(0)], validation, n_actions=N_ACTIONS) == BoutDecoder(kind="none")


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([], id="no trial"),
        pytest.param([np.full(50, UNSCORED)], id="nothing scored"),
        pytest.param([trial((REST, 50))], id="one action"),
    ],
)
def test_labels_without_a_transition_teach_no_course_of_bouts(labels):
    held_out = study(2)
    decoder = fit_decoder("viterbi", labels, [(held_out, noisy(held_out, 3))], n_actions=N_ACTIONS)

    assert decoder.kind == "none"


def test_none_is_the_likeliest_action_of_each_frame():
    probabilities = noisy(study(1), 2)

    np.testing.assert_array_equal(BoutDecoder(kind="none").decode(probabilities), probabilities.argmax(axis=1))


@pytest.mark.parametrize("kind", ["none", "median", "viterbi"])
def test_a_decoder_comes_back_from_plain_containers(kind):
    held_out = study(2)
    decoder = fit_decoder(kind, [study(0)], [(held_out, noisy(held_out, 3))], n_actions=N_ACTIONS)

    assert decoder.kind == kind
    assert BoutDecoder.from_plain(json.loads(json.dumps(decoder.as_plain()))) == decoder


@pytest.mark.parametrize("kind", ["none", "median", "viterbi"])
def test_a_recording_of_no_or_one_frame_is_decoded(kind):
    bouts = None if kind == "none" else learn_bouts([study(0)], n_actions=N_ACTIONS)
    decoder = BoutDecoder(kind=kind, bouts=bouts)

    assert decoder.decode(np.empty((0, N_ACTIONS))).shape == (0,)
    assert decoder.decode(certain(np.array([LICK]))).tolist() == [LICK]


def test_an_action_that_was_never_labelled_is_never_decoded():
    bouts = learn_bouts([trial((REST, 9), (LICK, 9), (REST, 9))], n_actions=N_ACTIONS)
    probabilities = certain(trial((REST, 9), (WALK, 9)), p=0.9)
    probabilities[9:, LICK] += 0.01

    found = BoutDecoder(kind="viterbi", bouts=bouts, weight=5.0).decode(probabilities)
    np.testing.assert_array_equal(found, trial((REST, 9), (LICK, 9)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([(REST, 9), (LICK, 2), (REST, 9)], [(REST, 20)], id="a run below half the window is erased"),
        pytest.param([(REST, 9), (LICK, 4), (REST, 9)], None, id="a run above half the window stays"),
        pytest.param([(REST, 9), (WITHDRAW, 2), (REST, 9)], None, id="so does one as short as its labelled bouts"),
        pytest.param([(REST, 9), (WITHDRAW, 1), (REST, 9)], [(REST, 19)], id="unless it is shorter than those"),
        pytest.param([(LICK, 2), (REST, 9)], [(LICK, 1), (REST, 10)], id="at an edge the window is cut"),
        pytest.param([(REST, 3), (LICK, 3)], None, id="a tie leaves a frame as it was"),
    ],
)
def test_median_of_seven_frames(before, after):
    bouts = BoutStatistics(
        shortest_n_frames=(3, 2, 4, 4),
        share=(0.25,) * 4,
        leave=(0.1,) * 4,
        transitions=((0.25,) * 4,) * 4,
    )
    decoder = BoutDecoder(kind="median", bouts=bouts, window_n_frames=7)
    actions = trial(*before)

    np.testing.assert_array_equal(decoder.decode(certain(actions, p=0.9)), actions if after is None else trial(*after))


@pytest.mark.parametrize(
    ("labels", "shortest"),
    [
        pytest.param([(REST, 9), (LICK, 8), (REST, 9)], 3, id="one bout proves no more than is plausible"),
        pytest.param([(REST, 9), (LICK, 2), (REST, 9)], 2, id="one short bout proves that they can be short"),
        pytest.param([(LICK, 2), (REST, 9)], 1, id="a bout cut by the start teaches nothing"),
        pytest.param([(REST, 9), (LICK, 2)], 1, id="nor does one cut by the end"),
        pytest.param([(REST, 9), (LICK, 2), (UNSCORED, 1), (LICK, 2), (REST, 9)], 1, id="nor one cut by a gap"),
        pytest.param([(REST, 9), (LICK, 8)] * 19 + [(REST, 1)], 8, id="nineteen bouts prove it"),
        pytest.param(
            [(REST, 9), (LICK, 1)] + [(REST, 9), (LICK, 8)] * 37 + [(REST, 1)], 1, id="38 can be as short as one"
        ),
        pytest.param(
            [(REST, 9), (LICK, 1)] + [(REST, 9), (LICK, 8)] * 38 + [(REST, 1)], 8, id="of 39 one may be a slip"
        ),
    ],
)
def test_the_shortest_bout_is_learnt_from_whole_ones(labels, shortest):
    assert learn_bouts([trial(*labels)], n_actions=N_ACTIONS).shortest_n_frames[LICK] == shortest


def test_a_gap_is_no_transition():
    gap = trial((REST, 9), (LICK, 9), (UNSCORED, 5), (WALK, 9))
    bouts = learn_bouts([gap], n_actions=N_ACTIONS)

    assert bouts.share == pytest.approx((1 / 3, 0, 1 / 3, 1 / 3))
    assert bouts.transitions[REST] == pytest.approx((0, 0, 2 / 3, 1 / 3))
    assert bouts.transitions[LICK] == pytest.approx((1 / 2, 0, 0, 1 / 2))
    assert bouts.leave[REST] == pytest.approx((1 + 1) / (1 + 8 + 2))
    assert bouts.leave[LICK] == pytest.approx((0 + 1) / (0 + 8 + 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda bouts: BoutDecoder(kind="viterbi"), "expected statistics of bouts", id="no statistics"),
        pytest.param(lambda bouts: BoutDecoder(kind="none", bouts=bouts), "got kind 'none'", id="statistics of no use"),
        pytest.param(
            lambda bouts: BoutDecoder(kind="median", bouts=bouts, window_n_frames=4), "odd window, got 4", id="even"
        ),
        pytest.param(
            lambda bouts: BoutDecoder(kind="viterbi", bouts=bouts).decode(np.ones((3, 7))),
            "expected 4 actions, got 7",
            id="probabilities of another scheme",
        ),
        pytest.param(
            lambda bouts: BoutStatistics(shortest_n_frames=(1,), share=(0.5, 0.5), leave=(0.1,), transitions=()),
            "expected 2 actions throughout, got lengths",
            id="statistics of several schemes",
        ),
    ],
)
def test_numbers_that_fit_no_decoder_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(learn_bouts([study(0)], n_actions=N_ACTIONS))
