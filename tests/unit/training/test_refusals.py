"""Operations that torch refuses, since they can't be deterministic."""

import weakref

import pytest
import torch

from nocigram.training.network import _refused

REFUSAL = "index_put_ with accumulate=False does not have a deterministic implementation, but you set"


def test_nothing_of_a_refused_step_stays_in_memory_for_the_next_attempt():
    kept = []

    def fit(_):
        activation = torch.zeros(3)
        kept.append(weakref.ref(activation))
        raise RuntimeError(REFUSAL)

    assert _refused(fit, None) == "index_put_ with accumulate=False"
    assert kept[0]() is None


def test_a_fit_that_is_not_refused_starts_where_it_is_told(tmp_path):
    starts = []
    assert _refused(starts.append, tmp_path) is None
    assert starts == [tmp_path]


def test_another_error_is_no_refusal():
    def fit(_):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        _refused(fit, None)
