"""Each approach from labelled recordings to predictions, as commands; without videos; with a decoder of bouts."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nocigram.cli.main import main
from nocigram.config.commands import EvaluateOptions
from nocigram.config.labelled import LabelledFolders
from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.data import discover
from nocigram.data.split import Split
from nocigram.models.bout_statistics import PLAUSIBLE_N_FRAMES, learn_bouts
from nocigram.models.checkpoint import load_checkpoint, save_checkpoint
from nocigram.prediction import Predictor
from nocigram.study.evaluate import evaluate

CLASSES = DEFAULT_SCHEME.classes
ONE_EPOCH = ("--epochs", "1", "--val_T", "400", "--cnn_size", "light", "--members", "2", "--trees", "5")
EDGE_N_FRAMES = 20
"""Frames at a trial's ends that see less around them when only the trial is shown."""


def run(*arguments):
    """A command in this process."""
    return main([str(argument) for argument in arguments])


def train(study, out, approach, *flags):
    """Train for one epoch; the checkpoint."""
    assert main(study.train_command(out, "--approach", approach, *ONE_EPOCH, *flags)) == 0
    return out / f"best_model_{approach}.pt"


def scored(model, study):
    """What `nocigram evaluate` says of every trial."""
    options = EvaluateOptions(
        allow_seen=True,  # with --refit all recordings train
        checkpoint=model,
        labelled=LabelledFolders(annotations=study.annotations, videos=study.videos, cache_dir=study.folder / "cache"),
        split="all",
        accelerator="cpu",
    )
    return evaluate(options).predictions


def predicted(model, places, out):
    """What `nocigram predict` writes, by recording."""
    assert run("predict", model, places, "--out", out, "--accelerator", "cpu") == 0
    return {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}


def spans_of(study):
    """Recording -> the frames of its trial."""
    return {trial.recording: trial.span for trial in discover(study.annotations, study.videos).trials}


def assert_same_answers(trials, tables, spans):
    """Evaluation and prediction say the same of every frame that is shown the same surroundings."""
    assert {trial.recording for trial in trials} == set(spans)
    for trial in trials:
        span = spans[trial.recording]
        table = tables[trial.recording].iloc[span.start : span.stop]
        written = table[[f"P_{name}" for name in CLASSES]].to_numpy()
        inside = slice(EDGE_N_FRAMES, -EDGE_N_FRAMES)
        np.testing.assert_allclose(trial.probabilities[inside], written[inside], atol=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("approach", ["video_only", "multimodal", "pose_only", "pose_trees"])
def test_an_approach_from_training_to_predictions(study, tmp_path, capsys, approach):
    model = train(study, tmp_path / "run", approach)
    out = capsys.readouterr().out
    content = torch.load(model, weights_only=True)
    assert content["approach"] == approach
    assert content["val_metrics"]["keypoint_mae_px"] is None
    assert ("Boosting" in out) == (approach != "pose_trees"), "trees are grown from every frame once"
    assert re.search(r"Val macro F1: 0\.\d{4}", out)

    tables = predicted(model, study.videos, tmp_path / "predictions")
    assert all(len(table) == 360 and set(table.Action) <= set(CLASSES) for table in tables.values())
    assert_same_answers(scored(model, study), tables, spans_of(study))
    assert (tmp_path / "run" / "evaluation" / "metrics.json").is_file()


@pytest.fixture(scope="module")
def without_videos(study, tmp_path_factory):
    """The study as a laboratory has it that keeps DeepLabCut's files and not the videos."""
    folder = tmp_path_factory.mktemp("without_videos")
    shutil.copytree(study.folder, folder, ignore=shutil.ignore_patterns("*.mp4", "cache"), dirs_exist_ok=True)
    return type(study)(folder)


@pytest.mark.slow
@pytest.mark.parametrize("approach", ["pose_only", "pose_trees"])
def test_an_approach_of_poses_needs_no_video_anywhere(study, without_videos, tmp_path, capsys, approach):
    model = train(without_videos, tmp_path / "run", approach, "--fps", "30")
    tables = predicted(model, without_videos.videos, tmp_path / "predictions")

    assert len(tables) == 4
    assert "[warn]" not in capsys.readouterr().out.replace("[warn] The model was trained", "")
    assert_same_answers(scored(model, without_videos), tables, spans_of(study))
    with_videos = predicted(model, study.videos, tmp_path / "with_videos")
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, with_videos[name], atol=1e-3)


