"""One number that makes probabilities as sure as they are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from nocigram.models.temperature import fit_temperature, scaled


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def honest():
    """Logits, and labels drawn from their probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(4000, 3))
    labels = (rng.random(4000)[:, None] > softmax(logits).cumsum(axis=1)).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("too_sure", [pytest.param(3.0, id="too sure"), pytest.param(0.5, id="not sure enough")])
def test_the_temperature_undoes_what_made_logits_too_large_or_small(honest, too_sure):
    logits, labels = honest
    temperature = fit_temperature(labels, softmax(logits * too_sure))

    assert temperature == pytest.approx(too_sure, rel=0.1)
    given = softmax(logits * too_sure)
    assert log_loss(labels, scaled(given, temperature)) < log_loss(labels, given)


@given(seed=st.integers(0, 99), temperature=st.floats(0.1, 10))
def test_scaling_divides_logits_and_changes_no_likeliest_action(seed, temperature):
    logits = np.random.default_rng(seed).normal(size=(20, 4))
    found = scaled(softmax(logits), temperature)

    np.testing.assert_allclose(found, softmax(logits / temperature), atol=1e-9)
    np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))


@pytest.mark.parametrize("right", [True, False], ids=["all right", "all wrong"])
def test_the_temperature_stays_within_its_limits(right):
    probabilities = np.tile([0.7, 0.3], (10, 1))
    labels = np.full(10, 0 if right else 1)

    assert 0.1 <= fit_temperature(labels, probabilities) <= 10


def test_a_probability_of_nothing_stays_a_number():
    assert np.isfinite(scaled(np.array([[1.0, 0.0]]), 2.0)).all()
