"""A checkpoint and recordings to actions: streaming, csv files, what is skipped and what fails."""

import csv
import json

import numpy as np
import pytest
import torch

import nocigram
from nocigram.cli.main import main
from nocigram.core.errors import InputError
from nocigram.core.ranges import FrameRange
from nocigram.data.sources import sources_of
from nocigram.data.view import from_view
from nocigram.data.windows import plan_windows, stitched
from nocigram.models.bout_statistics import BoutStatistics
from nocigram.models.decoder import BoutDecoder

CLIP_ENCODER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
N_FRAMES = 40
CLIP = {"backbone_type": "videomae2_3d", "encoder_name": "videomae-base", "encoder_config": CLIP_ENCODER, "clip_T": 4}
VIDEO_ONLY = {"approach": "video_only", "cnn_size": "light"}
MULTIMODAL = {"approach": "multimodal", "cnn_size": "light", "features": ["graph"]}
POSE_ONLY = {"approach": "pose_only", "features": ["kinematics"], "members": 2}
BOUTS = BoutStatistics(shortest_n_frames=(5,) * 6, share=(1 / 6,) * 6, leave=(0.1,) * 6, transitions=((0.2,) * 6,) * 6)


@pytest.fixture
def recording(laboratory):
    """A video of 40 frames with its pose."""
    laboratory.pose("rec")
    return laboratory.video("rec.mp4", n_frames=N_FRAMES)


def at_once(predictor, recording, *, tmp_path):
    """Probabilities and keypoints of a recording from windows that are cut out of decoded frames, without streaming."""
    source = sources_of(
        [recording],
        needs=predictor.needs,
        crop=predictor.crop,
        img_size=predictor.img_size,
        cache_dir=tmp_path,
        say=lambda line: None,
    )[recording.name]
    answers = []
    for window in plan_windows(N_FRAMES, window_T=predictor.window_T):
        inputs = {}
        if predictor.needs.pose:
            xy, visible = recording.pose_of(window)
            inputs = {
                "xy_px": torch.from_numpy(xy)[None],
                "visible": torch.from_numpy(visible)[None],
                "body_length_px": torch.tensor([recording.body_length_px]),
            }
        rows = {"frames": source.frames, "light": source.light}
        rows["kinematics"] = source.kinematics[0].astype(np.float32) if source.kinematics else None
        for name, values in rows.items():
            if values is not None:
                inputs[name] = torch.from_numpy(values[window.start : window.stop].copy())[None]
        with torch.inference_mode():
            output = predictor.model(**{name: values.to(predictor.device) for name, values in inputs.items()})
        rows = {"probabilities": output.action_logits[0].softmax(-1).cpu().double().numpy()}
        if output.keypoints is not None:
            rows["keypoints"] = output.keypoints[0].cpu().double().numpy()
        answers.append((window, rows))
    rows = stitched(answers)
    keypoints = rows.get("keypoints")
    boxes = source.view.boxes_of(0, N_FRAMES)
    return rows["probabilities"], None if keypoints is None else from_view(keypoints, boxes)


@pytest.mark.parametrize("val_T", [16, 7, 345], ids=["overlapping windows", "short ones", "one for all frames"])
@pytest.mark.parametrize("crop", ["full", "mouse"])
@pytest.mark.parametrize(
    "model",
    [
        pytest.param({}, id="frame by frame"),
        pytest.param(CLIP, id="clips"),
        pytest.param({"streams": "pose"}, id="pose alone"),
        pytest.param({"model_type": "action_only"}, id="no keypoint head"),
        pytest.param(VIDEO_ONLY, id="video_only"),
        pytest.param(MULTIMODAL, id="multimodal"),
        pytest.param({**MULTIMODAL, "features": ["graph", "kinematics", "light"]}, id="multimodal, all features"),
        pytest.param(POSE_ONLY, id="pose_only"),
    ],
)
def test_streaming_gives_what_all_windows_at_once_give(recording, checkpoint, tmp_path, model, crop, val_T):
    predictor = nocigram.load_model(checkpoint(args={"val_T": val_T, "crop": crop}, **model))
    found = predictor.predict(video=recording)
    probabilities, keypoints = at_once(predictor, predictor.read(recording), tmp_path=tmp_path / "cache")

    has_kinematics = predictor.needs.kinematics  # in 16 bits, which may round otherwise for parts of a recording
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-2 if has_kinematics else 2e-4)
    assert np.ptp(found.probabilities, axis=0).max() > 0.02, "a model that says the same of every frame proves nothing"
    has_keypoint_head = predictor.checkpoint.approach == "multitask" and model.get("model_type") != "action_only"
    assert (found.keypoints is not None) == (keypoints is not None) == has_keypoint_head
    if keypoints is not None:
        np.testing.assert_allclose(found.keypoints, keypoints, atol=0.05)


