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
