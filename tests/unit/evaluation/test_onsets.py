"""Which bouts belong together by their onsets."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.evaluation import Timing
from nocigram.evaluation.onsets import pairs_at_onset

onsets = st.lists(st.integers(0, 40), max_size=5, unique=True).map(lambda values: np.array(sorted(values), dtype=int))


def best_of_all(labelled, predicted, *, within):
    """Most pairs, then least error, by trying every set of pairs."""
    best = (0, 0)
    for n_pairs in range(1, min(len(labelled), len(predicted)) + 1):
        for rows in itertools.combinations(labelled, n_pairs):
            for columns in itertools.permutations(predicted, n_pairs):
                errors = [abs(int(a) - int(b)) for a, b in zip(rows, columns, strict=True)]
                if max(errors) <= within:
                    best = max(best, (n_pairs, -sum(errors)))
    return best


@pytest.mark.parametrize(
    ("labelled", "predicted", "pairs"),
    [
        pytest.param([10], [12], [(10, 12)], id="at the tolerance"),
        pytest.param([10], [13], [], id="beyond it"),
        pytest.param([], [3], [], id="nothing labelled"),
        pytest.param([10, 12], [12], [(12, 12)], id="the nearer of two"),
        # 12 is nearest to 12, but then 10 has no partner and 14 none: two pairs of 2 frames beat one of 0.
        pytest.param([10, 12], [12, 14], [(10, 12), (12, 14)], id="two pairs rather than one that is exact"),
        # (10, 12) and (11, 11), or (10, 11) and (11, 12): both 2 frames in all; partners don't cross.
        pytest.param([10, 11], [11, 12], [(10, 11), (11, 12)], id="in order of time"),
    ],
)
def test_pairs_of_cases_worked_out_by_hand(labelled, predicted, pairs):
    labelled, predicted = np.array(labelled, dtype=int), np.array(predicted, dtype=int)
    rows, columns = pairs_at_onset(labelled, predicted, within=2)
    assert list(zip(labelled[rows].tolist(), predicted[columns].tolist(), strict=True)) == pairs


@settings(deadline=None)
@given(onsets, onsets, st.integers(0, 9))
def test_no_other_matching_has_more_pairs_or_less_error(labelled, predicted, within):
    rows, columns = pairs_at_onset(labelled, predicted, within=within)
    errors = np.abs(labelled[rows] - predicted[columns])
    assert (len(rows), -errors.sum()) == best_of_all(labelled, predicted, within=within)


@settings(deadline=None)
@given(onsets, onsets, st.integers(0, 9))
def test_pairs_are_one_to_one_within_the_tolerance_and_don_t_cross(labelled, predicted, within):
    rows, columns = pairs_at_onset(labelled, predicted, within=within)
    assert (np.diff(rows) > 0).all()
    assert (np.diff(columns) > 0).all()
    assert (np.abs(labelled[rows] - predicted[columns]) <= within).all()


@pytest.mark.parametrize(
    ("seconds", "fps", "n_frames"),
    [
        pytest.param(0.2, 30.0, 6, id="whole frames"),
        pytest.param(0.29, 100.0, 29, id="whole frames that rounding would lose"),
        pytest.param(0.2, 29.97, 5, id="a frame that doesn't fit is none"),
        pytest.param(0.0, 30.0, 0, id="no tolerance"),
    ],
)
def test_a_tolerance_is_whole_frames(seconds, fps, n_frames):
    assert Timing(fps=fps, start=0, stim_frame=None).frames_within(seconds) == n_frames