def test_the_python_api_gives_arrays_of_the_documented_shapes(recording, checkpoint, laboratory):
    pose = next(laboratory.videos.glob("rec*.csv"))
    found = nocigram.load_model(checkpoint()).predict(video=recording, pose=pose)

    assert found.actions.shape == (N_FRAMES,)
    assert found.probabilities.shape == (N_FRAMES, 6)
    assert found.classes == ("rest", "paw_withdraw", "paw_lick", "paw_shake", "walk", "active")
    assert found.keypoints.shape == (N_FRAMES, 6, 2)
    assert (found.actions == found.probabilities.argmax(1)).all()
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(found.times_s, np.arange(N_FRAMES) / 30, atol=1e-6)


def test_prediction_comes_in_parts_that_follow_each_other(recording, checkpoint):
    predictor = nocigram.load_model(checkpoint(args={"val_T": 8}))
    parts = list(predictor.stream(predictor.read(recording)))

    assert max(len(part.actions) for part in parts) <= 16
    assert sum(len(part.actions) for part in parts) == N_FRAMES
    assert np.diff(np.concatenate([part.times_s for part in parts])).min() > 0


@pytest.mark.parametrize(
    "decoder",
    [
        pytest.param(BoutDecoder(kind="median", bouts=BOUTS, window_n_frames=7), id="median"),
        pytest.param(BoutDecoder(kind="viterbi", bouts=BOUTS, weight=0.2), id="viterbi"),
    ],
)
def test_a_decoder_of_bouts_sees_the_whole_recording_whatever_the_windows(recording, checkpoint, decoder):
    predictor = nocigram.load_model(checkpoint(args={"val_T": 8}, decoder=decoder))
    parts = list(predictor.stream(predictor.read(recording)))
    whole = predictor.predict(video=recording)

    assert len(parts) == 1
    np.testing.assert_array_equal(whole.actions, decoder.decode(whole.probabilities))
    np.testing.assert_array_equal(parts[0].actions, whole.actions)
    assert (whole.actions != whole.probabilities.argmax(1)).any(), "a decoder that changes nothing proves nothing"
    np.testing.assert_allclose(whole.times_s, np.arange(N_FRAMES) / 30, atol=1e-6)


def test_a_model_of_poses_reads_a_pose_file_alone(laboratory, recording, checkpoint):
    said = []
    predictor = nocigram.load_model(checkpoint(**POSE_ONLY))
    with_video = predictor.predict(video=recording)
    recording.unlink()
    alone = predictor.predict(video=next(laboratory.videos.glob("rec*.csv")), warn=said.append)
    slower = predictor.predict(video=next(laboratory.videos.glob("rec*.csv")), fps=10.0)

    np.testing.assert_array_equal(alone.probabilities, with_video.probabilities)
    np.testing.assert_allclose(alone.times_s, np.arange(N_FRAMES) / 30)
    np.testing.assert_allclose(slower.times_s, np.arange(N_FRAMES) / 10)
    assert not np.allclose(slower.probabilities, alone.probabilities), "speeds are in seconds"
    assert said == []


