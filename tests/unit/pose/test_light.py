"""Light at the keypoints: what is measured, and what lamps and borders change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.light import CONTRAST, N_LIGHT, PAW_MEAN, RADII_BODY_LENGTHS, LightMeter, normalised_light, paw_grey


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
    far = slice(32, None) if x <= 0 and y <= 0 else slice(None, 32)
    if x >= 0:
        pixels[:, far] = 200  # the opposite half

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


def test_the_grey_level_of_the_paws_is_what_light_is_relative_to():
    light = np.random.default_rng(0).uniform(10, 200, (9, 6, 6))
    relative = light[..., PAW_MEAN] / paw_grey(light)
    np.testing.assert_allclose(normalised_light(light)[..., PAW_MEAN], relative, rtol=1e-5)


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


@pytest.mark.parametrize(
    ("paw", "glass", "expected"),
    [
        pytest.param(200, 50, 150 / 200, id="a paw on the glass"),
        pytest.param(50, 200, -150 / 50, id="a paw darker than the glass"),
        pytest.param(80, 80, 0, id="no paw to be seen"),
    ],
)
def test_the_contrast_is_the_paw_less_the_ring_about_it_in_medians_of_paws(paw, glass, expected):
    body_length_px = 1000.0  # discs of so many pixels that their areas are those of circles
    pixels = picture(dark=glass, disc=(300, 300, RADII_BODY_LENGTHS[1] * body_length_px), value=paw, side=600)
    xy = np.full((1, 6, 2), 300, dtype=np.float32)
    found = normalised_light(LightMeter(xy, body_length_px).measure(pixels, 0)[None])

    assert found.shape == (1, 6, N_LIGHT)
    np.testing.assert_allclose(found[0, :, CONTRAST], expected, atol=0.02)
    np.testing.assert_allclose(found[0, :, PAW_MEAN], 1)
