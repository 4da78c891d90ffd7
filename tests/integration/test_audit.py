"""`nocigram audit` from folders to a table and pictures."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.image import imread

from nocigram.cli.main import main
from nocigram.core.bouts import bouts_of
from nocigram.data import discover
from nocigram.evaluation import TrialPrediction
from nocigram.study.predictions_file import save_predictions

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(study, tmp_path_factory):
    """A tiny model of poses."""
    return study.train(tmp_path_factory.mktemp("audited"), "--streams", "pose", "--epochs", "1")


@pytest.fixture
def audit(study, tmp_path, capsys):
    """Run the command; gives its exit status, what it printed and its table."""

    def run(source, *flags, annotations=study.annotations, videos=study.videos):
        where = ["--annotations", str(annotations), "--videos", str(videos), "--out", str(tmp_path / "audit")]
        status = main(["audit", str(source), *where, "--accelerator", "cpu", *flags])
        path = tmp_path / "audit" / "audit.csv"
        return status, capsys.readouterr(), pd.read_csv(path) if path.exists() else None

    return run


@pytest.fixture
def crossvalidated(study, model, tmp_path):
    """A study's folder in which two models knew each frame of the labels, the second one better."""
    found = discover(study.annotations, study.videos)
    for number, p in enumerate((0.8, 0.9)):
        cell = tmp_path / "study" / "cells" / f"multitask_fold_1_seed_{number}"
        cell.mkdir(parents=True)
        shutil.copy(model, cell / model.name)
        answers = []
        for trial in found.trials:
            labels = found.labels_of(trial)
            probabilities = np.full((len(labels), 6), (1 - p) / 5)
            probabilities[np.arange(len(labels)), labels] = p
            about = {"recording": trial.recording, "trial": trial.number, "animal": trial.animal}
            answers.append(TrialPrediction(**about, labels=labels, probabilities=probabilities))
        save_predictions(cell / "predictions.npz", answers)
        (cell / "cell.json").write_text(json.dumps({"asked": {}}), encoding="utf-8")
    return tmp_path / "study"


def renamed_bout(study, folder):
    """Copy the annotations and give the longest bout of one trial another name; returns its trial and its frames."""
    shutil.copytree(study.annotations, folder)
    shutil.copy(study.folder / "recordings.csv", folder / "recordings.csv")
    found = discover(study.annotations, study.videos)
    trial = found.trials[0]
    bout = max(bouts_of(found.labels_of(trial)), key=lambda bout: len(bout.span))
    path = folder / trial.path.name
    table = pd.read_csv(path)
    code = (found.scheme.classes[bout.action] == "paw_shake") + 4  # paw_shake, or flinch for a bout that is one
    table.loc[bout.span.start : bout.span.stop - 1, "Action"] = code
    table.to_csv(path, index=False)
    return trial, bout.span.shifted(trial.start), found.scheme.classes[bout.action]


def test_a_bout_that_was_renamed_is_the_first_row_and_has_pictures(study, crossvalidated, audit, tmp_path):
    trial, span, name = renamed_bout(study, tmp_path / "changed")
    status, printed, table = audit(crossvalidated, annotations=tmp_path / "changed")

    assert status == 0
    assert "3 trials, judged by 2 models, each on animals that it never saw" in printed.out
    assert f"[info] {len(span)} labels were changed since the study; the present ones are audited" in printed.out
    first = table.iloc[0]
    assert (first.recording, first.trial) == (trial.recording, trial.number)
    assert (first.start_frame, first.stop_frame) == (span.start, span.stop)
    assert (first.start_s, first.stop_s) == pytest.approx((span.start / 30, span.stop / 30), abs=1e-3)
    assert (first.label, first.model_says, first.p_model) == ("paw_shake", name, pytest.approx(0.85))
    assert first.kind in ("bout", "extra")
    assert (len(table), first.seen_in_training) == (1, "no")
    assert table[["decision", "note"]].isna().all(axis=None)
    picture = imread(tmp_path / "audit" / "page_01.png")
    assert np.ptp(picture[:, :, :3]) > 0.9
    assert picture.shape[1] > 4 * picture.shape[0], "one strip of seven pictures"


def test_right_labels_give_an_empty_table_and_no_picture(crossvalidated, audit, tmp_path):
    status, printed, table = audit(crossvalidated)

    assert (status, len(table)) == (0, 0)
    assert "[info] 0 improbable spans in" in printed.out
    assert not list((tmp_path / "audit").glob("*.png"))


def test_a_table_that_somebody_worked_in_is_not_replaced(study, crossvalidated, audit, tmp_path):
    renamed_bout(study, tmp_path / "changed")
    _, _, table = audit(crossvalidated, "--pictures", "0", annotations=tmp_path / "changed")
    assert not list((tmp_path / "audit").glob("*.png"))
    table.astype({"decision": object}).assign(decision="lick").to_csv(tmp_path / "audit" / "audit.csv", index=False)
    status, printed, after = audit(crossvalidated)

    assert status == 2
    assert "audit.csv: expected no decisions in a table that is to be replaced, got 1. Choose another --out" in (
        printed.err
    )
    assert after.decision.tolist() == ["lick"]


def test_one_model_judges_what_it_was_not_trained_on(study, model, audit):
    status, printed, table = audit(model, "--pictures", "1")
    seen = {record["recording"] for record in torch.load(model)["seen"] if "train" in record["sides"]}
    labelled = {trial.recording for trial in discover(study.annotations, study.videos).trials}

    assert status == 0
    assert f"[warn] not audited, since the model was trained on them: {', '.join(sorted(seen & labelled))}" in (
        printed.out
    )
    assert set(table.recording) <= labelled - seen
    assert set(table.seen_in_training) <= {"no"}


def test_what_it_was_trained_on_is_refused_or_stamped(study, model, audit, tmp_path):
    seen = {record["recording"] for record in torch.load(model)["seen"] if "train" in record["sides"]}
    annotations = tmp_path / "some"
    annotations.mkdir()
    for path in study.annotations.iterdir():
        if any(name in path.name for name in seen):
            shutil.copy(path, annotations)
    shutil.copy(study.folder / "recordings.csv", annotations)
    status, printed, table = audit(model, annotations=annotations)
    assert (status, table) == (2, None)
    assert "expected recordings that the model was not trained on, got none. Audit the folder of a crossval" in (
        printed.err
    )

    status, printed, table = audit(model, "--allow_seen", "--pictures", "0", annotations=annotations)
    assert status == 0
    assert "it has learnt the mistakes there, too" in printed.out
    assert set(table.seen_in_training) == {"yes"}


def test_a_folder_that_is_no_study_is_refused(audit, tmp_path):
    status, printed, _ = audit(tmp_path)

    assert status == 2
    assert "expected the folder of a crossval or compare with finished trainings in cells/, got none" in printed.err
