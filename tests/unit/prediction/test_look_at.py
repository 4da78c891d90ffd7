"""The bouts most in need of a look, from a stream."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.prediction import Prediction
from nocigram.prediction.look_at import MOST_ROWS, Watch

CLASSES = ("rest", "lick", "shake")
FPS = 30.0


def part_of(actions, probabilities, start=0):
    times_s = (start + np.arange(len(actions))) / FPS
    return Prediction(
        actions=np.asarray(actions), probabilities=probabilities, classes=CLASSES, times_s=times_s, keypoints=None
    )


def rows_of(actions, probabilities, *, cuts=(), visible=None, is_outside=False):
    """Watch a recording that comes in parts."""
    watch = Watch(recording="rec", classes=CLASSES, fps=FPS, visible=visible)
    for start, stop in pairwise([0, *sorted(set(cuts)), len(actions)]):
        watch.see(part_of(actions[start:stop], probabilities[start:stop], start))
    return watch.rows(is_outside=is_outside)


def sure(actions, p=0.9):
    """The same confidence in every frame, the rest shared alike."""
    probabilities = np.full((len(actions), 3), (1 - p) / 2)
    probabilities[np.arange(len(actions)), actions] = p
    return probabilities


@pytest.mark.parametrize(
    ("rest_lick_shake", "hidden", "why"),
    [
        pytest.param((0.1, 0.9, 0.0), False, (), id="sure"),
        pytest.param((0.3, 0.45, 0.25), False, ("low confidence", "rest is as likely"), id="unsure"),
        pytest.param((0.1, 0.5, 0.4), False, ("shake is as likely",), id="a close second"),
        pytest.param((0.6, 0.4, 0.0), False, ("low confidence", "smoothing chose it over rest"), id="smoothed"),
        pytest.param((0.1, 0.9, 0.0), True, ("pose not visible",), id="hidden"),
    ],
)
def test_a_bout_is_listed_with_its_reasons(rest_lick_shake, hidden, why):
    actions = np.array([0] * 10 + [1] * 10 + [0] * 10)
    probabilities = sure(actions)
    probabilities[10:20] = rest_lick_shake
    visible = np.ones((30, 6), dtype=bool)
    visible[10:20] = not hidden
    rows = rows_of(actions, probabilities, visible=visible)

    assert [row.why for row in rows] == ([why] if why else [])
    for row in rows:
        assert (row.start_frame, row.stop_frame, row.action) == (10, 20, "lick")
        assert (row.start_s, row.stop_s) == pytest.approx((10 / 30, 19 / 30))
        assert row.confidence == pytest.approx(rest_lick_shake[1])


def test_a_bout_of_two_frames_is_short_and_a_cut_one_is_not():
    actions = np.array([0] * 61 + [1] * 2 + [0] * 61)  # pieces of 60 frames leave one frame each
    rows = rows_of(actions, sure(actions))

    assert [(row.start_frame, row.stop_frame, row.why) for row in rows] == [(61, 63, ("short bout",))]


def test_a_doubtful_second_of_a_long_bout_is_a_row_of_its_own():
    actions = np.zeros(600, dtype=int)
    probabilities = sure(actions)
    probabilities[240:300] = (0.4, 0.35, 0.25)
    probabilities[250] = (0.1, 0.8, 0.1)
    (row,) = rows_of(actions, probabilities)

    assert (row.start_frame, row.stop_frame, row.worst_frame) == (240, 300, 250)


def test_of_a_recording_outside_all_are_in_doubt_and_the_worst_come_first():
    actions = np.repeat([0, 1, 2], 20)
    probabilities = np.concatenate([sure(actions[:20], 0.8), sure(actions[20:40], 0.7), sure(actions[40:], 0.9)])
    assert rows_of(actions, probabilities) == []
    rows = rows_of(actions, probabilities, is_outside=True)

    assert [row.action for row in rows] == ["lick", "rest", "shake"]
    assert {row.why for row in rows} == {("recording outside",)}


def test_of_equal_doubts_the_earlier_comes_first():
    actions = np.repeat([0, 1, 2, 0, 1], 20)
    rows = rows_of(actions, sure(actions), is_outside=True)

    assert [row.start_frame for row in rows] == [0, 20, 40, 60, 80]


def test_memory_does_not_grow_with_the_recording():
    actions = np.tile([0, 1], 500)
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 1000)
    probabilities = np.stack([np.where(actions == 0, confidence, 1 - confidence)] * 3, axis=1)
    probabilities[:, 1], probabilities[:, 2] = 1 - probabilities[:, 0], 0
    rows = rows_of(actions, probabilities, is_outside=True)

    assert len(rows) == MOST_ROWS
    assert [row.confidence for row in rows] == pytest.approx(sorted(confidence)[:MOST_ROWS])


@settings(max_examples=50, deadline=None)
@given(
    runs=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 90)), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 600), max_size=8),
    seed=st.integers(0, 9),
)
def test_rows_are_the_same_however_the_stream_is_cut(runs, cuts, seed):
    actions = np.concatenate([[action] * n for action, n in runs])
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), len(actions))
    whole = rows_of(actions, probabilities)
    parts = rows_of(actions, probabilities, cuts=[cut for cut in cuts if cut < len(actions)])

    assert [(r.start_frame, r.stop_frame, r.why) for r in parts] == [
        (r.start_frame, r.stop_frame, r.why) for r in whole
    ]
    assert [r.confidence for r in parts] == pytest.approx([r.confidence for r in whole])
