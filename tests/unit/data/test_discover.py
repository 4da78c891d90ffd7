"""From a laboratory's folders to recordings and trials, and a reason for all that is not used."""

import os
import shutil

import numpy as np
import pytest

from nocigram.config.data import DataOptions
from nocigram.config.model import needs_of
from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.errors import InputError
from nocigram.data import discover, discover_from
from nocigram.data.discover import VIDEO_SUFFIXES, video_files


def reasons_of(found):
    return {skip.path.name: skip.reason for skip in found.skipped}


def first_annotation(laboratory, n_rows=40):
    """One recording of 40 frames with pose, and one annotation of it."""
    laboratory.video()
    laboratory.pose()
    return laboratory.annotation(1, n_rows=n_rows)


def test_the_public_interface_gives_trials_and_skips(laboratory):
    laboratory.video(n_frames=360)
    laboratory.pose(n_frames=360)
    path = laboratory.annotation(1, start=15, n_rows=345, stim=20)
    stray = laboratory.annotation(1, video="gone.mp4", n_rows=345)
    found = discover(annotations=str(laboratory.annotations), videos=str(laboratory.videos))
    (trial,) = found.trials
    assert (trial.recording, trial.number, trial.start, trial.stop) == ("rec", 1, 15, 360)
    np.testing.assert_array_equal(trial.actions, laboratory.action_of(np.arange(15, 360)))
    assert trial.stim_frame == 35
    assert (trial.path, trial.name, trial.animal, trial.group) == (path, "rec#1", "rec", None)
    (skip,) = found.skipped
    assert skip.path == stray
    assert skip.reason == (
        f"{stray.name}: expected a recording of its name, got no video named gone.mp4 in {laboratory.videos}. "
        "Copy it there, or correct the file's name."
    )


def test_videos_are_found_by_their_suffix(tmp_path):
    used = ["a.mp4", "b.avi", "c.mov", "d.mkv", "e.m4v", "f.MP4", "g_labeled_2.mp4"]
    others = [
        ".hidden.mp4",
        "._a.mp4",
        "aDLC_resnet50_labeled.mp4",
        "b_labeled.avi",
        "a.csv",
        "a.mp4.part",
        "notes.txt",
    ]
    for name in [*used, *others]:
        (tmp_path / name).touch()
    (tmp_path / "folder.mp4").mkdir()
    assert [path.name for path in video_files(tmp_path)] == used
    assert {path.suffix.lower() for path in video_files(tmp_path)} == set(VIDEO_SUFFIXES)


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
@pytest.mark.parametrize("named", ["rec", "rec{suffix}"], ids=["without suffix", "with suffix"])
def test_a_video_of_each_kind_meets_its_annotation(suffix, named, laboratory):
    laboratory.video(f"rec{suffix}", codec="mpeg4")
    laboratory.pose()
    laboratory.annotation(1, video=named.format(suffix=suffix))
    found = discover(**laboratory.folders, min_frames=40)
    assert [trial.name for trial in found.trials] == ["rec#1"]
    assert found.recordings["rec"].n_frames == 40
    assert not found.skipped
    assert not found.warnings


def rewritten(path, **cells):
    """Change cells of an annotation file: row -> (Frame, Action)."""
    lines = path.read_text().splitlines()
    for row, text in cells.items():
        lines[int(row[1:]) + 1] = text
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"r3": "4,0"}, "expected Frame to count 0, 1, 2, ..., got frame 4 twice.", id="a double"),
        pytest.param({"r39": "40,0"}, "got frame 39 missing. Correct the Frame column.", id="a hole"),
        pytest.param({"r5": "5,8"}, "expected actions from 0 to 7, got [8].", id="an unknown code"),
        pytest.param({"r5": "5,lick"}, "expected whole numbers from 0 in Action, got 'lick' in row 7.", id="a name"),
    ],
)
def test_an_unsound_annotation_is_skipped_with_its_reason(change, reason, laboratory):
    path = first_annotation(laboratory)
    rewritten(path, **change)
    found = discover(**laboratory.folders, min_frames=40)
    assert not found.trials
    assert reason in reasons_of(found)[path.name]