@pytest.mark.parametrize("model", [VIDEO_ONLY, MULTIMODAL], ids=["video_only", "multimodal"])
def test_a_model_of_pixels_refuses_a_pose_file(laboratory, recording, checkpoint, model):
    pose = next(laboratory.videos.glob("rec*.csv"))

    with pytest.raises(
        InputError, match=rf"expected a video, since this model .{model['approach']}. reads pixels, got"
    ):
        nocigram.load_model(checkpoint(**model)).predict(video=pose)


def test_video_only_opens_no_pose_and_misses_none(laboratory, checkpoint):
    said = []
    video = laboratory.video("rec.mp4", n_frames=N_FRAMES)
    predictor = nocigram.load_model(checkpoint(**VIDEO_ONLY))
    without = predictor.predict(video=video, warn=said.append)
    pose = laboratory.pose("rec")
    pose.write_text("no pose at all")

    np.testing.assert_array_equal(predictor.predict(video=video, warn=said.append).probabilities, without.probabilities)
    assert said == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(
            {}, "[warn] rec: no pose; predicted from pixels alone, which this model does less well", id="full"
        ),
        pytest.param({"streams": "pixels"}, "[warn] rec: no pose;", id="a model that reads no pose"),
    ],
)
def test_a_recording_without_pose_is_predicted_and_said_so(laboratory, checkpoint, model, message):
    video = laboratory.video("rec.mp4", n_frames=N_FRAMES)
    said = []
    found = nocigram.load_model(checkpoint(**model)).predict(video=video, warn=said.append)

    assert len(found.actions) == N_FRAMES
    assert np.isfinite(found.probabilities).all()
    assert any(message in line for line in said)


def test_a_model_of_poses_needs_one(laboratory, checkpoint):
    video = laboratory.video("rec.mp4", n_frames=N_FRAMES)

    with pytest.raises(
        InputError,
        match=r"^rec: expected a pose file with visible keypoints, since this model .multitask. needs",
    ):
        nocigram.load_model(checkpoint(streams="pose")).predict(video=video)


# ---- the command


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_has_a_row_for_each_frame_with_times_of_the_time_stamps(laboratory, checkpoint, tmp_path):
    pts = [0, 1, 2, 9, 10, 30, *range(40, 40 + N_FRAMES - 6)]
    laboratory.pose("rec")
    video = laboratory.video("rec.mp4", n_frames=N_FRAMES, pts=pts)
    model = checkpoint()
    assert main(["predict", str(model), str(video), "--out", str(tmp_path / "out"), "--accelerator", "cpu"]) == 0
    rows = rows_of(tmp_path / "out" / "rec.csv")
    found = nocigram.load_model(model).predict(video=video)

    assert list(rows[0]) == [
        "Frame",
        "Time_s",
        "Action",
        "Confidence",
        *(f"P_{name}" for name in ("rest", "paw_withdraw", "paw_lick", "paw_shake", "walk", "active")),
    ]
    assert [int(row["Frame"]) for row in rows] == list(range(N_FRAMES))
    assert [float(row["Time_s"]) for row in rows] == pytest.approx([number / 30 for number in pts], abs=1e-4)
    assert [row["Action"] for row in rows] == [found.classes[action] for action in found.actions]
    for row, probabilities in zip(rows, found.probabilities, strict=True):
        assert [float(row[f"P_{name}"]) for name in found.classes] == pytest.approx(probabilities, abs=1e-5)
        assert row["Confidence"] == row[f"P_{row['Action']}"]


def predict(model, *places, out, flags=()):
    return main(["predict", str(model), *map(str, places), "--out", str(out), "--accelerator", "cpu", *flags])


