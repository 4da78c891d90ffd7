"""What else a laboratory could take for recordings with keypoints: plain boosted trees, and lightning-action.

Both are given the same numbers of each frame: coordinates and velocities in the body's frame. Both learn from all
animals but those of the test.

T frames, M numbers of a frame, F features, C actions.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import xgboost
from jaxtyping import Float

from nocigram.core.ranges import FrameRange
from nocigram.data.folds import Fold
from nocigram.data.records import Discovery, Recording, Trial
from nocigram.evaluation import TrialPrediction
from nocigram.pose.motion import motion_features

WINDOWS_S = (0.2, 0.5, 1.0, 2.0)
"""Spans of time whose means and deviations the plain trees are given."""
SEQUENCE_T = 500
"""Frames that lightning-action is shown at once, its default."""
_UNSCORED = "unscored"


def windowed_trees(found: Discovery, fold: Fold, *, seed: int) -> list[TrialPrediction]:
    """XGBoost as it comes, on each frame's numbers and their means and deviations over windows around it."""
    test = fold.test_trials(found)
    train = fold.training_side(found).trials
    features = {name: _windowed(found.recordings[name]) for name in sorted({trial.recording for trial in found.trials})}
    rows = np.concatenate([features[trial.recording][trial.start : trial.stop] for trial in train])
    labels = np.concatenate([found.labels_of(trial) for trial in train])
    known, targets = np.unique(labels[labels >= 0], return_inverse=True)
    trees = xgboost.XGBClassifier(tree_method="hist", random_state=seed)
    trees.fit(rows[labels >= 0], targets)
    predictions = []
    for trial in test:
        probabilities = np.zeros((len(trial.span), len(found.scheme.classes)))
        probabilities[:, known] = trees.predict_proba(features[trial.recording][trial.start : trial.stop])
        predictions.append(_prediction(found, trial, probabilities))
    return predictions


def lightning_action(found: Discovery, fold: Fold, *, seed: int, head: str) -> list[TrialPrediction]:
    """lightning-action on each frame's numbers, z-scored, with its defaults and the example of its documentation.

    The successor of daart (Blau et al. 2024, "A study of animal action segmentation algorithms across
    supervised, unsupervised, and semi-supervised learning paradigms"). It keeps a tenth of the sequences for
    validation, weighs actions by their rarity, and takes the weights of the last epoch.

    Args:
        found: recordings and trials.
        fold: who is held out.
        seed: of the weights, of the division and of the order.
        head: 'temporalmlp' or 'dtcn'.

    Raises:
        ImportError: lightning-action is not installed.
    """
    from lightning_action.api.model import Model

    train, test = fold.training_side(found).trials, fold.test_trials(found)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for trial in (*train, *test):
            _write_tables(folder, found, trial)
        n_numbers = pd.read_csv(folder / "features" / f"{train[0].name}.csv", index_col=0, nrows=1).shape[1]
        n_columns = 1 + len(found.scheme.classes)
        names = [trial.name for trial in train]
        settings = _settings(folder, names, head=head, seed=seed, n_numbers=n_numbers, n_columns=n_columns)
        model = Model.from_config(settings)
        model.train(output_dir=folder / "run", post_inference=False)
        model.predict(
            data_path=folder, input_dir="features", output_dir=folder / "said", expt_ids=[trial.name for trial in test]
        )
        return [_prediction(found, trial, _said(folder, trial, found.scheme.classes)) for trial in test]


def _settings(
    folder: Path, names: Sequence[str], *, head: str, seed: int, n_numbers: int, n_columns: int
) -> dict[str, Any]:
    """The configuration of lightning-action's documentation; what it doesn't name is left to the package."""
    return {
        "data": {"data_path": str(folder), "input_dir": "features", "expt_ids": [*names], "ignore_index": 0},
        "model": {
            "head": head,
            "input_size": n_numbers,
            "output_size": n_columns,
            "num_hid_units": 256,
            "num_layers": 2,
            "num_lags": 2,
            "seed": seed,
        },
        "optimizer": {"type": "Adam", "lr": 1e-3, "wd": 1e-4, "scheduler": "cosine"},
        "training": {
            "num_epochs": 100,
            "batch_size": 32,
            "sequence_length": SEQUENCE_T,
            "num_workers": 1,
            "seed": seed,
            "progress_bar": False,
            "model_summary": False,
        },
    }


def _write_tables(folder: Path, found: Discovery, trial: Trial) -> None:
    """A trial's numbers and labels as lightning-action reads them.

    It leaves out what follows the last whole sequence, so trials are filled up with their last frame, unscored.
    """
    numbers = _numbers(found.recordings[trial.recording])[trial.start : trial.stop]
    labels = pd.Series(found.labels_of(trial))
    columns = pd.DataFrame({_UNSCORED: labels < 0} | {name: labels == i for i, name in enumerate(found.scheme.classes)})
    n_more = -len(numbers) % SEQUENCE_T
    tables = {
        "features": pd.DataFrame(np.concatenate([numbers, numbers[-1:].repeat(n_more, axis=0)])),
        "labels": columns.reindex(range(len(numbers) + n_more)).fillna({_UNSCORED: True}).fillna(False).astype(int),
    }
    for name, table in tables.items():
        (folder / name).mkdir(exist_ok=True)
        table.to_csv(folder / name / f"{trial.name}.csv")


def _said(folder: Path, trial: Trial, classes: Sequence[str]) -> Float[np.ndarray, "T C"]:
    """The probabilities that lightning-action wrote, of the actions alone."""
    table = pd.read_csv(folder / "said" / f"{trial.name}_predictions.csv", index_col=0)
    said = table[[*classes]].to_numpy(dtype=np.float64)[: len(trial.span)]
    return said / said.sum(axis=1, keepdims=True)


def _windowed(recording: Recording) -> Float[np.ndarray, "T F"]:
    """Each frame's numbers, then their means and deviations over windows centred on it."""
    numbers = pd.DataFrame(_numbers(recording))
    parts = [numbers]
    for seconds in WINDOWS_S:
        window = numbers.rolling(1 + 2 * round(seconds * recording.fps / 2), center=True, min_periods=1)
        parts += [window.mean(), window.std(ddof=0)]
    return np.concatenate([part.to_numpy(dtype=np.float32) for part in parts], axis=1)


def _numbers(recording: Recording) -> Float[np.ndarray, "T M"]:
    """Coordinates, velocities and speeds of the keypoints in the body's frame."""
    xy_px, visible = recording.pose_of(FrameRange(0, recording.n_frames))
    numbers = motion_features(
        torch.from_numpy(xy_px)[None],
        torch.from_numpy(visible)[None],
        body_length_px=torch.tensor([recording.body_length_px], dtype=torch.float32),
        valid=torch.ones(1, recording.n_frames, dtype=torch.bool),
        skeleton=recording.skeleton,
    )
    return numbers[0].numpy()


def _prediction(found: Discovery, trial: Trial, probabilities: Float[np.ndarray, "T C"]) -> TrialPrediction:
    """Probabilities beside the labels."""
    return TrialPrediction(
        recording=trial.recording,
        trial=trial.number,
        animal=trial.animal,
        labels=found.labels_of(trial),
        probabilities=probabilities.clip(0, 1),
    )
