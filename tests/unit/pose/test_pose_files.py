import pytest

from nocigram.core.errors import InputError
from nocigram.pose.files import find_pose, recording_name, recordings_without_video

NET = "DLC_resnet50_pawtracking_comparisionMay7shuffle1_500000"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param([f"a{NET}.csv"], f"a{NET}.csv", id="csv"),
        pytest.param([f"a{NET}.h5"], f"a{NET}.h5", id="h5 alone"),
        pytest.param([f"a{NET}.csv", f"a{NET}.h5"], f"a{NET}.csv", id="twins: the csv"),
        pytest.param([f"a{NET}.csv", f"a{NET}_filtered.h5"], f"a{NET}_filtered.h5", id="filtered before raw"),
        pytest.param(["aDLC_dlcrnetms5_x_el.h5"], "aDLC_dlcrnetms5_x_el.h5", id="several animals"),
        pytest.param(["aDLC_dlcrnetms5_x_el.h5", "aDLC_dlcrnetms5_x_el_filtered.csv"],
                     "aDLC_dlcrnetms5_x_el_filtered.csv", id="several animals, filtered"),
        pytest.param(["aDeepCut_resnet50_x.csv"], "aDeepCut_resnet50_x.csv", id="DeepLabCut of old"),
        pytest.param([f"a{NET}.csv", f"a{NET}_skeleton.csv", f"a{NET}_labeled.mp4", f"a{NET}_meta.pickle"],
                     f"a{NET}.csv", id="with all that DeepLabCut leaves beside it"),
        pytest.param([f"a0{NET}.csv", f"a_b{NET}.csv", f".a{NET}.csv", "a.csv", "prediction_a.mp4_1.csv"], None,
                     id="only other recordings' files"),
        pytest.param([], None, id="no file"),
    ],
)  # fmt: skip
def test_the_pose_file_of_a_video(files, expected, tmp_path):
    for name in files:
        (tmp_path / name).touch()
    found = find_pose("a", tmp_path)
    assert (found and found.path) == (expected and tmp_path / expected)


def test_taking_the_filtered_file_is_said(tmp_path):
    for name in (f"a{NET}.csv", f"a{NET}.h5", f"a{NET}_filtered.csv"):
        (tmp_path / name).touch()
    found = find_pose("a", tmp_path)
    assert found.note == f"a{NET}_filtered.csv is used rather than a{NET}.csv, a{NET}.h5"


def test_without_a_choice_nothing_is_said(tmp_path):
    for name in (f"a{NET}.csv", f"a{NET}.h5"):
        (tmp_path / name).touch()
    assert find_pose("a", tmp_path).note is None


@pytest.mark.parametrize(
    "files",
    [
        pytest.param((f"a{NET}.csv", "aDLC_resnet101_other.csv"), id="two networks"),
        pytest.param(("aDLC_dlcrnetms5_x_el.h5", "aDLC_dlcrnetms5_x_bx.h5"), id="two trackers"),
        pytest.param((f"a{NET}_filtered.csv", "aDLC_resnet101_other_filtered.csv"), id="two filtered ones"),
    ],
)
def test_several_candidates_are_listed(files, tmp_path):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"a: expected one pose file") as caught:
        find_pose("a", tmp_path)
    assert all(name in str(caught.value) for name in files)


def test_a_video_whose_name_goes_on_like_a_pose_file_keeps_its_own(tmp_path):
    for name in ("aDLC_x.csv", "aDLC2DLC_x.csv"):
        (tmp_path / name).touch()
    names = ("a", "aDLC2")
    found = [find_pose(name, tmp_path, others=names).path.name for name in names]
    assert found == ["aDLC_x.csv", "aDLC2DLC_x.csv"]
    assert recordings_without_video(tmp_path) == ["a", "aDLC2"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param(f"a{NET}.csv", "a", id="csv"),
        pytest.param("aDLC_x_filtered.h5", "a", id="h5, filtered"),
        pytest.param("aDeepCut_resnet50_x.csv", "a", id="DeepLabCut of old"),
        pytest.param("aDLC2DLC_x.csv", "aDLC2", id="a mark in the name of the video"),
        pytest.param("aDLCnet.csv", "a", id="a mark without its underscore"),
        pytest.param("aDLC_x_skeleton.csv", None, id="bone lengths"),
        pytest.param("aDLC_x.pickle", None, id="no table"),
        pytest.param("a.csv", None, id="a file of another name"),
        pytest.param("DLC_x.csv", None, id="nothing before the mark"),
    ],
)
def test_a_pose_file_names_its_recording(file, name, tmp_path):
    assert recording_name(tmp_path / file) == name


def test_pose_files_of_videos_are_no_recordings_of_their_own(tmp_path):
    for name in (f"a{NET}.csv", "aDLC_resnet50_twoDLC_nets.csv", f"b{NET}.csv", f"b{NET}.h5", "notes.csv"):
        (tmp_path / name).touch()

    assert recordings_without_video(tmp_path, videos=["a"]) == ["b"]
    assert recordings_without_video(tmp_path, videos=["a", "b"]) == []