def test_finished_recordings_are_skipped_until_something_changed(recording, laboratory, checkpoint, tmp_path, capsys):
    model, out = checkpoint(), tmp_path / "out"
    assert predict(model, laboratory.videos, out=out) == 0
    assert f"[info] Predicted 1 recordings: {N_FRAMES} frames, " in capsys.readouterr().out
    written = (out / "rec.csv").stat().st_mtime_ns
    assert predict(model, laboratory.videos, out=out) == 0
    printed = capsys.readouterr().out
    assert "[info] 1 were finished before; --overwrite predicts them again" in printed
    assert "Predicted" not in printed
    assert (out / "rec.csv").stat().st_mtime_ns == written

    assert predict(model, laboratory.videos, out=out, flags=["--overwrite"]) == 0
    assert (out / "rec.csv").stat().st_mtime_ns > written
    laboratory.video("new.mp4", n_frames=10)
    assert predict(model, laboratory.videos, out=out) == 0
    assert len(rows_of(out / "new.csv")) == 10
    assert set(json.loads((out / "predictions.json").read_text())) == {"rec", "new"}


@pytest.mark.parametrize("changed", ["checkpoint", "pose", "ledger"])
def test_a_csv_of_something_else_is_not_replaced_without_overwrite(
    recording, laboratory, checkpoint, tmp_path, capsys, changed
):
    model, out = checkpoint(), tmp_path / "out"
    assert predict(model, recording, out=out) == 0
    before = (out / "rec.csv").read_bytes()
    if changed == "checkpoint":
        model = checkpoint("other.pt", seed=1)
    elif changed == "pose":
        next(laboratory.videos.glob("rec*.csv")).unlink()
    else:
        (out / "predictions.json").write_text("{")
    capsys.readouterr()
    assert predict(model, recording, out=out) == 1
    assert "rec.csv: expected a result of this checkpoint and recording, got one of another. Choose another --out" in (
        capsys.readouterr().out
    )
    assert (out / "rec.csv").read_bytes() == before

    assert predict(model, recording, out=out, flags=["--overwrite"]) == 0
    assert predict(model, recording, out=out) == 0


def test_a_recording_that_fails_does_not_stop_the_others(recording, laboratory, checkpoint, tmp_path, capsys):
    (laboratory.videos / "broken.mp4").write_bytes(b"no video")
    out = tmp_path / "out"

    assert predict(checkpoint(), laboratory.videos, out=out) == 1
    printed = capsys.readouterr().out
    assert "[warn] broken: " in printed
    assert "[info] Predicted 1 recordings" in printed
    assert sorted(path.name for path in out.iterdir()) == ["caution", "predictions.json", "rec.csv"]


def pose_tables(laboratory, *names):
    """Folders beside the videos, each with the pose file of one recording without a video."""
    for name in names:
        laboratory.pose(name, folder=laboratory.folder / name)
    return [laboratory.folder / name for name in names]


