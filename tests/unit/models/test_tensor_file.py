"""Tensors in a file."""

import resource

import pytest
import torch

from nocigram.models.tensor_file import write_tensors


def test_tensors_are_written_with_their_folder(tmp_path):
    write_tensors(tmp_path / "a/b.pt", {"w": torch.arange(3)})
    assert torch.load(tmp_path / "a/b.pt", weights_only=True)["w"].tolist() == [0, 1, 2]


@pytest.fixture
def small_files():
    """No file may become larger than a thousand bytes, as under a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_file_that_finds_no_room_is_an_error_of_the_system_and_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="File too large") as raised:
        write_tensors(tmp_path / "b.pt", torch.zeros(10_000))
    assert raised.value.filename == str(tmp_path / "b.pt")
    assert not list(tmp_path.iterdir())
