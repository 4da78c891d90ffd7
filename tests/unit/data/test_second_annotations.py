"""A second person's annotations beside the first one's."""

import shutil

import numpy as np
import pytest

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import InputError
from nocigram.data.discover import discover
from nocigram.data.second_annotations import second_labels


@pytest.fixture
def found(laboratory):
    """A recording of three trials of 40, 30 and 20 frames, one after another, by the first person."""
    laboratory.video(n_frames=90)
    laboratory.pose(n_frames=90)
    for number, (start, n_rows) in {1: (0, 40), 2: (40, 30), 3: (70, 20)}.items():
        laboratory.annotation(number, start=start, n_rows=n_rows)
    (laboratory.folder / "B").mkdir()
    return discover(**laboratory.folders, min_frames=1)


@pytest.fixture
def by_b(laboratory, found):
    """Write a file of the second person: one code a frame, -1 for a blank."""

    def write(number, codes, *, video="rec.mp4"):
        rows = [[str(row), "" if code < 0 else str(code)] for row, code in enumerate(codes)]
        return laboratory.write(
            laboratory.folder / "B" / f"prediction_{video}_{number}.csv", [["Frame", "Action"], *rows]
        )

    return write


def labels_of(found, laboratory):
    return second_labels(found, found.trials, laboratory.folder / "B")


def test_labels_are_merged_like_the_first_person_s_and_known_by_recording_and_number(laboratory, found, by_b):
    by_b(1, [0] * 20 + [-1] * 5 + [3] * 15)  # paw_guard counts as paw_withdraw
    by_b(4, [0] * 7)  # of no trial
    (laboratory.folder / "B" / "notes.txt").write_text("not an annotation")
    labels = labels_of(found, laboratory)
    assert labels.keys() == {("rec", 1)}
    np.testing.assert_array_equal(labels["rec", 1], [0] * 20 + [UNSCORED] * 5 + [1] * 15)


def test_a_trial_lies_where_the_first_person_s_does_though_those_before_it_are_missing(laboratory, found, by_b):
    by_b(3, [0] * 20, video="rec")
    assert labels_of(found, laboratory).keys() == {("rec", 3)}


def test_the_same_files_give_the_same_labels(laboratory, found):
    for trial in found.trials:
        shutil.copy(trial.path, laboratory.folder / "B")
    labels = labels_of(found, laboratory)
    for trial in found.trials:
        np.testing.assert_array_equal(labels[trial.recording, trial.number], found.labels_of(trial))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        pytest.param(
            {1: [0] * 39},
            r"--annotations_b: prediction_rec\.mp4_1\.csv: expected 40 rows like .*_rec\.mp4_1\.csv, got 39\. "
            r"Have both people label the same frames\.",
            id="another length",
        ),
        pytest.param({1: [0] * 39 + [9]}, r"expected actions from 0 to 7, got \[9\]", id="a code that there is not"),
        pytest.param({2: [0] * 31, 3: [0] * 19}, r"(?s)expected 30 rows.*expected 20 rows", id="all faults at once"),
        pytest.param(
            {4: [0] * 7},
            r"expected a frame that both people scored of the 3 trials, got none in 0 files of them\. Name the files",
            id="nothing in common",
        ),
        pytest.param({1: [-1] * 39 + [8]}, r"expected actions from 0 to 7", id="a fault beside blanks"),
        pytest.param({1: [0] + [-1] * 39}, r"got none in 1 files of them", id="no frame in common"),
    ],
)
def test_files_that_can_t_be_compared_are_refused(laboratory, found, by_b, codes, message):
    for number, actions in codes.items():
        by_b(number, actions)
    with pytest.raises(InputError, match=message):
        labels_of(found, laboratory)


@pytest.mark.parametrize(
    ("span", "message"),
    [
        pytest.param((5, 45), r"expected frames \[0, 40\) like .*, got frames \[5, 45\) by its folder's", id="later"),
        pytest.param((0, 50), r"expected frames \[0, 40\) like .*got recordings\.csv, trial 1: expected", id="longer"),
    ],
)
def test_a_table_of_the_second_person_that_places_a_trial_elsewhere_is_refused(laboratory, found, by_b, span, message):
    by_b(1, [0] * 40)
    rows = [["recording", "trial", "start", "stop"], ["rec", "1", *map(str, span)]]
    laboratory.write(laboratory.folder / "B" / "recordings.csv", rows)
    with pytest.raises(InputError, match=message):
        labels_of(found, laboratory)


def test_a_table_of_the_second_person_that_says_the_same_is_fine(laboratory, found, by_b):
    by_b(1, [0] * 40)
    rows = [["recording", "trial", "start"], ["rec.mp4", "1", "0"], ["rec", "2", ""]]
    laboratory.write(laboratory.folder / "B" / "recordings.csv", rows)
    assert labels_of(found, laboratory).keys() == {("rec", 1)}


def test_a_trial_in_two_files_is_refused(laboratory, found, by_b):
    by_b(1, [0] * 40)
    by_b(1, [0] * 40, video="rec")
    with pytest.raises(InputError, match="expected one file for each trial, got a second one"):
        labels_of(found, laboratory)


def test_a_folder_that_is_not_there_is_refused(laboratory, found):
    with pytest.raises(InputError, match=r"--annotations_b .*nowhere: expected a folder of annotations, got none"):
        second_labels(found, found.trials, laboratory.folder / "nowhere")
