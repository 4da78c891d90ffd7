"""Trials to windows, and answers to windows back to trials: each frame counts once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nocigram.config.model import needs_of
from nocigram.core.ranges import FrameRange
from nocigram.data import discover
from nocigram.data.sources import sources_of
from nocigram.data.trial_windows import TrialWindows
from nocigram.data.view import View
from nocigram.evaluation import Timing

POSE_GRAPH = needs_of("pose_only", streams="pixels+pose", features=("graph",))


@pytest.fixture
def two_trials(laboratory):
    """Discovery with trials of 70 and 30 frames, and its sources without pixels."""
    laboratory.video(n_frames=110)
    laboratory.pose(n_frames=110)
    laboratory.annotation(1, start=0, n_rows=70)
    laboratory.annotation(2, start=70, n_rows=30, stim=4)
    found = discover(**laboratory.folders, min_frames=30)
    return found, sources_of(
        found.recordings.values(), needs=POSE_GRAPH, crop="full", img_size=32, cache_dir=laboratory.folder
    )


def answers_of(windows, *, pad_value):
    """Probabilities that are a function of the video's frame; nonsense in the padding."""
    answers = {}
    for index, (position, place) in enumerate(windows.places):
        frames = np.arange(place.start, place.stop) + windows.trials[position].start
        rows = np.full((max(len(place), windows.window_T), 6), pad_value)
        rows[: len(place)] = probabilities_of(frames)
        answers[index] = rows
    return answers


def probabilities_of(frames):
    weights = 1 + (frames[:, None] * np.array([1, 2, 3, 5, 7, 11])) % 13
    return weights / weights.sum(axis=1, keepdims=True)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window_T=st.integers(1, 90))
def test_answers_to_windows_become_one_answer_a_frame_of_each_trial(window_T, two_trials, laboratory):
    found, sources = two_trials
    windows = TrialWindows(found=found, trials=found.trials, sources=sources, window_T=window_T)
    predictions = windows.predictions(answers_of(windows, pad_value=9.0), {})
    assert [(p.recording, p.trial, p.animal) for p in predictions] == [("rec", 1, "rec"), ("rec", 2, "rec")]
    for prediction, trial in zip(predictions, found.trials, strict=True):
        frames = np.arange(trial.start, trial.stop)
        np.testing.assert_allclose(prediction.probabilities, probabilities_of(frames), rtol=1e-9)
        np.testing.assert_array_equal(prediction.labels, found.scheme.merged(laboratory.action_of(frames)))
        fps = found.recordings["rec"].fps
        assert prediction.timing == Timing(fps=fps, start=trial.start, stim_frame=trial.stim_frame)


def test_no_window_passes_the_border_of_its_trial(two_trials):
    found, sources = two_trials
    windows = TrialWindows(found=found, trials=found.trials, sources=sources, window_T=40)
    for (position, place), window in zip(windows.places, windows.dataset().windows, strict=True):
        trial = found.trials[position]
        assert window.span == place.shifted(trial.start)
        assert trial.start <= window.span.start < window.span.stop <= trial.stop
        np.testing.assert_array_equal(window.actions, found.labels_of(trial)[place.start : place.stop])


def test_predicted_keypoints_return_to_pixels_of_the_video(two_trials, laboratory):
    found, sources = two_trials
    boxes = np.stack((np.arange(110) % 9 - 3, np.arange(110) % 5, np.full(110, 50)), axis=-1).astype(np.int32)
    sources = {"rec": replace(sources["rec"], view=View(boxes))}
    windows = TrialWindows(found=found, trials=found.trials, sources=sources, window_T=40)
    keypoints = {}
    for index, item in enumerate(windows.dataset()):
        rows = item.xy_in_view()[0].numpy().astype(np.float64)
        keypoints[index] = np.where(item.valid[0, :, None, None], rows, 7.0)
    predictions = windows.predictions(answers_of(windows, pad_value=0.0), keypoints)
    for prediction, trial in zip(predictions, found.trials, strict=True):
        frames = np.arange(trial.start, trial.stop)
        seen = laboratory.visible_of(frames)
        np.testing.assert_array_equal(prediction.visible, seen)
        np.testing.assert_allclose(prediction.xy_true_px[seen], laboratory.xy_of(frames)[seen])
        np.testing.assert_allclose(prediction.xy_pred_px[seen], laboratory.xy_of(frames)[seen], atol=1e-4)
        assert (prediction.view_side_px == 50).all()


def test_a_part_of_the_trials_can_be_asked_for(two_trials):
    found, sources = two_trials
    windows = TrialWindows(found=found, trials=found.trials[1:], sources=sources, window_T=40)
    assert windows.places == [(0, FrameRange(0, 30))]
    assert Path(windows.dataset().windows[0].recording).name == "rec"
    assert windows.predictions(answers_of(windows, pad_value=0.0), {})[0].trial == 2
