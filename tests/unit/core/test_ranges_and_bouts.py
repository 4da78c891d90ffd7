import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import Bout, bouts_of, near_edges, without_edges
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


def test_frames_near_a_change_of_action_are_those_of_a_hand_drawn_case():
    actions = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, UNSCORED, 0, 0, 2])

    # the bout of 6 loses its last 2; that of 3 its first alone, since its middle stays and no action follows it
    assert np.flatnonzero(near_edges(actions, 2)).tolist() == [4, 5, 6]
    assert not near_edges(actions, 0).any()


@given(actions=st.lists(st.integers(-1, 2), max_size=40), n_frames=st.integers(0, 9))
def test_every_bout_keeps_a_frame_and_more_tolerance_takes_no_frame_back(actions, n_frames):
    actions = np.array(actions, dtype=np.int64)
    kept = without_edges(actions, n_frames)

    for bout in bouts_of(actions):
        assert (kept[bout.span.start : bout.span.stop] == bout.action).any()
    assert not near_edges(actions, n_frames)[actions == UNSCORED].any()
    assert (near_edges(actions, n_frames) <= near_edges(actions, n_frames + 1)).all()
    changed = np.flatnonzero((np.diff(actions) != 0) & (actions[1:] >= 0) & (actions[:-1] >= 0))
    for frame in np.flatnonzero(near_edges(actions, n_frames)):
        assert min(abs(frame - changed - 0.5)) < n_frames
