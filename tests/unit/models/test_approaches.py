"""What holds for every approach; what is special about one has a file of its own."""

from dataclasses import replace

import pytest
import torch
from approach_inputs import FOUR_KEYPOINTS, N_ACTIONS, N_FRAMES, build, cut, grow, inputs

from nocigram.config.model import POSE_GROUPS, needs_of
from nocigram.core.errors import InputError
from nocigram.models.approaches import APPROACHES
from nocigram.pose.skeleton import MOUSE

SETUPS = [
    *(pytest.param(approach, {}, id=approach) for approach in APPROACHES.names),
    pytest.param("multitask", {"streams": "pose"}, id="multitask, pose alone"),
    pytest.param("multitask", {"streams": "pixels"}, id="multitask, pixels alone"),
    pytest.param("multimodal", {"features": ["graph", "motion", "kinematics", "light"]}, id="multimodal, all features"),
    pytest.param("pose_only", {"features": ["graph", "motion", "light"]}, id="pose_only without kinematics"),
    pytest.param("pose_trees", {"features": ["graph", "motion", "light"]}, id="pose_trees without kinematics"),
]
READ_AS_POSE = ("xy_px", "visible", "body_length_px")


def made(approach, options, *, skeleton=MOUSE):
    """A model that can answer, and windows."""
    batch = inputs(skeleton=skeleton)
    return grow(build(approach, skeleton=skeleton, **options), batch), batch


def needs(approach, options):
    """What a model of these options says that it needs."""
    features = options.get("features", POSE_GROUPS[approach])
    return needs_of(approach, streams=options.get("streams", "pixels+pose"), features=features)


def needed(batch, approach, options):
    """The inputs that come from what `needs_of` names, and no others."""
    wanted = needs(approach, options)
    is_there = dict.fromkeys(READ_AS_POSE, wanted.pose) | {
        "frames": wanted.pixels,
        "light": wanted.light,
        "kinematics": wanted.kinematics,
    }
    return {name: value for name, value in batch.items() if is_there.get(name, True)}


