import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import Bout, bouts_of
from nocigram.core.ranges import FrameRange


def test_a_range_is_half_open():
    span = FrameRange(15, 360)
    assert len(span) == 345
    assert str(span) == "[15, 360)"
    assert span.shifted(360) == FrameRange(375, 720)
    assert FrameRange(1, 5) < FrameRange(2, 3)


@pytest.mark.parametrize(("start", "stop"), [(5, 5), (6, 5), (-1, 5)], ids=["empty", "backwards", "before frame 0"])
def test_an_empty_range_is_refused(start, stop):
    with pytest.raises(ValueError, match=rf"expected 0 <= start < stop, got \[{start}, {stop}\)"):
        FrameRange(start, stop)


@pytest.mark.parametrize(
    ("actions", "bouts"),
    [
        pytest.param([], [], id="no frames"),
        pytest.param([2], [(2, 0, 1)], id="a single frame"),
        pytest.param([0, 0, 1, 1, 1], [(0, 0, 2), (1, 2, 5)], id="two bouts"),
        pytest.param([1, -1, 1], [(1, 0, 1), (1, 2, 3)], id="an unscored frame ends a bout"),
        pytest.param([-1, -1], [], id="unscored only"),
    ],
)
def test_bouts_are_maximal_runs(actions, bouts):
    expected = [Bout(action, FrameRange(start, stop)) for action, start, stop in bouts]
    assert bouts_of(np.array(actions, dtype=np.int64)) == expected


@given(st.lists(st.integers(-1, 3), max_size=40))
def test_bouts_give_the_actions_back(actions):
    rebuilt = np.full(len(actions), UNSCORED)
    bouts = bouts_of(np.array(actions, dtype=np.int64))
    for bout in bouts:
        rebuilt[bout.span.start : bout.span.stop] = bout.action
    assert rebuilt.tolist() == actions
    for before, after in zip(bouts, bouts[1:], strict=False):  # noqa: RUF007
        assert before.span.stop < after.span.start or before.action != after.action
