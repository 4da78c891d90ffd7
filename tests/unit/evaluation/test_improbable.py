"""Labels that a model finds improbable: mistakes made on purpose come first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.bouts import bouts_of
from nocigram.core.ranges import FrameRange
from nocigram.evaluation import TrialPrediction
from nocigram.evaluation.improbable import improbable_labels, self_confidence

REST, LICK, SHAKE = range(3)
FPS = 30.0


def trial_of(labels, truth, *, number=1, noise=0.0, p=0.9):
    """A trial whose model knows the truth with probability `p`, more or less."""
    labels, truth = np.asarray(labels), np.asarray(truth)
    probabilities = np.full((len(truth), 3), (1 - p) / 2)
    probabilities[np.arange(len(truth)), truth] = p
    logits = np.log(probabilities) + np.random.default_rng(number).normal(0, noise, probabilities.shape)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return TrialPrediction(recording="rec", trial=number, animal="a", labels=labels, probabilities=probabilities)


def course(*runs):
    return np.concatenate([[action] * n_frames for action, n_frames in runs])


def found_in(labels, truth):
    """What is found in a trial beside a hundred right frames of each action, known a little less surely."""
    right = course((REST, 100), (LICK, 100), (SHAKE, 100))
    trials = [trial_of(labels, truth, number=2), trial_of(right, right, p=0.85)]
    return improbable_labels(trials, fps=[FPS, FPS])


TRUTH = course((REST, 50), (LICK, 30), (REST, 50), (SHAKE, 10), (LICK, 40))


@pytest.mark.parametrize(
    ("labels", "span", "label", "other", "kind", "shift"),
    [
        pytest.param(
            course((REST, 50), (SHAKE, 30), (REST, 50), (SHAKE, 10), (LICK, 40)),
            (50, 80), SHAKE, LICK, "bout", 0, id="a bout of another name",
        ),
        pytest.param(
            course((REST, 50), (LICK, 30), (REST, 20), (SHAKE, 8), (REST, 22), (SHAKE, 10), (LICK, 40)),
            (100, 108), SHAKE, REST, "extra", 0, id="a bout that isn't there",
        ),
        pytest.param(
            course((REST, 130), (SHAKE, 10), (LICK, 40)),
            (50, 80), REST, LICK, "missed", 0, id="a bout that nobody labelled",
        ),
        pytest.param(
            course((REST, 56), (LICK, 24), (REST, 50), (SHAKE, 10), (LICK, 40)),
            (50, 56), REST, LICK, "edge", -6, id="a bout that begins earlier",
        ),
        pytest.param(
            course((REST, 50), (LICK, 36), (REST, 44), (SHAKE, 10), (LICK, 40)),
            (80, 86), LICK, REST, "edge", -6, id="a bout that ends earlier",
        ),
        pytest.param(
            course((REST, 44), (LICK, 36), (REST, 50), (SHAKE, 10), (LICK, 40)),
            (44, 50), LICK, REST, "edge", 6, id="a bout that begins later",
        ),
        pytest.param(
            course((REST, 50), (LICK, 10), (REST, 70), (SHAKE, 10), (LICK, 40)),
            (60, 80), REST, LICK, "missed", 0, id="an edge that is off by more than half a second",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_row_that_says_what_it_is(labels, span, label, other, kind, shift):
    (row,) = found_in(labels, TRUTH)

    assert row.span == FrameRange(*span)
    assert (row.label, row.other, row.kind, row.shift_n_frames) == (label, other, kind, shift)
    assert (row.label_probability, row.other_probability) == pytest.approx((0.05, 0.9))
    assert 0 < row.score < 0.95


def test_right_and_unscored_labels_are_left_alone():
    labels = TRUTH.copy()
    labels[60:70] = -1
    assert found_in(TRUTH, TRUTH) == found_in(labels, TRUTH) == []


def test_a_hole_of_three_frames_does_not_divide_a_row_and_one_of_ten_does():
    for n_frames, n_rows in ((3, 1), (10, 2)):
        truth = course((REST, 50), (LICK, 10), (REST, n_frames), (LICK, 10), (REST, 50))
        assert len(found_in(np.zeros(len(truth), dtype=int), truth)) == n_rows


def test_an_action_is_measured_by_its_own_confidence():
    """The model is never surer of a shake than 0.5; a shake of 0.5 that is labelled rest is in doubt, 0.4 is not."""
    right = trial_of(course((REST, 100), (SHAKE, 20)), course((REST, 100), (SHAKE, 20)))
    right.probabilities[100:] = (0.3, 0.2, 0.5)
    for p, n_rows in ((0.5, 1), (0.4, 0)):
        doubted = trial_of(np.zeros(60, dtype=int), np.zeros(60, dtype=int), number=2)
        doubted.probabilities[20:30] = ((1 - p) * 0.5, (1 - p) * 0.5, p)
        assert len(improbable_labels([right, doubted], fps=[FPS, FPS])) == n_rows
    assert self_confidence([right], n_actions=3) == pytest.approx([0.9, 1.0, 0.5])


def corrupted(rng, *, n_trials=12):
    """Trials with ten bouts renamed and ten shifted; (trial, first frame, last) of each."""
    trials, renamed, shifted = [], set(), set()
    for number in range(n_trials):
        truth = np.concatenate(
            [np.full(rng.integers(20, 60), action) for action in rng.permutation([REST, LICK, SHAKE] * 3)]
        )
        labels, bouts = truth.copy(), bouts_of(truth)
        if number < 10:
            early, late = bouts[1].span, bouts[-2].span
            labels[early.start : early.stop] = (bouts[1].action + rng.integers(1, 3)) % 3
            renamed.add((number, early.start, early.stop))
            labels[late.start : late.start + 8] = bouts[-3].action
            labels[late.stop : late.stop + 8] = bouts[-2].action
            shifted |= {(number, late.start, late.start + 8), (number, late.stop, late.stop + 8)}
        trials.append(trial_of(labels, truth, number=number, noise=0.5, p=0.8))
    return trials, renamed, shifted


@pytest.mark.parametrize("seed", range(3))
def test_bouts_renamed_and_shifted_on_purpose_come_first(seed):
    trials, renamed, shifted = corrupted(np.random.default_rng(seed))
    rows = improbable_labels(trials, fps=[FPS] * len(trials))
    n_bouts = sum(row.kind != "edge" for row in rows)

    def hits(row, wanted):
        return {w for w in wanted if w[0] == row.trial and row.span.start < w[2] and row.span.stop > w[1]}

    top = [hits(row, renamed) for row in rows[:12]]
    edges = [hits(row, shifted) for row in rows[n_bouts : n_bouts + 20]]
    assert len(set().union(*top)) >= 9, "of ten"
    assert len(set().union(*edges)) >= 15, "of twenty edges"
    assert all(row.shift_n_frames < 0 for row, hit in zip(rows[n_bouts : n_bouts + 20], edges, strict=True) if hit)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), n_frames=st.integers(1, 80))
def test_rows_lie_in_one_labelled_bout_each_and_are_ranked(seed, n_frames):
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(-1, 3, n_frames), rng.integers(1, 9, n_frames))
    probabilities = rng.dirichlet(np.ones(3), len(labels))
    trial = TrialPrediction(recording="rec", trial=1, animal="a", labels=labels, probabilities=probabilities)
    rows = improbable_labels([trial], fps=[FPS])

    for row in rows:
        assert (labels[row.span.start : row.span.stop] == row.label).all()
        assert row.other != row.label
        assert 0 <= row.score <= 1
    ranked = [(row.kind == "edge", -row.score) for row in rows]
    assert ranked == sorted(ranked)
