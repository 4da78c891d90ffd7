import numpy as np
import pytest

from nocigram.simulation import SimulatedRecording, simulate_recording
from nocigram.simulation.ethogram import CODES


@pytest.fixture(scope="module")
def recordings() -> list[SimulatedRecording]:
    return [simulate_recording(seed=4, index=index, n_trials=6) for index in range(6)]


def _all(recordings, of) -> np.ndarray:
    return np.concatenate([of(recording) for recording in recordings])


def _error(recording: SimulatedRecording) -> np.ndarray:
    off_px = np.linalg.norm(recording.tracked.xy_px - recording.true_keypoints_px, axis=-1)
    return off_px / recording.motion.length_px


def test_tracked_keypoints_are_near_the_true_ones_mostly(recordings):
    error = _all(recordings, _error)
    assert 0.003 < np.median(error) < 0.03
    assert 0.002 < (error > 0.2).mean() < 0.06


def test_likelihood_is_high_at_rest_and_lower_for_lifted_paws(recordings):
    likelihood = _all(recordings, lambda recording: recording.tracked.likelihood[:, 2:])
    lift = _all(recordings, lambda recording: 1 - recording.motion.contact)
    assert ((likelihood >= 0) & (likelihood <= 1)).all()
    standing, lifted = (likelihood[lift == 0] >= 0.9).mean(), (likelihood[lift > 0.7] >= 0.9).mean()
    assert standing > 0.85
    assert 0.3 < lifted < standing - 0.1


def test_likelihood_falls_in_fast_motion(recordings):
    is_seen = _all(recordings, lambda recording: (recording.tracked.likelihood[:, 4:] >= 0.9).mean(1))
    actions = _all(recordings, lambda recording: recording.true_actions)
    assert 0.5 < is_seen[actions == CODES["paw_shake"]].mean() < is_seen[actions == CODES["rest"]].mean() - 0.05


def test_left_and_right_paws_are_swapped_for_a_few_frames(recordings):
    swapped = []
    for recording in recordings:
        true_px, xy_px = recording.true_keypoints_px, recording.tracked.xy_px
        across = np.linalg.norm(xy_px[:, 2] - true_px[:, 3], axis=-1) + np.linalg.norm(
            xy_px[:, 3] - true_px[:, 2], axis=-1
        )
        apart = np.linalg.norm(true_px[:, 2] - true_px[:, 3], axis=-1)
        swapped.append((across < 0.5 * apart) & (apart > 0.15 * recording.motion.length_px))
    assert 0.002 < np.concatenate(swapped).mean() < 0.05


def test_jumps_mostly_come_with_a_low_likelihood(recordings):
    error = _all(recordings, _error)
    likelihood = _all(recordings, lambda recording: recording.tracked.likelihood)
    is_far = error > 0.5
    assert is_far.sum() > 20
    assert (likelihood[is_far] < 0.9).mean() > 0.5
