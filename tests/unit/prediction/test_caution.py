"""`nocigram predict` says which recordings lie outside of the training, and which bouts to look at."""

import csv
from dataclasses import replace

import pytest

import nocigram
from nocigram.cli.main import main
from nocigram.data.appearance import appearance_of_source
from nocigram.data.sources import sources_of
from nocigram.models.checkpoint import load_checkpoint, save_checkpoint

N_FRAMES = 40
POSE_ONLY = {"approach": "pose_only", "features": ["kinematics"]}
ALL_FEATURES = {"features": ["graph", "light"]}
NO_STATISTICS = "keeps no statistics of its training, so nothing is said of recordings unlike it"


@pytest.fixture
def recording(laboratory):
    """A video of 40 frames with its pose."""
    laboratory.pose("rec")
    return laboratory.video("rec.mp4", n_frames=N_FRAMES)


def look_at(path, video):
    """What a recording looks like to the model of a checkpoint, as predicting sees it."""
    looks = []
    predictor = nocigram.load_model(path)
    list(predictor.stream(predictor.read(video), on_look=looks.append))
    (look,) = looks
    return look


def trained_on(path, *looks, **changes):
    """The checkpoint as if these were the recordings of its training, with quantities multiplied."""
    factors = {name.replace("_", " "): factor for name, factor in changes.items()}
    plain = [
        replace(look, values={name: value * factors.get(name, 1) for name, value in look.values.items()}).as_plain()
        for look in looks
    ]
    written = load_checkpoint(path)
    save_checkpoint(path, replace(written, extra={**written.extra, "appearance": plain}))
    return path


def predict(model, *places, out, flags=()):
    return main(["predict", str(model), *map(str, places), "--out", str(out), "--accelerator", "cpu", *flags])


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(ALL_FEATURES, id="pixels, pose and light"),
        pytest.param(POSE_ONLY, id="pose alone"),
        pytest.param({"approach": "video_only", "cnn_size": "light"}, id="pixels alone"),
    ],
)
@pytest.mark.parametrize("crop", ["full", "mouse"])
def test_predicting_sees_what_training_saw(recording, checkpoint, tmp_path, monkeypatch, model, crop):
    monkeypatch.setattr("nocigram.data.appearance._N_PICTURES", 8)  # every fifth frame
    monkeypatch.setattr("nocigram.prediction.predictor._N_FRAMES_AT_ONCE", 7)
    path = checkpoint(args={"crop": crop}, **model)
    predictor = nocigram.load_model(path)
    how = {"needs": predictor.needs, "img_size": predictor.img_size}
    sources = sources_of([predictor.read(recording)], crop=crop, cache_dir=tmp_path / "cache", **how)

    assert look_at(path, recording) == appearance_of_source(sources["rec"], likelihood_thr=0.9, **how)


def test_a_recording_like_those_of_training_is_inside(recording, checkpoint, tmp_path, capsys):
    path = checkpoint(**ALL_FEATURES)
    trained_on(path, look_at(path, recording))
    assert predict(path, recording, out=tmp_path) == 0
    rows = rows_of(tmp_path / "caution" / "outside_training.csv")

    assert {row["verdict"] for row in rows} == {"inside"}
    assert {"brightness", "frame rate", "body length", "grey level at the paws"} <= {row["quantity"] for row in rows}
    assert "[warn]" not in capsys.readouterr().out
    assert not any("recording outside" in row["why"] for row in rows_of(tmp_path / "caution" / "look_at.csv"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"body_length": 3}, "[warn] rec: body length ", id="size"),
        pytest.param(
            {"frame_rate": 0.5}, "[warn] rec: frame rate 30 frames/s, training 15 to 15 frames/s (", id="rate"
        ),
        pytest.param({"brightness": 12}, "[warn] rec: brightness ", id="brightness"),
    ],
)
def test_a_recording_outside_is_said_and_all_of_it_is_to_be_looked_at(
    recording, checkpoint, tmp_path, capsys, changes, message
):
    path = checkpoint(**ALL_FEATURES)
    trained_on(path, look_at(path, recording), **changes)
    assert predict(path, recording, out=tmp_path) == 0

    assert message in capsys.readouterr().out
    outside = [row for row in rows_of(tmp_path / "caution" / "outside_training.csv") if row["verdict"] == "outside"]
    assert [row["quantity"].replace(" ", "_") for row in outside] == list(changes)
    assert float(outside[0]["beyond"]) > 0
    bouts = rows_of(tmp_path / "caution" / "look_at.csv")
    assert bouts
    assert all(row["why"].endswith("recording outside") for row in bouts)
    assert sum(int(row["stop_frame"]) - int(row["start_frame"]) for row in bouts) == N_FRAMES
    assert [row["doubt"] for row in bouts] == sorted((row["doubt"] for row in bouts), key=float, reverse=True)


def test_rows_of_a_recording_are_replaced_and_those_of_others_stay(laboratory, recording, checkpoint, tmp_path):
    path = checkpoint(**ALL_FEATURES)
    laboratory.pose("other")
    other = laboratory.video("other.mp4", n_frames=N_FRAMES)
    trained_on(path, look_at(path, recording), frame_rate=0.5)
    out = tmp_path / "out"
    tables = [out / "caution" / name for name in ("outside_training.csv", "look_at.csv")]
    assert predict(path, recording, other, out=out) == 0
    before = [sorted(map(str, rows_of(table))) for table in tables]
    assert {row["recording"] for table in tables for row in rows_of(table)} == {"rec", "other"}
    assert predict(path, recording, out=out, flags=["--overwrite"]) == 0

    assert [sorted(map(str, rows_of(table))) for table in tables] == before


def test_an_old_checkpoint_says_that_it_knows_nothing(recording, checkpoint, tmp_path, capsys):
    assert predict(checkpoint(), recording, out=tmp_path / "out") == 0

    assert f"[info] model.pt: the checkpoint {NO_STATISTICS}" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out" / "caution").iterdir()] == ["look_at.csv"]
