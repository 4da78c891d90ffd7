"""Whether a recording lies outside of what a model was trained on, and how that is said."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nocigram.data.appearance import Appearance
from nocigram.data.outside import FALSE_ALARM_SHARE, PRIOR_RECORDINGS, compared, outside, sentence
from nocigram.data.quantities import Quantity

LENGTH = Quantity(name="body length", unit="px", scale="log", usual_spread=0.1)
PLAIN = Quantity(name="angle", unit="rad", usual_spread=0.1)
HIDDEN = Quantity(name="hidden", scale="share", usual_spread=0.5, alarms="high")


def seen(value, name="body length", recording="mouse9"):
    return Appearance(recording=recording, values={} if value is None else {name: value})


def beside(value, training, quantity=LENGTH):
    """One quantity, alone."""
    (row,) = compared(seen(value, quantity.name), [seen(each, quantity.name) for each in training], [quantity])
    return row


def test_a_recording_outside_is_said_in_one_line_the_farthest_first():
    training = [Appearance(recording=str(n), values={"body length": 92.0 + 2 * n, "angle": 1.0}) for n in range(14)]
    new = Appearance(recording="mouse9", values={"body length": 40.0, "angle": 1.8})
    said = sentence(compared(new, training, [PLAIN, LENGTH]))

    assert said.startswith("[warn] mouse9: angle 1.8 rad, training 1 to 1 rad (")
    assert "; body length 40 px, training 92 to 118 px (" in said
    assert said.endswith(" times the spread beyond)")
    assert sentence(compared(new, training, [PLAIN, LENGTH]), most=1).endswith("beyond); and 1 more")
    assert sentence(compared(training[0], training, [PLAIN, LENGTH])) is None


def test_the_interval_is_that_of_one_more_recording():
    training = [0.0, 0.1, -0.1, 0.3]
    row = beside(2.0, training, PLAIN)
    degrees = PRIOR_RECORDINGS + 3
    spread = math.sqrt((PRIOR_RECORDINGS * 0.1**2 + 3 * np.var(training, ddof=1)) / degrees)
    reach = stats.t.ppf(1 - FALSE_ALARM_SHARE / 2, degrees) * spread * math.sqrt(1 + 1 / 4)

    assert (row.expected_low, row.expected_high) == pytest.approx((0.075 - reach, 0.075 + reach))
    assert row.beyond == pytest.approx((2.0 - 0.075 - reach) / spread)
    assert (row.training_low, row.training_high) == (-0.1, 0.3)


@pytest.mark.parametrize(
    ("value", "training", "quantity", "verdict"),
    [
        pytest.param(100.0, [100.0], LENGTH, "inside", id="one recording of training, the same"),
        pytest.param(50.0, [100.0], LENGTH, "outside", id="one recording of training, half"),
        pytest.param(None, [100.0], LENGTH, "unknown", id="can't be measured"),
        pytest.param(math.nan, [100.0], LENGTH, "unknown", id="not a number"),
        pytest.param(100.0, [None, None], LENGTH, "unknown", id="not in training"),
        pytest.param(50.0, [None, 100.0], LENGTH, "outside", id="in some of the training"),
        pytest.param(0.9, [0.1, 0.2], HIDDEN, "outside", id="a bad share that is higher"),
        pytest.param(0.0, [0.8, 0.9], HIDDEN, "inside", id="a bad share that is lower"),
        pytest.param(0.005, [0.0, 0.0], HIDDEN, "inside", id="shares near 0 are alike"),
    ],
)
def test_the_verdict(value, training, quantity, verdict):
    row = beside(value, training, quantity)
    assert row.verdict == verdict
    assert bool(outside([row])) == (verdict == "outside")
    assert row.as_row()["verdict"] == verdict


@settings(deadline=None)
@given(training=st.lists(st.floats(0.1, 1e4), min_size=1, max_size=12))
def test_what_training_holds_is_never_outside(training):
    assert all(beside(value, training).verdict == "inside" for value in training)


@pytest.mark.parametrize("n_training", [1, 3, 10])
def test_one_recording_in_twenty_of_the_same_kind_lies_outside(n_training):
    rng = np.random.default_rng(n_training)
    quantities = [Quantity(name=str(number), usual_spread=0.1) for number in range(8)]
    n_outside, n_drawn = 0, 400
    for _ in range(n_drawn):
        spread = 0.1 * np.sqrt(PRIOR_RECORDINGS / rng.chisquare(PRIOR_RECORDINGS, 8))  # laboratories differ
        new, *training = (
            Appearance(recording="", values={str(n): float(x) for n, x in enumerate(row)})
            for row in rng.normal(1, spread, (n_training + 1, 8))
        )
        n_outside += bool(outside(compared(new, training, quantities)))
    assert 0.01 < n_outside / n_drawn < FALSE_ALARM_SHARE + 0.03


@pytest.mark.parametrize(
    ("value", "quantity", "text"),
    [
        pytest.param(61.4, LENGTH, "61.4 px", id="three digits"),
        pytest.param(1234.0, LENGTH, "1234 px", id="whole pixels"),
        pytest.param(0.8231, PLAIN, "0.82 rad", id="small"),
        pytest.param(0.314, HIDDEN, "31%", id="a share"),
    ],
)
def test_numbers_are_written_with_what_counts(value, quantity, text):
    assert quantity.text_of(value) == text


@given(share=st.floats(0.01, 0.99), length=st.floats(0.01, 1e4))
def test_scales_can_be_undone(share, length):
    for quantity, value in ((HIDDEN, share), (LENGTH, length), (PLAIN, length)):
        assert quantity.unscaled(float(quantity.scaled(np.array([value]))[0])) == pytest.approx(value)
