import pytest
import timm
import torch
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled
from safetensors.torch import save_file

from nocigram.core.errors import InputError
from nocigram.models.backbones import build_backbone, vit_2d, weights

THREE_WAYS = "--encoder_weights FILE .* --encoder_weights none .* --encoder_name embedded"
UNTRAINED = next(name for name in timm.list_models("vit_*") if not timm.models.is_model_pretrained(name))


def build(encoder_weights, *, encoder_name="test_vit", img_size=32):
    return build_backbone("vit_2d", encoder_name=encoder_name, encoder_weights=str(encoder_weights), img_size=img_size)


@pytest.fixture
def without_network(monkeypatch):
    monkeypatch.setattr(vit_2d, "cached_weights", lambda name: None)
    monkeypatch.setattr(vit_2d, "hub_answers", lambda: False)


@pytest.fixture(scope="module")
def full_model():
    torch.manual_seed(3)
    return timm.create_model("test_vit")


@pytest.mark.usefixtures("without_network")
def test_pretrained_without_network_names_the_three_ways_on():
    with pytest.raises(InputError, match=f"expected its pretrained weights, got none .no connection.*{THREE_WAYS}"):
        build("pretrained")


@pytest.mark.usefixtures("without_network")
def test_an_encoder_that_nobody_trained_names_the_three_ways_on():
    with pytest.raises(InputError, match=f"timm knows of none.*{THREE_WAYS}"):
        build("pretrained", encoder_name=UNTRAINED)


def test_a_download_that_breaks_names_the_three_ways_on(monkeypatch):
    def broken(*_, **__):
        raise LocalEntryNotFoundError("the connection broke")

    monkeypatch.setattr(vit_2d, "cached_weights", lambda name: None)
    monkeypatch.setattr(vit_2d, "hub_answers", lambda: True)
    monkeypatch.setattr(timm, "create_model", broken)

    with pytest.raises(InputError, match=f"got none .the connection broke.*{THREE_WAYS}"):
        build("pretrained")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(weights.HTTPError("no such host"), id="no network"),
        pytest.param(OfflineModeIsEnabled("offline"), id="the hub's offline mode"),
    ],
)
def test_the_hub_is_asked_once(error, monkeypatch):
    asked = []

    class Session:
        def head(self, url, timeout):
            asked.append((url, timeout))
            raise error

    monkeypatch.setattr(weights, "get_session", Session)

    assert not weights.hub_answers()
    assert len(asked) == 1


def test_the_hub_that_answers_is_used(monkeypatch):
    monkeypatch.setattr(weights, "get_session", lambda: type("Session", (), {"head": lambda *_, **__: None})())

    assert weights.hub_answers()


def test_weights_that_were_fetched_before_need_no_network(full_model, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_file(full_model.state_dict(), path)
    monkeypatch.setattr(vit_2d, "cached_weights", lambda name: path if name == "timm/test_vit.r160_in1k" else None)
    monkeypatch.setattr(vit_2d, "hub_answers", lambda: pytest.fail("asked the hub"))

    backbone = build("pretrained").backbone

    torch.testing.assert_close(backbone.encoder.blocks[3].mlp.fc1.weight, full_model.blocks[3].mlp.fc1.weight)


def test_the_cache_is_looked_at_for_both_names_of_a_weights_file(tmp_path, monkeypatch):
    found = {"pytorch_model.bin": str(tmp_path / "file")}
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda name, file_name: found.get(file_name))

    assert weights.cached_weights("timm/any") == tmp_path / "file"
    found.clear()
    assert weights.cached_weights("timm/any") is None


@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
def test_a_file_is_loaded_with_positions_resampled_to_the_image_size(suffix, full_model, tmp_path):
    path = tmp_path / f"weights.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(full_model.state_dict(), path)

    encoder = build(path, img_size=64).backbone.encoder

    torch.testing.assert_close(encoder.blocks[3].mlp.fc1.weight, full_model.blocks[3].mlp.fc1.weight)
    assert encoder.pos_embed.shape[1] < full_model.pos_embed.shape[1]


def with_faults(tensors):
    """The state dict without one tensor and with one that belongs elsewhere."""
    return {name: tensor for name, tensor in tensors.items() if name != "norm.bias"} | {"neck.weight": torch.ones(1)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            with_faults, r"got 1 missing: norm.bias; 1 left over: neck.weight. Check --encoder_name.", id="other keys"
        ),
        pytest.param(
            lambda tensors: tensors | {"norm.bias": torch.ones(7)}, "got other shapes .*norm.bias", id="another shape"
        ),
        pytest.param(lambda tensors: {"epoch": 3, "names": ["a"]}, "got something that is not one", id="no tensors"),
        pytest.param(lambda tensors: torch.nn.Linear(1, 1), "got something that is not one", id="a pickled module"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_what_is_wrong(content, message, full_model, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(content(full_model.state_dict()), path)

    with pytest.raises(InputError, match=f"weights.pth: .*{message}"):
        build(path)


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors"])
def test_a_damaged_file_is_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"not weights")

    with pytest.raises(InputError, match=f"{name}: expected a state dict"):
        build(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected pretrained, none or a file, got .*no such file"):
        build(tmp_path / "nowhere.pth")
