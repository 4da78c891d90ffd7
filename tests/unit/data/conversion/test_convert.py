import json
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nocigram.cli.main import main
from nocigram.config.convert import ConvertOptions
from nocigram.core.errors import InputError
from nocigram.data import discover
from nocigram.data.annotations import read_annotation
from nocigram.data.conversion import convert
from nocigram.data.conversion.writer import write_pose
from nocigram.data.scheme_file import read_scheme
from nocigram.pose.files import find_pose
from nocigram.pose.readers import read_pose
from nocigram.pose.tracks import PoseTrack

SIX = ("Snout", "tailbase", "lfp", "rfp", "lhp", "rhp")
EVENTS = "Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status"


def boris(*events, video="rec.mp4", subject="m"):
    """A tabular export; events are (behaviour, start, stop)."""
    rows = []
    for name, start, stop in events:
        for kind, at in (("START", start), ("STOP", stop)):
            rows.append(f"{at},/elsewhere/{video},4,10,{subject},{name},,,{kind}")
    return "\n".join([EVENTS, *rows, ""])


@pytest.fixture
def foreign(laboratory):
    """Writes a file into the folder of exports."""

    def write(name, text):
        path = laboratory.folder / "exported" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def converted(laboratory):
    """Converts the exports; keywords are options."""

    def run(**options):
        exports, out = laboratory.folder / "exported", laboratory.folder / "converted"
        return convert(ConvertOptions(**{"files": [exports], "out": out, "videos": laboratory.videos} | options))

    return run


def pose_csv(names=SIX, *, n_frames=40, individuals=None):
    header = [["scorer", *["s"] * 3 * len(names)], ["bodyparts", *(name for name in names for _ in range(3))],
              ["coords", *["x", "y", "likelihood"] * len(names)]]  # fmt: skip
    if individuals:
        header.insert(1, ["individuals", *(each for each in individuals for _ in range(3))])
    rows = [[frame, *np.arange(3 * len(names)) / 7 + frame] for frame in range(n_frames)]
    return "\n".join(",".join(map(str, row)) for row in header + rows) + "\n"


def codes_in(summary, name):
    return read_annotation(summary.out / "Annotations" / name).actions.tolist()


# --- what is written can be read


def test_pose_and_labels_of_a_video_become_a_folder_that_nocigram_reads(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec_events.csv", boris(("walking", 0.5, 1.0), ("lick", 1.0, 1.5)))
    foreign("rec_lightning.csv", pose_csv())
    summary = converted()
    assert not summary.skipped
    assert codes_in(summary, "prediction_rec.mp4_1.csv") == [-1] * 5 + [6] * 5 + [2] * 5 + [-1] * 25
    found = discover(summary.out / "Annotations", summary.out / "Videos", actions=summary.out / "actions.yaml",
                     kp_likelihood_thr=0.5, min_frames=1)  # fmt: skip
    assert not found.skipped
    (trial,) = found.trials
    assert (str(trial.span), trial.recording) == ("[0, 40)", "rec")
    assert found.recordings["rec"].pose_file.name == "recDLC_converted.csv"
    assert found.recordings["rec"].visible.any(axis=0).all()
    assert read_scheme(summary.out / "actions.yaml").classes == found.scheme.classes


@pytest.mark.parametrize(
    ("at_s", "stim_frame", "note"),
    [
        pytest.param((1.25,), 12, None, id="once"),
        pytest.param((1.25, 2.0), None, "2 times 'touch', and a trial has one stimulus", id="twice"),
        pytest.param((), None, "0 times 'touch'", id="never"),
    ],
)
def test_the_start_of_the_stimulus_is_found_in_the_trial(laboratory, foreign, converted, at_s, stim_frame, note):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec.csv", boris(("lick", 1.5, 2.0), *(("touch", start, start + 0.2) for start in at_s)))
    answers = laboratory.folder / "map.yaml"
    answers.write_text("stimulus: touch\n")
    summary = converted(actions_map=answers)
    (trial,) = discover(summary.out / "Annotations", summary.out / "Videos", min_frames=1).trials
    assert trial.stim_frame == stim_frame
    assert [each for each in summary.notes if note and note in each] == list(summary.notes)
    assert summary.mapping.get("touch", "stimulus") == "stimulus"
    assert codes_in(summary, "prediction_rec.mp4_1.csv") == [-1] * 15 + [2] * 5 + [-1] * 20


XY = arrays(np.float32, (3, 2, 2), elements=st.floats(-1e6, 1e6, width=32) | st.just(float("nan")))
LIKELIHOOD = arrays(np.float32, (3, 2), elements=st.floats(0, 8, width=32))
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5), min_size=2, max_size=2, unique=True
)


