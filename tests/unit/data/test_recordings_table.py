from pathlib import Path

import pytest

from nocigram.core.errors import InputError
from nocigram.data.recordings_table import TrialRow, find_recordings_table, read_recordings_table

STEMS = {"rec.mp4": "rec", "rec": "rec", "b.avi": "b", "b": "b"}


@pytest.fixture
def read(tmp_path):
    """Write a table and read it."""

    def write_and_read(text: str):
        path = tmp_path / "recordings.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return read_recordings_table(path, stems=STEMS)

    return write_and_read


@pytest.mark.parametrize(
    ("text", "animals", "groups", "trials"),
    [
        pytest.param("recording\nrec\nb\n", {}, {}, {}, id="only the recording"),
        pytest.param("recording,animal\nrec,m1\nb,m2\n", {"rec": "m1", "b": "m2"}, {}, {}, id="animals"),
        pytest.param(
            "recording,trial,start,stop,stim_frame,animal,group\nrec.mp4,1,0,360,30,m1,CFA\nrec,2,360,,,m1,CFA\n",
            {"rec": "m1"},
            {"rec": "CFA"},
            {("rec", 1): (0, 360, 30), ("rec", 2): (360, None, None)},
            id="all columns, names with and without suffix",
        ),
        pytest.param("trial,recording,start\n2,rec,5\n", {}, {}, {("rec", 2): (5, None, None)}, id="another order"),
        pytest.param(
            "Recording, Animal ,note\r\n rec , m1 ,x\r\n", {"rec": "m1"}, {}, {}, id="spaces, case, a column of notes"
        ),
        pytest.param("recording,animal,trial\nrec,007,1.0\n", {"rec": "007"}, {}, {("rec", 1): (None,) * 3}, id="007"),
        pytest.param("recording,animal\nrec,\nrec,m1\n,\n\n", {"rec": "m1"}, {}, {}, id="blanks, blank rows"),
        pytest.param(
            "recording,trial,start\nrec,1,5,\nb,1,6,\n",
            {},
            {},
            {("rec", 1): (5, None, None), ("b", 1): (6, None, None)},
            id="a comma at each line's end",
        ),
        pytest.param("recording,animal\n", {}, {}, {}, id="no rows"),
        pytest.param("recording,animal\nc,m3\n", {"c": "m3"}, {}, {}, id="a recording without a video"),
    ],
)
def test_the_table_is_read(text, animals, groups, trials, read):
    table = read(text)
    assert table.animals == animals
    assert table.groups == groups
    assert table.trials == {
        key: TrialRow(start=start, stop=stop, stim_frame=stim) for key, (start, stop, stim) in trials.items()
    }
    assert table.recordings == {*animals, *groups, *(recording for recording, _ in trials)}


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param("", ["expected a csv with the columns recording, trial", "Save it as a UTF-8 csv."], id="empty"),
        pytest.param(
            "video,trial\nrec,1\n", ["expected a column 'recording', got ['video', 'trial']"], id="no recording"
        ),
        pytest.param(
            "recording,trial,start\nrec,one,2.5\n",
            [
                "recordings.csv row 2: expected a whole number in 'trial', got 'one'. Correct the cell.",
                "recordings.csv row 2: expected a whole number in 'start', got '2.5'.",
            ],
            id="two cells that are no whole numbers",
        ),
        pytest.param("recording,trial,start\nrec,1,-5\n", ["whole number in 'start', got '-5'"], id="a negative start"),
        pytest.param(
            "recording,trial\nrec,1\n\nrec,\nrec,x\n", ["row 4: expected", "'trial', got 'x'"], id="a later row"
        ),
        pytest.param(
            "recording,trial\nrec.mp4,1\nrec,1\n",
            ["recordings.csv: expected trial 1 of rec once, got two rows. Remove one."],
            id="a trial twice under two spellings",
        ),
        pytest.param(
            "recording,animal,group\nrec,m1,CFA\nrec,m2,ctrl\n",
            ["expected one animal for rec, got 2. Correct the rows.", "expected one group for rec, got 2."],
            id="two animals and two groups of a recording",
        ),
        pytest.param(
            "recording,trial,start\nrec,1,inf\n", ["whole number in 'start', got 'inf'"], id="an endless start"
        ),
        pytest.param("recording,trial\nrec,1e300\n", ["whole number in 'trial', got '1e300'"], id="a number too large"),
        pytest.param(
            "recording;trial\nrec;1\n",
            ["got cells separated by semicolons. Save it as a csv with commas"],
            id="semicolons",
        ),
        pytest.param(
            "recording,start,start\nrec,1,2\n", ["got start twice. Remove or rename one column."], id="a column twice"
        ),
        pytest.param("recording,animal\n,m1\n", ["row 2: expected a name in 'recording', got a blank"], id="no name"),
    ],
)
def test_every_fault_of_a_table_is_named(text, messages, read):
    with pytest.raises(InputError) as raised:
        read(text)
    for message in messages:
        assert message in str(raised.value)


def test_the_table_is_found_in_the_annotations_folder_before_its_parent(tmp_path):
    annotations = tmp_path / "Annotations"
    annotations.mkdir()
    assert find_recordings_table(annotations, None) is None
    (tmp_path / "recordings.csv").touch()
    assert find_recordings_table(annotations, None) == tmp_path / "recordings.csv"
    (annotations / "recordings.csv").touch()
    assert find_recordings_table(annotations, None) == annotations / "recordings.csv"
    (tmp_path / "other.csv").touch()
    assert find_recordings_table(annotations, tmp_path / "other.csv") == tmp_path / "other.csv"


def test_a_table_that_was_given_has_to_be_there(tmp_path):
    with pytest.raises(
        InputError, match=r"^--recordings: expected a csv file, got nothing at .*no.csv. Correct the path."
    ):
        find_recordings_table(tmp_path, tmp_path / "no.csv")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(lambda path: path.symlink_to(path), id="a link to itself"),
        pytest.param(lambda path: path.symlink_to("gone.csv"), id="a link to nothing"),
    ],
)
def test_something_else_of_the_tables_name_is_not_passed_over(make, tmp_path):
    (tmp_path / "Annotations").mkdir()
    make(tmp_path / "recordings.csv")
    with pytest.raises(
        InputError, match=r"recordings\.csv: expected a csv file, got something else. Remove or replace"
    ):
        find_recordings_table(tmp_path / "Annotations", None)
