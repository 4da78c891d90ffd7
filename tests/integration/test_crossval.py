"""Cross-validation and comparison from folders to tables, their resumption, and that nothing leaks."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nocigram.cli.main import main
from nocigram.data.folds import Fold
from nocigram.simulation import simulate

pytestmark = pytest.mark.slow
TINY_NETWORK = {"epochs": 2, "min_windows": 1, "members": 1, "hidden_dim": 8, "train_T": 64}
TINY_TREES = {"trees": 4, "tree_depth": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Four animals with a trial each, as flags."""
    folder = tmp_path_factory.mktemp("four")
    simulate(folder, n_animals=4, n_trials=1, seed=0, size_px=96)
    places = {"annotations": folder / "Annotations", "videos": folder / "Videos", "cache_dir": folder / "cache"}
    return flags_of(**places, accelerator="cpu", folds=2)


@pytest.fixture
def at_once(monkeypatch):
    """Cells run in this process: starting one for each takes longer than these trainings."""

    def run(jobs, **_):
        for job in jobs:
            job.function(**job.arguments)

    monkeypatch.setattr("nocigram.study.grid.launch", run)


def flags_of(**values):
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def metrics_in(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_a_study_killed_after_its_first_training_goes_on_and_ends_like_one_never_stopped(
    folders, tmp_path, capfd, request
):
    annotations = folders[folders.index("--annotations") + 1]
    command = ["crossval", *folders, *flags_of(approach="pose_only", annotations_b=annotations, **TINY_NETWORK)]
    start = [sys.executable, "-c", "import sys; from nocigram.cli.main import main; sys.exit(main(sys.argv[1:]))"]
    cut = tmp_path / "cut"
    process = subprocess.Popen(
        [*start, *command, "--out", str(cut)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in process.stdout:
        if line.startswith("[info] pose_only fold 1 seed 0: done"):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    first = cut / "cells" / "pose_only_fold_1_seed_0" / "cell.json"
    before = first.stat().st_mtime_ns
    assert not (cut / "metrics.json").exists()
    assert not (cut / "cells" / "pose_only_fold_2_seed_0" / "cell.json").exists()

    capfd.readouterr()
    assert main([*command, "--out", str(cut)]) == 0
    assert "[info] 2 trainings, 1 of them finished before" in capfd.readouterr().out
    assert first.stat().st_mtime_ns == before

    request.getfixturevalue("at_once")
    whole = tmp_path / "whole"
    assert main([*command, "--out", str(whole)]) == 0
    assert metrics_in(cut) == metrics_in(whole)
    for name in ("out_of_fold_seed0", "events", "bouts", "trials", "human"):
        assert (cut / f"{name}.csv").read_bytes() == (whole / f"{name}.csv").read_bytes(), name
    assert metrics_in(whole)["human"]["people"]["kappa"] == 1
    assert (whole / "bland_altman.png").is_file()


@pytest.mark.usefixtures("at_once")
def test_compare_gives_a_table_a_csv_and_a_figure_of_rows_on_the_same_folds(folders, tmp_path, capsys):
    overrides = tmp_path / "overrides.yaml"
    overrides.write_text(json.dumps({"pose_only": TINY_NETWORK, "pose_trees": TINY_TREES}), encoding="utf-8")
    flags = flags_of(approaches="pose_only,pose_trees", seeds=2, overrides=overrides, out=tmp_path / "study")
    assert main(["compare", *folders, *flags]) == 0
    printed = capsys.readouterr().out
    markdown = (tmp_path / "study" / "comparison.md").read_text(encoding="utf-8")
    table = pd.read_csv(tmp_path / "study" / "comparison.csv").set_index("approach")

    assert markdown in printed
    assert list(table.index) == ["pose_only", "pose_trees", "multitask", "multimodal", "video_only"]
    ran, not_run = table.loc[["pose_only", "pose_trees"]], table.loc[["multitask", "multimodal", "video_only"]]
    assert not_run.drop(columns="is_best").isna().all(axis=None)
    assert ran[["macro_f1", "macro_f1/low", "n_parameters", "training_minutes", "frames_per_s"]].notna().all(axis=None)
    assert sorted(ran["p"].isna()) == [False, True]  # the best has none
    assert ran["p"].max() >= 2 / 2**4
    assert "With so few animals no p can be below 0.12, however large the difference." in markdown
    assert set(ran["per_action/paw_withdraw/f1"]) == {"not assessable"}
    assert (tmp_path / "study" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    for row in ("pose_only", "pose_trees"):
        metrics = json.loads((tmp_path / "study" / "metrics" / f"{row}.json").read_text(encoding="utf-8"))
        assert metrics["macro_f1"] == pytest.approx(ran.loc[row, "macro_f1"], rel=1e-4)
        assert (metrics["seeds"], metrics["n_animals"]) == ([0, 1], 4)

    assert main(["compare", *folders, *flags]) == 0
    assert "[info] 8 trainings, 8 of them finished before" in capsys.readouterr().out
    assert (tmp_path / "study" / "comparison.md").read_text(encoding="utf-8") == markdown


@pytest.fixture
def unlearnable(laboratory):
    """Five animals whose labels have nothing to do with how they move: who was not seen can't be known."""
    n_frames = 400
    for number in range(5):
        name = f"mouse{number}"
        rng = np.random.default_rng(number)
        body = np.array([[0, 40], [0, 0], [9, 30], [-9, 30], [9, 9], [-9, 9]])
        drift = np.cumsum(rng.normal(size=(n_frames, 6, 2)), axis=0) + body
        moving = type(
            "Moving",
            (type(laboratory),),
            {
                "xy_of": staticmethod(lambda frames, drift=drift: drift[frames]),
                "visible_of": staticmethod(lambda frames: np.ones((len(frames), 6), dtype=bool)),
            },
        )(laboratory.folder)
        moving.pose(name, n_frames=n_frames)
        laboratory.labels({1: rng.integers(0, 2, n_frames // 10).repeat(10)}, video=f"{name}.mp4")
    (laboratory.folder / "actions.yaml").write_text("names: [still, moving]\n")
    return flags_of(**laboratory.folders, actions=laboratory.folder / "actions.yaml", fps=30)


@pytest.mark.usefixtures("at_once")
def test_labels_that_say_nothing_about_other_animals_give_chance(unlearnable, tmp_path):
    trees = flags_of(approach="pose_trees", features="graph,motion", smooth="none", trees=40, tree_leaf_weight=1)
    assert main(["crossval", *unlearnable, *trees, "--out", str(tmp_path / "study")]) == 0
    model = tmp_path / "study" / "cells" / "pose_trees_fold_1_seed_0" / "best_model_pose_trees.pt"
    again = ["evaluate", str(model), *unlearnable[:4], "--fps", "30", "--split", "all", "--out", str(tmp_path)]
    assert main([*again, "--allow_seen"]) == 0
    unseen, mostly_seen = (metrics_in(folder)["balanced_accuracy"] for folder in (tmp_path / "study", tmp_path))
    assert 0.4 < unseen < 0.6
    assert mostly_seen > 0.8


@pytest.mark.usefixtures("at_once")
def test_a_fold_that_lets_a_test_animal_train_is_refused(unlearnable, tmp_path, monkeypatch, capsys):
    training_side = Fold.training_side
    monkeypatch.setattr(Fold, "training_side", lambda fold, found: training_side(replace(fold, test_animals=()), found))
    trees = flags_of(approach="pose_trees", **TINY_TREES)
    assert main(["crossval", *unlearnable, *trees, "--out", str(tmp_path)]) == 2
    assert "expected each trial on one side, got mouse0#1 on two" in capsys.readouterr().err
