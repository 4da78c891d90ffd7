from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.ranges import FrameRange
from nocigram.data.windows import edge_weights, plan_windows, step_of, stitch, stitched, stream_windows

N_FRAMES, WINDOW_T = st.integers(1, 400), st.integers(1, 90)


@pytest.mark.parametrize(
    ("n_frames", "window_T", "windows"),
    [
        pytest.param(0, 10, [], id="no frames"),
        pytest.param(7, 10, [(0, 7)], id="fewer frames than a window"),
        pytest.param(10, 10, [(0, 10)], id="exactly a window"),
        pytest.param(11, 10, [(0, 10), (1, 11)], id="one frame more"),
        pytest.param(18, 10, [(0, 10), (8, 18)], id="exactly two windows"),
        pytest.param(360, 345, [(0, 345), (15, 360)], id="the guide's trial and window"),
        pytest.param(3, 1, [(0, 1), (1, 2), (2, 3)], id="windows of one frame"),
    ],
)
def test_windows_are_planned(n_frames, window_T, windows):
    assert plan_windows(n_frames, window_T=window_T) == [FrameRange(*window) for window in windows]


@settings(max_examples=60, deadline=None)
@given(N_FRAMES, WINDOW_T)
def test_planned_windows_cover_every_frame_and_are_full(n_frames, window_T):
    windows = plan_windows(n_frames, window_T=window_T)
    assert set().union(*(range(window.start, window.stop) for window in windows)) == set(range(n_frames))
    assert {len(window) for window in windows} == {min(n_frames, window_T)}
    starts = [window.start for window in windows]
    assert starts == sorted(set(starts))
    assert all(second - first <= step_of(window_T) for first, second in pairwise(starts))


@settings(max_examples=60, deadline=None)
@given(N_FRAMES, WINDOW_T)
def test_a_stream_gives_the_planned_windows_with_their_items(n_frames, window_T):
    streamed = list(stream_windows(iter(range(n_frames)), window_T=window_T))
    assert [window for window, _ in streamed] == plan_windows(n_frames, window_T=window_T)
    assert all(items == list(range(window.start, window.stop)) for window, items in streamed)


@settings(max_examples=60, deadline=None)
@given(N_FRAMES, WINDOW_T)
def test_stitching_a_function_of_the_frame_gives_it_back(n_frames, window_T):
    truth = {"wave": np.sin(np.arange(n_frames)), "square": np.arange(n_frames * 6.0).reshape(n_frames, 3, 2)}
    windows = plan_windows(n_frames, window_T=window_T)
    rows = stitched((w, {name: values[w.start : w.stop] for name, values in truth.items()}) for w in windows)
    assert rows.keys() == truth.keys()
    for name, values in truth.items():
        np.testing.assert_allclose(rows[name], values, rtol=1e-12, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(N_FRAMES, WINDOW_T)
def test_stitched_probabilities_stay_probabilities_between_those_of_their_windows(n_frames, window_T):
    rng = np.random.default_rng(n_frames)
    windows = [(w, rng.dirichlet(np.ones(4), len(w))) for w in plan_windows(n_frames, window_T=window_T)]
    rows = stitched((window, {"p": values}) for window, values in windows)["p"]
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    low, high = np.full((n_frames, 4), np.inf), np.full((n_frames, 4), -np.inf)
    for window, values in windows:
        span = slice(window.start, window.stop)
        low[span], high[span] = np.minimum(low[span], values), np.maximum(high[span], values)
    assert (rows >= low - 1e-12).all()
    assert (rows <= high + 1e-12).all()


@settings(max_examples=60, deadline=None)
@given(N_FRAMES, WINDOW_T)
def test_a_stream_is_windowed_and_stitched_in_the_memory_of_two_windows(n_frames, window_T):
    taken, given_back, most = 0, 0, 0

    def source():
        nonlocal taken
        for frame in range(n_frames):
            taken += 1
            yield frame

    windows = stream_windows(source(), window_T=window_T)
    for part in stitch((window, {"frame": np.array(items, dtype=float)}) for window, items in windows):
        most = max(most, taken - given_back)
        np.testing.assert_allclose(part["frame"], np.arange(given_back, given_back + len(part["frame"])))
        given_back += len(part["frame"])
    assert given_back == n_frames
    assert most <= 2 * window_T


def test_where_windows_overlap_the_one_whose_edge_is_further_weighs_more():
    assert edge_weights(5).tolist() == [1, 2, 3, 2, 1]
    ones, zeros = {"p": np.ones(8)}, {"p": np.zeros(8)}
    rows = stitched([(FrameRange(0, 8), ones), (FrameRange(6, 14), zeros)])["p"]
    np.testing.assert_allclose(rows, [1] * 6 + [2 / 3, 1 / 3] + [0] * 6)


def test_a_gap_between_windows_is_refused():
    rows = {"p": np.zeros(4)}
    with pytest.raises(ValueError, match=r"^stitch: expected windows without gaps, got \[5, 9\) after frame 4$"):
        stitched([(FrameRange(0, 4), rows), (FrameRange(5, 9), rows)])
