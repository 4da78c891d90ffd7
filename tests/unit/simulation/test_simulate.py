import csv
from pathlib import Path

import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.simulation import simulate, simulate_recording
from nocigram.video.encode import VideoWriter

SCORER = "DLC_resnet50_pawtracking_comparisionMay7shuffle1_500000"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "study"
    summary = simulate(out, n_animals=2, n_trials=3, seed=5, size_px=128, n_unlabelled=1)
    assert (summary.n_recordings, summary.n_trials, summary.n_frames) == (3, 6, 3240)
    return out


def test_the_layout_is_the_laboratorys(study):
    videos = sorted((study / "Videos").glob("*.mp4"))
    assert [entry.name for entry in sorted(study.iterdir())] == ["Annotations", "Videos", "recordings.csv"]
    assert len(videos) == 3
    for video in videos:
        assert video.stem.startswith("shortened_2023-")
        assert video.stem.endswith("_tracking")
        assert (video.parent / f"{video.stem}{SCORER}.csv").exists()
        has_annotation = "_CFA_5" not in video.stem
        for number in (1, 2, 3):
            assert (study / "Annotations" / f"prediction_{video.name}_{number}.csv").exists() == has_annotation


def test_pose_files_have_three_header_rows_and_the_labs_column_order(study):
    path = next((study / "Videos").glob("*.csv"))
    rows = _rows(path)
    assert rows[0] == ["scorer"] + [SCORER] * 18
    assert rows[1] == ["bodyparts"] + [
        name for name in ("mouth", "L_frontpaw", "R_frontpaw", "L_hindpaw", "R_hindpaw", "tail_base") for _ in range(3)
    ]
    assert rows[2] == ["coords"] + ["x", "y", "likelihood"] * 6
    assert [int(row[0]) for row in rows[3:]] == list(range(1080))


def test_pose_columns_hold_their_keypoint(study):
    recording = simulate_recording(seed=5, index=0, n_trials=3, size_px=128)
    rows = _rows(study / "Videos" / f"{recording.name}{SCORER}.csv")
    column = rows[1].index("tail_base")
    x_px = [float(row[column]) for row in rows[3:]]
    assert x_px == pytest.approx(recording.tracked.xy_px[:, 1, 0], abs=1e-3)


def test_recordings_csv_agrees_with_the_rows_of_each_annotation(study):
    header, *rows = _rows(study / "recordings.csv")
    assert header == ["recording", "trial", "start", "stop", "stim_frame", "animal", "group"]
    assert len(rows) == 6
    for recording, trial, start, stop, stim_frame, animal, group in rows:
        codes = _rows(study / "Annotations" / f"prediction_{recording}.mp4_{trial}.csv")[1:]
        first = (int(trial) - 1) * 360
        assert (int(start), int(stop)) == (first + 360 - len(codes), first + 360)
        assert [int(frame) for frame, _ in codes] == list(range(len(codes)))
        assert {int(code) for _, code in codes} <= set(range(8))
        assert int(start) < int(stim_frame) < int(stop)
        assert animal in recording
        assert group in ("CFA", "control")


def test_a_345_row_file_labels_the_last_345_frames_of_its_trial():
    trials = [
        (trial, recording)
        for recording in (simulate_recording(seed=9, index=index, n_trials=4) for index in range(5))
        for trial in recording.trials
    ]
    lengths = [len(trial.annotated_actions) for trial, _ in trials]
    assert set(lengths) == {345, 360}
    assert 0.1 < np.mean(np.array(lengths) == 345) < 0.6
    for trial, recording in trials:
        assert trial.span.stop == trial.number * 360
        assert len(trial.span) == len(trial.annotated_actions) == len(trial.true_actions)
        assert np.array_equal(trial.true_actions, recording.true_actions[trial.span.start : trial.span.stop])


def test_the_same_seed_gives_the_same_bytes(study, tmp_path):
    simulate(tmp_path / "again", n_animals=2, n_trials=3, seed=5, size_px=128, n_unlabelled=1)
    assert _contents(tmp_path / "again") == _contents(study)


def test_another_seed_shares_no_name(study, tmp_path):
    simulate(tmp_path / "other", n_animals=1, n_trials=1, seed=6, size_px=128, n_unlabelled=1)
    names, others = _contents(study).keys(), _contents(tmp_path / "other").keys()
    assert names & others == {"recordings.csv"}
    animals = {row[5] for row in _rows(study / "recordings.csv")}
    assert animals.isdisjoint({row[5] for row in _rows(tmp_path / "other" / "recordings.csv")} - {"animal"})


def test_an_animal_does_not_depend_on_how_many_there_are(study, tmp_path):
    simulate(tmp_path / "one", n_animals=1, n_trials=3, seed=5, size_px=128)
    one, two = _contents(tmp_path / "one"), _contents(study)
    shared = {name: data for name, data in one.items() if name != "recordings.csv"}
    assert len(shared) == 5
    assert shared.items() <= two.items()


def test_progress_counts_every_frame(tmp_path):
    seen = []
    simulate(tmp_path / "a", n_animals=1, n_trials=1, seed=1, size_px=96, progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 360) for done in range(1, 361)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"n_animals": 0}, "--animals: expected 1 or more, got 0", id="no animals"),
        pytest.param({"n_trials": 0}, "--trials: expected 1 or more, got 0", id="no trials"),
        pytest.param({"seed": -1}, "--seed: expected 0 or more, got -1", id="a negative seed"),
        pytest.param({"size_px": 127}, "--size_px: expected an even number, got 127. Give 128.", id="an odd size"),
        pytest.param({"size_px": 64}, "--size_px: expected 96 or more, got 64", id="a tiny picture"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        simulate(tmp_path / "a", **{"n_animals": 1, "n_trials": 1, "seed": 1} | options)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["Videos", "Annotations", "recordings.csv"])
def test_a_used_folder_is_refused_with_the_way_out(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(
        InputError, match=rf"expected a folder without {name}, got one that has it. Give another folder"
    ):
        simulate(tmp_path, n_animals=1, n_trials=1, seed=1)


def test_an_error_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(self, frame, *, pts=None):
        raise OSError("No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full_disk)
    with pytest.raises(OSError, match="No space left"):
        simulate(tmp_path / "a" / "b", n_animals=1, n_trials=1, seed=1, size_px=96)
    assert not (tmp_path / "a" / "b").exists()