@pytest.mark.parametrize(
    ("n_video", "n_pose", "n_rows", "reason"),
    [
        pytest.param(
            40,
            40,
            39,
            "expected at least 40 rows, got 39. Label more frames, or lower --min_frames.",
            id="too few rows",
        ),
        pytest.param(40, 60, 50, "got [0, 50), past the end of the video (40 frames).", id="past the end of the video"),
        pytest.param(
            60, 40, 50, "got [0, 50), past the end of the pose file (40 rows).", id="past the end of the pose"
        ),
    ],
)
def test_a_trial_that_doesnt_fit_is_skipped_with_its_reason(n_video, n_pose, n_rows, reason, laboratory):
    laboratory.video(n_frames=n_video)
    laboratory.pose(n_frames=n_pose)
    path = laboratory.annotation(1, n_rows=n_rows)
    found = discover(**laboratory.folders, min_frames=40)
    assert not found.trials
    assert reason in reasons_of(found)[path.name]


def test_no_trial_is_used_where_their_lengths_pass_the_end(laboratory):
    laboratory.video(n_frames=100)
    for number, n_rows in ((1, 60), (2, 50)):
        laboratory.annotation(number, n_rows=n_rows)
    found = discover(**laboratory.folders, min_frames=40)
    first, second = found.skipped
    assert not found.trials
    assert "expected trials that follow each other within 100 frames, got trials up to frame 110" in first.reason
    assert "expected frames that the recording has, got [60, 110), past the end of the video (100" in second.reason


def test_a_name_that_is_no_text_is_refused(laboratory):
    name = os.fsdecode("M\u00fcller".encode("latin-1"))
    laboratory.video().rename(laboratory.videos / f"{name}.mp4")
    (skip,) = discover(**laboratory.folders).skipped
    assert skip.reason == "M\\udcfcller: expected a name in UTF-8, got one in another encoding. Rename the recording."


def test_all_reasons_of_a_trial_are_given(laboratory):
    path = first_annotation(laboratory, n_rows=50)
    rewritten(path, r5="5,9")
    reason = reasons_of(discover(**laboratory.folders))[path.name]
    for part in ("at least 345 rows, got 50", "got [9]", "end of the video (40 frames)", "end of the pose file"):
        assert part in reason


def test_an_annotation_with_a_hole_moves_no_other_trial(laboratory):
    laboratory.video(n_frames=130)
    laboratory.pose(n_frames=130)
    broken = laboratory.annotation(1, n_rows=40)
    rewritten(broken, r20="")  # a row lost: 39 rows for 40 frames
    after = laboratory.annotation(2, start=40, n_rows=50)
    found = discover(**laboratory.folders, min_frames=20)
    assert not found.trials
    assert "got frame 20 missing" in reasons_of(found)[broken.name]
    assert "trial 2: expected all trials before it" in reasons_of(found)[after.name]


def test_a_nominal_annotation_with_a_hole_leaves_the_others_nominal(laboratory):
    laboratory.video(n_frames=720)
    laboratory.pose(n_frames=720)
    rewritten(laboratory.annotation(1, n_rows=360), r20="")
    laboratory.annotation(2, start=375, n_rows=345)
    (trial,) = discover(**laboratory.folders).trials
    assert (trial.number, trial.start, trial.stop) == (2, 375, 720)


def test_trials_of_mixed_lengths_are_placed_with_a_warning(laboratory):
    laboratory.video(n_frames=720)
    laboratory.annotation(1, n_rows=350)
    laboratory.annotation(2, start=350, n_rows=345)
    found = discover(**laboratory.folders)
    assert [(trial.start, trial.stop) for trial in found.trials] == [(0, 350), (350, 695)]
    assert found.warnings == [
        "[warn] rec: trials 2 have 345 or 360 rows and others do not, so all are placed one after another. "
        "If they are trials of 360 frames, give their starts in recordings.csv."
    ]


def test_a_trial_that_is_too_short_to_use_does_not_move_the_others(laboratory):
    laboratory.video(n_frames=720)
    laboratory.annotation(1, n_rows=200)
    laboratory.annotation(2, start=375, n_rows=345)
    found = discover(**laboratory.folders)
    assert [(trial.number, trial.start, trial.stop) for trial in found.trials] == [(2, 375, 720)]
    assert "expected at least 345 rows, got 200" in found.skipped[0].reason