def test_an_approach_of_pixels_says_that_there_are_no_videos(without_videos, tmp_path, capsys):
    status = main(without_videos.train_command(tmp_path, "--approach", "multimodal", *ONE_EPOCH))

    assert status == 2
    assert "No samples found!" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("smooth", ["median", "viterbi"])
def test_a_decoder_is_fitted_in_training_and_used_alike_ever_after(study, tmp_path, capsys, smooth):
    model = train(study, tmp_path / "run", "pose_only", "--smooth", smooth)
    change = r"macro F1 (\S+) -> (\S+), segment F1@0.3 (\S+) -> (\S+), edit"
    said = re.search(rf"\[info\] --smooth {smooth}, on validation: {change}", capsys.readouterr().out)
    assert said, "before and after are printed"
    assert float(said[2]) + float(said[4]) > float(said[1]) + float(said[3])

    predictor = Predictor.load(model, accelerator="cpu")
    decoder = predictor.decoder
    assert decoder.kind == smooth
    found = discover(study.annotations, study.videos)
    labels = [found.labels_of(trial) for trial in split_of(model).trials(found, "train")]
    assert decoder.bouts == learn_bouts(labels, n_actions=len(CLASSES)), "of the training trials alone"

    uncalibrated = without_temperature(model, tmp_path / "uncalibrated.pt")  # bouts are made before the temperature
    trials, spans = scored(uncalibrated, study), spans_of(study)
    tables = predicted(uncalibrated, study.videos, tmp_path / "out")
    assert re.search(rf"\[info\] --smooth {smooth}: {change}", capsys.readouterr().out)
    for trial, calibrated in zip(trials, scored(model, study), strict=True):
        np.testing.assert_array_equal(trial.decoded, calibrated.decoded, err_msg="a temperature changes no action")
    likeliest = 0
    for trial in trials:
        table = tables[trial.recording]
        probabilities = table[[f"P_{name}" for name in CLASSES]].to_numpy()
        actions = np.array([CLASSES.index(name) for name in table.Action])
        np.testing.assert_array_equal(trial.decoded, decoder.decode(trial.probabilities))
        np.testing.assert_array_equal(actions, decoder.decode(probabilities))
        agree = (actions[spans[trial.recording].start : spans[trial.recording].stop] == trial.decoded).mean()
        assert agree > 0.95, "but for where a trial begins and ends"
        likeliest += (actions == probabilities.argmax(axis=1)).sum()
    assert likeliest < 360 * len(trials)


@pytest.mark.slow
def test_a_withdrawal_of_three_frames_survives_the_decoder_of_a_run(study, tmp_path):
    rest, withdraw = CLASSES.index("rest"), CLASSES.index("paw_withdraw")
    found = discover(study.annotations, study.videos)
    taught, *others = sorted(found.trials, key=lambda trial: not (found.labels_of(trial) == withdraw).any())
    split = Split(split_by="animal", train=(taught.name, others[0].name), val=(others[1].name,))
    split.save(tmp_path / "split.json")
    model = train(study, tmp_path, "pose_only", "--smooth", "viterbi", "--split", str(tmp_path / "split.json"))
    decoder = Predictor.load(model, accelerator="cpu").decoder
    actions = np.full(120, rest)
    actions[60 : 60 + PLAUSIBLE_N_FRAMES] = withdraw
    probabilities = np.full((120, len(CLASSES)), 0.05 / (len(CLASSES) - 1))
    probabilities[np.arange(120), actions] = 0.95

    assert decoder.kind == "viterbi"
    assert PLAUSIBLE_N_FRAMES == 3
    np.testing.assert_array_equal(decoder.decode(probabilities), actions)


def without_temperature(model: Path, path: Path) -> Path:
    """The same model with its probabilities as the network gives them."""
    checkpoint = load_checkpoint(model)
    assert checkpoint.extra["temperature"] != 1
    save_checkpoint(path, replace(checkpoint, extra={**checkpoint.extra, "temperature": 1.0}))
    return path


def split_of(model: Path) -> Split:
    """The split that a checkpoint was trained on."""
    kept = torch.load(model, weights_only=True)["split"]
    return Split(**{name: value if name == "split_by" else tuple(value) for name, value in kept.items()})
