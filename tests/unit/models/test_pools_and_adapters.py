"""How patches become one vector, adapters of attention, and what of a backbone learns."""

import builtins
import math

import pytest
import timm
import torch
from torch import nn

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.approaches import build_model
from nocigram.models.backbones import build_backbone
from nocigram.models.backbones.lora import SCALE, adapters_of, add_adapters, attention_layers, merged
from nocigram.models.backbones.pooling import AttentionPool
from nocigram.training.module import Freeze, set_learning
from nocigram.training.schedule import Schedule

DINOV3 = "vit_small_patch16_dinov3.lvd1689m"
REGISTERS = "vit_small_patch14_reg4_dinov2.lvd142m"
CLIP_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
WITH_ATTENTION = {
    "vit": ("vit_2d", {"encoder_name": "test_vit"}),
    "dinov3": ("vit_2d", {"encoder_name": DINOV3}),
    "dinov3 with biases": ("vit_2d", {"encoder_name": "vit_small_patch16_dinov3_qkvb.lvd1689m"}),
    "beit": ("vit_2d", {"encoder_name": "beit_base_patch16_224"}),
    "swin": ("vit_2d", {"encoder_name": "swin_tiny_patch4_window7_224"}),
    "videomae": ("videomae2_3d", {"encoder_name": "videomae-base", "encoder_config": CLIP_SIZES}),
    "vjepa": ("vjepa2_3d", {"encoder_name": "vjepa2-vitl", "encoder_config": CLIP_SIZES}),
}


def build(name="test_vit", *, backbone_type="vit_2d", **options):
    torch.manual_seed(0)
    return build_backbone(
        backbone_type, **({"encoder_name": name, "encoder_weights": "none", "img_size": 32, "clip_T": 4} | options)
    ).backbone


def with_adapters(name, *, lora_rank=3, **options):
    backbone_type, own = WITH_ATTENTION[name]
    side = 224 if name in {"beit", "swin"} else 32
    return build(backbone_type=backbone_type, lora_rank=lora_rank, **({"img_size": side} | own | options))


def frames_of(n_frames, *, side=32):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (1, n_frames, 3, side, side), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("name", ["test_vit", "test_efficientnet", DINOV3])
@torch.inference_mode()
def test_without_a_flag_the_encoder_pools_by_itself(name):
    backbone, frames = build(name).eval(), frames_of(2)

    torch.testing.assert_close(backbone.encoder(backbone.normalised(frames[0])), backbone(frames)[0], rtol=0, atol=0)
    assert backbone.untrained() == []


@pytest.mark.parametrize("pool", ["cls", "mean", "cls_mean", "attention"])
@pytest.mark.parametrize(("name", "n_prefix", "side"), [("test_vit", 1, 32), (REGISTERS, 5, 28), (DINOV3, 5, 32)])
@torch.inference_mode()
def test_tokens_are_pooled_as_asked_and_registers_never_enter(pool, name, n_prefix, side):
    backbone, frames = build(name, pool=pool, img_size=side).eval(), frames_of(2, side=side)
    tokens = backbone.encoder.forward_features(backbone.normalised(frames[0]))
    norm = backbone.encoder.fc_norm  # an identity in these encoders
    cls, mean = norm(tokens[:, 0]), norm(tokens[:, n_prefix:].mean(1))
    expected = {"cls": cls, "mean": mean, "cls_mean": torch.cat([cls, mean], -1), "attention": mean}[pool]

    torch.testing.assert_close(backbone(frames)[0], expected, rtol=1e-4, atol=1e-5)
    assert backbone.feature_dim == expected.shape[-1]


@torch.inference_mode()
def test_attention_finds_the_patch_that_its_query_asks_for():
    pool, patches = AttentionPool(16), torch.randn(2, 9, 16)
    patches[:, 4] = 0
    patches[:, 4, 3] = 10.0  # after normalisation this channel stands far out
    pool.queries[:, 3] = 1000.0

    torch.testing.assert_close(pool(patches), patches[:, 4])


@pytest.mark.parametrize(
    "name", ["test_efficientnet", "swin_tiny_patch4_window7_224", "convnext_atto", "mobilenetv3_small_050"]
)
@torch.inference_mode()
def test_a_grid_keeps_its_average_or_takes_attention(name):
    side = 224 if "swin" in name else 64
    frames = frames_of(1, side=side)
    own, mean, attention = (build(name, pool=pool, img_size=side).eval() for pool in ("auto", "mean", "attention"))

    torch.testing.assert_close(mean(frames), own(frames), rtol=0, atol=0)
    torch.testing.assert_close(attention(frames), own(frames), rtol=1e-4, atol=1e-5)  # queries begin at 0


@pytest.mark.parametrize("pool", ["cls", "cls_mean"])
@pytest.mark.parametrize("name", ["test_efficientnet", "vit_base_patch16_siglip_224"])
def test_a_class_token_that_is_not_there_is_an_error_that_names_the_fix(name, pool):
    with pytest.raises(InputError, match=f"--pool {pool}: expected .* got {name}, .* Use --pool mean or --pool attent"):
        build(name, pool=pool)


def test_a_pool_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="expected auto or cls or mean or cls_mean or attention, got max"):
        build(pool="max")