@given(xy=XY, likelihood=LIKELIHOOD, names=NAMES)
def test_a_pose_track_that_is_written_is_read_equal(xy, likelihood, names, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    absent = np.isnan(xy).any(axis=-1)
    xy[absent], likelihood[absent] = np.nan, 0
    track = PoseTrack(path=folder / "a.slp", names=tuple(names), xy_px=xy, likelihood=likelihood)
    path = write_pose(folder, "mouse 1.x", track)
    assert find_pose("mouse 1.x", folder).path == path
    again = read_pose(path)
    assert again.names == track.names
    np.testing.assert_array_equal(again.xy_px, xy)
    np.testing.assert_array_equal(again.likelihood, likelihood)


def test_a_variable_frame_rate_moves_the_frames_of_an_event(laboratory, foreign, converted):
    pts = [*range(10), *range(40, 50)]  # of a time base of 1/30 s
    laboratory.video(n_frames=20, pts=pts)
    foreign("rec.csv", boris(("lick", round(41 / 30, 3), round(44 / 30, 3))))
    assert codes_in(converted(), "prediction_rec.mp4_1.csv") == [-1] * 11 + [2] * 3 + [-1] * 6


def test_input_is_not_changed_and_videos_are_linked_copied_or_left(laboratory, foreign, converted):
    video = laboratory.video(n_frames=40, fps=10.0)
    events = foreign("rec.csv", boris(("lick", 1, 2)))
    before = video.read_bytes(), events.read_bytes()
    out = laboratory.folder
    converted(out=out / "a")
    converted(out=out / "b", link="copy")
    converted(out=out / "c", link="none")
    assert (out / "a/Videos/rec.mp4").is_symlink()
    assert (out / "a/Videos/rec.mp4").read_bytes() == before[0]
    assert not (out / "b/Videos/rec.mp4").is_symlink()
    assert (out / "b/Videos/rec.mp4").read_bytes() == before[0]
    assert not any((out / "c/Videos").iterdir())
    assert (video.read_bytes(), events.read_bytes()) == before


def test_a_folder_that_has_data_is_refused_and_a_failure_leaves_nothing(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec.csv", boris(("lick", 1, 2)))
    (laboratory.folder / "taken/Annotations").mkdir(parents=True)
    with pytest.raises(InputError, match=r"expected a folder without Annotations, got one that has it"):
        converted(out=laboratory.folder / "taken")
    broken = foreign("broken.csv", EVENTS)
    with pytest.raises(InputError, match=r"broken.csv: expected events below the header"):
        converted(files=[broken])
    assert not (laboratory.folder / "converted").exists()


# --- which video


@pytest.mark.parametrize(
    ("file", "says", "recording"),
    [
        pytest.param("x.csv", "rec.mp4", "rec", id="the video's name"),
        pytest.param("x.csv", "rec.avi", "rec", id="the video's name with another suffix"),
        pytest.param("rec_2_events.csv", "other.mp4", "rec_2", id="the file's own name, the longest that fits"),
    ],
)
def test_a_file_finds_its_video(file, says, recording, laboratory, foreign, converted):
    for name in ("rec.mp4", "rec_2.mp4"):
        laboratory.video(name, n_frames=40, fps=10.0)
    foreign(file, boris(("lick", 1, 2), video=says))
    summary = converted()
    assert [row.recording for row in summary.labels] == [recording]
    by_its_own_name = "names the video other.mp4, and is taken to be of rec_2.mp4 by its own name"
    assert any(by_its_own_name in note for note in summary.notes) == (says == "other.mp4")


def test_a_file_without_a_video_is_skipped_unless_the_user_names_one(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("x.csv", boris(("lick", 1, 2), video="other.mp4"))
    with pytest.raises(
        InputError, match=r"nothing that can be used.\nx.csv: no video for '/elsewhere/other.mp4' in .*--video"
    ):
        converted()
    assert converted(video="rec").labels[0].recording == "rec"


def test_without_videos_the_rate_in_the_file_or_the_users_counts(foreign, converted):
    foreign("x.csv", boris(("lick", 1, 2), video="mouse.avi"))
    summary = converted(videos=None)
    assert codes_in(summary, "prediction_mouse.avi_1.csv") == [-1] * 10 + [2] * 10 + [-1] * 20
    assert "x.csv: times became frames at a steady rate, since the video is not there" in summary.notes
    summary = converted(videos=None, fps=20.0, out=summary.out.parent / "again")
    assert len(codes_in(summary, "prediction_mouse.avi_1.csv")) == 80


def test_a_table_of_times_alone_needs_a_video(foreign, converted):
    foreign("mouse_labels.csv", "time,lick\n0,1\n0.1,0\n")
    with pytest.raises(InputError, match=r"mouse: expected its video or --fps, got neither. Give --videos"):
        converted(videos=None)
    with pytest.raises(InputError, match=r"mouse: expected its video, got no other word of its length"):
        converted(videos=None, fps=30.0)


def test_a_video_of_another_length_is_told_or_refused(laboratory, foreign, converted):
    laboratory.video(n_frames=34, fps=10.0)
    foreign("rec.csv", boris(("lick", 1, 2)))
    assert "rec.csv: 4 s long by BORIS table of events, 3.400 s here. Check that it is the video" in converted().notes
    foreign("rec.csv", boris(("lick", 1, 4.5)))
    with pytest.raises(InputError, match=r"expected events within the recording's 3.4 s, got 'lick' until 4.5"):
        converted(out=laboratory.folder / "again")


@pytest.mark.parametrize(("n_rows", "is_used"), [(39, True), (40, True), (41, False)])
def test_a_table_with_more_rows_than_the_video_has_frames_is_of_another(
    n_rows, is_used, laboratory, foreign, converted
):
    laboratory.video(n_frames=40)
    rows = [f"{frame},{frame % 2},{1 - frame % 2}" for frame in range(n_rows)]
    foreign("rec.csv", "\n".join([",background,walk", *rows, ""]))
    actions = foreign("map.yaml", "actions: {background: rest}\n")
    actions = actions.rename(laboratory.folder / "map.yaml")
    if is_used:
        assert codes_in(converted(actions_map=actions), "prediction_rec.mp4_1.csv")[:3] == [6, 0, 6]
    else:
        with pytest.raises(InputError, match=r"expected at most the 40 frames of the recording, got 41"):
            converted(actions_map=actions)


# --- which animal, observation, keypoint


def test_of_several_subjects_one_has_to_be_chosen(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    both = boris(("lick", 1, 2), subject="A") + boris(("walk", 2, 3), subject="No focal subject").split("\n", 1)[1]
    foreign("rec.csv", both)
    with pytest.raises(InputError, match=r"expected one of its subjects A, No focal subject, got no choice"):
        converted()
    with pytest.raises(InputError, match=r"rec.csv: no 'B' among its subjects A, No focal subject"):
        converted(subject="B")
    assert converted(subject="a").labels[0].bouts == {"paw_lick": 1}
    assert converted(subject="no focal subject", out=laboratory.folder / "n").labels[0].bouts == {"walk": 1}


def test_of_several_individuals_one_has_to_be_chosen(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec.csv", pose_csv(SIX * 2, individuals=["A"] * 6 + ["B"] * 6))
    with pytest.raises(
        InputError, match=r"expected one of its animals A, B, got no choice. Choose one with --individual"
    ):
        converted()
    summary = converted(individual="b")
    assert read_pose(summary.out / "Videos/recDLC_converted.csv").xy_px[0, 0].tolist() == pytest.approx(
        [18 / 7, 19 / 7]
    )


def test_the_only_animal_of_a_file_is_not_taken_for_another(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec.csv", pose_csv(individuals=["A"] * 6))
    with pytest.raises(InputError, match=r"rec.csv: no 'B' among its animals A"):
        converted(individual="B")
    assert len(converted().poses) == 1


def test_of_several_observations_of_a_video_one_has_to_be_chosen(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("one.csv", "Observation id,first,,,,,,,\n" + boris(("lick", 1, 2)))
    foreign("two.csv", "Observation id,second,,,,,,,\n" + boris(("walk", 1, 2)))
    with pytest.raises(
        InputError, match=r"rec: expected labels from one observation, got one.csv \('first'\), two.csv"
    ):
        converted()
    assert converted(observation="second").labels[0].bouts == {"walk": 1}


def test_two_pose_files_of_a_video_are_refused(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec_1.csv", pose_csv())
    foreign("rec_2.csv", pose_csv())
    with pytest.raises(InputError, match=r"rec: expected one pose file, got rec_1.csv, rec_2.csv"):
        converted()


def test_the_h5_that_deeplabcut_writes_beside_a_csv_is_the_same_pose(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    path = foreign("recDLC_net.csv", pose_csv())
    pd.read_csv(path, header=[0, 1, 2], index_col=0).to_hdf(
        path.with_suffix(".h5"), key="df_with_missing", format="table"
    )
    assert [row.file for row in converted().poses] == ["recDLC_net.csv"]
    path.unlink()
    (row,) = converted(out=laboratory.folder / "again").poses
    assert (row.file, row.n_frames, row.n_keypoints) == ("recDLC_net.h5", 40, 6)


def test_annotations_of_our_layout_are_nothing_to_convert(laboratory, foreign, converted):
    foreign("prediction_rec.mp4_1.csv", "Frame,Action\n0,0\n")
    with pytest.raises(InputError, match=r"1 annotations are left out, since they are in Nocigram's layout already"):
        converted()


def test_a_sleap_file_that_ends_before_the_video_is_filled_to_its_end(laboratory, foreign, converted, tmp_path):
    laboratory.video(n_frames=40)
    path = foreign("rec.analysis.h5", "")
    with h5py.File(path, "w") as content:
        content["tracks"], content["node_names"] = np.ones((1, 2, 6, 30)), np.array(SIX, dtype="S")
    summary = converted()
    assert not summary.notes
    track = read_pose(summary.out / "Videos/recDLC_converted.csv")
    assert track.likelihood.sum(axis=1).tolist() == [6] * 30 + [0] * 10


def test_rows_that_are_not_the_frames_of_the_video_are_told(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec.csv", pose_csv(n_frames=41))
    assert converted().notes == ["rec.csv: 41 rows, 40 frames in the video"]


def test_keypoints_that_are_not_known_are_asked_for(laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec.csv", pose_csv((*SIX[:4], "toe_L", "ear")))
    with pytest.raises(InputError, match=r"got none for L_hindpaw, R_hindpaw. Fill in this file") as caught:
        converted()
    template = str(caught.value).split("\n\n", 1)[1]
    assert template == "# their keypoint: ours\ntoe_L:\near:\n"
    answer = laboratory.folder / "keypoints.yaml"
    answer.write_text(template.replace("toe_L:", "toe_L: L_hindpaw"))
    summary = converted(keypoints_map=answer)
    assert summary.notes == ["rec.csv: has no R_hindpaw, which count as not visible"]
    assert read_pose(summary.out / "Videos/recDLC_converted.csv").names == (*SIX[:4], "L_hindpaw", "ear")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{ear: lfp}", "expected keypoints of different names, got", id="a name that is taken"),
        pytest.param("{ear: a, lfp: a}", "expected each keypoint once, got a", id="one name for two"),
        pytest.param("- ear", "expected a mapping, got list", id="a list"),
    ],
)
def test_a_keypoint_map_that_cant_be_meant_is_refused(text, message, laboratory, foreign, converted):
    laboratory.video(n_frames=40)
    foreign("rec.csv", pose_csv((*SIX, "ear")))
    answer = laboratory.folder / "keypoints.yaml"
    answer.write_text(text)
    with pytest.raises(InputError, match=message):
        converted(keypoints_map=answer)


# --- what is said


def test_the_report_says_what_was_made_of_each_file(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec.csv", boris(("lick", 0, 2), ("shake", 1, 1.5)))
    foreign("readme.txt", "nothing\n")
    text = str(converted())
    row = next(line for line in text.splitlines() if line.startswith("rec.csv"))
    assert row.split()[5:] == ["rec", "40", "15", "25", "5", "time", "stamps", "paw_lick", "2"]
    assert "behaviours: lick -> paw_lick, shake -> paw_shake" in text
    assert "rec.csv: 20 frames without a note are unscored" in text
    assert "[warn] left out, since they are of no format that is known: readme.txt" in text


def test_a_file_that_the_user_named_has_to_be_of_a_known_format(foreign, converted):
    with pytest.raises(
        InputError, match=r"readme.txt: expected a file of .*DeepLabCut or Lightning Pose.* got something else"
    ):
        converted(files=[foreign("readme.txt", "nothing\n")])
    with pytest.raises(InputError, match=r"expected a file, got nothing there"):
        converted(files=[foreign("a", "b").with_name("no.csv")])


def test_a_broken_file_of_a_folder_is_skipped_and_the_others_are_converted(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec.csv", boris(("lick", 1, 2)))
    foreign("broken.csv", EVENTS)
    foreign("empty.h5", "")
    summary = converted()
    assert [(each.what, each.reason.split(",")[0]) for each in summary.skipped] == [
        ("broken.csv", "expected events below the header"),
        ("empty.h5", "expected a file with content"),
    ]
    assert len(summary.labels) == 1


def test_what_was_looked_at_in_an_unknown_recording_is_refused(laboratory, foreign, converted):
    laboratory.video(n_frames=40, fps=10.0)
    foreign("rec.csv", boris(("lick", 1, 2)))
    answer = laboratory.folder / "map.yaml"
    answer.write_text("background: rest\nscored: {rek: [0, 1]}\n")
    with pytest.raises(InputError, match=r"scored: expected recordings among rec, got rek. Correct the names"):
        converted(actions_map=answer)
    answer.write_text("background: rest\nscored: {rec: [0, 3]}\n")
    assert (
        codes_in(converted(actions_map=answer), "prediction_rec.mp4_1.csv")
        == [0] * 10 + [2] * 10 + [0] * 10 + [-1] * 10
    )


def test_what_cant_be_used_is_exit_status_1_and_a_question_is_2(laboratory, foreign, capsys):
    laboratory.video(n_frames=40, fps=10.0)
    conf = {"0": {"code": "lick", "type": "State event"}, "1": {"code": "bite", "type": "State event"}}
    media = {
        "type": "MEDIA",
        "file": {"1": ["/v/rec.mp4"]},
        "events": [[1, "", "lick", "", ""], [2, "", "lick", "", ""]],
    }
    content = {"project_format_version": "7.0", "behaviors_conf": conf,
               "observations": {"o": media, "live": {"type": "LIVE", "file": []}}}  # fmt: skip
    path = foreign("study.boris", json.dumps(content))
    words = ["convert", str(path), "--videos", str(laboratory.videos), "--out", str(laboratory.folder / "out")]
    assert main(words) == 1
    assert "observation 'live'  it has no video" in capsys.readouterr().out
    assert main([*words[:-1], str(laboratory.folder / "chosen"), "--observation", "o"]) == 0
    media["events"][0][2] = media["events"][1][2] = "bite"
    path.write_text(json.dumps(content))
    assert main([*words[:-1], str(laboratory.folder / "other")]) == 2
    error = capsys.readouterr().err
    assert "no answer for bite" in error
    assert "Traceback" not in error


def test_a_frame_rate_beside_videos_is_refused():
    options = ConvertOptions(files=[], fps=30.0)
    assert not options.faults()
    (fault,) = replace(options, videos=options.out).faults()
    assert str(fault) == "--fps: expected no --fps beside --videos, whose time stamps count, got 30. Leave one out."
