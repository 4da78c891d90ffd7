from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.evaluation.segments import IOU_THRESHOLDS, count_bouts, edit_score, pairs_by_overlap, spans_of_both

N_ACTIONS = 3
iou_thresholds = st.sampled_from([float(iou) for iou in IOU_THRESHOLDS])


def runs(*pairs):
    """`runs((0, 3), (1, 2))` is 0 0 0 1 1."""
    return np.repeat([action for action, _ in pairs], [n_frames for _, n_frames in pairs])


@st.composite
def trials(draw):
    """Labels, some of them unscored, and predictions of one trial."""
    run = st.tuples(st.integers(UNSCORED, 1), st.integers(1, 8))
    labels = runs(*draw(st.lists(run, min_size=1, max_size=8)))
    run = st.tuples(st.integers(0, 1), st.integers(1, 8))
    predicted = runs(*draw(st.lists(run, min_size=1, max_size=8)))
    return labels, np.resize(predicted, len(labels))


def masked(labels, predicted):
    return np.where(labels == UNSCORED, UNSCORED, predicted)


def slow_pairs(labels, predicted, *, min_iou):
    """Matches bouts as sets of frames, looking for the best pair again and again."""
    true_bouts, predicted_bouts = bouts_of(labels), bouts_of(masked(labels, predicted))
    n_pairs = 0
    while True:
        best, best_pair = 0.0, None
        for true in true_bouts:
            for called in predicted_bouts:
                a = set(range(true.span.start, true.span.stop))
                b = set(range(called.span.start, called.span.stop))
                iou = len(a & b) / len(a | b)
                if true.action == called.action and iou >= min_iou and iou > best:
                    best, best_pair = iou, (true, called)
        if best_pair is None:
            return n_pairs
        true_bouts.remove(best_pair[0])
        predicted_bouts.remove(best_pair[1])
        n_pairs += 1


def slow_edit(labels, predicted):
    """Levenshtein by its definition."""
    first = [bout.action for bout in bouts_of(labels)]
    second = [bout.action for bout in bouts_of(masked(labels, predicted))]

    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        )

    return 100 * (1 - distance(len(first), len(second)) / max(len(first), len(second)))


def counts_of(labels, predicted, *, min_iou=0.5):
    return count_bouts(labels, predicted, n_actions=N_ACTIONS, min_iou=min_iou)


@pytest.mark.parametrize(
    ("labels", "predicted", "min_iou", "f1"),
    [
        pytest.param(runs((0, 10), (1, 10)), runs((0, 10), (1, 10)), 0.5, 1.0, id="all right"),
        pytest.param(
            runs((0, 10), (1, 10)), runs((1, 10), (0, 10)), 0.1, 0.0, id="right order of nothing that overlaps"
        ),
        pytest.param(
            runs((0, 20)), runs((0, 9), (1, 2), (0, 9)), 0.25, 2 / 4, id="a bout split in two finds one partner"
        ),
        pytest.param(runs((0, 10), (1, 10)), runs((0, 15), (1, 5)), 0.5, 1.0, id="a shift at the limit of one half"),
        pytest.param(runs((0, 10), (1, 10)), runs((0, 16), (1, 4)), 0.5, 2 / 4, id="a shift beyond one half"),
        pytest.param(runs((0, 9), (1, 1)), runs((1, 9), (1, 1)), 0.1, 2 / 3, id="an overlap of exactly a tenth"),
        pytest.param(runs((0, 10), (-1, 5), (0, 10)), runs((0, 25)), 0.5, 1.0, id="unscored frames break both"),
        pytest.param(
            runs((0, 5), (-1, 5), (0, 5)), runs((0, 5), (1, 5), (0, 5)), 0.5, 1.0, id="a bout in a gap is none"
        ),
        pytest.param(
            runs((0, 3), (1, 2), (0, 10)), runs((0, 15)), 0.1, 2 / 4, id="one long prediction has one partner"
        ),
    ],
)
def test_segment_f1_of_cases_worked_out_by_hand(labels, predicted, min_iou, f1):
    assert counts_of(labels, predicted, min_iou=min_iou).f1 == pytest.approx(f1)


@pytest.mark.parametrize(
    ("labels", "predicted", "n_pairs"),
    [
        # Overlaps: [0, 2) and [0, 7) 2/7, [3, 10) and [0, 7) 4/10, [3, 10) and [8, 10) 2/7.
        pytest.param(
            runs((0, 2), (1, 1), (0, 7)),
            runs((0, 7), (1, 1), (0, 2)),
            1,
            id="the largest overlap binds two that had others",
        ),
        # Overlaps: [0, 10) and [0, 6) 6/10, [0, 10) and [7, 13) 3/13, [11, 20) and [7, 13) 2/13.
        pytest.param(
            runs((0, 10), (1, 1), (0, 9)),
            runs((0, 6), (1, 1), (0, 6), (2, 7)),
            2,
            id="one that was refused takes another",
        ),
    ],
)
def test_of_pairs_the_largest_overlap_is_matched_first(labels, predicted, n_pairs):
    spans = spans_of_both(labels, predicted, n_actions=N_ACTIONS)[0]
    assert len(pairs_by_overlap(*spans, min_iou=0.1)[0]) == n_pairs


