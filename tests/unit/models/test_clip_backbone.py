import builtins

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEModel

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.backbones import build_backbone, transformers_hub, videomae, vit_2d
from nocigram.models.backbones.clips import clip_frames_index, clip_starts, frames_from_clips

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 16,
    "num_frames": 16,
    "tubelet_size": 2,
}


def build(*, encoder_weights="none", encoder_name="MCG-NJU/videomae-base", encoder_config=SIZES, **options):
    torch.manual_seed(0)
    return build_backbone(
        "videomae2_3d",
        encoder_name=encoder_name,
        encoder_weights=str(encoder_weights),
        encoder_config=encoder_config,
        **({"img_size": 32} | options),
    )


def frames_of(n_frames, *, batch=1):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, n_frames, 1, 32, 32), dtype=torch.uint8, generator=generator)


@given(n_frames=st.integers(1, 400), clip_frames=st.integers(1, 20), stride=st.integers(1, 20))
def test_clips_cover_a_window_to_its_very_end(n_frames, clip_frames, stride):
    starts = clip_starts(n_frames, clip_frames=clip_frames, stride=min(stride, clip_frames))
    covered = {start + offset for start in starts for offset in range(clip_frames)}

    assert set(range(n_frames)) <= covered
    assert starts == sorted(set(starts))
    assert starts[-1] + clip_frames == max(n_frames, clip_frames)


def test_a_short_window_repeats_its_last_frame():
    assert clip_frames_index(3, clip_frames=6, stride=3).tolist() == [[0, 1, 2, 2, 2, 2]]


def test_features_of_frames_are_means_over_their_clips():
    clips = torch.stack([torch.full((4, 1), value) for value in (1.0, 2.0, 5.0)])

    means = frames_from_clips(clips, n_frames=7, stride=2)[:, 0]

    torch.testing.assert_close(means, torch.tensor([1, 1, 1.5, (1 + 2 + 5) / 3, 3.5, 3.5, 5]))


def slowly(backbone, frames, *, stride):
    """Features of one window's frames, one clip, one frame at a time."""
    n_frames, features = len(frames), []
    starts = sorted({*range(0, max(1, n_frames - 15), stride), max(0, n_frames - 16)})
    for frame in range(n_frames):
        found = []
        for start in starts:
            if start <= frame < start + 16:
                clip = torch.stack([frames[min(start + offset, n_frames - 1)] for offset in range(16)])
                rgb = (clip.float().repeat(1, 3, 1, 1) / 255 - torch.tensor(videomae.IMAGENET_MEAN).view(3, 1, 1)) / (
                    torch.tensor(videomae.IMAGENET_STD).view(3, 1, 1)
                )
                tokens = backbone.encoder(rgb[None]).last_hidden_state[0]
                tubelet = (frame - start) // 2
                found.append(tokens[4 * tubelet : 4 * tubelet + 4].mean(0))
        features.append(torch.stack(found).mean(0))
    return torch.stack(features)


