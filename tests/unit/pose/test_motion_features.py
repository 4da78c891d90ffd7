"""Motion features: invariances, what is unknown, padding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.motion import LAGS_N_FRAMES, motion_features, n_motion_features
from nocigram.pose.skeleton import MOUSE

T = 12


def window(seed=0, *, n_windows=1):
    """Mice that wander: a body of fixed shape with noise, all visible."""
    generator = torch.Generator().manual_seed(seed)
    body = torch.tensor([[50.0, 0], [0, 0], [35, -10], [35, 10], [10, -12], [10, 12]])
    walk = 3 * torch.randn(n_windows, T, 1, 2, generator=generator, dtype=torch.float64).cumsum(1)
    xy = body + walk + torch.randn(n_windows, T, 6, 2, generator=generator, dtype=torch.float64)
    return xy, torch.ones(n_windows, T, 6, dtype=torch.bool)


def features(xy, visible, *, body=50.0, valid=None):
    valid = torch.ones(xy.shape[:2], dtype=torch.bool) if valid is None else valid
    length = torch.full((len(xy),), body, dtype=xy.dtype)
    return motion_features(xy, visible, body_length_px=length, valid=valid)


def parts(values):
    """Coordinates, then (velocity, speed) per lag, then visibility."""
    sizes = [12, *[size for _ in LAGS_N_FRAMES for size in (12, 6)], 6]
    return torch.split(values, sizes, dim=-1)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 100),
    dx=st.floats(-500, 500),
    dy=st.floats(-500, 500),
    turn=st.floats(-3.1, 3.1),
    scale=st.floats(0.2, 5),
)
def test_motion_features_do_not_change_with_place_direction_and_size(seed, dx, dy, turn, scale):
    xy, visible = window(seed)
    rotation = torch.tensor([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], dtype=xy.dtype)
    moved = scale * xy @ rotation.T + torch.tensor([dx, dy], dtype=xy.dtype)

    one, other = features(xy, visible), features(moved, visible, body=50.0 * scale)
    assert one.shape == (1, T, n_motion_features())
    torch.testing.assert_close(one, other, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("end", [MOUSE.front, MOUSE.back], ids=["front", "back"])
def test_without_an_axis_only_speeds_are_left_and_place_changes_nothing(end):
    xy, visible = window()
    visible[..., end] = False
    here, far = (features(place, visible) for place in (xy, xy + torch.tensor([300.0, -500.0])))

    torch.testing.assert_close(here, far)
    coordinates, *motions, seen = parts(here)
    velocities, speeds = motions[0::2], motions[1::2]
    assert not any(bool(values.any()) for values in (coordinates, *velocities))
    assert all(bool(values.any()) for values in (*speeds, seen))


def test_a_mirror_image_changes_only_the_sign_of_what_lies_across_the_axis():
    xy, visible = window()
    mirror = features(xy * torch.tensor([1.0, -1.0]), visible)
    here, there = parts(features(xy, visible))[0], parts(mirror)[0]

    torch.testing.assert_close(here[..., 0::2], there[..., 0::2])
    torch.testing.assert_close(here[..., 1::2], -there[..., 1::2])


def test_velocity_along_the_axis_is_what_the_animal_runs():
    body = torch.tensor([[50.0, 0], [0, 0], [35, -10], [35, 10], [10, -12], [10, 12]])
    xy = (body + torch.arange(T)[:, None, None] * torch.tensor([5.0, 0.0]))[None]
    values = parts(features(xy, torch.ones(1, T, 6, dtype=torch.bool)))
    for lag, velocity, speed in zip(LAGS_N_FRAMES, values[1:-1:2], values[2:-1:2], strict=True):
        inner = slice(lag, T - lag)
        assert torch.allclose(velocity[0, inner, 0::2], torch.tensor(10 * 5 / 50)), "a tenth of a body length a frame"
        assert torch.allclose(velocity[0, inner, 1::2], torch.tensor(0.0), atol=1e-6)
        assert torch.allclose(speed[0, inner], torch.tensor(1.0))
        assert (velocity[0, :lag] == 0).all()
        assert (velocity[0, T - lag :] == 0).all()


@settings(deadline=None, max_examples=30)
@given(hidden=st.sets(st.integers(0, 5), min_size=1), x=st.floats(-900, 900), y=st.floats(-900, 900))
def test_a_keypoint_that_is_never_visible_is_zero_and_changes_no_other_but_by_the_axis(hidden, x, y):
    xy, visible = window()
    visible[..., list(hidden)] = False
    values = features(xy, visible)
    for part in parts(values):
        per_keypoint = part.unflatten(-1, (6, -1))
        assert (per_keypoint[:, :, list(hidden)] == 0).all()
    off_axis = [k for k in hidden if k > 1]
    moved = xy.clone()
    moved[..., off_axis, :] = torch.tensor([x, y], dtype=xy.dtype)
    torch.testing.assert_close(features(moved, visible), values)


def test_a_window_without_pose_is_zero_throughout():
    xy, visible = window()

    assert (features(xy, torch.zeros_like(visible)) == 0).all()


@settings(deadline=None, max_examples=30)
@given(n_valid=st.integers(1, T - 1), far=st.floats(-1e4, 1e4))
def test_padding_does_not_reach_into_real_frames(n_valid, far):
    xy, visible = window()
    valid = (torch.arange(T) < n_valid)[None]
    padded = torch.where(valid[..., None, None], xy, far)
    one = features(xy, visible, valid=valid)[:, :n_valid]
    other = features(padded, visible & valid[..., None], valid=valid)[:, :n_valid]

    torch.testing.assert_close(one, other)
    for lag, velocity in zip(LAGS_N_FRAMES, parts(one)[1:-1:2], strict=True):
        assert (velocity[:, max(0, n_valid - lag) :] == 0).all()


def test_frames_that_a_roll_brought_round_do_not_reach_into_the_others():
    xy, visible = window()
    valid = (torch.arange(T) >= 4)[None]
    torn = torch.where(valid[..., None, None], xy, 1e4)

    torch.testing.assert_close(features(xy, visible, valid=valid)[:, 4:], features(torn, visible, valid=valid)[:, 4:])


def test_a_keypoint_seen_only_in_padding_counts_as_never_seen():
    xy, visible = window()
    valid = (torch.arange(T) < 6)[None]
    visible[:, :6, 3] = False

    assert (parts(features(xy, visible, valid=valid))[0].unflatten(-1, (6, 2))[:, :, 3] == 0).all()


def test_motion_features_have_gradients_also_where_nothing_moves():
    xy = torch.ones(1, T, 6, 2, requires_grad=True)
    features(xy, torch.ones(1, T, 6, dtype=torch.bool)).sum().backward()

    assert torch.isfinite(xy.grad).all()