KNOWN = "L_frontpaw,R_frontpaw,mouth,L_hindpaw,R_hindpaw,tail_base"


def test_known_keypoints_are_put_in_order(laboratory):
    laboratory.video(n_frames=20)
    laboratory.pose(n_frames=20)
    named = discover(**laboratory.folders, kp_names=KNOWN)
    plain = discover(**laboratory.folders)
    assert named.kp_names == plain.kp_names
    np.testing.assert_array_equal(named.recordings["rec"].xy_px, plain.recordings["rec"].xy_px)


def test_a_known_keypoint_in_the_place_of_another_is_refused(laboratory):
    with pytest.raises(InputError, match="expected 'tail_base' as number 2, got it as number 6"):
        discover(**laboratory.folders, kp_names="nose,left_ear,right_ear,neck,back,tail_base")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("prediction_other.mp4_1.csv", "no video named other.mp4 in", id="no such video"),
        pytest.param("prediction_rec.avi_1.csv", "no video named rec.avi in", id="another suffix"),
        pytest.param(
            "prediction_rec.mp4.csv", "expected the name prediction_<video name>_<n>.csv, got another", id="no number"
        ),
        pytest.param(
            "predictions_rec.mp4_1.csv", "expected the name prediction_<video name>_<n>.csv, got another", id="misspelt"
        ),
        pytest.param("prediction_bad.mp4_1.csv", "expected a recording that can be used", id="a broken video"),
        pytest.param(
            "prediction_rec_1.csv", "got trial 1, which is in prediction_rec.mp4_1.csv already", id="a trial twice"
        ),
    ],
)
def test_a_file_that_fits_no_recording_is_skipped_with_its_reason(name, reason, laboratory):
    path = first_annotation(laboratory)
    (laboratory.videos / "bad.mp4").write_bytes(b"no video")
    shutil.copy(path, laboratory.annotations / name)
    found = discover(**laboratory.folders, min_frames=40)
    assert reason in reasons_of(found)[name]
    assert "bad.mp4: expected a video, got" in reasons_of(found)["bad.mp4"]
    assert [trial.name for trial in found.trials] == ["rec#1"]


def test_other_files_beside_annotations_are_no_skips(laboratory):
    first_annotation(laboratory)
    for name in ("recordings.csv", "notes.csv", ".prediction_rec.mp4_1.csv", "readme.txt"):
        (laboratory.annotations / name).write_text("recording\nrec\n")
    found = discover(**laboratory.folders, min_frames=40)
    assert len(found.trials) == 1
    assert not found.skipped


def test_recordings_csv_names_animals_groups_trials_and_stimuli(laboratory):
    laboratory.video(n_frames=120)
    laboratory.pose(n_frames=120)
    laboratory.annotation(1, start=70, n_rows=40, stim=3)
    laboratory.annotation(2, start=5, n_rows=50, stim=4)
    laboratory.table(("rec.mp4", 1, 70, "", 81, "m7", "CFA"), ("rec", 2, 5, 55, "", "m7", "CFA"), ("gone", 1))
    found = discover(**laboratory.folders, min_frames=40)
    assert [(t.start, t.stop, t.stim_frame) for t in found.trials] == [(70, 110, 81), (5, 55, 9)]
    assert {(trial.animal, trial.group) for trial in found.trials} == {("m7", "CFA")}
    assert found.rules == {"rec": "recordings.csv"}
    assert found.warnings == ["[warn] recordings.csv names recordings without a usable file: gone"]


def test_another_table_can_be_given(laboratory, tmp_path):
    first_annotation(laboratory)
    laboratory.table(("rec", 1, 0, "", "", "beside", ""))
    given = tmp_path / "elsewhere.csv"
    given.write_text("recording,animal\nrec,given\n")
    found = discover(**laboratory.folders, recordings=given, min_frames=40)
    assert found.trials[0].animal == "given"


def test_a_pose_file_of_another_length_is_a_warning_with_both_numbers(laboratory):
    laboratory.video(n_frames=41)
    pose = laboratory.pose(n_frames=40)
    laboratory.annotation(1)
    found = discover(**laboratory.folders, min_frames=40)
    assert len(found.trials) == 1
    assert found.warnings == [f"[warn] rec.mp4: 41 frames in the video, 40 rows in {pose.name}"]


