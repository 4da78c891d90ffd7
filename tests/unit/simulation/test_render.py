from dataclasses import replace

import numpy as np
import pytest

from nocigram.simulation import SimulatedRecording, simulate_recording
from nocigram.simulation.ethogram import CODES


@pytest.fixture(scope="module")
def recording() -> SimulatedRecording:
    return simulate_recording(seed=11, index=0, n_trials=3, size_px=320)


@pytest.fixture(scope="module")
def frames(recording) -> np.ndarray:
    return np.stack(list(recording.frames()))


def _brightness(frames: np.ndarray, places_px: np.ndarray) -> np.ndarray:
    """The bright part of a small square round a keypoint, in each frame."""
    bright = np.empty(len(frames))
    for index, (frame, (x_px, y_px)) in enumerate(zip(frames, places_px.astype(int), strict=True)):
        bright[index] = np.percentile(frame[max(0, y_px - 4) : y_px + 5, max(0, x_px - 4) : x_px + 5], 80)
    return bright


def test_frames_are_grey_and_of_the_size_asked_for(frames):
    assert frames.dtype == np.uint8
    assert frames.shape == (1080, 320, 320)


def test_drawing_twice_gives_the_same_pixels(recording, frames):
    again = recording.frames()
    for index in range(20):
        assert np.array_equal(next(again), frames[index])


def test_a_lifted_paw_is_dimmer(recording, frames):
    paw = 2 if recording.animal.affected_side > 0 else 3
    bright = _brightness(frames, recording.motion.paws_px[:, paw])
    lift = 1 - recording.motion.contact[:, paw]
    assert (lift > 0.8).sum() > 5
    assert bright[lift > 0.8].mean() < 0.5 * bright[lift == 0].mean()


def test_a_dark_animal_with_bright_paws_on_a_dark_floor(recording, frames):
    rest = recording.true_actions == CODES["rest"]
    hips = _brightness(frames[rest], recording.motion.hips_px[rest])
    paws = _brightness(frames[rest], recording.motion.paws_px[rest, 3])
    assert np.median(frames) < 20
    assert np.median(frames) < np.median(hips) < 80
    assert np.median(paws) > 2 * np.median(hips)


def test_the_noise_changes_from_frame_to_frame(frames):
    corner = frames[:50, :20, :20].astype(float)
    assert 0.3 < corner.std(axis=0).mean() < 5


def test_cameras_differ_between_recordings(recording):
    other = simulate_recording(seed=11, index=1, n_trials=1)
    assert other.camera != replace(recording.camera)
    first, second = next(recording.frames()), next(other.frames())
    assert np.abs(first.astype(int) - second).mean() > 1
