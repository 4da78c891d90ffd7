import copy
from typing import get_args

import pytest
import torch

from nocigram.core.errors import InputError
from nocigram.core.literals import Approach, BackboneType, ModelType, Streams, TemporalType
from nocigram.models.approaches import APPROACHES, build_model
from nocigram.models.backbones import BACKBONES
from nocigram.models.registry import Registry
from nocigram.models.temporal import TEMPORAL_HEADS

CLIP_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
BACKBONE_OPTIONS = {
    "vit_2d": {"encoder_name": "test_vit"},
    "videomae2_3d": {"encoder_name": "MCG-NJU/videomae-base", "encoder_config": CLIP_SIZES},
    "vjepa2_3d": {
        "encoder_name": "facebook/vjepa2-vitl-fpc64-256",
        "encoder_config": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2.0},
    },
    "torchvision_3d": {"encoder_name": "s3d"},
}
N_FRAMES = 20


def build(**options):
    torch.manual_seed(0)
    tiny = {"n_actions": 5, "hidden_dim": 16, "encoder_weights": "none", "img_size": 32, "backbone_chunk": 16}
    return build_model(**(tiny | BACKBONE_OPTIONS[options.get("backbone_type", "vit_2d")] | options))


def inputs(*, batch=2, n_frames=N_FRAMES):
    generator = torch.Generator().manual_seed(2)
    return {
        "frames": torch.randint(0, 256, (batch, n_frames, 1, 32, 32), dtype=torch.uint8, generator=generator),
        "xy_px": 100 * torch.rand(batch, n_frames, 6, 2, generator=generator),
        "visible": torch.rand(batch, n_frames, 6, generator=generator) < 0.9,
        "body_length_px": torch.full((batch,), 60.0),
    }


def given(streams):
    """The inputs that a model of those streams needs."""
    unneeded = {"pixels": {"xy_px", "visible", "body_length_px"}, "pose": {"frames"}, "pixels+pose": set()}[streams]
    return {name: value for name, value in inputs().items() if name not in unneeded}


@pytest.mark.parametrize(
    ("registry", "literal"),
    [
        pytest.param(BACKBONES, BackboneType, id="backbones"),
        pytest.param(TEMPORAL_HEADS, TemporalType, id="temporal heads"),
        pytest.param(APPROACHES, Approach, id="approaches"),
    ],
)
def test_a_registry_holds_exactly_the_names_that_an_option_allows(registry, literal):
    assert sorted(registry.names) == sorted(get_args(literal))
    assert all(registry[name].summary and registry[name].source for name in registry.names)
    with pytest.raises(InputError, match=f"expected one of {registry.names[0]}.*, got 'other'"):
        registry["other"]


def test_a_name_is_registered_once():
    registry = Registry("--thing")
    registry.register("a", summary="s", source="s")(len)

    with pytest.raises(ValueError, match="'a' to be registered once"):
        registry.register("a", summary="s", source="s")(len)


@pytest.mark.parametrize("temporal_head", TEMPORAL_HEADS.names)
@pytest.mark.parametrize("backbone_type", BACKBONES.names)
@pytest.mark.parametrize("model_type", get_args(ModelType))
@pytest.mark.parametrize("streams", get_args(Streams))
def test_every_combination_runs_and_every_parameter_learns(temporal_head, backbone_type, model_type, streams):
    built = build(temporal_head=temporal_head, backbone_type=backbone_type, model_type=model_type, streams=streams)
    output = built.model.train()(**given(streams))
    loss = output.action_logits.square().sum()
    if model_type == "multitask":
        assert output.keypoints.shape == (2, N_FRAMES, 6, 2)
        loss = loss + output.keypoints.square().sum()
    loss.backward()

    assert output.action_logits.shape == (2, N_FRAMES, 5)
    assert not output.action_logits.isnan().any()
    assert (output.keypoints is None) == (model_type == "action_only")
    assert (built.backbone is None) == (streams == "pose")
    without = [name for name, parameter in built.model.named_parameters() if parameter.grad is None]
    assert not without
    assert all(parameter.grad.isfinite().all() for parameter in built.model.parameters())


def test_the_guides_default_encoder_runs():
    model = build(encoder_name="vit_small_patch14_dinov2.lvd142m", img_size=56).model.eval()
    small = {"frames": torch.zeros(1, 2, 1, 56, 56, dtype=torch.uint8)}

    with torch.inference_mode():
        output = model(**inputs(batch=1, n_frames=2) | small)
    assert output.action_logits.isfinite().all()


