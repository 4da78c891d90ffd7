"""From a simulated folder to predictions, as commands; and the documented script."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nocigram
from nocigram.cli.main import main

SCRIPT = Path(__file__).resolve().parents[2] / "train_multitask.py"
GUIDE_KEYS = {
    "model_state_dict",
    "classes",
    "orig_classes",
    "col_map",
    "merge_idxs",
    "best_thresholds",
    "kp_names",
    "val_metrics",
    "args",
}
METRICS = {
    "macro_f1",
    "accuracy",
    "balanced_accuracy",
    "ece",
    "per_action",
    "segment_f1",
    "edit",
    "keypoint_mae_px",
    "keypoint_mae_norm",
    "n_frames",
    "n_trials",
    "n_animals",
}
OF_AN_EVALUATION = {"temperature", "boundary_tolerance", "seen_in_training", "onset_tolerance_s", "events"}
CLASSES = ["rest", "paw_withdraw", "paw_lick", "paw_shake", "walk", "active"]


@pytest.fixture(scope="session")
def clip_weights(tmp_path_factory):
    """A folder with a tiny VideoMAE of random weights."""
    transformers = pytest.importorskip("transformers")
    config = transformers.VideoMAEConfig(
        image_size=32, num_frames=4, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    folder = tmp_path_factory.mktemp("videomae")
    transformers.VideoMAEModel(config).save_pretrained(folder)
    return folder


def run(*arguments):
    """A command in this process."""
    return main([str(argument) for argument in arguments])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "has_keypoints"),
    [
        pytest.param(("--freeze_backbone_epochs", "2", "--aug_hflip"), True, id="cached features"),
        pytest.param(("--freeze_backbone_epochs", "1", "--use_ema"), True, id="backbone unfrozen after an epoch"),
        pytest.param(("--finetune", "lora", "--lora_rank", "3", "--use_ema"), True, id="adapters, averaged"),
        pytest.param(("--finetune", "frozen", "--pool", "attention"), True, id="frozen, a pool that learns"),
        pytest.param(("--model_type", "action_only", "--crop", "mouse"), False, id="action only"),
        pytest.param(("--streams", "pose"), True, id="pose alone"),
        pytest.param(("--backbone_type", "videomae2_3d", "--clip_T", "4"), True, id="3d backbone"),
        pytest.param(
            ("--backbone_type", "videomae2_3d", "--clip_T", "4", "--freeze_backbone_epochs", "2"),
            True,
            id="3d backbone, cached features",
        ),
    ],
)
def test_from_training_to_predictions(study, tmp_path, request, capsys, flags, has_keypoints):
    is_3d = "videomae2_3d" in flags
    if is_3d:
        flags = (*flags, "--encoder_name", "videomae-base", "--encoder_weights")
        flags = (*flags, str(request.getfixturevalue("clip_weights")))
    model = study.train(tmp_path / "run", "--epochs", "2", *flags)
    content = torch.load(model)

    assert set(content) >= GUIDE_KEYS
    assert ("ema_state_dict" in content) == ("--use_ema" in flags)
    assert content["classes"] == CLASSES
    assert type(content["args"]) is dict
    assert set(content["val_metrics"]) == METRICS
    assert (content["val_metrics"]["keypoint_mae_norm"] is not None) == has_keypoints
    out = capsys.readouterr().out
    assert ("[info] Training from cached features" in out) == ("2" in flags and "pose" not in flags)
    assert ("Using VideoMAE2 (3D) backbone" in out) == is_3d

    cache = ("--cache_dir", study.folder / "cache")
    assert run("evaluate", model, *study.folders, "--split", "val", "--accelerator", "cpu", *cache) == 0
    metrics = json.loads((tmp_path / "run" / "evaluation" / "metrics.json").read_text())
    assert set(metrics) == METRICS | OF_AN_EVALUATION
    is_cached_3d = is_3d and "--freeze_backbone_epochs" in flags  # clips lie otherwise in a recording than in a trial
    for name in ("macro_f1", "accuracy", "segment_f1", "edit", "n_frames", "n_trials", "n_animals"):
        tolerance = (0.1 if is_cached_3d else 0.02) * (100 if name == "edit" else 1)  # edit is of 100
        assert metrics[name] == pytest.approx(content["val_metrics"][name], abs=tolerance), name

    assert run("predict", model, study.videos, "--out", tmp_path / "predictions", "--accelerator", "cpu") == 0
    for video in study.videos.glob("*.mp4"):
        table = pd.read_csv(tmp_path / "predictions" / f"{video.stem}.csv")
        assert table.Frame.tolist() == list(range(360))
        assert set(table.Action) <= set(CLASSES)
        np.testing.assert_allclose(table[[f"P_{name}" for name in CLASSES]].sum(axis=1), 1, atol=1e-4)
        assert np.ptp(table.Time_s.to_numpy()) == pytest.approx(359 / 30, abs=1e-3)

    video = next(study.videos.glob("*.mp4"))
    found = nocigram.load_model(model).predict(video=video)
    assert found.probabilities.shape == (360, 6)
    assert (found.keypoints is not None) == has_keypoints


def test_simulate_and_check_are_the_front_of_it(tmp_path, capsys):
    assert run("simulate", tmp_path, "--animals", "1", "--trials", "1", "--seed", "1") == 0
    capsys.readouterr()
    assert run("check", "--annotations", tmp_path / "Annotations", "--videos", tmp_path / "Videos") == 0
    out = capsys.readouterr().out
    assert re.search(r"\b1 +\[0, 360\)|\[15, 360\)", out), out
    assert "Nothing was skipped." in out


PHASES = [
    r"\[info\] Discovering videos in Videos\.\.\.",
    r"\[info\] Found 3 \(video, trial\) pairs",
    r"\[info\] train samples before boosting: \d+",
    r"\[info\] val samples: \d+",
    r"={60}\nClass Distribution BEFORE boosting\n={60}\nClass +Count +Share\n-{60}\nrest +\d+ +\d+\.\d\d%",
    r"\[info\] Boosting rare classes \(share < 0\.03\)\.\.\.",
    r"\[info\] Boosting class 'walk' by \d+\.\dx",
    r"\[info\] train samples after boosting: \d+",
    r"\[info\] Using 2D backbone: test_vit\n",
    r"\[info\] Running smoke test\.\.\.",
    r"  Video shape: torch\.Size\(\[60, 3, 32, 32\]\)|  Features shape: torch\.Size\(\[60, \d+\]\)",
    r"  Actions shape: torch\.Size\(\[60, 7\]\)",
    r"  Keypoints shape: torch\.Size\(\[60, 12\]\)",
    r"  Visibility shape: torch\.Size\(\[60, 6\]\)",
    r"  Action mask: 1\.0",
    r"  ✓ Smoke test passed",
    r"Epoch 1/2\n-{72}",
    r"Train loss: \d+\.\d{4} \(action: \d+\.\d{4}, kp: \d+\.\d{4}\)",
    r"Val loss: \d+\.\d{4}",
    r"Val macro F1: 0\.\d{4}",
    r"Val macro Acc: 0\.\d{4}",
    r"Val segment F1@0\.3: 0\.\d{4}",
    r"Val keypoint MAE \(norm\): \d\.\d{4}",
    r"Per-class F1:\n  rest: 0\.\d{4}",
    r"\[info\] Saved best checkpoint to .*best_model_multitask\.pt",
    r"Epoch 2/2\n",
]


@pytest.mark.slow
def test_the_documented_script_runs_its_quick_test_and_prints_the_guides_phases(study, tmp_path):
    for name in ("Annotations", "Videos"):
        shutil.copytree(study.folder / name, tmp_path / name)
    quick_test = "--annotations ./Annotations --videos ./Videos --epochs 2 --batch_size 2 --train_T 60 --val_T 60"
    small = "--encoder_name test_vit --encoder_weights none --img_size 32 --hidden_dim 16 --accelerator cpu"
    done = subprocess.run(
        [sys.executable, SCRIPT, *quick_test.split(), *small.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    place = 0
    for phase in PHASES:
        match = re.search(phase, done.stdout[place:])
        assert match, f"{phase} is not after {done.stdout[:place][-80:]!r} in\n{done.stdout}"
        place += match.end()
    assert set(torch.load(tmp_path / "best_model_multitask.pt")) >= GUIDE_KEYS
    assert (tmp_path / "best_model_multitask.pt").is_file(), "beside --annotations"
    assert torch.load(tmp_path / "best_model_multitask.pt")["args"]["wandb_entity"] == "grassknoted"
    assert "Traceback" not in done.stderr
    assert "Trying to infer the `batch_size`" not in done.stderr


@pytest.mark.parametrize(("flags", "n_sides"), [((), 4), (("--labelled_only",), 3)], ids=["with them", "without"])
def test_recordings_without_annotation_are_listed_and_seen(study, tmp_path, capsys, flags, n_sides):
    model = study.train(tmp_path, "--streams", "pose", "--epochs", "1", *flags)
    seen = torch.load(model)["seen"]
    unlabelled = {"shortened_2023-12-13_CFA_501_0M501_tracking"} & {record["recording"] for record in seen}
    said = "1 recordings without annotation train the keypoint head alone: shortened_" in capsys.readouterr().out

    assert len(seen) == n_sides
    assert bool(unlabelled) == said == (n_sides == 4)
    assert all(record["sides"] == ["train"] for record in seen if record["recording"] in unlabelled)
    assert all(re.fullmatch(r"[0-9a-f]{64}", record["video_sha256"]) for record in seen)


def test_every_term_and_score_is_logged(study, tmp_path):
    study.train(tmp_path, "--streams", "pose", "--epochs", "2")
    with (tmp_path / "training" / "logs" / "version_0" / "metrics.csv").open() as file:
        names = set(next(csv.reader(file)))

    assert names >= {"epoch", "train/loss", "train/action", "train/kp", "train/smooth", "val/loss", "val/macro_f1"}
    assert names >= {"val/macro_acc", "val/segment_f1_0.3", "val/keypoint_mae_norm", "val/f1/rest", "val/f1/walk"}
    assert any(name.startswith("lr-") for name in names)


def test_wandb_that_is_not_installed_is_named_before_anything_is_trained(study, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("nocigram.training.loggers.find_spec", lambda name: None)

    assert main(study.train_command(tmp_path, "--streams", "pose", "--use_wandb")) == 2
    assert "pip install 'nocigram[wandb]'" in capsys.readouterr().err
    assert not (tmp_path / "best_model_multitask.pt").exists()


def test_early_stopping_ends_a_run_that_gets_no_better(study, tmp_path, capsys):
    flags = ("--streams", "pose", "--early_stop_patience", "1", "--epochs", "12", "--lr", "1e-7")
    study.train(tmp_path, *flags)

    assert "Epoch 2/12" in (out := capsys.readouterr().out)
    assert "Epoch 12/12" not in out
