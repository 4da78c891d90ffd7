"""Segment F1@k and edit score against a plain implementation of the definitions of Lea et al. 2017, section 4.

The paper knows no unscored frames, so there are none here.
"""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.evaluation.segments import IOU_THRESHOLDS, count_bouts, edit_score

N_ACTIONS = 3
sequences = st.lists(st.tuples(st.integers(0, N_ACTIONS - 1), st.integers(1, 8)), min_size=1, max_size=8)


def frames_of(runs):
    return [action for action, n_frames in runs for _ in range(n_frames)]


@st.composite
def pairs(draw):
    """Labels and predictions of as many frames."""
    labels, predicted = frames_of(draw(sequences)), frames_of(draw(sequences))
    n_frames = min(len(labels), len(predicted))
    return labels[:n_frames], predicted[:n_frames]


def segments_of(frames):
    """Action and set of frames of each segment."""
    segments, start = [], 0
    for action, run in groupby(frames):
        n_frames = len(list(run))
        segments.append((action, set(range(start, start + n_frames))))
        start += n_frames
    return segments


def f1_of_the_paper(labels, predicted, k):
    """A predicted segment is a true positive if the segment of its action that it overlaps most does so by k or more.

    Of several predictions that fit one true segment, one is a true positive and the others are false.
    """
    true, called = segments_of(labels), segments_of(predicted)
    hit = set()
    for action, own in called:
        overlaps = [len(own & other) / len(own | other) if name == action else 0 for name, other in true]
        best = overlaps.index(max(overlaps))
        if overlaps[best] >= k:
            hit.add(best)
    n_positive = len(hit)
    precision, recall = n_positive / len(called), n_positive / len(true)
    return 2 * precision * recall / (precision + recall) if n_positive else 0.0


def edit_of_the_paper(labels, predicted):
    """(1 - normalised edit distance of the orders of actions) * 100, with the whole table of Wagner and Fischer."""
    first, second = ([action for action, _ in segments_of(frames)] for frames in (labels, predicted))
    table = np.zeros((len(first) + 1, len(second) + 1))
    table[:, 0], table[0] = range(len(first) + 1), range(len(second) + 1)
    for i, one in enumerate(first, start=1):
        for j, other in enumerate(second, start=1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (one != other))
    return (1 - table[-1, -1] / max(len(first), len(second))) * 100


def ours(labels, predicted, k):
    return count_bouts(np.array(labels), np.array(predicted), n_actions=N_ACTIONS, min_iou=k).f1


def test_a_case_worked_out_by_hand():
    # Labels    [0, 4) rest, [4, 8) walk, [8, 12) rest; predicted [0, 6) rest, [6, 8) walk, [8, 10) rest, [10, 12) walk.
    # Overlaps: rest 4/6 and 2/4, walk 2/4 and 0. At 0.5 three of four predictions and all three labels: 2 * 3 / 7.
    # Orders rest walk rest, rest walk rest walk: one insertion of four.
    labels, predicted = frames_of([(0, 4), (1, 4), (0, 4)]), frames_of([(0, 6), (1, 2), (0, 2), (1, 2)])
    assert ours(labels, predicted, 0.5) == f1_of_the_paper(labels, predicted, 0.5) == pytest.approx(6 / 7)
    assert edit_score(np.array(labels), np.array(predicted)) == edit_of_the_paper(labels, predicted) == 75


@settings(deadline=None)
@given(pairs(), st.sampled_from([*(float(iou) for iou in IOU_THRESHOLDS), 0.75]))
def test_segment_f1_is_that_of_the_paper(pair, k):
    assert ours(*pair, k) == pytest.approx(f1_of_the_paper(*pair, k))


def test_a_prediction_whose_best_partner_is_found_already_is_false():
    # Labels [0, 10) and [11, 20) rest; predicted [0, 6) and [7, 13). [7, 13) overlaps [0, 10) by 3/13 and [11, 20) by
    # 2/13. At 0.1 it is false, since [0, 10) is found already, though it overlaps [11, 20) enough.
    labels, predicted = frames_of([(0, 10), (1, 1), (0, 9)]), frames_of([(0, 6), (1, 1), (0, 6), (2, 7)])
    for f1 in (ours, f1_of_the_paper):
        assert f1(labels, predicted, 0.1) == pytest.approx(2 * 1 / (3 + 4))


@settings(deadline=None)
@given(pairs())
def test_edit_score_is_that_of_the_paper(pair):
    labels, predicted = (np.array(frames) for frames in pair)
    assert edit_score(labels, predicted) == pytest.approx(edit_of_the_paper(*pair))