def test_the_filtered_pose_is_preferred_and_that_is_said(laboratory):
    first_annotation(laboratory)
    filtered = laboratory.pose(suffix="_filtered")
    found = discover(**laboratory.folders, min_frames=40)
    assert found.recordings["rec"].pose_file == filtered
    assert any(warning.startswith(f"[info] {filtered.name} is used rather than") for warning in found.warnings)


def test_two_candidates_for_a_pose_are_an_error_that_lists_them(laboratory):
    path = first_annotation(laboratory)
    other = laboratory.videos / "recDLC_mobnet_100.csv"
    shutil.copy(laboratory.pose(), other)
    found = discover(**laboratory.folders, min_frames=40)
    reason = reasons_of(found)["rec.mp4"]
    assert "expected one pose file" in reason
    assert other.name in reason
    assert laboratory.pose().name in reason
    assert "expected a recording that can be used" in reasons_of(found)[path.name]


def test_pose_files_can_lie_in_a_folder_of_their_own(laboratory, tmp_path):
    laboratory.video()
    laboratory.annotation(1)
    assert not discover(**laboratory.folders, min_frames=40).recordings["rec"].has_pose
    pose = laboratory.pose(folder=tmp_path / "Poses")
    assert discover(**laboratory.folders, poses=tmp_path / "Poses", min_frames=40).recordings["rec"].pose_file == pose


def test_a_name_that_the_pose_lacks_warns_and_is_not_visible(laboratory):
    first_annotation(laboratory)
    names = "snout,tail_base,lfp,R_FRONTPAW,L_hindpaw,whisker"
    found = discover(**laboratory.folders, min_frames=40, kp_names=names)
    (warning,) = found.warnings
    assert warning.startswith("[warn] Keypoint 'whisker' not found in DLC file")
    assert "mouth, L_frontpaw" in warning
    visible = found.recordings["rec"].visible
    assert visible.any(axis=0).tolist() == [True] * 5 + [False]
    np.testing.assert_array_equal(visible[:, :5], laboratory.visible_of(np.arange(40))[:, :5])


@pytest.mark.parametrize(("threshold", "expected"), [(0.9, False), (0.15, True)], ids=["above", "below"])
def test_visible_means_likelihood_of_at_least_the_threshold(threshold, expected, laboratory):
    first_annotation(laboratory)
    visible = discover(**laboratory.folders, kp_likelihood_thr=threshold).recordings["rec"].visible
    assert visible.all() == expected


def test_recordings_with_pose_and_no_annotation_are_listed(laboratory):
    first_annotation(laboratory)
    laboratory.video("free.mp4")
    laboratory.pose("free")
    laboratory.video("bare.mp4")
    found = discover(**laboratory.folders, min_frames=40)
    assert [recording.name for recording in found.unlabelled] == ["free"]


def test_a_recording_whose_trials_are_all_skipped_is_not_unlabelled(laboratory):
    first_annotation(laboratory)
    found = discover(**laboratory.folders, min_frames=41)
    assert not found.trials
    assert not found.unlabelled


def test_a_laboratorys_own_actions_are_merged_and_ignored(laboratory, tmp_path):
    laboratory.video()
    codes = [0, 1, 2, 3, 8, -1] * 6 + [0] * 4
    laboratory.labels({1: codes})
    scheme = tmp_path / "actions.yaml"
    scheme.write_text(
        "names: [rest, groom, rear, dig, e, f, g, h, odd]\nmerges: {dig: groom}\nignore: [odd]\n", encoding="utf-8"
    )
    found = discover(**laboratory.folders, actions=scheme, min_frames=40)
    assert found.trials[0].actions.tolist() == codes
    assert found.labels_of(found.trials[0]).tolist() == [0, 1, 2, 1, -1, -1] * 6 + [0] * 4
    assert found.scheme.classes == ("rest", "groom", "rear", "e", "f", "g", "h")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"annotations": "no"}, "expected a folder of annotations, got none. Correct --annot", id="annotations"
        ),
        pytest.param({"videos": "no"}, "expected a folder of videos, got none. Correct the path", id="videos"),
        pytest.param({"poses": "no"}, "expected a folder of pose files, got none. Correct --poses", id="poses"),
        pytest.param({"recordings": "no"}, "--recordings: expected a csv file", id="recordings"),
        pytest.param({"actions": "no"}, "--actions: expected a YAML file", id="actions"),
        pytest.param({"kp_names": "a,b,c"}, "--kp_names: expected 6 different names, got 3", id="three keypoints"),
        pytest.param({"kp_names": "a,b,c,d,e,e"}, "--kp_names: expected 6 different names, got 5", id="one twice"),
        pytest.param({"min_frames": 0}, "--min_frames: expected at least 1, got 0", id="min_frames"),
        pytest.param({"kp_likelihood_thr": 1.5}, "expected a number from 0 to 1, got 1.5", id="a likelihood of 1.5"),
    ],
)
def test_a_wrong_option_is_an_error(change, message, laboratory):
    with pytest.raises(InputError, match=message):
        discover(**laboratory.folders | change)