@pytest.mark.parametrize(("approach", "options"), SETUPS)
def test_an_approach_answers_every_frame_and_all_of_it_learns(approach, options):
    model, batch = made(approach, options)
    output = model.train()(**batch | ({} if needs(approach, options).pixels else {"frames": None}))
    loss = torch.stack([logits.square().sum() for logits in output.trained_logits or (output.action_logits,)]).sum()
    if output.keypoints is not None:
        loss = loss + output.keypoints.square().sum()

    assert output.action_logits.shape == (2, N_FRAMES, N_ACTIONS)
    assert output.action_logits.isfinite().all()
    assert model.n_parameters > 0
    if approach == "pose_trees":  # grown before, from the outside
        assert not list(model.parameters())
        return
    loss.backward()
    assert not [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize(("approach", "options"), SETUPS)
@torch.inference_mode()
def test_padding_changes_no_valid_frame_whatever_it_holds(approach, options):
    model, batch = made(approach, options)
    n_frames = 13
    valid = torch.arange(N_FRAMES).expand(2, -1) < n_frames
    alone = model.eval()(**needed(cut(batch, n_frames), approach, options)).action_logits
    padded = model(**needed(batch, approach, options) | {"valid": valid}).action_logits

    torch.testing.assert_close(padded[:, :n_frames], alone, rtol=1e-4, atol=1e-4)
    assert alone.std(dim=1).max() > 1e-3, "a model that says the same of every frame proves nothing"


@pytest.mark.parametrize("approach", ["pose_only", "pose_trees", "multimodal"])
@pytest.mark.parametrize(
    ("skeleton", "features"),
    [
        pytest.param(FOUR_KEYPOINTS, None, id="four keypoints"),
        pytest.param(replace(FOUR_KEYPOINTS, paws=()), ["graph", "kinematics", "light"], id="without paws"),
    ],
)
def test_another_body_will_do(approach, skeleton, features):
    options = {} if features is None else {"features": features}
    model, batch = made(approach, options, skeleton=skeleton)
    output = model.train()(**needed(batch, approach, options))

    assert output.action_logits.shape == (2, N_FRAMES, N_ACTIONS)
    assert output.action_logits.isfinite().all()


@pytest.mark.parametrize(("approach", "options"), SETUPS)
@torch.inference_mode()
def test_what_an_approach_needs_is_what_its_model_requires(approach, options):
    model, batch = made(approach, options)
    given = needed(batch, approach, options)
    assert model.eval()(**given).action_logits.isfinite().all(), "nothing else is required"

    wanted = needs(approach, options)
    is_pose_learnt_alone = options.get("streams") == "pixels"  # keypoints are asked of such a model, not shown to it
    required = {"frames": wanted.pixels, "kinematics": wanted.kinematics}
    required |= dict.fromkeys(READ_AS_POSE, wanted.pose and not is_pose_learnt_alone)
    for name in (name for name, is_required in required.items() if is_required):
        with pytest.raises(ValueError, match=f"expected .*{name}.*, got "):
            model(**given | {name: None})


@pytest.mark.parametrize(("approach", "options"), SETUPS)
@torch.inference_mode()
def test_light_is_read_where_the_needs_name_it_and_nowhere_else(approach, options):
    model, batch = made(approach, options)
    given = needed(batch, approach, options) | {"light": batch["light"]}
    logits = model.eval()(**given).action_logits
    changes = not torch.equal(model(**given | {"light": batch["light"].flip(1)}).action_logits, logits)

    assert changes == needs(approach, options).light


@pytest.mark.parametrize("approach", ["pose_only", "pose_trees", "multimodal"])
@torch.inference_mode()
def test_a_keypoint_that_is_never_visible_is_not_read(approach):
    model, batch = made(approach, {"features": ["graph", "motion"]})
    batch["visible"][:, :, 3] = False
    hidden = batch["xy_px"].clone()
    hidden[:, :, 3] = float("nan")
    changed = model.eval()(**batch | {"xy_px": hidden}).action_logits

    torch.testing.assert_close(changed, model(**batch).action_logits)


@pytest.mark.parametrize(
    ("approach", "options", "message"),
    [
        pytest.param("pose_only", {"members": 0}, "--members: expected at least 1, got 0", id="no members"),
        pytest.param("video_only", {"cnn_size": "big"}, "--cnn_size: expected one of standard, light", id="no size"),
        pytest.param("video_only", {"img_size": 15}, "--img_size: expected at least 16 for the 3D CNN", id="tiny"),
        pytest.param("multimodal", {"img_size": 8}, "--img_size: expected at least 16 for the 3D CNN", id="tinier"),
        pytest.param(
            "pose_only",
            {"skeleton": replace(FOUR_KEYPOINTS, paws=()), "features": ["light"]},
            "--features: expected something to read of the keypoints, got nothing: light needs paws",
            id="light at no paws",
        ),
        pytest.param(
            "multitask",
            {"streams": "pose", "features": ["light"]},
            "--features: expected something to read of the keypoints, got nothing",
            id="light without pixels",
        ),
    ],
)
def test_what_no_model_can_be_made_of_is_refused(approach, options, message):
    with pytest.raises(InputError, match=message):
        build(approach, **options)


@pytest.mark.parametrize("approach", ["video_only", "multimodal", "pose_only", "pose_trees"])
@torch.inference_mode()
def test_context_frames_bound_what_a_prediction_depends_on(approach):
    changed_frame, n_frames = 20, 48
    batch = inputs(n_frames=n_frames, batch=1)
    model = grow(build(approach, tcn_layers=1), batch).eval()
    other = {
        name: value
        if name in ("body_length_px", "valid")
        else torch.cat((value[:, :changed_frame], value[:, [0]], value[:, changed_frame + 1 :]), dim=1)
        for name, value in batch.items()
    }
    differs = (model(**batch).action_logits - model(**other).action_logits).abs().amax((0, 2)) > 1e-6
    frames = differs.nonzero().flatten()

    assert len(frames)
    assert (frames - changed_frame).abs().max() <= model.context_frames
