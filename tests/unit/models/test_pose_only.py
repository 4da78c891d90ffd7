"""Small networks side by side: each learns by itself, what they say is averaged."""

import pytest
import torch
from approach_inputs import N_ACTIONS, N_FRAMES, build, inputs

from nocigram.core.actions import UNSCORED
from nocigram.data.batches import Batch
from nocigram.training.losses import MultitaskLoss

HEADS = pytest.mark.parametrize(
    ("temporal_head", "n_stages"), [pytest.param("tcn", 1, id="tcn"), pytest.param("ms_tcn", 4, id="stages")]
)


@HEADS
@torch.inference_mode()
def test_the_answer_is_the_mean_of_the_members_probabilities(temporal_head, n_stages):
    output = build("pose_only", members=3, temporal_head=temporal_head).eval()(**inputs())
    last_stages = output.trained_logits[n_stages - 1 :: n_stages]
    mean = torch.stack([logits.softmax(-1) for logits in last_stages]).mean(0)

    assert len(output.trained_logits) == 3 * n_stages
    torch.testing.assert_close(output.action_logits.softmax(-1), mean)
    torch.testing.assert_close(output.action_logits.exp(), mean)
    assert not torch.allclose(*last_stages[:2]), "members differ from the start"


@HEADS
def test_each_member_learns_by_its_own_loss_alone(temporal_head, n_stages):
    model, batch = build("pose_only", members=2, temporal_head=temporal_head, dropout=0.0), inputs()
    actions = torch.arange(N_FRAMES).expand(2, -1) % N_ACTIONS
    _loss(model(**batch), batch, actions)["loss"].backward()
    together = [parameter.grad.clone() for parameter in model.members[0].parameters()]
    for parameter in model.members[1].parameters():
        parameter.data.mul_(3)  # a member that says something else
    model.zero_grad()
    _loss(model(**batch), batch, actions)["loss"].backward()

    for before, parameter in zip(together, model.members[0].parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, before)


def _loss(output, batch, actions):
    """The loss of training, without focus or smoothing, so that gradients are those of each member alone."""
    n_windows = len(actions)
    windows = Batch(
        pixels=None,
        features=None,
        light=batch["light"],
        xy_px=batch["xy_px"],
        visible=batch["visible"],
        pose_xy_px=batch["xy_px"],
        pose_visible=batch["visible"],
        has_pixels=torch.ones(n_windows, dtype=torch.bool),
        boxes=torch.ones(*actions.shape, 3),
        body_length_px=batch["body_length_px"],
        actions=torch.where(torch.arange(actions.shape[1]) == 3, UNSCORED, actions),
        valid=batch["valid"],
        action_mask=torch.ones(n_windows),
        is_mirrored=torch.zeros(n_windows, dtype=torch.bool),
        index=torch.arange(n_windows),
    )
    loss = MultitaskLoss(
        class_weights=torch.ones(N_ACTIONS), focal_gamma=0.0, label_smoothing=0.0, lambda_kp=0.0, lambda_smooth=1e-3
    )
    return loss(output, windows)


def test_the_same_seed_builds_the_same_members_and_another_seed_others():
    one, same, other = (build("pose_only", seed=seed).state_dict() for seed in (1, 1, 2))

    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@torch.inference_mode()
def test_a_number_that_is_far_off_says_no_more_than_one_that_is_farther():
    model, batch = build("pose_only").eval(), inputs()
    far, farther = (batch | {"kinematics": batch["kinematics"].sign() * scale} for scale in (1e3, 1e6))

    torch.testing.assert_close(model(**far).action_logits, model(**farther).action_logits)


@pytest.mark.parametrize(
    ("temporal_head", "layers", "context"),
    [
        pytest.param("tcn", 0, 0, id="no layers: kinematics know their surroundings already"),
        pytest.param("gru", 1, None, id="recurrent: the whole window"),
    ],
)
def test_the_context_is_that_of_the_members_heads(temporal_head, layers, context):
    assert build("pose_only", temporal_head=temporal_head, tcn_layers=layers).context_frames == context
