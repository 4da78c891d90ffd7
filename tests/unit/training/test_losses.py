"""The terms of the loss, and that nothing counts which nobody scored."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from window_batches import N_CLASSES, batch_of

from nocigram.core.actions import UNSCORED
from nocigram.models.output import ModelOutput
from nocigram.training.losses import MultitaskLoss, focal_loss, keypoint_loss, smoothness_loss

WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 3.0])


def output_of(batch, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = batch.actions.shape
    return ModelOutput(
        action_logits=3 * torch.randn(*size, N_CLASSES, generator=generator),
        keypoints=torch.rand(*size, 6, 2, generator=generator),
    )


def loss_of(**changes):
    defaults = {"focal_gamma": 2.5, "label_smoothing": 0.1, "lambda_kp": 0.7, "lambda_smooth": 0.3}
    return MultitaskLoss(class_weights=WEIGHTS, **(defaults | changes))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [WEIGHTS, torch.ones(4)], ids=["weighted", "all classes alike"])
def test_focal_loss_with_gamma_zero_is_cross_entropy(smoothing, weights):
    batch = batch_of()
    logits = output_of(batch).action_logits
    batch.actions[0, 3] = UNSCORED
    scored = batch.actions != UNSCORED
    loss = focal_loss(logits, batch.actions, scored, class_weights=weights, gamma=0.0, label_smoothing=smoothing)
    if smoothing == 0:
        expected = functional.cross_entropy(
            logits.flatten(0, 1), batch.actions.flatten(), weight=weights, ignore_index=UNSCORED
        )
    else:  # torch weighs the smoothed part by each class's own weight, here a frame's weight is its label's
        each = functional.cross_entropy(
            logits.flatten(0, 1),
            batch.actions.flatten(),
            ignore_index=UNSCORED,
            label_smoothing=smoothing,
            reduction="none",
        )
        frame_weights = (weights[batch.actions.clamp(min=0)] * scored).flatten()
        expected = (each * frame_weights).sum() / frame_weights.sum()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_focal_loss_scales_each_frame_by_its_own_doubt():
    logits = torch.tensor([[[2.0, 0.0], [0.0, 1.0]]])
    actions = torch.zeros(1, 2, dtype=torch.long)
    p = logits.softmax(-1)[0, :, 0]
    loss = focal_loss(logits, actions, actions == 0, class_weights=torch.ones(2), gamma=2.0, label_smoothing=0.0)

    assert loss.item() == pytest.approx(((1 - p) ** 2 * -p.log()).mean().item(), rel=1e-5)


@settings(deadline=None, max_examples=40)
@given(
    hidden=st.sets(st.tuples(st.integers(0, 1), st.integers(0, 11)), max_size=23),
    how=st.sampled_from(["unscored", "padding", "unannotated"]),
    seed=st.integers(0, 100),
)
def test_what_nobody_scored_changes_no_term_of_the_actions(hidden, how, seed):
    def hide(batch):
        if how == "unannotated":
            batch.action_mask[1] = 0
            return torch.tensor([[False], [True]]).expand(2, 12)
        is_hidden = torch.zeros(2, 12, dtype=torch.bool)
        for window, frame in hidden:
            is_hidden[window, frame] = True
        if how == "padding":
            batch.valid &= ~is_hidden
        else:
            batch.actions[is_hidden] = UNSCORED
        return is_hidden

    one, other = batch_of(seed=seed), batch_of(seed=seed)
    is_hidden = hide(one)
    hide(other)
    output = output_of(one, seed=seed)
    changed = ModelOutput(
        action_logits=torch.where(is_hidden[..., None], 50 * torch.rand(2, 12, 4), output.action_logits),
        keypoints=output.keypoints,
    )
    if how != "unscored":
        other.actions[is_hidden] = (other.actions[is_hidden] + 1) % N_CLASSES
    first, second = loss_of()(output, one), loss_of()(changed, other)
    assert first["action"].item() == pytest.approx(second["action"].item(), rel=1e-5, abs=1e-7)
    assert first["smooth"].item() == pytest.approx(second["smooth"].item(), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda batch, at: batch.visible.__setitem__((slice(None), at), False), id="an invisible keypoint"),
        pytest.param(lambda batch, at: batch.valid.__setitem__((slice(None), at), False), id="padding"),
    ],
)
def test_keypoints_that_nobody_saw_change_no_loss_and_get_no_gradient(hide):
    batch = batch_of()
    hide(batch, 5)
    output = output_of(batch)
    output.keypoints.requires_grad_()
    before = loss_of()(output, batch)["kp"]
    before.backward()
    batch.xy_px[:, 5] += 1000

    assert loss_of()(output, batch)["kp"].item() == before.item()
    assert (output.keypoints.grad[:, 5] == 0).all()
    assert (output.keypoints.grad[:, 4] != 0).any()


def test_windows_whose_pixels_are_hidden_teach_no_keypoints():
    batch = batch_of(has_pixels=torch.tensor([True, False]))
    output = output_of(batch)
    before = loss_of()(output, batch)["kp"].item()
    output.keypoints[1] += 5

    assert loss_of()(output, batch)["kp"].item() == before
    output.keypoints[0] += 5
    assert loss_of()(output, batch)["kp"].item() > before


def test_keypoint_loss_is_smooth_l1_over_the_visible_ones():
    predicted, tracked = torch.rand(1, 3, 6, 2), torch.rand(1, 3, 6, 2)
    seen = torch.zeros(1, 3, 6, dtype=torch.bool)
    seen[0, 1, 2] = seen[0, 2, 4] = True
    expected = functional.smooth_l1_loss(predicted[seen], tracked[seen], beta=0.02)

    assert keypoint_loss(predicted, tracked, seen).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(0.0, 0.0, id="the same in every frame"),
        pytest.param(1e6, 16 / 2, id="an edge of a bout counts as much as the clip, not more"),
    ],
)
def test_smoothness_is_the_truncated_change_of_log_probabilities(step, expected):
    logits = torch.tensor([[[0.0, 0.0], [step, 0.0], [step, 0.0]]])
    scored = torch.tensor([[True, True, False]])

    # with two classes and a great step one log-probability stays near its own, the other passes the clip
    assert smoothness_loss(logits, scored).item() == pytest.approx(expected, rel=0.05)


def test_the_loss_is_the_weighted_sum_of_its_terms():
    batch = batch_of()
    terms = loss_of()(output_of(batch), batch)

    expected = terms["action"] + 0.7 * terms["kp"] + 0.3 * terms["smooth"]
    assert terms["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_stages_are_trained_alike_and_keypoints_weigh_the_same_whatever_their_number():
    batch = batch_of()
    stages = [output_of(batch, seed=seed) for seed in range(3)]
    logits = [stage.action_logits for stage in stages]
    each = [loss_of()(replace(stages[-1], action_logits=of_stage), batch) for of_stage in logits]
    together = loss_of()(replace(stages[-1], trained_logits=tuple(logits)), batch)

    for term in ("action", "smooth", "kp", "loss"):
        expected = sum(terms[term].item() for terms in each) / 3
        assert together[term].item() == pytest.approx(expected, rel=1e-5), term


def test_without_a_keypoint_head_there_is_no_keypoint_term():
    batch = batch_of()
    terms = loss_of()(ModelOutput(action_logits=output_of(batch).action_logits, keypoints=None), batch)

    assert set(terms) == {"loss", "action", "smooth"}


def test_a_batch_without_anything_scored_has_a_finite_loss_and_gradient():
    batch = batch_of(action_mask=torch.zeros(2))
    batch.visible[:] = False
    output = output_of(batch)
    output.action_logits.requires_grad_()
    loss = loss_of()(output, batch)["loss"]
    loss.backward()

    assert loss.item() == 0
    assert (output.action_logits.grad == 0).all()
