import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED, ActionScheme
from nocigram.core.errors import InputError
from nocigram.data.annotations import Annotation, faults_of, frame_faults, read_annotation, video_and_number


@pytest.fixture
def annotation_file(tmp_path):
    """Write the text of an annotation file."""

    def write(text: str, *, encoding: str = "utf-8"):
        path = tmp_path / "prediction_rec.mp4_1.csv"
        path.write_text(text, encoding=encoding, newline="")
        return path

    return write


def annotation(frames, actions, path):
    return Annotation(path=path, frames=np.array(frames, int), actions=np.array(actions, int), stim_row=None)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        pytest.param("prediction_rec.mp4_1.csv", ("rec.mp4", 1), id="the guide's name"),
        pytest.param("prediction_rec_12.csv", ("rec", 12), id="no suffix, two digits"),
        pytest.param("prediction_a_1_2.csv", ("a_1", 2), id="a video whose name ends like a trial"),
        pytest.param("prediction_a\nb_1.csv", ("a\nb", 1), id="a name with a line end"),
        pytest.param("Prediction_rec.mp4_01.CSV", ("rec.mp4", 1), id="other case, a leading zero"),
        pytest.param("prediction_rec.mp4.csv", None, id="no number"),
        pytest.param("prediction__1.csv", None, id="no video"),
        pytest.param("my_prediction_rec_1.csv", None, id="something before it"),
        pytest.param("prediction_rec_1.csv.bak", None, id="something after it"),
    ],
)
def test_a_files_name_says_its_video_and_trial(name, parts, tmp_path):
    assert video_and_number(tmp_path / name) == parts


@pytest.mark.parametrize(
    ("text", "actions", "stim_row"),
    [
        pytest.param("Frame,Action\n0,0\n1,7\n", [0, 7], None, id="as in the guide"),
        pytest.param("frame, ACTION\r\n0, 3\r\n1, 2\r\n", [3, 2], None, id="Windows line ends, spaces, other case"),
        pytest.param("\ufeffFrame,Action\n0,1\n", [1], None, id="the mark that Excel writes first"),
        pytest.param("Action,Frame\n5,0\n", [5], None, id="columns exchanged"),
        pytest.param("Frame,Action\n0,\n1,2\n2, \n", [-1, 2, -1], None, id="a blank Action is unscored"),
        pytest.param("Frame,Action\n0,1.0\n1,2.0\n", [1, 2], None, id="whole numbers written as floats"),
        pytest.param("Frame,Action,\n0,4,\n1,6,\n", [4, 6], None, id="a comma at each line's end"),
        pytest.param("Frame,Action\n0,4,\n1,6,\n", [4, 6], None, id="a comma at each line's end but the header's"),
        pytest.param("Frame,Action\n0,1\n\n,\n1,2\n", [1, 2], None, id="empty lines"),
        pytest.param("Frame,Action,StimFrame\n0,0,30\n1,0,30\n", [0, 0], 30, id="StimFrame in every row"),
        pytest.param("Frame,Action,StimFrame\n0,0,\n1,0,1\n", [0, 0], 1, id="StimFrame in one row"),
        pytest.param("Frame,Action,StimFrame\n0,0,\n", [0], None, id="StimFrame blank"),
        pytest.param("Frame,Action\n", [], None, id="no rows"),
    ],
)
def test_a_file_is_read_as_it_stands(text, actions, stim_row, annotation_file):
    found = read_annotation(annotation_file(text))
    assert found.actions.tolist() == actions
    assert found.frames.tolist() == list(range(len(actions)))
    assert found.stim_row == stim_row


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "expected a csv with the columns Frame and Action, got No columns", id="an empty file"),
        pytest.param("Frame\n0\n", r"got \['frame'\] \(missing Action\). Name the columns", id="no Action"),
        pytest.param("0,0\n1,0\n", r"\(missing Frame, Action\)", id="no header"),
        pytest.param(
            "Frame;Action\n0;0\n",
            "got cells separated by semicolons. Save it as a csv with commas between cells and points in numbers.",
            id="semicolons",
        ),
        pytest.param("Frame\tAction\n0\t0\n", "got cells separated by tabs. Save it", id="tabs"),
        pytest.param(
            "Frame,Action\n0,5,1\n1,5,1\n",
            "got rows with more cells than columns. Name each column in the first row.",
            id="a column without a name",
        ),
        pytest.param(
            "Frame,Action,action\n0,0,1\n", "got action twice. Remove or rename one column.", id="two Actions"
        ),
        pytest.param("Frame,Action\n0,0\n1,rest\n", "whole numbers from 0 in Action, got 'rest' in row 3", id="a name"),
        pytest.param("Frame,Action\n0,1.5\n", "in Action, got '1.5' in row 2. Correct the cell", id="a fraction"),
        pytest.param("Frame,Action\n0,-1\n", "in Action, got '-1", id="unscored written as a number"),
        pytest.param("Frame,Action\n0,inf\n", "in Action, got 'inf", id="infinity"),
        pytest.param("Frame,Action\n0,0\n,1\n", "in Frame, got a blank in row 3", id="a blank Frame"),
        pytest.param(
            "Frame,Action,StimFrame\n0,0,soon\n", "in StimFrame, got 'soon'", id="a stimulus that is no number"
        ),
    ],
)
def test_a_file_that_cant_be_read_is_refused(text, message, annotation_file):
    with pytest.raises(InputError, match=rf"^prediction_rec.mp4_1.csv: .*{message}"):
        read_annotation(annotation_file(text))


