"""Positions that no body can have reached count as not visible."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.jumps import LONGEST_JUMP_N_FRAMES, SHORTEST_JUMP_BODY_LENGTHS, without_jumps
from nocigram.pose.skeleton import L_HIND, MOUSE, R_HIND
from nocigram.simulation.recording import simulate_recording

LENGTH_PX = 100.0
PLACES = np.array([[0, -50], [0, 50], [-20, -30], [20, -30], [-20, 30], [20, 30]], dtype=np.float32)
"""A mouse of 100 px that stands."""


def standing(n_frames=20):
    return np.tile(PLACES + 200, (n_frames, 1, 1)), np.ones((n_frames, 6), dtype=bool)


def hind_paw(path, *, unseen=()):
    """The left hind paw at so many px from its place along x, frame by frame; the rest of the body stands."""
    xy, visible = standing(len(path))
    xy[:, L_HIND, 0] += np.array(path, dtype=np.float32)
    visible[list(unseen), L_HIND] = False
    return xy, visible


@pytest.mark.parametrize(
    ("path", "unseen", "jumps"),
    [
        pytest.param([0, 0, 40, 0, 0], (), [2], id="away for one frame"),
        pytest.param([0, 0, 40, 35, 45, 0, 0], (), [2, 3, 4], id="away for three frames, not always in one place"),
        pytest.param([0, 40, 0, 0, -40, 0], (), [1, 4], id="twice"),
        pytest.param([0, 0, 40, 90, 0, 0], (2,), [3], id="only what is visible is taken away"),
        pytest.param([0, 40, 0, 41, 0, 0], (), [1, 2, 3], id="to and fro: bridged from one side to the other"),
        pytest.param([0, 10, 60, 30, 40, 50], (), [2], id="out of a walk"),
        pytest.param([0, 0, 25, 0, 0], (), [], id="no farther than a paw can go"),
        pytest.param([0, 0, 40, 40, 40, 40, 0, 0], (), [], id="away for longer"),
        pytest.param([0, 0, 0, 40, 40, 40], (), [], id="moved on"),
        pytest.param([0, 0, 0, 60, 120, 120, 120], (), [], id="moved on by two bounds"),
        pytest.param([0, 0, 0, 40], (), [], id="at the end nobody knows whether it comes back"),
        pytest.param([40, 0, 0, 0], (), [], id="at the beginning nobody knows where it came from"),
        pytest.param([0, 20, 0, -20, 0, 20, 0, -20, 0], (), [], id="a shaken paw"),
        pytest.param([0, 40], (), [], id="two frames"),
        pytest.param([0], (), [], id="one frame"),
    ],
)
def test_what_jumps_is_not_visible(path, unseen, jumps):
    xy, visible = hind_paw(path, unseen=unseen)
    before = visible.copy()
    steady = without_jumps(xy, visible, skeleton=MOUSE)

    expected = before.copy()
    expected[jumps, L_HIND] = False
    np.testing.assert_array_equal(steady, expected)
    np.testing.assert_array_equal(visible, before)


def test_paws_that_change_places_for_a_moment_are_both_jumps():
    xy, visible = standing()
    xy[7:9, [L_HIND, R_HIND]] = xy[7:9, [R_HIND, L_HIND]]
    gone = ~without_jumps(xy, visible, skeleton=MOUSE)

    assert np.argwhere(gone).tolist() == [[7, L_HIND], [7, R_HIND], [8, L_HIND], [8, R_HIND]]


def test_a_single_keypoint_has_no_size_to_go_by():
    xy, visible = hind_paw([0, 0, 40, 0, 0])
    visible[:, np.arange(6) != L_HIND] = False

    assert (without_jumps(xy, visible, skeleton=MOUSE) == visible).all()


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 1000), scale=st.floats(0.1, 10), turn=st.floats(-np.pi, np.pi), by=st.floats(-1e3, 1e3)
)  # fmt: skip
def test_jumps_do_not_depend_on_the_camera(seed, scale, turn, by):
    rng = np.random.default_rng(seed)
    xy, visible = standing(60)
    xy = xy + rng.normal(0, 1, xy.shape).astype(np.float32)
    at = rng.integers(1, 59, 8)
    xy[at, rng.integers(0, 6, 8)] += 60
    visible &= rng.random(visible.shape) > 0.1
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (xy @ rotation.T * scale + by).astype(np.float32)

    steady = without_jumps(xy, visible, skeleton=MOUSE)
    assert (steady != visible).any()
    np.testing.assert_array_equal(without_jumps(moved, visible, skeleton=MOUSE), steady)


@pytest.mark.parametrize("seed", [0, 1])
def test_paws_that_a_mouse_shakes_and_withdraws_stay(seed):
    for index in range(2):
        true_px = simulate_recording(seed=seed, index=index).true_keypoints_px.astype(np.float32)
        assert without_jumps(true_px, np.ones(true_px.shape[:2], dtype=bool), skeleton=MOUSE).all()


def test_what_a_tracker_gets_wrong_goes_and_what_it_gets_right_stays():
    n_gone, n_right_gone = 0, 0
    for index in range(4):
        made = simulate_recording(seed=0, index=index)
        xy, visible = made.tracked.xy_px.astype(np.float32), made.tracked.likelihood >= 0.9
        gone = visible & ~without_jumps(xy, visible, skeleton=MOUSE)
        off = np.linalg.norm(xy - made.true_keypoints_px, axis=-1) / made.motion.length_px
        n_gone += int(gone.sum())
        n_right_gone += int((gone & (off < 0.1)).sum())
    assert (n_gone > 5, n_right_gone) == (True, 0)


def test_the_page_says_what_counts_as_a_jump():
    page = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
    assert f"elsewhere for at most {LONGEST_JUMP_N_FRAMES} frames" in page
    assert f"more than {SHORTEST_JUMP_BODY_LENGTHS} body lengths" in page
