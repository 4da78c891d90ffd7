"""What a recording looks like, in numbers."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.needs import Needs
from nocigram.data.appearance import Appearance, PictureMeter, appearance_of
from nocigram.data.quantities import quantities_of
from nocigram.data.records import Recording
from nocigram.data.view import full_view, mouse_view
from nocigram.pose.skeleton import MOUSE

POSE = Needs(pixels=False, pose=True, light=False, kinematics=False, only_with_pose=True)
NOTHING = Needs(pixels=False, pose=False, light=False, kinematics=False, only_with_pose=False)
MOUSE_XY = np.array([[0, -50], [0, 50], [-12, -30], [12, -30], [-15, 30], [15, 30]], dtype=np.float32)
"""Up the page: the left paws lie left."""


@pytest.fixture
def recording():
    """A body that drifts to the right by 3 px a frame, 30 frames/s."""
    rng = np.random.default_rng(0)
    xy = MOUSE_XY + 200 + np.arange(60)[:, None, None] * np.array([3.0, 0.0])
    xy = (xy + rng.normal(0, 0.1, xy.shape)).astype(np.float32)
    return Recording(
        name="rec",
        info=None,
        fps=30.0,
        n_frames=60,
        pose_file=None,
        xy_px=xy,
        visible=np.ones((60, 6), dtype=bool),
        animal="rec",
        group=None,
        likelihood=np.full((60, 6), 0.95, dtype=np.float32),
    )


def values_of(recording, needs=POSE):
    view = (
        mouse_view(recording.xy_px, recording.visible, 100.0, recording="rec")
        if recording.has_pose
        else full_view(64, 64)
    )
    return appearance_of(recording, needs=needs, likelihood_thr=0.9, view=view, img_size=64).values


def test_what_the_model_is_not_given_is_not_measured(recording):
    assert set(values_of(recording, NOTHING)) == {"frame rate"}
    names = {quantity.name for quantity in quantities_of(MOUSE, POSE)}
    assert set(values_of(recording)) == names


def test_half_the_resolution_halves_the_body_and_leaves_posture_and_motion(recording):
    whole, half = values_of(recording), values_of(replace(recording, xy_px=recording.xy_px / 2))
    changed = {name for name in whole if half[name] != pytest.approx(whole[name], rel=1e-3, abs=1e-6)}

    assert changed == {"body length"}
    assert half["body length"] == pytest.approx(whole["body length"] / 2)


def test_speeds_are_in_body_lengths_a_second(recording):
    values = values_of(recording)
    assert values["speed of the body, median"] == pytest.approx(3 * 30 / 100, rel=0.02)
    twice = values_of(replace(recording, fps=60.0))
    assert twice["speed of the body, median"] == pytest.approx(2 * 0.9, rel=0.02)
    assert values["trembling"] == pytest.approx(0.1 * 6**0.5 * 1.18 / 100, rel=0.1)  # median of a Rayleigh distribution


@pytest.mark.parametrize(
    ("changed", "share"),
    [
        pytest.param(lambda xy: xy, 1.0, id="as it is"),
        pytest.param(lambda xy: xy * np.float32([-1, 1]), 0.0, id="a mirrored video"),
        pytest.param(lambda xy: xy[:, [0, 1, 3, 2, 5, 4]], 0.0, id="names of the paws exchanged"),
        pytest.param(lambda xy: xy * np.float32([-1, -1]), 1.0, id="the mouse turned round"),
    ],
)
def test_a_mirror_shows_in_the_sides_of_the_paws(recording, changed, share):
    assert values_of(replace(recording, xy_px=changed(recording.xy_px)))["left paws lie left"] == share


def test_likelihoods_and_jumps_are_told_apart(recording):
    likelihood, visible = recording.likelihood.copy(), recording.visible.copy()
    likelihood[:15, 2], visible[:15, 2] = 0.1, False  # not believed by the tracker
    visible[:3, 0] = False  # believed, and a jump
    values = values_of(replace(recording, likelihood=likelihood, visible=visible))

    assert values["L_frontpaw below the threshold"] == pytest.approx(0.25)
    assert values["likelihood of L_frontpaw, mean"] == pytest.approx(0.75 * 0.95 + 0.25 * 0.1)
    assert values["mouth below the threshold"] == 0
    assert values["jumps"] == pytest.approx(3 / (360 - 15))


def test_without_a_pose_only_that_is_known(recording):
    blind = replace(recording, xy_px=np.zeros((0, 6, 2), np.float32), visible=np.zeros((0, 6), bool), likelihood=None)
    assert values_of(blind) == {"frame rate": 30.0, "frames without pose": 1.0}


def test_it_survives_a_file_of_plain_values(recording):
    seen = Appearance(recording="rec", values=values_of(recording))
    assert Appearance.from_plain(json.loads(json.dumps(seen.as_plain()))) == seen


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 99), max_size=6), n_frames=st.sampled_from([100, 450]))
def test_pictures_are_measured_alike_however_they_come(cuts, n_frames):
    frames = np.random.default_rng(0).integers(0, 255, (100, 1, 4, 4)).astype(np.uint8)
    at_once, in_parts = PictureMeter(n_frames), PictureMeter(n_frames)
    at_once.see(0, frames)
    for start, stop in pairwise([0, *sorted(set(cuts)), 100]):
        in_parts.see(start, frames[start:stop])

    assert in_parts == at_once
    assert len(at_once.brightness) == len(range(0, 100, at_once.step))


def test_a_darker_picture_is_darker_and_as_sharp():
    frames = np.random.default_rng(0).integers(0, 255, (20, 1, 16, 16)).astype(np.uint8)
    bright, dark = PictureMeter(20), PictureMeter(20)
    bright.see(0, frames)
    dark.see(0, frames // 2)

    assert dark.values()["brightness"] == pytest.approx(bright.values()["brightness"] / 2, rel=0.02)
    assert dark.values()["contrast"] == pytest.approx(bright.values()["contrast"] / 2, rel=0.02)
    assert dark.values()["sharpness"] == pytest.approx(bright.values()["sharpness"], rel=0.02)
