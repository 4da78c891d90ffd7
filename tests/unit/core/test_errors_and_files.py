import errno
import os
import stat

import pytest

from nocigram.core.errors import (
    Fault,
    InputError,
    MissingExtraError,
    NoSamplesError,
    raise_faults,
    reason_in,
)
from nocigram.core.files import written_whole
from nocigram.core.tables import text_table


def test_a_fault_is_one_sentence_and_its_fix():
    fault = Fault(where="mouse3.csv", expected="6 keypoints", got="5", fix="Rename it.")
    assert str(fault) == "mouse3.csv: expected 6 keypoints, got 5. Rename it."


def test_all_faults_are_raised_at_once():
    faults = [Fault(where=where, expected="a", got="b", fix="Mend it.") for where in ("x", "y")]
    with pytest.raises(InputError) as raised:
        raise_faults(faults)
    assert str(raised.value) == "x: expected a, got b. Mend it.\ny: expected a, got b. Mend it."


def test_faults_are_read_back_from_the_text_of_an_error():
    faults = [
        Fault(where="a.mp4: sound", expected="b, c", got="'d. e'", fix="Mend it. Then: cp a.mp4 b.mp4."),
        Fault(where="x", expected="a", got="b", fix=""),
    ]
    assert InputError("\n".join(map(str, faults)).rstrip()).faults(where="?") == faults
    assert InputError("the disk is full").faults(where="a.csv") == [
        Fault(where="a.csv", expected="a file that can be used", got="the disk is full", fix="")
    ]


def test_no_fault_raises_nothing():
    assert raise_faults([]) is None


def test_no_samples_is_a_value_error_by_the_guides_word():
    assert issubclass(NoSamplesError, ValueError)
    assert NoSamplesError.label == "ValueError"
    assert InputError.label == "error"


def test_a_missing_extra_says_how_to_install_it():
    assert str(MissingExtraError("--use_wandb", package="wandb", extra="wandb")) == (
        "--use_wandb: expected the package 'wandb', got none. Install it with: pip install 'nocigram[wandb]'."
    )


def test_a_file_is_written_whole_with_its_folder(tmp_path):
    path = tmp_path / "a" / "b.csv"
    with written_whole(path) as temporary:
        assert temporary.suffix == ".csv"
        assert temporary.parent == path.parent
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_of_the_system_names_the_file_that_was_to_be_written(tmp_path):
    with pytest.raises(OSError, match="No space") as raised, written_whole(tmp_path / "b.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert raised.value.filename == str(tmp_path / "b.csv")
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "b.csv"
    path.write_text("old")

    def stopped_halfway():
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="file modes are those of POSIX")
def test_a_file_has_the_usual_mode_rather_than_a_private_one(tmp_path):
    (tmp_path / "usual").touch()
    with written_whole(tmp_path / "whole") as temporary:
        temporary.write_text("x")
    assert stat.S_IMODE((tmp_path / "whole").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_very_long_name_can_be_written(tmp_path):
    path = tmp_path / f"{'x' * 240}.csv"
    with written_whole(path) as temporary:
        temporary.write_text("x")
    assert path.is_file()


def test_a_table_is_aligned():
    text = text_table(("file", "n", "reason"), [("a.csv", 5, "short"), ("longer.csv", 120, "")])
    assert text.splitlines() == [
        "file          n  reason",
        "-" * 25,
        "a.csv         5  short",
        "longer.csv  120",
    ]


def test_a_table_without_rows_is_its_headline():
    assert text_table(("file", "n"), []).splitlines()[0] == "file  n"


@pytest.mark.parametrize(
    ("error", "line", "reason"),
    [
        pytest.param(ValueError("bad  row.\nmore"), 0, "bad row", id="the first line"),
        pytest.param(ValueError("trace\nno  table.\n\n"), -1, "no table", id="the last line"),
        pytest.param(KeyError(), -1, "KeyError", id="nothing said"),
        pytest.param(PermissionError(13, "Permission denied", "a.csv"), 0, "Permission denied", id="of the system"),
    ],
)
def test_a_librarys_words_become_one_line(error, line, reason):
    assert reason_in(error, line=line) == reason