def test_two_videos_of_one_name_are_an_error(laboratory):
    laboratory.video("rec.mp4")
    laboratory.video("rec.mkv")
    with pytest.raises(InputError, match=r"^rec: expected one video of this name, got rec.mkv, rec.mp4. Rename"):
        discover(**laboratory.folders)


POSE_ONLY = needs_of("pose_only", streams="pixels+pose", features=("kinematics",))
PIXELS = needs_of("multimodal", streams="pixels+pose", features=("graph",))


def discover_for(needs, laboratory, **options):
    options = DataOptions(**laboratory.folders, **{"fps": 25.0, "min_frames": 40} | options)
    return discover_from(options, scheme=DEFAULT_SCHEME, needs=needs)


@pytest.mark.parametrize("written", ["rec.mp4", "rec.avi", "rec"], ids=["mp4", "another suffix", "no suffix"])
def test_a_pose_file_alone_is_a_recording_and_annotations_may_name_its_video(written, laboratory):
    pose = laboratory.pose()
    laboratory.annotation(1, video=written)
    laboratory.table(("rec.mp4", None, None, None, None, "m7", "CFA"))
    found = discover_for(POSE_ONLY, laboratory)

    (recording,) = found.recordings.values()
    assert (recording.name, recording.info, recording.fps, recording.n_frames) == ("rec", None, 25.0, 40)
    assert (recording.pose_file, recording.animal, recording.group) == (pose, "m7", "CFA")
    np.testing.assert_array_equal(recording.visible, laboratory.visible_of(np.arange(40)))
    assert [(trial.name, trial.start, trial.stop, trial.animal) for trial in found.trials] == [("rec#1", 0, 40, "m7")]
    assert (found.skipped, found.warnings) == ([], [])


def test_a_video_beside_its_pose_is_one_recording_and_others_may_have_none(laboratory, tmp_path):
    laboratory.video("a.mp4")
    laboratory.pose("a", folder=tmp_path / "Poses")
    laboratory.pose("b", folder=tmp_path / "Poses")
    found = discover_for(POSE_ONLY, laboratory, poses=tmp_path / "Poses")

    assert {name: recording.info is None for name, recording in found.recordings.items()} == {"a": False, "b": True}
    assert all(recording.has_pose for recording in found.recordings.values())
    assert found.recordings["a"].fps == 30


def test_a_video_keeps_a_pose_file_whose_network_has_a_mark_in_its_name(laboratory):
    laboratory.video()
    pose = laboratory.pose()
    odd = pose.rename(pose.with_name("recDLC_resnet50_twoDLC_netsMay7shuffle1_100.csv"))

    (recording,) = discover_for(POSE_ONLY, laboratory).recordings.values()
    assert (recording.name, recording.pose_file) == ("rec", odd)


def test_a_model_of_pixels_takes_no_pose_file_alone(laboratory):
    laboratory.pose()
    path = laboratory.annotation(1)
    found = discover_for(PIXELS, laboratory)

    assert not found.recordings
    assert f"got no video named rec.mp4 in {laboratory.videos}." in reasons_of(found)[path.name]


