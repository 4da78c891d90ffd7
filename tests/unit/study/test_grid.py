"""The cells of a study: who is on which side, and what counts as finished."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nocigram.config.commands import FoldOptions, TrainOptions
from nocigram.config.launch import LaunchOptions
from nocigram.config.presets import approach_values
from nocigram.config.records import unflat
from nocigram.core.errors import InputError
from nocigram.evaluation import TrialPrediction
from nocigram.study import cells, grid
from nocigram.study.grid import Grid

ANIMALS = {"rec1": "A", "rec2": "A", "rec3": "B", "rec4": "C", "rec5": "D", "blind": "E"}


@pytest.fixture
def folders(laboratory):
    """Five animals; A was recorded twice, and there is no pose of E."""
    for name in ANIMALS:
        laboratory.video(f"{name}.mp4")
        laboratory.annotation(1, video=f"{name}.mp4")
        if name != "blind":
            laboratory.pose(name)
    laboratory.table(*ANIMALS.items(), header="recording,animal")
    return laboratory


def options_of(laboratory, approach, **values):
    given = {**laboratory.folders, **approach_values(approach), "approach": approach, "min_frames": 20, **values}
    return unflat(TrainOptions, given)


def grid_of(laboratory, *approaches, folds=None, seeds=1, folder=None, **values):
    return Grid.of(
        {approach: options_of(laboratory, approach, **values) for approach in approaches},
        folding=FoldOptions(folds=folds, seeds=seeds),
        folder=folder or laboratory.folder / "study",
        val_share=0.3,
    )


def animals_of(made, names):
    return {trial.animal for trial in made.found.trials if trial.name in names}


def finish(cell):
    """Leave what a cell leaves that ran to its end."""
    cell.folder.mkdir(parents=True, exist_ok=True)
    (cell.folder / "predictions.npz").touch()
    (cell.folder / "cell.json").write_text(json.dumps({"asked": cell.arguments()["asked"], "outcome": {}}))


@pytest.mark.parametrize("folds", [pytest.param(None, id="one animal at a time"), pytest.param(2, id="two folds")])
def test_no_animal_is_on_two_sides_and_each_trial_is_tested_once(folders, folds):
    made = grid_of(folders, "pose_only", folds=folds)
    tested = []
    for cell in made.cells["pose_only"]:
        sides = [animals_of(made, names) for names in (cell.split.train, cell.split.val, cell.split.test)]
        assert all(sides)
        assert sum(map(len, sides)) == len(set().union(*sides)) == 4
        tested += cell.split.test
    assert sorted(tested) == sorted(trial.name for trial in made.found.trials)


def test_all_rows_and_seeds_have_the_same_folds_and_only_trials_that_every_row_can_use(folders):
    made = grid_of(folders, "video_only", "pose_only", "multitask", seeds=2)
    splits = {row: [(cell.fold, cell.split) for cell in made.cells[row]] for row in made.cells}
    assert splits["video_only"] == splits["pose_only"] == splits["multitask"]
    assert {trial.recording for trial in made.found.trials} == set(ANIMALS) - {"blind"}
    seeds = [(cell.fold, cell.options.machine.seed) for cell in made.cells["pose_only"]]
    assert seeds == [(fold, seed) for fold in (1, 2, 3, 4) for seed in (0, 1)]


def test_a_row_alone_uses_what_it_can(folders):
    assert "blind" in {trial.recording for trial in grid_of(folders, "video_only").found.trials}


def test_recordings_without_named_animals_are_told_of(folders, capsys):
    grid_of(folders, "pose_only")
    assert "counts as an animal" not in capsys.readouterr().out
    (folders.folder / "recordings.csv").unlink()
    grid_of(folders, "pose_only")
    assert "[info] Every recording counts as an animal of its own. Name those that" in capsys.readouterr().out


def test_timings_are_those_of_the_data_as_they_are_when_a_study_is_gathered(folders, monkeypatch):
    def predictions(cell):
        labels, probabilities = np.zeros(40, dtype=np.int64), np.ones((40, 6)) / 6
        names = [name.partition("#")[0] for name in cell.split.test]
        return [
            TrialPrediction(recording=name, trial=1, animal=name, labels=labels, probabilities=probabilities)
            for name in names
        ]

    monkeypatch.setattr(cells.Cell, "predictions", predictions)
    folders.table(("rec1", 1, 7, "A"), ("rec2", None, None, "A"), header="recording,trial,stim_frame,animal")
    run = grid_of(folders, "pose_only").runs("pose_only")[0]
    assert {trial.recording: trial.timing.stim_frame for trial in run}["rec1"] == 7
    assert {(trial.timing.fps, trial.timing.start) for trial in run} == {(30.0, 0)}


def test_too_few_animals_are_refused(folders):
    with pytest.raises(InputError, match="folds: expected from 2 to 4 folds of 4 animals, got 5"):
        grid_of(folders, "pose_only", folds=5)


def test_animals_that_are_kept_out_are_in_no_fold_and_train_no_keypoint_head(folders, capsys):
    film_another(folders)
    folders.table(*(ANIMALS | {"unlabelled": "B"}).items(), header="recording,animal")
    made = grid_of(folders, "video_only", "multitask", test_animals="B")

    assert {animal for fold in made.folds for animal in fold.test_animals} == {"A", "C", "D", "E"}
    assert {"rec3", "unlabelled"}.isdisjoint(made.found.recordings)
    assert "[info] --test_animals: B (1 trials) are in no fold" in capsys.readouterr().out


def test_an_animal_to_keep_out_that_is_not_there_is_refused(folders):
    message = "--test_animals: expected animals among A, B, C, D, E, got Z. Write them as in recordings.csv."
    with pytest.raises(InputError, match=message):
        grid_of(folders, "video_only", test_animals="B, Z")


def relabel(laboratory):
    laboratory.annotation(1, start=1, video="rec3.mp4")


def track_anew(laboratory):
    path = next(laboratory.videos.glob("rec3*.csv"))
    path.write_text(path.read_text().replace(".25", ".5", 1))


def film_anew(laboratory):
    shutil.copy(laboratory.video("other.mp4", grey=False), laboratory.videos / "rec3.mp4")
    (laboratory.videos / "other.mp4").unlink()


def rename_animal(laboratory):
    laboratory.table(*(ANIMALS | {"rec2": "F"}).items(), header="recording,animal")


def leave_alone(laboratory):
    pass


def film_another(laboratory):
    laboratory.video("unlabelled.mp4")
    laboratory.pose("unlabelled")


@pytest.mark.parametrize(
    ("approach", "change", "values", "is_finished"),
    [
        pytest.param("pose_only", leave_alone, {}, True, id="nothing changed"),
        pytest.param("pose_only", leave_alone, {"lr": 0.5}, False, id="another option"),
        pytest.param("pose_only", leave_alone, {"seed": 9}, False, id="another seed"),
        pytest.param("pose_only", leave_alone, {"accelerator": "cpu", "cache_dir": Path("x")}, True, id="elsewhere"),
        pytest.param("pose_only", relabel, {}, False, id="a label"),
        pytest.param("pose_only", track_anew, {}, False, id="a keypoint"),
        pytest.param("video_only", track_anew, {}, True, id="a keypoint that is not read"),
        pytest.param("video_only", film_anew, {}, False, id="a video"),
        pytest.param("pose_only", film_anew, {}, True, id="a video that is not read"),
        pytest.param("pose_only", rename_animal, {}, False, id="an animal"),
        pytest.param("pose_only", film_another, {}, True, id="a recording that nobody labelled"),
        pytest.param("multitask", film_another, {}, False, id="a recording for the keypoint head"),
        pytest.param("multitask", film_another, {"labelled_only": True}, True, id="a recording that is left out"),
    ],
)
def test_a_cell_is_finished_only_for_equal_options_and_data(folders, approach, change, values, is_finished):
    base = {"labelled_only": values["labelled_only"]} if "labelled_only" in values else {}
    for cell in grid_of(folders, approach, folds=2, **base).cells[approach]:
        finish(cell)
    change(folders)
    made = grid_of(folders, approach, folds=2, **values)
    assert [cell.is_finished for cell in made.cells[approach]] == [is_finished] * 2


def test_whose_a_recording_without_labels_is_decides_a_keypoint_head(folders):
    film_another(folders)
    for cell in grid_of(folders, "multitask").cells["multitask"]:
        finish(cell)
    folders.table(*(ANIMALS | {"unlabelled": "B"}).items(), header="recording,animal")
    assert not any(cell.is_finished for cell in grid_of(folders, "multitask").cells["multitask"])


def test_a_study_whose_folders_were_moved_is_still_finished(folders, tmp_path_factory):
    for cell in grid_of(folders, "multitask").cells["multitask"]:
        finish(cell)
    place = tmp_path_factory.mktemp("moved") / "data"
    shutil.copytree(folders.folder, place)
    moved = type(folders)(place)
    assert all(cell.is_finished for cell in grid_of(moved, "multitask").cells["multitask"])


@pytest.mark.parametrize(
    "content", [pytest.param("", id="empty"), pytest.param("[]", id="a list"), pytest.param('{"asked": 1', id="cut")]
)
def test_a_damaged_record_is_no_finished_cell(folders, content):
    cell = grid_of(folders, "pose_only").cells["pose_only"][0]
    finish(cell)
    assert cell.is_finished
    (cell.folder / "cell.json").write_text(content)
    assert not cell.is_finished


def test_a_record_without_its_predictions_is_no_finished_cell(folders):
    cell = grid_of(folders, "pose_only").cells["pose_only"][0]
    finish(cell)
    (cell.folder / "predictions.npz").unlink()
    assert not cell.is_finished


def test_a_cell_that_runs_again_and_fails_is_not_finished_for_anybody(folders, monkeypatch):
    before = grid_of(folders, "pose_only").cells["pose_only"][0]
    finish(before)

    def fail(options):
        raise InputError("no room")

    monkeypatch.setattr(cells, "train", fail)
    with pytest.raises(InputError, match="no room"):
        cells.run_cell(**grid_of(folders, "pose_only", lr=0.5).cells["pose_only"][0].arguments())
    assert not before.is_finished


def test_only_unfinished_cells_run_and_results_of_earlier_ones_are_removed(folders, monkeypatch):
    launched = []
    monkeypatch.setattr(grid, "launch", lambda jobs, **_: launched.extend(job.name for job in jobs))
    made = grid_of(folders, "pose_only", "pose_trees")
    finish(made.cells["pose_only"][1])
    old, kept = made.folder / "metrics" / "old.json", made.folder / "notes.txt"
    old.parent.mkdir()
    for path in (old, kept):
        path.touch()
    assert made.as_text().endswith("[info] 8 trainings, 1 of them finished before")

    made.only("pose_only").run(LaunchOptions(), results=("metrics/*.json",))
    assert launched == [f"pose_only fold {fold} seed 0" for fold in (1, 3, 4)]
    assert (old.exists(), kept.exists()) == (False, True)
