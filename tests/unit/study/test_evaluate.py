"""`nocigram evaluate`: which trials are scored, what is said of them, what is written."""

import json
import re
import shutil

import pandas as pd
import pytest
import torch

from nocigram.cli.main import main
from nocigram.simulation import simulate

KEYS = {
    "macro_f1",
    "accuracy",
    "balanced_accuracy",
    "per_action",
    "segment_f1",
    "edit",
    "ece",
    "keypoint_mae_px",
    "keypoint_mae_norm",
    "n_frames",
    "n_trials",
    "n_animals",
}

OF_AN_EVALUATION = {"temperature", "boundary_tolerance", "seen_in_training", "onset_tolerance_s", "events"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three animals with a trial each, and a model of their poses."""
    folder = tmp_path_factory.mktemp("study")
    simulate(folder, n_animals=3, n_trials=1, seed=0, size_px=96)
    arguments = ["--streams", "pose", "--epochs", "2", "--hidden_dim", "16", "--val_T", "100", "--train_T", "100"]
    where = ["--annotations", str(folder / "Annotations"), "--videos", str(folder / "Videos")]
    assert main(["train", *where, *arguments, "--lr", "1e-2", "--accelerator", "cpu"]) == 0
    return folder


@pytest.fixture
def evaluate(study, tmp_path, capsys):
    """Run the command; gives its exit status, what it printed and its metrics."""

    def run(*flags, folder=study):
        model = str(study / "best_model_multitask.pt")
        where = ["--annotations", str(folder / "Annotations"), "--videos", str(folder / "Videos")]
        status = main(["evaluate", model, *where, "--out", str(tmp_path), "--accelerator", "cpu", *flags])
        path = tmp_path / "metrics.json"
        return status, capsys.readouterr(), json.loads(path.read_text()) if path.exists() else None

    return run


def split_of(study):
    return json.loads((study / "training" / "split.json").read_text())


def test_validation_trials_score_as_they_did_in_training(study, evaluate, tmp_path):
    status, _, metrics = evaluate("--split", "val")
    expected = torch.load(study / "best_model_multitask.pt")["val_metrics"]

    assert status == 0
    assert set(metrics) - OF_AN_EVALUATION == KEYS == set(expected)
    assert (metrics["boundary_tolerance"], metrics["seen_in_training"]) == (0, [])
    assert set(metrics["segment_f1"]) == {"0.1", "0.25", "0.3", "0.5"}
    for name in ("macro_f1", "accuracy", "balanced_accuracy", "edit", "ece", "keypoint_mae_px"):
        assert metrics[name] == pytest.approx(expected[name], abs=1e-3), name
    of_an_action = {"f1", "precision", "recall", "average_precision", "n_frames", "n_bouts"}
    assert set(metrics["per_action"]["rest"]) == of_an_action
    assert {path.name for path in tmp_path.glob("*.*")} == {
        "metrics.json",
        "thresholds.json",
        "events.csv",
        "bouts.csv",
        "trials.csv",
        "bland_altman.png",
        "confusion.png",
        "ethograms.png",
        "reliability.png",
        "outside_training.csv",
    }


def test_thresholds_are_apart_and_never_the_score(evaluate, tmp_path):
    evaluate("--split", "val")
    thresholds = json.loads((tmp_path / "thresholds.json").read_text())

    assert set(thresholds["rest"]) == {"threshold", "f1"}


@pytest.mark.parametrize(
    ("split", "side", "warns"),
    [
        pytest.param("auto", "val", False, id="auto finds the validation recordings"),
        pytest.param("val", "val", False, id="val"),
        pytest.param("train", "train", True, id="train"),
        pytest.param("all", "all", True, id="all"),
    ],
)
def test_the_split_says_which_trials_are_scored_and_what_was_seen_stamps_the_results(
    study, evaluate, tmp_path, split, side, warns
):
    given = split_of(study)
    names = given["train"] + given["val"] if side == "all" else given[side]
    status, printed, metrics = evaluate("--split", split, "--allow_seen")

    assert status == 0
    assert metrics["n_trials"] == len(names)
    assert f"[info] Scoring {len(names)} trials (--split {'val' if split == 'auto' else split})" in printed.out
    trained_on = ", ".join(sorted(name.partition("#")[0] for name in given["train"]))
    warning = f"[warn] The model was trained on {trained_on}: these scores say nothing about new animals"
    assert (warning in printed.out) == warns
    assert metrics["seen_in_training"] == (trained_on.split(", ") if warns else [])
    assert ("seen_in_training" in json.loads((tmp_path / "thresholds.json").read_text())) == warns
    for table in ("events.csv", "bouts.csv", "trials.csv"):
        stamps = pd.read_csv(tmp_path / table).get("stamp", pd.Series(dtype=str)).unique().tolist()
        assert stamps == ([warning.removeprefix("[warn] ")] if warns else []), table


@pytest.mark.parametrize("split", ["train", "all"])
def test_what_trained_the_model_is_not_scored_under_any_name(study, evaluate, tmp_path, split):
    copy = tmp_path / "copy"
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("training", "*.pt"))
    for path in copy.glob("*/*"):
        path.rename(path.with_name(path.name.replace("shortened", "renamed")))
    for folder, wanted in ((study, split), (copy, "all")):
        status, printed, metrics = evaluate("--split", wanted, folder=folder)

        assert status == 2
        assert metrics is None
        assert "evaluate: expected recordings that did not train the model, got " in printed.err
        assert "known by their content. Score others; or train with --test_animals" in printed.err


def test_a_split_file_gives_its_validation_part(study, evaluate, tmp_path):
    given = split_of(study)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"split_by": "animal", "train": given["val"], "val": given["train"]}))
    _, printed, metrics = evaluate("--split", str(path), "--allow_seen")

    assert metrics["n_trials"] == len(given["train"])
    assert "[warn] The model was trained on" in printed.out


def test_frames_beside_a_change_of_action_count_in_no_score_of_frames(evaluate):
    _, _, every_frame = evaluate("--split", "val")
    _, printed, tolerant = evaluate("--split", "val", "--boundary_tolerance", "2")
    left_out = re.search(r"\[info\] --boundary_tolerance 2: (\d+) of (\d+) labelled frames", printed.out)

    assert tolerant["boundary_tolerance"] == 2
    assert 0 < int(left_out[1]) == every_frame["n_frames"] - tolerant["n_frames"]
    assert tolerant["segment_f1"] == every_frame["segment_f1"], "bouts keep all their frames"
    n_bouts, n_bouts_before = ([a["n_bouts"] for a in m["per_action"].values()] for m in (tolerant, every_frame))
    assert n_bouts == n_bouts_before


@pytest.fixture(scope="module")
def new_animals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    simulate(folder, n_animals=1, n_trials=1, seed=7, size_px=96)
    return folder


def test_new_recordings_are_all_scored_without_a_warning(new_animals, evaluate):
    status, printed, metrics = evaluate(folder=new_animals)

    assert status == 0
    assert metrics["n_trials"] == 1
    assert "[info] Scoring 1 trials (--split all)" in printed.out
    assert "trained on" not in printed.out


@pytest.mark.parametrize(
    ("split", "message"),
    [
        pytest.param(
            "val", "--split val: expected its trials in the folder, got none of them. Use --split all", id="val"
        ),
        pytest.param("nowhere.json", "--split nowhere.json: expected a split file", id="no such file"),
    ],
)
def test_a_split_that_is_not_in_the_folder_is_refused(new_animals, evaluate, split, message):
    status, printed, metrics = evaluate("--split", split, folder=new_animals)

    assert status == 2
    assert message in printed.err
    assert metrics is None


def test_no_usable_trial_is_the_guides_error(evaluate, tmp_path):
    for name in ("Annotations", "Videos"):
        (tmp_path / "none" / name).mkdir(parents=True)
    status, printed, _ = evaluate(folder=tmp_path / "none")

    assert status == 2
    assert "ValueError: No samples found!" in printed.err


def test_a_second_person_is_shown_beside_the_model(study, new_animals, evaluate, tmp_path):
    """B is A, two frames later throughout."""
    (source,) = (new_animals / "Annotations").glob("prediction_*.csv")
    table = pd.read_csv(source, dtype="Int64")
    second = tmp_path / "B"
    second.mkdir()
    table.assign(Action=table["Action"].shift(2).bfill()).to_csv(second / source.name, index=False)
    status, printed, metrics = evaluate("--annotations_b", str(second), folder=new_animals)

    assert status == 0
    assert "of 1 of 1 trial that both scored" in printed.out
    human = metrics["human"]
    assert (human["n_trials"], human["n_trials_of_a"]) == (1, 1)
    a = table["Action"].to_numpy(dtype=int)
    assert human["people"]["accuracy"] == pytest.approx((a[2:] == a[:-2]).sum() / len(a) + 2 / len(a))
    assert human["people"]["event_f1"] == 1
    assert human["model_a"]["f1"] == pytest.approx(metrics["macro_f1"])
    rows = pd.read_csv(tmp_path / "human.csv").set_index("action")
    assert rows.loc["all", "kappa_people"] == pytest.approx(human["people"]["kappa"], abs=1e-4)
    assert rows.loc["walk", "f1_model_b"] == pytest.approx(human["model_b"]["per_action"]["walk"]["f1"], abs=1e-4)

    _, _, metrics = evaluate(folder=new_animals)
    assert "human" not in metrics
    assert not (tmp_path / "human.csv").exists()


def test_events_on_disk_are_those_of_the_metrics(new_animals, evaluate, tmp_path):
    _, _, metrics = evaluate("--onset_tolerance_s", "0.3", folder=new_animals)

    assert metrics["onset_tolerance_s"] == 0.3
    actions, bouts, trials = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("events", "bouts", "trials"))
    assert (actions["onset_tolerance_s"] == 0.3).all()
    found = bouts[(bouts["by"] == "labels") & bouts["is_matched"]].groupby("action").size()
    for name, numbers in metrics["events"].items():
        row = actions.set_index("action").loc[name]
        assert row["n_found"] == numbers["n_found"] == found.get(name, 0)
        assert row["n_found"] + row["n_missed"] == metrics["per_action"][name]["n_bouts"]
        assert row["count_mean_labels"] == numbers["count_mean_labels"]
    assert (trials["latency_from"] == "stim_frame").all()  # the simulation writes one
    assert trials["followed_s"].between(0, 12).all()