def test_a_file_in_another_encoding_is_refused(annotation_file):
    with pytest.raises(InputError, match="Save it as a UTF-8 csv"):
        read_annotation(annotation_file("Frame,Action\n0,0\n", encoding="utf-16"))


@pytest.mark.parametrize(
    ("frames", "got"),
    [
        pytest.param([0, 1, 1, 2], "frame 1 twice", id="a frame written twice"),
        pytest.param([0, 1, 3, 4], "frame 2 missing", id="a hole in Frame"),
        pytest.param([1, 2, 3], "1 as the first frame", id="counting from one"),
        pytest.param([0, 2, 1], "frame 2 out of order", id="rows exchanged"),
        pytest.param([0, 1, 2**52], "frame 2 missing", id="a hole wider than memory"),
        pytest.param([-1, 0, 1], "-1 as the first frame", id="counting from minus one"),
    ],
)
def test_frame_has_to_count_from_0(frames, got, tmp_path):
    wrong = annotation(frames, [0] * len(frames), tmp_path / "a.csv")
    text = f"a.csv: expected Frame to count 0, 1, 2, ..., got {got}. Correct the Frame column."
    assert list(map(str, frame_faults(wrong))) == [text]
    assert text in map(str, faults_of(wrong, scheme=DEFAULT_SCHEME, min_frames=1))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_frame_is_sound_exactly_when_it_counts(frames):
    from pathlib import Path

    found = frame_faults(annotation(frames, [0] * len(frames), Path("a.csv")))
    assert (not found) == (frames == list(range(len(frames))))


IGNORING = ActionScheme(names=("rest", "groom", "odd"), ignore=frozenset({"odd"}))


@pytest.mark.parametrize(
    ("actions", "scheme", "expected"),
    [
        pytest.param([0, 7, UNSCORED, 3], DEFAULT_SCHEME, [], id="sound, with an unscored frame"),
        pytest.param([0, 1, 2], DEFAULT_SCHEME, ["expected at least 4 rows, got 3"], id="too short"),
        pytest.param([], DEFAULT_SCHEME, ["at least 4 rows, got 0", "at least one scored frame"], id="no rows"),
        pytest.param([0, 8, 9, 8], DEFAULT_SCHEME, ["actions from 0 to 7, got [8, 9]"], id="unknown codes"),
        pytest.param([UNSCORED] * 4, DEFAULT_SCHEME, ["at least one scored frame, got blank"], id="blanks only"),
        pytest.param([2, 2, UNSCORED, 2], IGNORING, ["at least one scored frame"], id="blank and ignored only"),
        pytest.param([2, 2, 2, 1], IGNORING, [], id="ignored and scored"),
        pytest.param([3, 0, 0], IGNORING, ["at least 4 rows, got 3", "0 to 2, got [3]"], id="two faults at once"),
    ],
)
def test_every_reason_not_to_use_a_file_is_named(actions, scheme, expected, tmp_path):
    found = annotation(range(len(actions)), actions, tmp_path / "a.csv")
    texts = list(map(str, faults_of(found, scheme=scheme, min_frames=4)))
    assert len(texts) == len(expected)
    for text, part in zip(texts, expected, strict=True):
        assert part in text
        assert text.startswith("a.csv: expected ")
        assert text.endswith(".")


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "prediction_rec.mp4_1.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"expected a csv with the columns Frame and Action, got no file\. Save it"):
        read_annotation(path)