@pytest.mark.parametrize("backbone_type", BACKBONES.names)
@torch.inference_mode()
def test_padding_changes_no_valid_frame_whatever_it_holds(backbone_type):
    model, batch = build(backbone_type=backbone_type).model.eval(), inputs()
    n_frames = 13
    valid = torch.arange(N_FRAMES).expand(2, -1) < n_frames
    padded, alone = (
        model(**batch, valid=valid),
        model(
            **{name: value if name == "body_length_px" else value[:, :n_frames] for name, value in batch.items()},
        ),
    )

    torch.testing.assert_close(padded.action_logits[:, :n_frames], alone.action_logits)
    torch.testing.assert_close(padded.keypoints[:, :n_frames], alone.keypoints)


@pytest.mark.parametrize("backbone_type", BACKBONES.names)
def test_a_copy_runs_under_bfloat16(backbone_type):
    built = build(backbone_type=backbone_type, gradient_checkpointing=True)
    model = copy.deepcopy(built.model).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(**inputs(), valid=torch.arange(N_FRAMES).expand(2, -1) < 18)
        (output.action_logits.float().square().sum() + output.keypoints.float().square().sum()).backward()

    assert output.action_logits.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@torch.inference_mode()
def test_features_computed_before_give_the_same_as_frames():
    model, batch = build().model.eval(), inputs()
    features = model.backbone(batch.pop("frames"))
    expected = model(**inputs())

    torch.testing.assert_close(model(**batch, features=features).action_logits, expected.action_logits)


@torch.inference_mode()
def test_a_keypoint_that_is_never_visible_is_not_read():
    model, batch = build().model.eval(), inputs()
    batch["visible"][:, :, 3] = False
    hidden = batch["xy_px"].clone()
    hidden[:, :, 3] = float("nan")
    changed = model(**batch | {"xy_px": hidden})

    torch.testing.assert_close(changed.action_logits, model(**batch).action_logits)


@torch.inference_mode()
def test_the_pose_stream_tells_unknown_from_zero():
    model, batch = build(streams="pose").model.eval(), given("pose")
    in_one_point = batch | {"xy_px": torch.zeros(2, N_FRAMES, 6, 2), "visible": torch.ones(2, N_FRAMES, 6).bool()}
    unseen = in_one_point | {"visible": torch.zeros(2, N_FRAMES, 6).bool()}

    assert not torch.allclose(model(**in_one_point).action_logits, model(**unseen).action_logits)


@torch.inference_mode()
def test_the_pose_stream_moves_with_pose_but_not_with_place_or_scale():
    model, batch = build().model.eval(), inputs()
    logits = model(**batch).action_logits

    assert not torch.allclose(model(**batch | {"xy_px": batch["xy_px"].flip(0)}).action_logits, logits)
    torch.testing.assert_close(
        model(**batch | {"xy_px": 3 * batch["xy_px"] + 7, "body_length_px": 3 * batch["body_length_px"]}).action_logits,
        logits,
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("streams", "change", "message"),
    [
        pytest.param(
            "pixels",
            {"frames": None, "valid": torch.ones(2, 3).bool()},
            "expected either frames or features",
            id="nothing to see",
        ),
        pytest.param("pose", {"visible": None}, "expected xy_px, visible and body_length_px", id="half a pose"),
        pytest.param("pose", {"xy_px": None}, "got none of them", id="nothing at all"),
    ],
)
def test_missing_inputs_are_named(streams, change, message):
    with pytest.raises(ValueError, match=message):
        build(streams=streams).model(**given(streams) | change)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"n_actions": 1}, "--n_actions: expected at least 2, got 1", id="one action"),
        pytest.param({"tcn_layers": -1}, "--tcn_layers: expected at least 0, got -1", id="no layers"),
        pytest.param({"dropout": 1.0}, "--dropout: expected 0 <= rate < 1, got 1.0", id="everything dropped"),
        pytest.param({"streams": "sound"}, "--streams: expected one of pixels.pose, pixels, pose", id="no such stream"),
        pytest.param({"model_type": "both"}, "--model_type: expected one of action_only", id="no such mode"),
    ],
)
def test_sizes_that_no_model_can_have_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


def test_the_options_of_a_built_model_ask_for_no_weights_and_no_fallback():
    options = build(encoder_weights="none").options

    assert (options["encoder_weights"], options["strict_backbone"], options["encoder_name"]) == (
        "none",
        True,
        "test_vit",
    )


@torch.inference_mode()
def test_context_frames_bound_what_a_prediction_depends_on():
    model, batch = build(tcn_layers=1, streams="pose").model.eval(), inputs()
    del batch["frames"]
    batch["visible"] = torch.ones_like(batch["visible"])
    moved = batch["xy_px"].clone()
    moved[:, 10, 0] += 50
    difference = (model(**batch).action_logits - model(**batch | {"xy_px": moved}).action_logits).abs().amax((0, 2))

    assert model.context_frames == 2 + 3
    assert difference.nonzero().flatten().tolist() == list(range(5, 16))
