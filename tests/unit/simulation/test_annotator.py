import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.bouts import bouts_of
from nocigram.simulation.annotator import annotate

bouts = st.lists(st.tuples(st.integers(0, 7), st.integers(3, 60)), min_size=1, max_size=12)


@given(bouts=bouts, seed=st.integers(0, 1000))
def test_no_bout_vanishes_or_moves_far(bouts, seed):
    actions = np.concatenate([np.full(n_frames, code) for code, n_frames in bouts])
    annotated = annotate(np.random.default_rng(seed), actions)
    true, seen = bouts_of(actions), bouts_of(annotated)
    assert [bout.action for bout in seen] == [bout.action for bout in true]
    for before, after in zip(true, seen, strict=True):
        assert abs(before.span.start - after.span.start) <= 4
        kept = (annotated[before.span.start : before.span.stop] == before.action).sum()
        assert kept >= 0.6 * len(before.span)


@pytest.mark.parametrize(
    ("n_frames", "low", "high"),
    [
        pytest.param(60, 0.3, 0.8, id="long bouts are off at many edges"),
        pytest.param(8, 0.1, 0.5, id="short ones at fewer"),
        pytest.param(3, 0.0, 0.0, id="those of three frames at none"),
    ],
)
def test_some_edges_are_off(n_frames, low, high):
    actions = np.repeat(np.tile([0, 1], 300), n_frames)
    annotated = annotate(np.random.default_rng(0), actions)
    edges = np.flatnonzero(np.diff(actions)), np.flatnonzero(np.diff(annotated))
    assert low <= np.mean(edges[0] != edges[1]) <= high
