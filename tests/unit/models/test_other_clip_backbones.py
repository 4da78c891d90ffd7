"""V-JEPA 2 and the video models of torchvision."""

import builtins

import pytest
import torch
import torchvision
from torchvision.models import get_model, list_models
from transformers import VJEPA2Config, VJEPA2ForVideoClassification, VJEPA2Model

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.backbones import build_backbone, torchvision_3d, transformers_hub

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2.0}
VIDEO_MODELS = list_models(module=torchvision.models.video)
TAKES_ANY_SIZE = [name for name in VIDEO_MODELS if not name.startswith("mvit")]


def vjepa(*, encoder_weights="none", encoder_config=SIZES, encoder_name="facebook/vjepa2-vitl-fpc64-256", **options):
    torch.manual_seed(0)
    sizes = {"img_size": 32, "clip_T": 4} | options
    return build_backbone(
        "vjepa2_3d",
        encoder_name=encoder_name,
        encoder_weights=str(encoder_weights),
        encoder_config=encoder_config,
        **sizes,
    )


def vision(name="s3d", *, encoder_weights="none", **options):
    torch.manual_seed(0)
    sizes = {"img_size": 32, "clip_T": 8} | options
    return build_backbone("torchvision_3d", encoder_name=name, encoder_weights=str(encoder_weights), **sizes)


def frames_of(n_frames, *, side=32):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (1, n_frames, 1, side, side), dtype=torch.uint8, generator=generator)


@torch.inference_mode()
def test_a_clip_has_the_features_of_transformers_own_model():
    backbone, frames = vjepa().backbone.eval(), frames_of(4)
    model = VJEPA2Model(VJEPA2Config(**SIZES, crop_size=32, frames_per_clip=4)).eval()
    model.encoder.load_state_dict(backbone.encoder.state_dict())

    tokens = model.get_vision_features(backbone.normalised(frames))[0]

    expected = tokens.view(2, 4, 32).mean(1).repeat_interleave(2, dim=0)
    torch.testing.assert_close(backbone(frames)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["folder", "classifier", "safetensors"])
def test_local_weights_of_vjepa_are_loaded(kind, tmp_path):
    config = VJEPA2Config(**SIZES, pred_hidden_size=24, pred_num_attention_heads=2, pred_num_hidden_layers=1)
    classifier = VJEPA2ForVideoClassification(config)
    model, path, given = classifier.vjepa2, tmp_path / "weights.pth", SIZES
    if kind == "classifier":
        torch.save(classifier.state_dict(), path)
    else:
        model.save_pretrained(tmp_path)
        path, given = (tmp_path, None) if kind == "folder" else (tmp_path / "model.safetensors", SIZES)

    built = vjepa(encoder_weights=path, encoder_config=given)

    assert built.encoder_config.items() >= SIZES.items()
    for name, tensor in model.encoder.state_dict().items():
        torch.testing.assert_close(built.backbone.encoder.state_dict()[name], tensor)


def test_a_file_of_vjepa_without_some_weights_is_refused(tmp_path):
    tensors = VJEPA2Model(VJEPA2Config(**SIZES)).state_dict()
    path = tmp_path / "half.pth"
    torch.save({name: tensor for name, tensor in tensors.items() if "layer.1.norm1" not in name}, path)

    with pytest.raises(InputError, match=r"half.pth: expected .* got 2 missing: encoder.layer.1.norm1.bias"):
        vjepa(encoder_weights=path)


def test_vjepa_without_network_or_transformers_is_an_error_and_no_fallback(monkeypatch):
    monkeypatch.setattr(transformers_hub, "is_in_cache", lambda name: False)
    monkeypatch.setattr(transformers_hub, "hub_answers", lambda: False)
    with pytest.raises(InputError, match=r"vjepa2_3d: expected the weights of facebook/.*no connection"):
        vjepa(encoder_weights="pretrained", encoder_config=None)

    imported = builtins.__import__

    def refuse(name, *rest, **options):
        if name.startswith("transformers"):
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"pip install 'nocigram\[videomae\]'"):
        vjepa()


@pytest.mark.parametrize("name", VIDEO_MODELS)
def test_every_video_model_gives_a_grid_in_space_and_time(name):
    with torch.device("meta"):
        encoder = get_model(name, weights=None).eval()
        grid = torchvision_3d._grid(encoder, torch.empty(2, 3, 16, 224, 224))

    assert grid.shape[0] == 2
    assert grid.shape[2] in {2, 8, 16}
    assert min(grid.shape[3:]) > 1


