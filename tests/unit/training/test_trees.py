"""Growing trees: which rows, in a mirror too, the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nocigram.config.model import TreeOptions, needs_of
from nocigram.core.actions import UNSCORED
from nocigram.data import discover
from nocigram.data.kinematics import kinematics_of
from nocigram.data.sources import sources_of
from nocigram.data.trial_windows import TrialWindows
from nocigram.models.approaches import build_model
from nocigram.pose.skeleton import MOUSE
from nocigram.training.trees import _rows, grow_trees

pytest.importorskip("xgboost")
N_ACTIONS = 6
SMALL = TreeOptions(trees=3, tree_depth=2, tree_leaf_weight=0.0, tree_row_share=0.5)


@pytest.fixture
def windows(laboratory):
    """Two trials of one recording, one window each."""
    laboratory.video(n_frames=110)
    laboratory.pose(n_frames=110)
    laboratory.annotation(1, start=0, n_rows=70)
    laboratory.annotation(2, start=70, n_rows=30)
    found = discover(**laboratory.folders, min_frames=30)
    needs = needs_of("pose_trees", streams="pixels+pose", features=("kinematics",))
    recordings = found.recordings.values()
    sources = sources_of(recordings, needs=needs, crop="full", img_size=32, cache_dir=laboratory.folder)
    return TrialWindows(found=found, trials=found.trials, sources=sources, window_T=100)


def model_of(*features):
    return build_model("pose_trees", n_actions=N_ACTIONS, features=list(features or ("kinematics",))).model


def grown(windows, *, seed=0, options=SMALL, mirror=None, class_weights=None):
    """The trees as text."""
    model = model_of()
    weights = np.ones(N_ACTIONS) if class_weights is None else class_weights
    grow_trees(model, windows, options=options, class_weights=weights, mirror=mirror, seed=seed)
    return model.state_dict()["_extra_state"]


def scored_frames(windows):
    """Frames of the recording that count, in the order of trials, and their actions."""
    labels = [windows.found.labels_of(trial) for trial in windows.trials]
    frames = np.concatenate([np.arange(trial.start, trial.stop) for trial in windows.trials])
    actions = np.concatenate(labels)
    return frames[actions != UNSCORED], actions[actions != UNSCORED]


@pytest.mark.parametrize("mirror", [None, MOUSE.mirrored], ids=["as filmed", "in a mirror too"])
def test_every_scored_frame_is_a_row_and_once_more_in_a_mirror(windows, mirror):
    frames, actions = scored_frames(windows)
    rows = _rows(model_of(), windows, mirror=mirror)
    trial = replace(windows.trials[0].span, start=0, stop=110)
    recording = windows.found.recordings["rec"]
    seen = [kinematics_of(recording, trial, is_mirrored=False)[frames]]
    if mirror is not None:
        seen.append(kinematics_of(recording, trial, is_mirrored=True)[frames])

    np.testing.assert_array_equal(rows.actions, np.concatenate([actions] * len(seen)))
    np.testing.assert_allclose(rows.features, np.concatenate(seen), atol=2e-2)
    assert mirror is None or not np.allclose(*np.split(rows.features, 2)), "the mirror shows another animal"


def test_rows_in_a_mirror_are_those_of_the_animal_turned_round(windows):
    rows = _rows(model_of("graph", "motion"), windows, mirror=MOUSE.mirrored)
    turned = {}
    for name, source in windows.sources.items():
        recording = source.recording
        order = list(MOUSE.mirrored)
        flipped = np.array([-1, 1], dtype=np.float32) * recording.xy_px[:, order]
        turned[name] = replace(source, recording=replace(recording, xy_px=flipped, visible=recording.visible[:, order]))
    expected = _rows(model_of("graph", "motion"), replace_sources(windows, turned), mirror=None)

    np.testing.assert_allclose(np.split(rows.features, 2)[1], expected.features, rtol=1e-3, atol=1e-4)


def replace_sources(windows, sources):
    """The same windows of other sources."""
    return TrialWindows(found=windows.found, trials=windows.trials, sources=sources, window_T=windows.window_T)


def test_the_same_seed_grows_the_same_trees_and_another_seed_others(windows):
    one = grown(windows)

    assert grown(windows) == one
    assert grown(windows, seed=1) != one


def test_a_rare_actions_frames_weigh_as_much_as_the_class_weights_say(windows):
    weights = np.ones(N_ACTIONS)
    weights[0] = 50.0
    probabilities = []
    for class_weights in (None, weights):
        model = model_of()
        model.set_extra_state(grown(windows, class_weights=class_weights))
        rows = torch.from_numpy(_rows(model, windows, mirror=None).features)
        n_keypoints = MOUSE.n_keypoints
        output = model(
            xy_px=torch.zeros(1, len(rows), n_keypoints, 2),
            visible=torch.ones(1, len(rows), n_keypoints, dtype=torch.bool),
            body_length_px=torch.ones(1),
            kinematics=rows[None],
        )
        probabilities.append(output.action_logits.softmax(-1)[..., 0].mean())

    assert probabilities[1] > probabilities[0]


def test_how_much_is_grown_is_said(windows, capsys):
    n_rows = len(scored_frames(windows)[0])
    grown(windows)

    assert f"[info] Growing trees from {n_rows} rows with 1585 features each" in capsys.readouterr().out
