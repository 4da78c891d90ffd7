"""Light at the paws as numbers of each frame."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.light import CONTRAST, N_LIGHT, PAW_MEAN
from nocigram.pose.light_features import LIGHT_LAGS_N_FRAMES, light_features, n_light_features
from nocigram.pose.skeleton import L_FRONT, L_HIND, MOUSE, R_FRONT, R_HIND, Skeleton

N_PAWS, N_COMPARED = 4, 2
CHANGES = N_PAWS * N_LIGHT
SIDES = CHANGES + len(LIGHT_LAGS_N_FRAMES) * N_PAWS * N_COMPARED


def random_light(*, seed=0, n_frames=12, n_batch=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n_batch, n_frames, 6, N_LIGHT, generator=generator) + 0.2


def all_valid(light):
    return torch.ones(light.shape[:2], dtype=torch.bool)


def features_of(light, valid=None):
    return light_features(light, all_valid(light) if valid is None else valid, MOUSE)


def changes_of(features, *, lag):
    """Changes (B, T, paw, brightness and contrast) of one lag."""
    width = N_PAWS * N_COMPARED
    start = CHANGES + LIGHT_LAGS_N_FRAMES.index(lag) * width
    return features[..., start : start + width].unflatten(-1, (N_PAWS, N_COMPARED))


def test_the_light_numbers_of_each_paw_come_first():
    light = random_light()
    features = features_of(light)

    assert features.shape == (2, 12, n_light_features(MOUSE)) == (2, 12, 48)
    torch.testing.assert_close(features[..., :CHANGES].unflatten(-1, (N_PAWS, N_LIGHT)), light[:, :, 2:])


@pytest.mark.parametrize("lag", LIGHT_LAGS_N_FRAMES)
def test_a_change_is_from_so_many_frames_before_to_so_many_after(lag):
    light = random_light()
    light[:, :, :, PAW_MEAN] = 1.0
    light[:, 6:, L_HIND, PAW_MEAN] = 3.0
    changes = changes_of(features_of(light), lag=lag)

    expected = torch.zeros(12)
    expected[6 - lag : 6 + lag] = 2.0
    torch.testing.assert_close(changes[0, :, 2, 0], expected)
    assert not changes[0, :, [0, 1, 3], 0].any()
    contrast = light[:, 2 * lag :, 2:, CONTRAST] - light[:, : -2 * lag, 2:, CONTRAST]
    torch.testing.assert_close(changes[:, lag:-lag, :, 1], contrast)


def test_left_paws_are_compared_to_right_ones():
    light = random_light()
    sides = features_of(light)[..., SIDES:].unflatten(-1, (2, N_COMPARED))

    for pair, (left, right) in enumerate(((L_FRONT, R_FRONT), (L_HIND, R_HIND))):
        difference = light[:, :, left] - light[:, :, right]
        torch.testing.assert_close(sides[:, :, pair], difference[..., [PAW_MEAN, CONTRAST]])


def test_a_mirrored_mouse_has_the_opposite_differences():
    light = random_light()
    mirrored = features_of(light[:, :, list(MOUSE.mirrored)])

    torch.testing.assert_close(mirrored[..., SIDES:], -features_of(light)[..., SIDES:])


def test_unknown_light_is_zero_throughout():
    light = random_light()
    light[0] = 0

    features = features_of(light)
    assert not features[0].any()
    assert features[1].any(dim=-1).all()


def test_one_frame_of_unknown_light_is_told_from_light_that_does_not_change():
    light = torch.ones(1, 12, 6, N_LIGHT)
    light[:, 5, R_HIND] = 0
    features = features_of(light)

    per_paw = features[..., :CHANGES].unflatten(-1, (N_PAWS, N_LIGHT))
    assert (per_paw == 0).all(dim=-1).nonzero().tolist() == [[0, 5, 3]]
    assert not features[..., CHANGES:].any(), "neither its neighbours nor the other side see a paw go dark"


@pytest.mark.parametrize("lag", LIGHT_LAGS_N_FRAMES)
def test_a_frame_of_unknown_light_takes_part_in_no_change(lag):
    light = random_light()
    light[:, 5, R_HIND] = 0
    changes = changes_of(features_of(light), lag=lag)[0, :, 3]

    unknown = {5 - lag, 5, 5 + lag} | {*range(lag), *range(12 - lag, 12)}
    assert set((changes == 0).all(dim=-1).nonzero()[:, 0].tolist()) == unknown


@settings(deadline=None, max_examples=30)
@given(n_frames=st.integers(1, 10), n_padding=st.integers(0, 10), seed=st.integers(0, 100))
def test_padding_changes_nothing(n_frames, n_padding, seed):
    light = random_light(seed=seed, n_frames=n_frames + n_padding)
    valid = torch.arange(n_frames + n_padding)[None].expand(2, -1) < n_frames
    padded = features_of(light, valid)

    torch.testing.assert_close(padded[:, :n_frames], features_of(light[:, :n_frames]))
    assert not padded[:, n_frames:].any()


@pytest.mark.parametrize(
    ("paws", "n_features"),
    [pytest.param((), 0, id="no paws"), pytest.param((1,), 11, id="one paw, without its other side")],
)
def test_other_bodies(paws, n_features):
    body = Skeleton(names=("nose", "left_paw", "tail"), front=0, back=2, edges=(), angles=(), paws=paws)
    light = random_light()[:, :, :3]

    assert light_features(light, all_valid(light), body).shape[-1] == n_light_features(body) == n_features