@pytest.mark.parametrize("name", ["r3d_18", "swin3d_t"])
@torch.inference_mode()
def test_the_mean_over_time_is_what_torchvisions_classifier_reads(name):
    backbone = vision(name).backbone.eval()
    model = get_model(name, weights=None).eval()
    model.load_state_dict(backbone.encoder.state_dict(), strict=False)
    head = model.fc if name == "r3d_18" else model.head
    clip = backbone.normalised(frames_of(8))

    expected = model(clip.transpose(1, 2))

    torch.testing.assert_close(head(backbone.steps(clip).mean(1)), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@torch.inference_mode()
def test_mvit_without_its_class_token_gives_a_feature_per_frame():
    features = vision("mvit_v2_s", img_size=224, clip_T=16).backbone.eval()(frames_of(17, side=224))

    assert features.shape == (1, 17, 768)
    assert features.isfinite().all()


def test_a_model_brings_its_own_mean_and_deviation():
    assert vision("s3d").backbone.mean == (0.43216, 0.394666, 0.37645)


def test_a_file_of_torchvision_is_loaded_without_its_classifier(tmp_path):
    model, path = get_model("s3d", weights=None), tmp_path / "s3d.pth"
    torch.save(model.state_dict(), path)

    built = vision(encoder_weights=path)

    for name, tensor in built.backbone.encoder.state_dict().items():
        torch.testing.assert_close(tensor, model.state_dict()[name])
    torch.save({name: tensor for name, tensor in model.state_dict().items() if "features.0" not in name}, path)
    with pytest.raises(InputError, match=r"s3d.pth: .* missing: features.0.0.0.weight"):
        vision(encoder_weights=path)


def test_published_weights_come_from_torch_hubs_folder_or_are_an_error_with_their_address(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def no_network(*_, **__):
        raise OSError("no such host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(InputError, match=r"s3d: expected its pretrained weights, got none .no such host.*s3d-d76dad2f"):
        vision(encoder_weights="pretrained")

    model = get_model("s3d", weights=None)
    (tmp_path / "checkpoints").mkdir()
    torch.save(model.state_dict(), tmp_path / "checkpoints" / "s3d-d76dad2f.pth")
    loaded = vision(encoder_weights="pretrained").backbone
    torch.testing.assert_close(loaded.encoder.features[1].state_dict(), model.features[1].state_dict())


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        pytest.param(vision, {"name": "r3d"}, "torchvision_3d: expected one of mc3_18, .*, got 'r3d'", id="a name"),
        pytest.param(
            vision, {"clip_T": 2}, "s3d: expected a size .* got --img_size 32 with --clip_T 2", id="too short"
        ),
        pytest.param(vision, {"name": "mvit_v2_s"}, "Use --img_size 224 and --clip_T 16", id="a fixed size"),
        pytest.param(vjepa, {"clip_T": 3}, "--clip_T: expected a multiple of 2 for facebook", id="tubelets"),
        pytest.param(
            vjepa,
            {"encoder_name": "x/vjepa2-odd", "encoder_config": None},
            "one of vitl, vith, vitg in it",
            id="no size",
        ),
        pytest.param(
            vjepa, {"pool": "cls"}, "--pool with --backbone_type vjepa2_3d: expected auto, got cls", id="pool"
        ),
    ],
)
def test_what_cannot_be_built_is_refused(build, options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


@pytest.mark.parametrize("name", TAKES_ANY_SIZE)
def test_blocks_hold_the_end_of_the_model(name):
    with torch.device("meta"):
        encoder = get_model(name, weights=None)
    backbone = torchvision_3d.TorchvisionBackbone.__new__(torchvision_3d.TorchvisionBackbone)
    torch.nn.Module.__init__(backbone)
    for head in torchvision_3d.HEADS:
        if hasattr(encoder, head):
            setattr(encoder, head, torch.nn.Identity())
    backbone.encoder = encoder
    names = {id(parameter): name for name, parameter in backbone.named_parameters()}
    in_blocks = [names[id(parameter)] for block in backbone.blocks() for parameter in block.parameters()]

    assert len(backbone.blocks()) >= 4
    assert in_blocks == list(names.values())[-len(in_blocks) :]