def test_a_folder_may_hold_videos_and_pose_files_without_one(recording, laboratory, checkpoint, tmp_path, capsys):
    laboratory.pose("alone")
    laboratory.pose("alone", suffix="_filtered")
    model, out = checkpoint(**POSE_ONLY), tmp_path / "out"

    assert predict(model, laboratory.videos, out=out, flags=["--fps", "20"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["alone.csv", "caution", "predictions.json", "rec.csv"]
    assert [rows_of(out / f"{name}.csv")[1]["Time_s"] for name in ("rec", "alone")] == ["0.033333", "0.050000"]
    assert "alone" in (printed := capsys.readouterr().out)
    assert "_filtered.csv is used rather than alone" in printed
    ledger = json.loads((out / "predictions.json").read_text())
    assert (ledger["alone"]["video_sha256"], ledger["rec"]["video_sha256"] is None) == (None, False)
    assert predict(model, laboratory.videos, out=out, flags=["--fps", "20"]) == 0
    assert "2 were finished before" in capsys.readouterr().out


def test_a_model_of_pixels_passes_over_pose_files_without_a_video(recording, laboratory, checkpoint, tmp_path):
    laboratory.pose("alone")
    assert predict(checkpoint(), laboratory.videos, out=tmp_path / "out") == 0
    assert not (tmp_path / "out/alone.csv").exists()


@pytest.mark.parametrize("is_file", [True, False], ids=["files", "folders"])
def test_pose_files_and_folders_of_them_are_predicted(is_file, laboratory, checkpoint, tmp_path):
    places = pose_tables(laboratory, "a", "b")
    places = [next(place.iterdir()) for place in places] if is_file else places
    assert predict(checkpoint(**POSE_ONLY), *places, out=tmp_path / "out") == 0
    assert len(rows_of(tmp_path / "out/a.csv")) == len(rows_of(tmp_path / "out/b.csv")) == N_FRAMES


def test_poses_of_several_folders_of_videos_are_looked_for_once(laboratory, checkpoint, tmp_path):
    for folder in ("first", "second"):
        (laboratory.videos / folder).mkdir()
        laboratory.video(f"{folder}/{folder}.mp4", n_frames=N_FRAMES)
    poses = tmp_path / "Poses"
    for name in ("first", "second", "alone"):
        laboratory.pose(name, folder=poses)
    folders = [laboratory.videos / folder for folder in ("first", "second")]

    out = tmp_path / "out"
    assert predict(checkpoint(**POSE_ONLY), *folders, out=out, flags=["--poses", str(poses)]) == 0
    assert sorted(path.stem for path in out.glob("*.csv")) == ["alone", "first", "second"]


def test_a_recording_with_two_pose_files_does_not_stop_the_others(laboratory, checkpoint, tmp_path, capsys):
    pose = laboratory.pose("twice")
    pose.with_name("twiceDLC_mobnet_100.csv").write_bytes(pose.read_bytes())
    laboratory.pose("once")

    assert predict(checkpoint(**POSE_ONLY), laboratory.videos, out=tmp_path / "out") == 1
    assert "[warn] twice: twice: expected one pose file in" in capsys.readouterr().out
    assert [path.stem for path in (tmp_path / "out").glob("*.csv")] == ["once"]


def test_a_video_and_a_pose_file_of_one_name_are_two_recordings_of_one_csv(
    recording, laboratory, checkpoint, tmp_path, capsys
):
    pose = next(laboratory.videos.glob("rec*.csv"))
    assert predict(checkpoint(**POSE_ONLY), recording, pose, out=tmp_path / "out") == 2
    assert "rec: expected videos of different names, got two." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("places", "message"),
    [
        pytest.param(["nowhere"], "nowhere: expected a video or a folder of videos, got nothing there.", id="no such"),
        pytest.param(["empty"], "empty: expected videos, got none.", id="an empty folder"),
        pytest.param(["a/rec.mp4", "b/rec.mp4"], "rec: expected videos of different names, got two.", id="two names"),
    ],
)
def test_places_without_videos_are_refused(places, message, checkpoint, tmp_path, capsys):
    for name in ("empty", "a", "b"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / name / "rec.mp4").touch()

    assert predict(checkpoint(), *(tmp_path / place for place in places), out=tmp_path / "out") == 2
    assert message in capsys.readouterr().err


def test_a_video_that_ends_in_the_middle_leaves_no_csv(recording, checkpoint, tmp_path, monkeypatch):
    predictor = nocigram.load_model(checkpoint())
    parts = list(predictor.stream(predictor.read(recording)))

    def broken(self, recording, on_look):
        yield parts[0]
        raise InputError("rec.mp4: expected 40 frames, got 3. Repair the video.")

    monkeypatch.setattr("nocigram.prediction.predictor.Predictor.stream", broken)
    assert predict(checkpoint(), recording, out=tmp_path / "out") == 1
    assert not list((tmp_path / "out").glob("*.csv*"))


def test_a_pose_of_the_first_frames_is_used_for_them(laboratory, checkpoint):
    laboratory.pose("rec", n_frames=25)
    video = laboratory.video("rec.mp4", n_frames=N_FRAMES)
    predictor = nocigram.load_model(checkpoint(streams="pose"))
    recording = predictor.read(video, warn=lambda line: None)

    assert not recording.pose_of(FrameRange(20, 30))[1][5:].any()
    assert len(predictor.predict(video=video, warn=lambda line: None).actions) == N_FRAMES
