"""What a run reads again of an earlier one."""

import pytest
import torch

from nocigram.core.errors import InputError
from nocigram.training.files import check_point, read_options

POINT = {
    "pytorch-lightning_version": "2.6.0",
    "epoch": 1,
    "state_dict": {"a": torch.zeros(300)},
    "optimizer_states": [],
    "lr_schedulers": [],
    "loops": {},
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="zero bytes"),
        pytest.param(b'{"epochs": ', id="cut off"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
    ],
)
def test_damaged_options_are_refused(content, tmp_path):
    path = tmp_path / "options.json"
    path.write_bytes(content)
    message = r"options\.json: expected the options of the stopped run, got a damaged file\. Leave --resume out"
    with pytest.raises(InputError, match=message):
        read_options(path)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="zero bytes"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-100]), id="cut off"),
        pytest.param(lambda path: path.write_text("epoch 3"), id="text"),
        pytest.param(lambda path: torch.save(torch.zeros(3), path), id="a tensor"),
        pytest.param(lambda path: torch.save({"state_dict": {}}, path), id="another mapping"),
        pytest.param(lambda path: torch.save({**POINT, "more": torch.nn.ReLU()}, path), id="a class"),
    ],
)
def test_a_damaged_point_to_resume_from_is_refused(spoil, tmp_path):
    path = tmp_path / "resume.ckpt"
    torch.save(POINT, path)
    check_point(path)
    spoil(path)
    message = (
        r"resume\.ckpt: expected the point at which training stopped, got a damaged or foreign file\. Leave --resume"
    )
    with pytest.raises(InputError, match=message):
        check_point(path)