@pytest.mark.parametrize("name", ["test_vit", "vit_base_patch16_siglip_224", "test_efficientnet", "convnext_atto"])
def test_with_an_attention_pool_every_parameter_learns_and_none_is_idle(name):
    backbone = build(name, pool="attention", img_size=64).train()
    backbone(frames_of(3, side=64)).square().sum().backward()

    assert [name for name, parameter in backbone.named_parameters() if parameter.grad is None] == []
    assert backbone.pool.attention.queries.grad.abs().max() > 0


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_adapters_change_nothing_at_first_and_each_of_them_learns(name):
    backbone = with_adapters(name).eval()
    plain = with_adapters(name, lora_rank=None).eval()
    frames = frames_of(4, side=224 if name in {"beit", "swin"} else 32)[:, : 1 if name in {"beit", "swin"} else 4]
    plain.load_state_dict(merged(backbone.state_dict()))
    features = backbone(frames)
    torch.testing.assert_close(features, plain(frames), rtol=1e-4, atol=1e-5)

    features.square().sum().backward()
    ups = {n: p for n, p in backbone.named_parameters() if "lora_B" in n}
    assert len(ups) >= 4
    assert [n for n, parameter in ups.items() if parameter.grad is None or not parameter.grad.abs().max() > 0] == []


@pytest.mark.parametrize("name", ["vit", "dinov3 with biases", "videomae", "vjepa"])
@torch.inference_mode()
def test_merged_weights_are_the_function_that_was_trained(name):
    backbone, frames = with_adapters(name).eval(), frames_of(4)
    for adapter in adapters_of(backbone):
        for parameter in adapter.parameters():
            parameter.normal_(std=0.3)
    plain = with_adapters(name, lora_rank=None).eval()
    before = plain(frames)

    plain.load_state_dict(merged(backbone.state_dict()))

    torch.testing.assert_close(plain(frames), backbone(frames), rtol=1e-3, atol=1e-4)
    assert (plain(frames) - before).abs().max() > 10 * (plain(frames) - backbone(frames)).abs().max()
    assert merged(plain.state_dict()).keys() == plain.state_dict().keys()


def test_the_scale_is_that_of_the_adapters():
    layer = next(m for m in with_adapters("vit").modules() if hasattr(m, "base_layer"))

    assert set(layer.scaling.values()) == {SCALE}


def test_attention_layers_are_found_by_what_they_are_part_of():
    found = attention_layers(timm.create_model("test_vit"))

    assert len(found) == 12
    assert all(name.endswith((".attn.qkv", ".attn.proj")) for name in found)


@pytest.mark.parametrize(
    ("backbone_type", "name"),
    [("vit_2d", "test_efficientnet"), ("torchvision_3d", "s3d"), ("torchvision_3d", "swin3d_t")],
)
def test_an_encoder_without_attention_that_can_be_adapted_is_refused(backbone_type, name):
    with pytest.raises(
        InputError, match=f"lora: expected an encoder with attention layers, got {name}. Use --finetune"
    ):
        build(name, backbone_type=backbone_type, lora_rank=4, clip_T=8)


def test_without_peft_its_extra_is_named(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *rest, **options):
        if name.startswith("peft"):
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"--finetune lora: .*pip install 'nocigram\[lora\]'"):
        add_adapters(timm.create_model("test_vit"), name="test_vit", rank=2)


def test_a_model_with_adapters_is_rebuilt_without_them():
    built = build_model(n_actions=4, encoder_name="test_vit", encoder_weights="none", img_size=32, lora_rank=4)
    again = build_model(built.approach, **built.options)

    assert adapters_of(built.model)
    assert adapters_of(again.model) == []
    again.model.load_state_dict(merged(built.model.state_dict()))


@pytest.mark.parametrize("how", [{"pool": "attention"}, {"lora_rank": 2}])
def test_what_begins_untrained_learns_while_the_encoder_is_frozen(how):
    backbone = build(**how).train()
    for epoch in (0, 5):
        set_learning(backbone, freeze=Freeze(n_epochs=6, last_blocks=None), epoch=epoch)
        learning = {name for name, parameter in backbone.named_parameters() if parameter.requires_grad}
        untrained = {id(p) for module in backbone.untrained() for p in module.parameters()}

        assert learning == {name for name, p in backbone.named_parameters() if id(p) in untrained} != set()
        assert not any(isinstance(m, nn.Dropout | nn.LayerNorm) and m.training for m in backbone.encoder.modules())
        backbone(frames_of(2)).sum().backward()
        assert all(p.grad is not None for p in backbone.parameters() if p.requires_grad)


@pytest.mark.parametrize("how", [{"pool": "attention"}, {"lora_rank": 2}])
def test_what_begins_untrained_learns_at_the_full_rate(how):
    backbone = build(**how)
    model = nn.ModuleDict({"backbone": backbone, "head": nn.Linear(2, 2)})
    plan = Schedule(lr=1.0, weight_decay=0.1, backbone_lr_factor=0.1, scheduler="cosine", n_warmup_steps=0, n_steps=2)
    groups = plan.configure(model, backbone)["optimizer"].param_groups
    rates = {id(parameter): group["initial_lr"] for group in groups for parameter in group["params"]}
    untrained = {id(p) for module in backbone.untrained() for p in module.parameters()}

    for parameter in backbone.parameters():
        assert math.isclose(rates[id(parameter)], 1.0 if id(parameter) in untrained else 0.1)
