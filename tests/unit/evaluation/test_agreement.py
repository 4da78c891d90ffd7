"""Bland and Altman's limits, Lin's concordance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nocigram.evaluation.agreement import agreement

numbers = arrays.arrays(np.float64, 6, elements=st.integers(-50, 50).map(float))


def test_limits_and_concordance_of_a_case_worked_out_by_hand():
    # Differences 1, 0, 1, 2: mean 1, sum of squares about it 0 + 1 + 0 + 1 = 2, standard deviation sqrt(2 / 3).
    # Means 2.5 and 3.5. About them: first -1.5, -0.5, 0.5, 1.5; second -1.5, -1.5, 0.5, 2.5.
    # Variances over 4: 5 / 4 and 11 / 4; covariance (2.25 + 0.75 + 0.25 + 3.75) / 4 = 7 / 4.
    # Concordance: 2 * 7/4 / (5/4 + 11/4 + 1^2) = 3.5 / 5.
    found = agreement(np.array([1.0, 2, 3, 4, np.nan]), np.array([2.0, 2, 4, 6, 1]))
    assert (found.n, found.mean_first, found.mean_second, found.bias) == (4, 2.5, 3.5, 1)
    assert (found.low, found.high) == pytest.approx((1 - 1.96 * np.sqrt(2 / 3), 1 + 1.96 * np.sqrt(2 / 3)))
    assert found.concordance == pytest.approx(0.7)


@settings(deadline=None)
@given(numbers)
def test_a_measurement_agrees_with_itself(first):
    found = agreement(first, first)
    assert (found.bias, found.low, found.high) == (0, 0, 0)
    assert np.isnan(found.concordance) if np.ptp(first) == 0 else found.concordance == pytest.approx(1)


@settings(deadline=None)
@given(numbers, numbers)
def test_changing_places_turns_the_bias_about_and_leaves_the_concordance(first, second):
    there, back = agreement(first, second), agreement(second, first)
    assert (there.bias, there.low, there.high) == pytest.approx((-back.bias, -back.high, -back.low))
    assert there.concordance == pytest.approx(back.concordance, nan_ok=True)
    assert np.isnan(there.concordance) or -1 - 1e-9 <= there.concordance <= 1 + 1e-9


@settings(deadline=None)
@given(numbers, numbers)
def test_concordance_is_never_better_than_correlation(first, second):
    if np.ptp(first) > 0 and np.ptp(second) > 0:
        assert abs(agreement(first, second).concordance) <= abs(np.corrcoef(first, second)[0, 1]) + 1e-9


def test_one_pair_has_a_bias_and_no_limits_and_none_has_nothing():
    one, none = agreement(np.array([1.0]), np.array([3.0])), agreement(np.array([np.nan]), np.array([3.0]))
    assert (one.n, one.bias) == (1, 2)
    assert np.isnan([one.low, one.high, one.concordance]).all()
    assert none.n == 0
    assert np.isnan([none.bias, none.low, none.mean_first, none.concordance]).all()
