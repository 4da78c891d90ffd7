import pytest
import timm
import torch

from nocigram.core.errors import InputError
from nocigram.models.backbones import build_backbone, vit_2d

TINY = ["test_vit", "test_efficientnet"]


def build(encoder_name="test_vit", *, encoder_weights="none", img_size=32, **options):
    torch.manual_seed(0)
    return build_backbone(
        "vit_2d", encoder_name=encoder_name, encoder_weights=encoder_weights, img_size=img_size, **options
    )


def frames_of(n_frames, *, channels=3, side=32, batch=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, n_frames, channels, side, side), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("name", TINY)
def test_chunks_change_nothing(name):
    frames = frames_of(7)
    whole, in_chunks = (build(name, chunk_frames=size).backbone.eval() for size in (64, 3))

    torch.testing.assert_close(whole(frames), in_chunks(frames))


@pytest.mark.parametrize(
    ("options", "device", "n_frames"),
    [
        pytest.param({}, "cpu", 64, id="a CPU"),
        pytest.param({}, "cuda", 256, id="a GPU"),
        pytest.param({"gradient_checkpointing": True}, "cuda", 64, id="a GPU with little memory"),
        pytest.param({"chunk_frames": 16}, "cuda", 16, id="as asked for"),
    ],
)
def test_chunks_suit_the_device_unless_their_size_is_given(options, device, n_frames):
    assert build(**options).backbone.n_frames_at_once(torch.device(device)) == n_frames


@pytest.mark.parametrize("name", TINY)
def test_a_frame_does_not_see_the_others(name):
    backbone, frames = build(name).backbone.eval(), frames_of(5)

    torch.testing.assert_close(backbone(frames)[:, 3:4], backbone(frames[:, 3:4]))
    assert backbone.per_frame
    assert backbone.context_frames == 0


def test_grey_frames_count_as_rgb_of_equal_channels():
    backbone, grey = build().backbone.eval(), frames_of(2, channels=1)

    torch.testing.assert_close(backbone(grey), backbone(grey.repeat(1, 1, 3, 1, 1)))


def test_bytes_and_fractions_are_the_same_picture():
    backbone, frames = build().backbone.eval(), frames_of(2)

    torch.testing.assert_close(backbone(frames), backbone(frames.float() / 255))


def test_pixels_are_normalised_by_the_encoders_own_mean_and_deviation():
    backbone, frames = build("test_efficientnet").backbone.eval(), frames_of(1)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    assert backbone.mean == (0.485, 0.456, 0.406)
    torch.testing.assert_close(backbone.encoder((frames[:, 0] / 255 - mean) / std), backbone(frames)[:, 0])


@pytest.mark.parametrize("name", TINY)
def test_gradient_checkpointing_changes_no_gradient(name):
    gradients = []
    for on in (False, True):
        backbone = build(name, gradient_checkpointing=on, chunk_frames=3).backbone.eval()
        backbone(frames_of(4)).square().sum().backward()
        gradients.append([parameter.grad for parameter in backbone.parameters()])

    for without, with_it in zip(*gradients, strict=True):
        torch.testing.assert_close(without, with_it)


def test_gradient_checkpointing_keeps_no_activations_of_a_chunk():
    kept = []
    for on in (False, True):
        backbone, n_bytes = build(gradient_checkpointing=on, chunk_frames=2).backbone.eval(), []
        weigh = lambda tensor, n_bytes=n_bytes: n_bytes.append(tensor.nbytes) or tensor  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: tensor):
            backbone(frames_of(4))
        kept.append(sum(n_bytes))

    assert kept[1] < kept[0] / 20


def test_batch_norms_of_pretrained_weights_keep_their_statistics(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(timm.create_model("test_efficientnet").state_dict(), path)
    backbone, fresh = (
        build("test_efficientnet", encoder_weights=str(path)).backbone,
        build("test_efficientnet").backbone,
    )
    before = backbone.encoder.bn1.running_mean.clone()
    for model in (backbone, fresh):
        model.train()(frames_of(2))

    torch.testing.assert_close(backbone.encoder.bn1.running_mean, before)
    assert not torch.equal(fresh.encoder.bn1.running_mean, before)
    assert backbone.training


@pytest.mark.parametrize(
    ("name", "n_blocks"),
    [
        pytest.param("test_vit", 6, id="a transformer's layers"),
        pytest.param("test_efficientnet", 5, id="blocks within stages"),
        pytest.param("resnet18", 8, id="stages without a holder"),
        pytest.param("test_convnext", 4, id="stages that are more than their blocks"),
    ],
)
def test_blocks_are_in_order_and_the_last_one_takes_what_follows_it(name, n_blocks):
    backbone = build(name).backbone
    blocks = backbone.blocks()
    names = {id(parameter): name for name, parameter in backbone.named_parameters()}
    in_blocks = [names[id(parameter)] for block in blocks for parameter in block.parameters()]

    assert len(blocks) == n_blocks
    assert in_blocks == list(names.values())[-len(in_blocks) :]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"encoder_name": "vit_small_patch14_dinov2.lvd142m", "img_size": 100},
            "--img_size: expected a multiple of 14 .* got 100. Use --img_size 98.",
            id="an image that the patches don't divide",
        ),
        pytest.param(
            {"encoder_name": "resnet_18"},
            "expected a timm model or embedded, got 'resnet_18'",
            id="a name with an error",
        ),
        pytest.param(
            {"encoder_name": "test_vit.r161_in1k"}, "Did you mean test_vit.r160_in1k", id="a tag that does not exist"
        ),
        pytest.param(
            {"encoder_name": "hf-hub:someone/some-model"}, "expected a timm model or embedded", id="a hub path"
        ),
        pytest.param({"chunk_frames": 0}, "--backbone_chunk: expected at least 1, got 0", id="chunks of nothing"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


def test_an_image_size_other_than_the_encoders_own_is_taken_even_at_run_time():
    backbone = build("test_vit", img_size=32).backbone.eval()

    with torch.inference_mode():
        assert [backbone(frames_of(1, side=side, batch=1)).shape for side in (32, 48)] == [(1, 1, 64)] * 2


def test_the_line_of_the_guide_names_the_encoder():
    built = build("test_vit")

    assert built.description == "[info] Using 2D backbone: test_vit"
    assert not built.is_fallback
    assert built.encoder_name == "test_vit"
    assert vit_2d.EMBEDDED == "embedded"
