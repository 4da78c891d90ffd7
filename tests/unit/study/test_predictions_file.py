"""Predictions come back from disk as they were."""

import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nocigram.core.errors import InputError
from nocigram.evaluation import Timing, TrialPrediction
from nocigram.study.predictions_file import load_predictions, save_predictions

NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=9)


def floats(shape):
    return arrays.arrays(np.float64, shape, elements=st.floats(0, 1))


@st.composite
def predictions(draw):
    """A trial, with or without a decoder of bouts and a keypoint head."""
    n_frames, n_actions, n_keypoints = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    more = {}
    if draw(st.booleans()):
        more["decoded"] = draw(arrays.arrays(np.int64, n_frames, elements=st.integers(0, n_actions - 1)))
    if draw(st.booleans()):
        side = draw(st.one_of(st.floats(1, 900), st.integers(1, 900), floats(n_frames).map(lambda sides: sides + 1)))
        more |= {
            "xy_true_px": draw(floats((n_frames, n_keypoints, 2))),
            "xy_pred_px": draw(floats((n_frames, n_keypoints, 2))),
            "visible": draw(arrays.arrays(np.bool_, (n_frames, n_keypoints))),
            "view_side_px": side,
        }
    return TrialPrediction(
        recording=draw(NAMES),
        trial=draw(st.integers(0, 99)),
        animal=draw(NAMES),
        labels=draw(arrays.arrays(np.int64, n_frames, elements=st.integers(-1, n_actions - 1))),
        probabilities=draw(floats((n_frames, n_actions))),
        **more,
    )


@settings(deadline=None, max_examples=50)
@given(written=st.lists(predictions(), max_size=4))
def test_trials_come_back_in_order_with_every_field(written):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.npz"
        save_predictions(path, written)
        read = load_predictions(path)
    assert len(read) == len(written)
    for one, other in zip(written, read, strict=True):
        for entry in fields(TrialPrediction):
            before, after = getattr(one, entry.name), getattr(other, entry.name)
            assert type(after) is type(before), entry.name
            np.testing.assert_array_equal(after, before, err_msg=entry.name, strict=isinstance(before, np.ndarray))


def test_more_than_ten_trials_keep_their_order(tmp_path):
    labels, probabilities = np.zeros(1, dtype=np.int64), np.ones((1, 1))
    written = [
        TrialPrediction(recording="a", trial=number, animal="a", labels=labels, probabilities=probabilities)
        for number in range(12)
    ]
    save_predictions(tmp_path / "predictions.npz", written)
    assert [trial.trial for trial in load_predictions(tmp_path / "predictions.npz")] == list(range(12))


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path, monkeypatch):
    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    try:
        save_predictions(tmp_path / "predictions.npz", [])
    except OSError:
        assert list(tmp_path.iterdir()) == []
    else:
        raise AssertionError("expected the error of the disk")


def test_a_timing_is_of_the_data_and_not_kept(tmp_path):
    trial = TrialPrediction(
        recording="a",
        trial=1,
        animal="a",
        labels=np.zeros(1, dtype=np.int64),
        probabilities=np.ones((1, 1)),
        timing=Timing(fps=30.0, start=0, stim_frame=None),
    )
    save_predictions(tmp_path / "predictions.npz", [trial])
    assert [read.timing for read in load_predictions(tmp_path / "predictions.npz")] == [None]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="zero bytes"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-40]), id="cut off"),
        pytest.param(lambda path: path.write_text("a,b"), id="text"),
        pytest.param(lambda path: np.savez(path, **{"0.labels": np.zeros(3)}), id="a part is missing"),
        pytest.param(lambda path: np.savez(path, **{"0.labels": np.array([{}], dtype=object)}), id="objects"),
        pytest.param(lambda path: np.savez(path, labels=np.zeros(3)), id="other names"),
    ],
)
def test_a_damaged_file_is_refused(spoil, tmp_path):
    path = tmp_path / "pose_only_fold_1" / "predictions.npz"
    path.parent.mkdir()
    save_predictions(path, [])
    spoil(path)
    message = (
        r"predictions\.npz: expected the predictions of a finished cell, got a damaged file\. Remove its folder pose_"
    )
    with pytest.raises(InputError, match=message):
        load_predictions(path)