def test_a_bout_takes_the_partner_that_it_overlaps_most():
    # Prediction [0, 6) overlaps both [0, 2) (2/6) and [3, 6) (3/6); [6, 7) is not of the action.
    counts = counts_of(runs((0, 2), (1, 1), (0, 3), (2, 1)), runs((0, 6), (2, 1)), min_iou=0.4)
    assert counts.n_matched.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "predicted", "score"),
    [
        pytest.param(runs((0, 5), (1, 5)), runs((0, 1), (1, 9)), 100.0, id="timing doesn't matter"),
        pytest.param(runs((0, 5), (1, 5)), runs((1, 5), (0, 5)), 0.0, id="wrong order"),
        pytest.param(runs((0, 10)), runs((0, 4), (1, 2), (0, 4)), 100 / 3, id="two bouts too many of three"),
        pytest.param(runs((0, 4), (1, 2), (0, 2), (2, 2)), runs((0, 8), (2, 2)), 50.0, id="two bouts missed of four"),
        pytest.param(runs((0, 4), (-1, 2), (0, 4)), runs((0, 10)), 100.0, id="unscored frames break both"),
    ],
)
def test_edit_score_of_cases_worked_out_by_hand(labels, predicted, score):
    assert edit_score(labels, predicted) == pytest.approx(score)


def test_a_trial_without_scored_frames_has_no_scores_of_bouts():
    unscored = np.full(5, UNSCORED)
    assert np.isnan(edit_score(unscored, np.zeros(5, dtype=np.int64)))
    assert np.isnan(counts_of(unscored, np.zeros(5, dtype=np.int64)).f1)


@given(trials(), iou_thresholds)
def test_pairs_are_those_of_a_slow_matching(trial, min_iou):
    pairs = [pairs_by_overlap(*spans, min_iou=min_iou)[0] for spans in spans_of_both(*trial, n_actions=N_ACTIONS)]
    assert sum(map(len, pairs)) == slow_pairs(*trial, min_iou=min_iou)


@given(trials())
def test_edit_score_is_that_of_the_definition(trial):
    if (trial[0] != UNSCORED).any():
        assert edit_score(*trial) == pytest.approx(slow_edit(*trial))


@given(trials(), iou_thresholds)
def test_labels_as_predictions_are_perfect(trial, min_iou):
    labels, _ = trial
    if (labels != UNSCORED).any():
        assert counts_of(labels, labels, min_iou=min_iou).f1 == 1.0
        assert edit_score(labels, labels) == 100.0


@given(trials(), iou_thresholds)
def test_scores_stay_within_their_bounds(trial, min_iou):
    counts = counts_of(*trial, min_iou=min_iou)
    assert (counts.n_matched <= np.minimum(counts.n_true, counts.n_predicted)).all()
    if (trial[0] != UNSCORED).any():
        assert 0 <= counts.f1 <= 1
        assert 0 <= edit_score(*trial) <= 100


@given(trials())
def test_segment_f1_never_rises_with_the_overlap_that_is_asked_for(trial):
    n_matched = [counts_of(*trial, min_iou=float(iou)).n_matched.sum() for iou in IOU_THRESHOLDS]
    assert n_matched == sorted(n_matched, reverse=True)


@given(trials(), iou_thresholds)
def test_swapping_labels_and_predictions_changes_no_pairs_and_no_order(trial, min_iou):
    labels, predicted = trial[0], masked(*trial)
    there, back = counts_of(labels, predicted, min_iou=min_iou), counts_of(predicted, labels, min_iou=min_iou)
    assert there.n_true.tolist() == back.n_predicted.tolist()
    for spans in spans_of_both(labels, predicted, n_actions=N_ACTIONS):
        n_pairs = [len(pairs_by_overlap(*both, min_iou=min_iou)[0]) for both in (spans, spans[::-1])]
        assert n_pairs[0] == n_pairs[1]
    if (labels != UNSCORED).any():
        assert edit_score(labels, predicted) == pytest.approx(edit_score(predicted, labels))


@given(trials(), trials(), iou_thresholds)
def test_counts_of_trials_add_up_as_if_a_gap_lay_between_them(first, second, min_iou):
    gap = np.array([UNSCORED])
    labels = np.concatenate([first[0], gap, second[0]])
    predicted = np.concatenate([first[1], np.array([0]), second[1]])
    added = counts_of(*first, min_iou=min_iou) + counts_of(*second, min_iou=min_iou)
    together = counts_of(labels, predicted, min_iou=min_iou)
    for name in ("n_true", "n_predicted", "n_matched"):
        assert getattr(added, name).tolist() == getattr(together, name).tolist()


def test_bouts_that_meet_at_the_border_of_two_trials_stay_apart():
    first, second = runs((0, 5), (1, 5)), runs((1, 5), (0, 5))
    added = counts_of(first, first) + counts_of(second, second)
    assert added.n_true.tolist() == [2, 2, 0]
