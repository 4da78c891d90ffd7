"""A mottled disc on a dark field that starts and stops, and a pose of it that may be of another frame."""

import numpy as np
import pytest

from nocigram.pose.alignment import ChangeMeter, PoseShift, pose_shift

N_FRAMES, SIDE = 900, 96
BODY_LENGTH_PX = 40.0


@pytest.fixture(scope="module")
def film() -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, H, W) and the true place of the disc (T, 1, 2)."""
    rng = np.random.default_rng(3)
    moving = np.repeat(rng.random(N_FRAMES // 3 + 1) < 0.5, 3)[:N_FRAMES, None]
    heading = np.cumsum(rng.normal(0, 0.3, N_FRAMES))
    steps = moving * rng.uniform(0.5, 2.5, (N_FRAMES, 1)) * np.stack((np.cos(heading), np.sin(heading)), axis=-1)
    place = np.abs((np.cumsum(steps, axis=0) + SIDE / 2) % (2 * SIDE) - SIDE) * 0.7 + 0.15 * SIDE
    rows, columns = np.mgrid[:SIDE, :SIDE]
    down, right = rows - place[:, 1, None, None], columns - place[:, 0, None, None]
    shade = 120 + 50 * np.sin(down) + 50 * np.sin(0.8 * right)
    frames = np.where(np.hypot(down, right) < 6, shade, 30) + rng.normal(0, 1.5, (N_FRAMES, SIDE, SIDE))
    return frames.clip(0, 255).astype(np.uint8), place[:, None].astype(np.float32)


def measured(frames: np.ndarray, xy_px: np.ndarray, *, seed: int = 0) -> PoseShift | None:
    """The shift of a pose with a tracker's noise."""
    noisy = xy_px + np.random.default_rng(seed).normal(0, 0.2, xy_px.shape).astype(np.float32)
    meter = ChangeMeter(noisy, BODY_LENGTH_PX)
    change = np.stack([meter.measure(frames[t - 1], frames[t], t) for t in range(1, len(frames))])
    visible = np.ones(noisy.shape[:2], dtype=bool)
    return pose_shift(
        change.astype(np.float32),
        np.arange(1, len(frames)),
        xy_px=noisy,
        visible=visible,
        body_length_px=BODY_LENGTH_PX,
    )


@pytest.mark.parametrize("late", [-7, -2, -1, 0, 1, 2, 3, 9])
def test_a_shift_is_found_to_the_frame(film, late):
    frames, place = film
    found = measured(frames, place[np.clip(np.arange(N_FRAMES) - late, 0, N_FRAMES - 1)])
    assert found is not None
    assert (found.n_frames, found.is_sure, found.drifts) == (late, late != 0, False)
    assert (found.at_start, found.at_end) == (late, late)


def test_frames_lost_in_the_middle_are_told_from_a_shift(film):
    frames, place = film
    rows = np.arange(N_FRAMES) - np.where(np.arange(N_FRAMES) < N_FRAMES // 2, 0, 4)
    found = measured(frames, place[rows])
    assert found is not None
    assert found.drifts
    assert (found.at_start, found.at_end) == (0, 4)


def test_a_pose_of_another_recording_is_given_no_shift(film):
    frames, place = film
    found = measured(frames, np.roll(place, N_FRAMES // 3, axis=0))
    assert found is None or not (found.is_sure or found.drifts)


def test_a_picture_in_which_nothing_moves_says_nothing(film):
    frames, place = film
    still = np.repeat(frames[:1], N_FRAMES, axis=0)
    assert measured(still, place) is None