def test_a_pose_file_alone_needs_a_frame_rate(laboratory):
    pose = laboratory.pose()
    path = laboratory.annotation(1)
    found = discover_for(POSE_ONLY, laboratory, fps=None)

    message = f"{pose.name}: expected --fps for a recording without a video, got none. Give the camera's frame rate."
    assert reasons_of(found).pop("rec") == message
    assert "expected a recording that can be used" in reasons_of(found)[path.name]


def test_two_pose_files_of_a_recording_without_a_video_are_listed(laboratory):
    pose = laboratory.pose()
    shutil.copy(pose, laboratory.videos / "recDLC_mobnet_100.csv")
    found = discover_for(POSE_ONLY, laboratory)

    assert not found.recordings
    assert "rec: expected one pose file in" in reasons_of(found)["rec"]
    assert pose.name in reasons_of(found)["rec"]
    assert "recDLC_mobnet_100.csv" in reasons_of(found)["rec"]


def test_of_a_recording_without_a_video_the_filtered_pose_is_used_and_that_is_said(laboratory):
    laboratory.pose()
    filtered = laboratory.pose(suffix="_filtered")
    found = discover_for(POSE_ONLY, laboratory)

    assert found.recordings["rec"].pose_file == filtered
    assert [warning.split(" is used")[0] for warning in found.warnings] == [f"[info] {filtered.name}"]


def test_a_trial_past_the_end_of_a_pose_file_alone_has_one_reason(laboratory):
    laboratory.pose()
    path = laboratory.annotation(1, n_rows=50)

    reason = reasons_of(discover_for(POSE_ONLY, laboratory))[path.name]
    assert "got [0, 50), past the end of the pose file (40 rows)" in reason


def test_an_annotation_of_neither_a_video_nor_a_pose_is_skipped(laboratory):
    laboratory.pose()
    path = laboratory.annotation(1, video="gone.mp4")

    reason = reasons_of(discover_for(POSE_ONLY, laboratory))[path.name]
    assert f"got no video or pose file named gone.mp4 in {laboratory.videos}." in reason


def test_a_model_that_reads_no_pose_opens_none(laboratory):
    laboratory.video()
    laboratory.pose().write_text("no pose at all")
    found = discover_for(needs_of("video_only", streams="pixels+pose", features=()), laboratory)

    (recording,) = found.recordings.values()
    assert (recording.pose_file, recording.has_pose, found.skipped) == (None, False, [])


def test_a_skeleton_file_says_which_keypoints_are_read(laboratory, tmp_path):
    first_annotation(laboratory)
    path = tmp_path / "body.yaml"
    path.write_text("keypoints: [snout, tail_base, lhp]\nfront: snout\nback: tail_base\nedges: []\nangles: []\n")
    recording = discover(**laboratory.folders, skeleton=path).recordings["rec"]

    assert (recording.skeleton.names, recording.skeleton.paws) == (("snout", "tail_base", "lhp"), ())
    np.testing.assert_allclose(recording.xy_px, laboratory.xy_of(np.arange(40))[:, [0, 1, 4]], atol=1e-4)


def test_names_of_keypoints_beside_a_skeleton_file_contradict_it(laboratory, tmp_path):
    with pytest.raises(InputError, match="--kp_names: expected no names beside --skeleton, which has its own"):
        discover(**laboratory.folders, skeleton=tmp_path / "body.yaml", kp_names=KNOWN)


def test_a_keypoint_that_jumps_is_not_visible_and_that_is_said(laboratory):
    laboratory.video()
    pose = laboratory.pose()
    rows = [line.split(",") for line in pose.read_text().splitlines()]
    for frame, row in enumerate(rows[3:]):
        for keypoint in range(6):
            row[1 + 3 * keypoint : 4 + 3 * keypoint] = [str(20 + 5 * keypoint), "30", "0.99"]
        row[4] = "45" if frame in (10, 11) else row[4]  # the left front paw's x
    laboratory.write(pose, rows)
    found = discover(**laboratory.folders)

    assert np.argwhere(~found.recordings["rec"].visible).tolist() == [[10, 2], [11, 2]]
    assert found.recordings["rec"].bridged_xy_px[10, 2].tolist() == [25, 30]
    message = "2 of 240 visible positions are jumps and count as not visible"
    assert found.warnings == [f"[info] {pose.name}: {message}"]
