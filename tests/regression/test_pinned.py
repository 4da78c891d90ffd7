"""Numbers that must not change unnoticed. Where a change is meant, say why in the commit that pins the new ones."""

import pandas as pd
import pytest
import torch

from nocigram.cli.main import main
from nocigram.pose.features import pose_features
from nocigram.simulation import simulate

TINY = (
    *("--epochs", "2", "--train_T", "60", "--val_T", "60", "--batch_size", "8", "--warmup_epochs", "1"),
    *("--hidden_dim", "16", "--lr", "3e-3", "--rare_boost_cap", "2", "--accelerator", "cpu", "--precision", "32"),
    *("--encoder_name", "test_vit", "--encoder_weights", "none", "--img_size", "32", "--freeze_backbone_epochs", "1"),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    simulate(folder, n_animals=3, n_trials=1, seed=0, size_px=96)
    return folder


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(
            ("--streams", "pose"),
            {"train/loss": 1.52564, "val/loss": 1.23351, "val/macro_f1": 0.31842},
            id="pose alone",
        ),
        pytest.param(
            ("--use_ema", "--aug_hflip"),
            {"train/loss": 1.63030, "val/loss": 1.33253, "val/macro_f1": 0.17740},
            id="pixels and pose, averaged",
        ),
    ],
)
def test_a_tiny_training_ends_where_it_ended(study, tmp_path, flags, expected):
    where = ("--annotations", str(study / "Annotations"), "--videos", str(study / "Videos"), "--out", str(tmp_path))
    assert main(["train", *where, *TINY, *flags]) == 0
    log = pd.read_csv(tmp_path / "training" / "logs" / "version_0" / "metrics.csv").groupby("epoch").last()

    # processors round differently, and a few frames may then change their action
    tolerance = {"train/loss": 0.01, "val/loss": 0.01, "val/macro_f1": 0.05}
    for name, value in expected.items():
        assert float(log[name].iloc[-1]) == pytest.approx(value, abs=tolerance[name]), name


def test_pose_features_are_what_they_were():
    mouse = torch.tensor([[60.0, 20], [10, 25], [48, 12], [50, 33], [22, 10], [20, 38]])
    visible = torch.ones(6, dtype=torch.bool)
    found, known = pose_features(mouse[None], visible[None], body_length_px=torch.tensor(50.0))
    lengths = [1.005, 0.2884, 0.328, 0.3842, 0.328, 0.4219, 0.5614, 0.5036]
    angles = [0.6877, 0.8154, 1.5031, 0.7964, 1.0148, 1.8112, 2.6304, 2.3916, 2.1688, 2.0613]

    assert known.all()
    assert found[0].tolist() == pytest.approx(lengths + angles, abs=1e-4)
