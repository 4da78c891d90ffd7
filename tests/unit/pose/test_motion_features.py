"""Motion features: invariances, what is unknown, padding; bridges over invisible frames; light at the keypoints."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.bridge import bridged
from nocigram.pose.light import RADII_BODY_LENGTHS, LightMeter, normalised_light
from nocigram.pose.motion import LAGS_N_FRAMES, N_MOTION_FEATURES, motion_features

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
    assert one.shape == (1, T, N_MOTION_FEATURES)
    torch.testing.assert_close(one, other, atol=1e-7, rtol=1e-6)


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


def test_a_keypoint_seen_only_in_padding_counts_as_never_seen():
    xy, visible = window()
    valid = (torch.arange(T) < 6)[None]
    visible[:, :6, 3] = False

    assert (parts(features(xy, visible, valid=valid))[0].unflatten(-1, (6, 2))[:, :, 3] == 0).all()


def test_motion_features_have_gradients_also_where_nothing_moves():
    xy = torch.ones(1, T, 6, 2, requires_grad=True)
    features(xy, torch.ones(1, T, 6, dtype=torch.bool)).sum().backward()

    assert torch.isfinite(xy.grad).all()


# ---- bridge


def track(values):
    """One keypoint that moves along x; None where it is not visible (and written down as far away)."""
    seen = np.array([value is not None for value in values])[:, None]
    xy = np.array([[(-999.0 if value is None else value, 7.0)] for value in values], dtype=np.float32)
    return xy, seen


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0, None, None, 3], [0, 1, 2, 3], id="a straight line over a hole"),
        pytest.param([None, 4, 5, None], [4, 4, 5, 5], id="the first and the last are held"),
        pytest.param([1, 2, 3], [1, 2, 3], id="always visible"),
        pytest.param([None, None], [-999, -999], id="never visible stays as it was"),
    ],
)
def test_holes_are_bridged(values, expected):
    xy, seen = track(values)
    before = xy.copy()

    assert bridged(xy, seen)[:, 0, 0].tolist() == pytest.approx(expected)
    assert (xy == before).all()


# ---- light


def meter(x, y, *, body=100.0, n_frames=1):
    return LightMeter(np.tile(np.array([[[x, y]] * 6], dtype=np.float32), (n_frames, 1, 1)), body)


def picture(*, side=64, disc=None, value=200, dark=10, n_channels=1):
    pixels = np.full((n_channels, side, side), dark, dtype=np.uint8)
    if disc is not None:
        x, y, radius = disc
        rows, columns = np.mgrid[:side, :side]
        pixels[:, np.hypot(rows - y, columns - x) <= radius] = value
    return pixels


def test_a_bright_disc_is_measured_by_mean_and_largest_of_each_disc():
    radius = RADII_BODY_LENGTHS[1] * 100
    light = meter(30, 20).measure(picture(disc=(30, 20, radius)), 0)
    inner, paw, around = light[0].reshape(3, 2)

    assert light.shape == (6, 6)
    assert inner.tolist() == [200, 200]
    assert paw.tolist() == [200, 200]
    assert around[1] == 200
    covered = (RADII_BODY_LENGTHS[1] / RADII_BODY_LENGTHS[2]) ** 2
    assert around[0] == pytest.approx(10 + 190 * covered, abs=10)


def test_x_is_right_and_y_is_down():
    pixels = picture(disc=(50, 10, 6))

    assert meter(50, 10).measure(pixels, 0)[0, 0] == 200
    assert meter(10, 50).measure(pixels, 0)[0, 0] == 10


@pytest.mark.parametrize(
    ("x", "y"),
    [(0, 0), (63, 63), (-500, 900)],
    ids=["a corner", "the other corner", "far outside of the frame"],
)
def test_light_at_and_beyond_the_border_is_that_of_the_nearest_pixels(x, y):
    pixels = picture(dark=37)

    assert (meter(x, y).measure(pixels, 0) == 37).all()


def test_frames_past_the_pose_are_measured_at_its_last_place():
    xy = np.array([[[10, 10]] * 6, [[50, 50]] * 6], dtype=np.float32)
    pixels = picture(disc=(50, 50, 8))
    measured = [LightMeter(xy, 100.0).measure(pixels, index)[0, 0] for index in (0, 1, 7)]

    assert measured == [10, 200, 200]


def test_colour_is_averaged_over_its_channels():
    pixels = picture(n_channels=3)
    pixels[1] = 40

    assert meter(30, 30).measure(pixels, 0)[0, 0] == pytest.approx(20)


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(0.5, 4))
def test_normalised_light_does_not_change_with_the_lamp(gain):
    light = np.random.default_rng(0).uniform(20, 60, (30, 6, 6))

    np.testing.assert_allclose(normalised_light(gain * light), normalised_light(light), rtol=1e-5)


def test_normalised_light_is_one_at_a_typical_paw_and_ignores_mouth_and_tail():
    light = np.full((5, 6, 6), 50.0)
    light[:, :2] = 5.0
    light[0, 3] = 25.0
    found = normalised_light(light)

    assert found[1, 3, 0] == 1
    assert found[0, 3, 0] == 0.5
    assert found[0, 0, 0] == pytest.approx(0.1)


def test_black_recordings_do_not_blow_up():
    assert normalised_light(np.zeros((4, 6, 6))).max() == 0
    assert normalised_light(np.full((4, 6, 6), 0.5)).max() == 0.25
