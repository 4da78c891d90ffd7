import pytest

from nocigram.core.errors import InputError
from nocigram.core.files import staged


def test_contents_appear_all_at_once_and_what_was_there_stays(tmp_path):
    (tmp_path / "notes.txt").touch()
    with staged(tmp_path, ["a", "b", "c"]) as stage:
        (stage / "a").mkdir()
        (stage / "b").touch()
        assert not (tmp_path / "a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "notes.txt"]


def test_after_an_error_nothing_is_left(tmp_path):
    def fail():
        with staged(tmp_path / "new", ["a"]) as stage:
            (stage / "a").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not (tmp_path / "new").exists()


def test_a_folder_that_has_one_of_the_contents_is_refused(tmp_path):
    (tmp_path / "b").touch()
    message = "expected a folder without b, got one that has it. Give another folder, or remove .*b first"
    with pytest.raises(InputError, match=message), staged(tmp_path, ["a", "b"]):
        pass
