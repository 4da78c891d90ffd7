"""The authors' VideoMAE files: read as the paper's forward pass reads them."""

import argparse
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from nocigram.core.errors import InputError
from nocigram.models.backbones import build_backbone, transformers_hub, videomae
from nocigram.models.backbones.videomae_weights import from_authors, is_authors_layout

WIDTH, N_BLOCKS, N_HEADS, HIDDEN, TUBELET = 32, 2, 2, 48, 2


def authors_file(*, norm="fc_norm", patch=14, seed=0):
    """Random weights as OpenGVLab's code would save them."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}

    def add(name, *shape, scale=0.2, middle=0.0):
        tensors[name] = middle + scale * torch.randn(*shape, generator=generator)

    def add_layer(name, n_out, *n_in, bias=True):
        add(f"{name}.weight", n_out, *n_in)
        if bias:
            add(f"{name}.bias", n_out)

    def add_norm(name):
        add(f"{name}.weight", WIDTH, middle=1.0)
        add(f"{name}.bias", WIDTH)

    add_layer("patch_embed.proj", WIDTH, 3, TUBELET, patch, patch)
    for block in (f"blocks.{number}" for number in range(N_BLOCKS)):
        add_norm(f"{block}.norm1")
        add_layer(f"{block}.attn.qkv", 3 * WIDTH, WIDTH, bias=False)
        add(f"{block}.attn.q_bias", WIDTH)
        add(f"{block}.attn.v_bias", WIDTH)
        add_layer(f"{block}.attn.proj", WIDTH, WIDTH)
        add_norm(f"{block}.norm2")
        add_layer(f"{block}.mlp.fc1", HIDDEN, WIDTH)
        add_layer(f"{block}.mlp.fc2", WIDTH, HIDDEN)
    add_norm(norm)
    return tensors


def sinusoids(n_places):
    """Position p, channel c: sine or cosine of p / 10000^(2 (c // 2) / D), as in Vaswani et al. 2017."""
    angle = np.arange(n_places)[:, None] / 10000 ** (2 * (np.arange(WIDTH) // 2) / WIDTH)
    return torch.tensor(np.where(np.arange(WIDTH) % 2, np.cos(angle), np.sin(angle)), dtype=torch.float32)


def papers_features(weights, clip, *, pool):
    """VideoMAE V2 in plain torch: clip (3, L, H, W) -> features of each tubelet, or of the whole clip."""

    def normed(tokens, name):
        return functional.layer_norm(tokens, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], eps=1e-6)

    def layer(tokens, name):
        return functional.linear(tokens, weights[f"{name}.weight"], weights[f"{name}.bias"])

    kernel = weights["patch_embed.proj.weight"]
    grid = functional.conv3d(clip[None], kernel, weights["patch_embed.proj.bias"], stride=kernel.shape[2:])[0]
    n_tubelets = grid.shape[1]
    tokens = grid.flatten(1).T + sinusoids(math.prod(grid.shape[1:]))
    for block in (f"blocks.{number}" for number in range(N_BLOCKS)):
        q_bias, v_bias = weights[f"{block}.attn.q_bias"], weights[f"{block}.attn.v_bias"]
        bias = torch.cat([q_bias, torch.zeros(WIDTH), v_bias])
        fused = functional.linear(normed(tokens, f"{block}.norm1"), weights[f"{block}.attn.qkv.weight"], bias)
        q, k, v = fused.view(-1, 3, N_HEADS, WIDTH // N_HEADS).permute(1, 2, 0, 3)
        attended = ((q @ k.transpose(1, 2)) * (WIDTH // N_HEADS) ** -0.5).softmax(-1) @ v
        tokens = tokens + layer(attended.transpose(0, 1).flatten(1), f"{block}.attn.proj")
        hidden = functional.gelu(layer(normed(tokens, f"{block}.norm2"), f"{block}.mlp.fc1"))
        tokens = tokens + layer(hidden, f"{block}.mlp.fc2")
    if "norm.weight" in weights:
        tokens = normed(tokens, "norm")
    pooled = tokens.view(n_tubelets, -1, WIDTH).mean(1) if pool == "tubelet" else tokens.mean(0, keepdim=True)
    return normed(pooled, "fc_norm") if "fc_norm.weight" in weights else pooled


def build(path, *, patch=14, clip_T=4, name="OpenGVLab/VideoMAEv2-giant", **options):
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": N_BLOCKS, "num_attention_heads": N_HEADS}
    sizes |= {"intermediate_size": HIDDEN, "patch_size": patch, "image_size": 2 * patch, "num_frames": clip_T}
    return build_backbone(
        "videomae2_3d",
        encoder_name=name,
        encoder_weights=str(path),
        encoder_config=options.pop("encoder_config", sizes),
        img_size=2 * patch,
        clip_T=clip_T,
        **options,
    )


def saved(tensors, tmp_path, name="weights.pth"):
    path = tmp_path / name
    (save_file if path.suffix == ".safetensors" else torch.save)(tensors, path)
    return path


def prefixed(tensors, prefix):
    return {prefix + name: tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize("norm", ["fc_norm", "norm"])
@pytest.mark.parametrize(("patch", "clip_T"), [(14, 4), (16, 16)])
@torch.inference_mode()
def test_features_are_those_of_the_papers_forward_pass(norm, patch, clip_T, tmp_path):
    weights = authors_file(norm=norm, patch=patch)
    backbone = build(saved(weights, tmp_path), patch=patch, clip_T=clip_T).backbone.eval()
    frames = torch.randint(0, 256, (1, clip_T, 3, 2 * patch, 2 * patch), dtype=torch.uint8)
    clip = backbone.normalised(frames)[0].transpose(0, 1)

    expected = papers_features(weights, clip, pool="tubelet").repeat_interleave(TUBELET, dim=0)

    torch.testing.assert_close(backbone(frames)[0], expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_clip_of_one_tubelet_has_the_papers_feature_of_a_video(tmp_path):
    weights = authors_file()
    backbone = build(saved(weights, tmp_path), clip_T=2).backbone.eval()
    frames = torch.randint(0, 256, (1, 2, 3, 28, 28), dtype=torch.uint8)

    expected = papers_features(weights, backbone.normalised(frames)[0].transpose(0, 1), pool="all")
    torch.testing.assert_close(backbone(frames)[0, :1], expected, rtol=1e-4, atol=1e-5)


EXTRAS = {"head.weight": torch.ones(5, WIDTH), "head.bias": torch.ones(5)}
DECODER = {
    name: torch.ones(3) for name in ("decoder.blocks.0.attn.qkv.weight", "encoder_to_decoder.weight", "mask_token")
}


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        pytest.param(lambda w: w | EXTRAS, "pth", id="with a classifier"),
        pytest.param(lambda w: prefixed(w, "model."), "safetensors", id="the hub's names"),
        pytest.param(lambda w: prefixed(w | EXTRAS, "module."), "pt", id="distributed training's names"),
        pytest.param(lambda w: prefixed(w, "encoder.") | DECODER, "bin", id="pretraining with its decoder"),
        pytest.param(lambda w: {"model": w, "epoch": 3, "args": argparse.Namespace(lr=1)}, "pth", id="a training's"),
        pytest.param(lambda w: {"module": {n: t.half() for n, t in w.items()}}, "pth", id="deepspeed's, in half"),
        pytest.param(lambda w: {"state_dict": {"model": prefixed(w, "module.model.")}}, "pth", id="nested twice"),
    ],
)
def test_every_way_to_pack_the_weights_gives_the_same_encoder(content, suffix, tmp_path):
    weights = authors_file()
    plain = build(saved(weights, tmp_path)).backbone.state_dict()
    packed = build(saved(content(weights), tmp_path, f"packed.{suffix}")).backbone.state_dict()

    assert packed.keys() == plain.keys()
    for name, tensor in plain.items():
        assert packed[name].dtype == torch.float32
        torch.testing.assert_close(packed[name], tensor, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda w: {n: t for n, t in w.items() if n != "blocks.1.attn.v_bias"},
            r"a VideoMAE of 2 blocks, got 1 missing: blocks.1.attn.v_bias. Check --encoder_name.",
            id="a bias is missing",
        ),
        pytest.param(
            lambda w: w | {"blocks.2.norm1.weight": torch.ones(1), "neck.weight": torch.ones(1)},
            r"got 2 left over: blocks.2.norm1.weight, neck.weight",
            id="a block more and a foreign layer",
        ),
        pytest.param(
            lambda w: w | {"norm.weight": torch.ones(WIDTH), "norm.bias": torch.ones(WIDTH)},
            r"2 left over: norm.bias, norm.weight",
            id="both norms",
        ),
        pytest.param(
            lambda w: w | {"blocks.0.mlp.fc1.bias": torch.ones(7)},
            r"got 1 of another shape: encoder.layer.0.intermediate.dense.bias",
            id="another shape",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_their_names(change, message, tmp_path):
    path = saved(change(authors_file()), tmp_path)

    with pytest.raises(InputError, match=f"weights.pth: expected .*{message}"):
        build(path)


def test_a_file_that_could_run_code_is_refused(tmp_path):
    path = saved({"model": authors_file(), "hook": torch.nn.Linear(1, 1)}, tmp_path)

    with pytest.raises(InputError, match="something that is not one"):
        build(path)


@torch.inference_mode()
def test_the_encoder_is_built_again_without_its_weights_file(tmp_path):
    first = build(saved(authors_file(), tmp_path))
    again = build("none", encoder_config=first.encoder_config)
    again.backbone.load_state_dict(first.backbone.state_dict())
    frames = torch.randint(0, 256, (1, 6, 1, 28, 28), dtype=torch.uint8)

    assert first.encoder_config["pooled_norm"]
    assert again.encoder_config == first.encoder_config
    torch.testing.assert_close(first.backbone.eval()(frames), again.backbone.eval()(frames))


@pytest.mark.parametrize("name", ["OpenGVLab/VideoMAEv2-Base", "OpenGVLab/VideoMAEv2-giant"])
def test_a_v2_name_of_the_hub_takes_its_weights_and_none_of_its_code(name, tmp_path, monkeypatch):
    path = saved(prefixed(authors_file(), "model."), tmp_path, "model.safetensors")
    monkeypatch.setattr(transformers_hub, "cached_weights", lambda asked: path if asked == name else None)
    monkeypatch.setattr(transformers_hub, "hub_answers", lambda: pytest.fail("asked the hub"))

    built = build("pretrained", name=name)

    weight = built.backbone.encoder.embeddings.patch_embeddings.projection.weight
    torch.testing.assert_close(weight.detach(), authors_file()["patch_embed.proj.weight"])
    assert (built.encoder_name, built.is_fallback) == (name, False)


def test_a_folder_of_the_authors_is_read_like_its_file(tmp_path):
    saved(prefixed(authors_file(), "model."), tmp_path, "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "VideoMAEv2_Base", "auto_map": {"AutoModel": "code.Model"}}')

    assert build(tmp_path).encoder_config["layer_norm_eps"] == 1e-6


@pytest.mark.parametrize(
    ("name", "width", "n_layers", "hidden", "patch"),
    [
        ("vit_small", 384, 12, 1536, 16),
        ("OpenGVLab/VideoMAEv2-Base", 768, 12, 3072, 16),
        ("OpenGVLab/VideoMAEv2-Large", 1024, 24, 4096, 16),
        ("OpenGVLab/VideoMAEv2-giant", 1408, 40, 6144, 14),
    ],
)
def test_sizes_follow_from_the_name(name, width, n_layers, hidden, patch):
    sizes = videomae._sizes_by_name(name)

    assert (sizes["hidden_size"], sizes["num_hidden_layers"], sizes["intermediate_size"]) == (width, n_layers, hidden)
    assert sizes.get("patch_size", 16) == patch
    assert sizes["hidden_size"] * 48 // 11 == hidden or sizes["hidden_size"] * 4 == hidden


def test_the_two_layouts_are_told_apart():
    weights = authors_file()
    renamed = from_authors(weights, n_layers=N_BLOCKS, where="file").encoder

    assert is_authors_layout(prefixed(weights, "module."))
    assert not is_authors_layout(renamed)
