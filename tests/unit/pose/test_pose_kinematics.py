"""Kinematics: what they don't depend on, what they do, and that they are finite whatever is missing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.kinematics import Kinematics, n_kinematics
from nocigram.pose.skeleton import L_HIND, MOUSE, MOUTH, TAIL_BASE, Skeleton

FPS = 30.0
THREE = Skeleton(
    names=("nose", "neck", "tail"), front=0, back=2, edges=((0, 2),), angles=((1, 0, 2),), paws=()
)  # fmt: skip
PLACES = torch.tensor([[0, -50], [0, 50], [-20, -30], [20, -30], [-20, 30], [20, 30]], dtype=torch.float64)


def walking(*, n_frames=60, seed=0, n_keypoints=6):
    """A mouse of about 100 px on a winding path, its keypoints restless."""
    rng = torch.Generator().manual_seed(seed)
    step = torch.randn(n_frames, 1, 2, generator=rng, dtype=torch.float64).cumsum(dim=0)
    turn = (0.1 * torch.randn(n_frames, generator=rng, dtype=torch.float64)).cumsum(dim=0)
    rotation = torch.stack((turn.cos(), -turn.sin(), turn.sin(), turn.cos()), dim=-1).view(-1, 2, 2)
    places = PLACES + 2 * torch.randn(n_frames, 6, 2, generator=rng, dtype=torch.float64)
    return (torch.einsum("tij,tkj->tki", rotation, places) + step)[None, :, :n_keypoints]


def numbers_of(xy, *, visible=None, length=100.0, fps=FPS, valid=None, skeleton=MOUSE):
    xy = xy.to(torch.float32)
    return Kinematics(skeleton=skeleton, fps=fps)(
        xy,
        torch.ones(xy.shape[:3], dtype=torch.bool) if visible is None else visible,
        body_length_px=torch.full(xy.shape[:1], length),
        valid=torch.ones(xy.shape[:2], dtype=torch.bool) if valid is None else valid,
    )


def seen_but(*keypoints, n_frames=60):
    """Everything is visible but these keypoints."""
    visible = torch.ones(1, n_frames, 6, dtype=torch.bool)
    visible[..., list(keypoints)] = False
    return visible


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 100),
    turn=st.floats(-np.pi, np.pi),
    scale=st.floats(0.2, 5),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
@pytest.mark.parametrize(
    "lost", [(), (MOUTH,), (TAIL_BASE, L_HIND)], ids=["all seen", "no front", "no back and a paw less"]
)
def test_where_the_camera_is_changes_nothing(lost, seed, turn, scale, x, y):
    xy = walking(seed=seed)
    rotation = torch.tensor([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = xy @ rotation.T * scale + torch.tensor([x, y])
    visible = seen_but(*lost)

    expected = numbers_of(xy, visible=visible)
    torch.testing.assert_close(numbers_of(moved, visible=visible, length=100 * scale), expected, atol=5e-3, rtol=1e-3)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 100), n_frames=st.integers(1, 60), n_padding=st.integers(1, 40))
def test_padding_changes_nothing(seed, n_frames, n_padding):
    xy = walking(seed=seed, n_frames=n_frames)
    valid = torch.arange(n_frames + n_padding)[None] < n_frames
    visible = torch.rand(1, n_frames + n_padding, 6, generator=torch.Generator().manual_seed(seed)) < 0.8
    visible[:, 0] = True  # so that no keypoint is seen in the padding alone
    anything = torch.full((1, n_padding, 6, 2), float("nan"), dtype=torch.float64)
    padded = numbers_of(torch.cat((xy, anything), dim=1), visible=visible, valid=valid)

    torch.testing.assert_close(
        padded[:, :n_frames], numbers_of(xy, visible=visible[:, :n_frames]), atol=1e-4, rtol=1e-4
    )
    assert padded.isfinite().all()


@pytest.mark.parametrize("skeleton", [MOUSE, THREE], ids=["the mouse", "three keypoints, no paws"])
@pytest.mark.parametrize("fps", [5.0, 30.0, 59.94, 250.0])
@pytest.mark.parametrize("n_frames", [1, 2, 40])
def test_there_are_as_many_numbers_at_every_rate_and_length_and_all_are_finite(skeleton, fps, n_frames):
    xy = walking(n_frames=n_frames, n_keypoints=skeleton.n_keypoints)
    found = numbers_of(xy, fps=fps, skeleton=skeleton)

    assert found.shape == (1, n_frames, n_kinematics(skeleton))
    assert found.isfinite().all()


@pytest.mark.parametrize(
    "lost",
    [(MOUTH,), (TAIL_BASE,), (L_HIND,), tuple(range(1, 6)), tuple(range(6))],
    ids=["front", "back", "a paw", "all but the mouth", "all"],
)
def test_a_keypoint_that_is_never_visible_may_hold_anything(lost):
    xy = walking()
    visible = seen_but(*lost)
    anything = xy.clone()
    anything[:, :, list(lost)] = float("nan")
    found = numbers_of(anything, visible=visible)

    assert found.isfinite().all()
    torch.testing.assert_close(found, numbers_of(xy, visible=visible))


@pytest.mark.parametrize("fps", [10.0, 30.0])
def test_a_frame_depends_on_its_context_and_on_no_frame_beyond(fps):
    kinematics = Kinematics(skeleton=MOUSE, fps=fps)
    n_frames, context = 2 * kinematics.context_frames + 41, kinematics.context_frames
    xy = walking(n_frames=n_frames)
    middle = n_frames // 2
    pushed = xy.clone()
    pushed[:, middle] += 30
    moved = (numbers_of(pushed, fps=fps) - numbers_of(xy, fps=fps)).abs().amax(dim=-1)[0] > 1e-3

    frames = moved.nonzero()[:, 0]
    assert middle - context <= int(frames.min())
    assert int(frames.max()) <= middle + context


def test_speed_is_in_body_lengths_a_second_whatever_the_rate():
    fast, slow = (torch.linspace(0, 300, n)[None, :, None, None] * torch.tensor([0.0, -1.0]) for n in (361, 91))
    found = [numbers_of(PLACES + path, fps=fps)[0, n // 2] for path, fps, n in ((fast, 120.0, 361), (slow, 30.0, 91))]

    of_the_frame = slice(0, Kinematics(skeleton=MOUSE, fps=30.0).n_channels)  # a path of 3 s cuts windows of 8 s
    torch.testing.assert_close(found[0][of_the_frame], found[1][of_the_frame], atol=1e-3, rtol=1e-3)
    speed = np.log(300 / 3 / 100 + 0.05)
    assert (found[0][of_the_frame] - speed).abs().min() < 1e-3


def test_a_shaken_paw_shows_in_the_shaking_of_this_paw_alone():
    seconds = torch.arange(120) / FPS
    xy = PLACES.expand(1, 120, 6, 2).clone()
    still = numbers_of(xy)
    xy[:, :, L_HIND, 0] += 10 * torch.sin(2 * np.pi * 12 * seconds)
    kinematics = Kinematics(skeleton=MOUSE, fps=FPS)
    n_windowed = kinematics.n_channels - kinematics._n_unwindowed
    shaking = slice(n_windowed - 6 - 4, n_windowed - 6)  # before visibility

    found = (numbers_of(xy) - still)[0, 60, shaking]
    assert int(found.argmax()) == MOUSE.paws.index(L_HIND)
    assert found.max() > 2 * found.sort().values[-2]