@pytest.mark.parametrize("n_frames", [1, 9, 16, 17, 37])
@torch.inference_mode()
def test_features_equal_those_computed_one_frame_at_a_time(n_frames):
    backbone, frames = build().backbone.eval(), frames_of(n_frames)

    torch.testing.assert_close(backbone(frames)[0], slowly(backbone, frames[0], stride=8), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_features_change_from_tubelet_to_tubelet_and_with_a_stride_of_one_from_frame_to_frame():
    coarse, fine = (build(clip_stride=stride).backbone.eval()(frames_of(24))[0] for stride in (8, 1))

    assert (coarse.diff(dim=0).abs().amax(-1) > 1e-4)[1::2].all()
    assert (fine.diff(dim=0).abs().amax(-1) > 1e-4)[2:-2].all()


@torch.inference_mode()
def test_chunks_change_nothing():
    frames = frames_of(40, batch=2)
    whole, in_chunks = (build(chunk_frames=size).backbone.eval()(frames) for size in (1000, 16))

    torch.testing.assert_close(whole, in_chunks)


@torch.inference_mode()
def test_padding_changes_no_frame_before_it():
    backbone, frames = build().backbone.eval(), frames_of(40, batch=2)

    padded = backbone(frames, n_frames=torch.tensor([40, 21]))

    torch.testing.assert_close(padded[0], backbone(frames)[0])
    torch.testing.assert_close(padded[1, :21], backbone(frames[1:, :21])[0])
    assert not padded[1, 21:].any()


@torch.inference_mode()
def test_a_frame_depends_on_its_context_only():
    backbone, frames = build().backbone.eval(), frames_of(60)
    changed = frames.clone()
    changed[:, 30] = 255 - changed[:, 30]
    moved = (backbone(frames) - backbone(changed))[0].abs().amax(-1).nonzero().flatten()

    assert not backbone.per_frame
    assert 30 - backbone.context_frames <= int(moved.min()) < 30 < int(moved.max()) <= 30 + backbone.context_frames


@torch.inference_mode()
def test_positions_of_another_image_size_are_the_trained_ones_resampled():
    table = torch.arange(8.0).view(1, 8, 1)

    assert videomae.resampled_positions(table, grid=(2, 2, 2), to_grid=(2, 2, 2)) is table
    finer = videomae.resampled_positions(table, grid=(2, 2, 2), to_grid=(2, 4, 2)).view(2, 4, 2)
    assert finer[0, :, 0].tolist() == [0, 0.5, 1.5, 2]


@torch.inference_mode()
def test_an_encoder_for_another_image_size_gets_resampled_positions():
    own, larger = (build(img_size=side).backbone for side in (32, 64))
    expected = videomae.resampled_positions(
        own.encoder.embeddings.position_embeddings, grid=(8, 2, 2), to_grid=(8, 4, 4)
    )

    torch.testing.assert_close(larger.encoder.embeddings.position_embeddings, expected)
    assert larger(frames_of(16).repeat(1, 1, 1, 2, 2)).shape == (1, 16, 32)


def test_a_rebuilt_backbone_is_the_same_network():
    first = build(img_size=64)
    again = build(img_size=64, encoder_config=first.encoder_config, encoder_name=first.encoder_name)

    torch.testing.assert_close(
        first.backbone.encoder.embeddings.position_embeddings, again.backbone.encoder.embeddings.position_embeddings
    )
    assert again.encoder_config == first.encoder_config
    assert all(isinstance(value, int | float | str) for value in first.encoder_config.values())


@pytest.mark.parametrize("kind", ["folder", "safetensors", "pth", "classifier"])
def test_local_weights_are_loaded(kind, tmp_path):
    torch.manual_seed(5)
    classifier = VideoMAEForVideoClassification(VideoMAEConfig(**SIZES))
    model, config, path = classifier.videomae, SIZES, tmp_path / f"weights.{kind}"
    if kind == "folder":
        path, config = tmp_path, None
        model.save_pretrained(path)
    elif kind == "safetensors":
        save_file(model.state_dict(), path)
    else:
        path = tmp_path / "weights.pth"
        torch.save((classifier if kind == "classifier" else model).state_dict(), path)

    loaded = build(encoder_weights=path, encoder_config=config).backbone.encoder.state_dict()

    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(loaded[name], tensor)


def test_a_model_in_the_hubs_cache_is_loaded_without_asking_the_hub(tmp_path, monkeypatch):
    model, folder = VideoMAEModel(VideoMAEConfig(**SIZES)), tmp_path / "videomae-tiny"
    model.save_pretrained(folder)  # transformers takes a folder wherever it takes a hub name
    monkeypatch.setattr(transformers_hub, "is_in_cache", lambda name: True)
    monkeypatch.setattr(transformers_hub, "hub_answers", lambda: pytest.fail("asked the hub"))

    built = build(encoder_weights="pretrained", encoder_name=str(folder), encoder_config=None)

    assert (built.description, built.is_fallback) == ("[info] Using VideoMAE2 (3D) backbone", False)
    assert built.encoder_config.items() >= SIZES.items()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(built.backbone.encoder.state_dict()[name], tensor)


def test_a_file_without_some_weights_is_refused(tmp_path):
    tensors = VideoMAEModel(VideoMAEConfig(**SIZES)).state_dict()
    torch.save({name: tensor for name, tensor in tensors.items() if "layer.1." not in name}, tmp_path / "half.pth")

    with pytest.raises(InputError, match=r"half.pth: expected the weights of .* missing: encoder.layer.1"):
        build(encoder_weights=tmp_path / "half.pth")


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a folder with config.json and model.safetensors"):
        build(encoder_weights=tmp_path, encoder_config=None)


@pytest.fixture
def without_network(monkeypatch):
    monkeypatch.setattr(transformers_hub, "is_in_cache", lambda name: False)
    monkeypatch.setattr(transformers_hub, "hub_answers", lambda: False)


@pytest.fixture
def without_transformers(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *rest, **options):
        if name.startswith("transformers"):
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.parametrize("cause", ["without_network", "without_transformers"])
@pytest.mark.parametrize(
    ("asked", "built_name"),
    [("embedded", "embedded"), ("test_vit", "test_vit"), ("MCG-NJU/videomae-base", videomae.FALLBACK_ENCODER)],
)
def test_without_3d_weights_the_documented_fallback_is_taken_and_marked(cause, asked, built_name, request, monkeypatch):
    request.getfixturevalue(cause)
    monkeypatch.setattr(vit_2d, "_with_weights", lambda name, options: vit_2d._create("test_vit", 32))
    warnings = []

    built = build(encoder_weights="pretrained", encoder_name=asked, encoder_config=None, warn=warnings.append)

    assert warnings == ["[warn] VideoMAE2 not available, falling back to 2D path"]
    assert built.description == f"[info] Using 2D backbone: {built_name}"
    assert (built.is_fallback, built.backbone_type, built.encoder_name) == (True, "vit_2d", built_name)


@pytest.mark.usefixtures("without_network")
def test_strict_makes_the_fallback_an_error():
    with pytest.raises(InputError, match=r"videomae2_3d: expected the weights of MCG-NJU/videomae-base, got none"):
        build(encoder_weights="pretrained", encoder_config=None, strict=True)


@pytest.mark.usefixtures("without_transformers")
def test_strict_without_transformers_names_the_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'nocigram\[videomae\]'"):
        build(strict=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"img_size": 40}, "--img_size: expected a multiple of 16 .* Use --img_size 32.", id="image size"),
        pytest.param({"clip_T": 15}, "--clip_T: expected a multiple of 2 .* Use --clip_T 16.", id="clip length"),
        pytest.param(
            {"encoder_name": "someone/videomae-odd", "encoder_config": None},
            "one of small, base, large, huge, giant in it, got 'someone/videomae-odd'",
            id="a name that tells no size",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


def test_the_last_block_takes_the_final_norm():
    backbone = build(encoder_config=SIZES | {"use_mean_pooling": False}).backbone
    last = {id(parameter) for parameter in backbone.blocks()[-1].parameters()}

    assert len(backbone.blocks()) == 2
    assert id(backbone.encoder.layernorm.weight) in last
