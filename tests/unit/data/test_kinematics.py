"""Kinematics of a recording's spans are those of the whole recording."""

from dataclasses import replace

import numpy as np
import pytest

from nocigram.core.ranges import FrameRange
from nocigram.data.kinematics import cached_kinematics, kinematics_of
from nocigram.data.reading import PoseOptions, read_pose_alone
from nocigram.pose.skeleton import MOUSE

N_FRAMES = 700


@pytest.fixture
def recording(laboratory):
    """A pose file alone, slow enough that a span knows few frames around it."""
    laboratory.pose("rec", n_frames=N_FRAMES)
    options = PoseOptions(skeleton=MOUSE, likelihood_thr=0.9, fps=8.0)
    return read_pose_alone("rec", laboratory.videos, options=options, warn=print)


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["as filmed", "in a mirror"])
@pytest.mark.parametrize("is_lost", [False, True], ids=["all tracked", "a paw lost for a minute"])
def test_a_span_has_the_numbers_that_the_whole_recording_gives(recording, tmp_path, is_mirrored, is_lost):
    if is_lost:
        visible = recording.visible.copy()
        visible[100:600, 2] = False
        recording = replace(recording, visible=visible)
    whole = cached_kinematics(recording, cache_dir=tmp_path, is_mirrored=is_mirrored)
    for span in (FrameRange(0, 40), FrameRange(320, 360), FrameRange(N_FRAMES - 40, N_FRAMES)):
        part = kinematics_of(recording, span, is_mirrored=is_mirrored)
        np.testing.assert_allclose(part.astype(float), whole[span.start : span.stop].astype(float), atol=2e-2)


def test_kinematics_in_a_mirror_are_those_of_the_mirrored_track(recording):
    order = list(MOUSE.mirrored)
    mirrored = replace(
        recording,
        xy_px=recording.xy_px[:, order] * np.array([-1, 1], dtype=np.float32),
        visible=recording.visible[:, order],
    )
    span = FrameRange(0, N_FRAMES)

    found, expected = kinematics_of(recording, span, is_mirrored=True), kinematics_of(mirrored, span)
    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=2e-2)
    assert np.abs(expected.astype(float) - kinematics_of(recording, span).astype(float)).max() > 0.1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda r: replace(r, fps=9.0), id="another rate"),
        pytest.param(lambda r: replace(r, xy_px=r.xy_px + np.float32(1)), id="other positions"),
        pytest.param(lambda r: replace(r, visible=r.visible & (np.arange(6) != 2)), id="other visibility"),
        pytest.param(lambda r: replace(r, skeleton=replace(r.skeleton, paws=(4, 5))), id="another body"),
        pytest.param(lambda r: replace(r, n_frames=r.n_frames - 1), id="another length"),
    ],
)
def test_kinematics_are_kept_under_all_that_decides_them(recording, changed, tmp_path):
    first = cached_kinematics(recording, cache_dir=tmp_path, is_mirrored=False)
    assert cached_kinematics(recording, cache_dir=tmp_path, is_mirrored=False).filename == first.filename
    other = changed(recording)
    assert cached_kinematics(other, cache_dir=tmp_path, is_mirrored=False).filename != first.filename
    assert cached_kinematics(recording, cache_dir=tmp_path, is_mirrored=True).filename != first.filename


def test_a_recording_of_one_frame_has_kinematics(recording):
    cut = {"xy_px": recording.xy_px[:1], "visible": recording.visible[:1], "likelihood": None}
    one = replace(recording, **cut, n_frames=1)

    assert np.isfinite(kinematics_of(one, FrameRange(0, 1))).all()


def test_frames_past_the_end_of_the_pose_hold_the_last_position(recording):
    rows = {"xy_px": recording.xy_px[:50], "visible": recording.visible[:50], "likelihood": None}
    cut = replace(recording, **rows, n_frames=80)

    found = kinematics_of(cut, FrameRange(0, 80)).astype(float)
    assert found.shape[0] == 80
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[70:, :12], found[69, :12][None].repeat(10, axis=0), atol=1e-3)
