"""The schedule of learning rates, parameter groups, and what of the backbone learns when."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nocigram.models.approaches import build_model
from nocigram.models.backbones import build_backbone
from nocigram.training.module import Freeze, set_learning
from nocigram.training.schedule import Schedule


def schedule(**changes):
    defaults = {
        "lr": 1e-3,
        "weight_decay": 0.05,
        "backbone_lr_factor": 0.1,
        "scheduler": "cosine",
        "n_warmup_steps": 4,
        "n_steps": 20,
    }
    return Schedule(**(defaults | changes))


@settings(deadline=None)
@given(st.sampled_from(["cosine", "plateau"]), st.integers(0, 50), st.integers(1, 50))
def test_no_step_is_at_zero_or_above_the_peak(scheduler, n_warmup, n_steps):
    plan = schedule(scheduler=scheduler, n_warmup_steps=min(n_warmup, n_steps), n_steps=n_steps)

    assert all(0 < plan.factor(step) <= 1 for step in range(n_steps))


def test_warm_up_rises_by_equal_steps_and_cosine_falls_to_nearly_nothing():
    factors = [schedule().factor(step) for step in range(20)]

    assert factors[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert factors[4] == 1
    assert factors[12] == pytest.approx(0.5)
    assert factors[19] == pytest.approx(0.5 * (1 + math.cos(math.pi * 15 / 16)))
    assert factors[4:] == sorted(factors[4:], reverse=True)


def test_the_optimizer_takes_its_first_cosine_step_above_zero():
    configured = schedule().configure(nn.Linear(2, 2), None)

    assert configured["optimizer"].param_groups[0]["lr"] == pytest.approx(1e-3 * 0.2)
    assert configured["lr_scheduler"]["interval"] == "step"


def test_plateau_warms_up_and_then_leaves_the_rate_to_its_scheduler():
    plan = schedule(scheduler="plateau")
    configured = plan.configure(nn.Linear(2, 2), None)
    optimizer, plateau = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    group = optimizer.param_groups[0]
    rates = []
    for step in range(6):
        plan.warm_up(optimizer, step=step)
        rates.append(group["lr"])
    assert rates == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3])

    for _ in range(6):
        plateau.step(0.5)
    plan.warm_up(optimizer, step=7)
    assert group["lr"] == pytest.approx(5e-4)
    assert configured["lr_scheduler"]["monitor"] == "val/macro_f1"


def test_biases_and_norms_have_no_weight_decay_and_the_backbone_a_smaller_rate():
    model = build_model(n_actions=4, hidden_dim=8, encoder_name="test_vit", encoder_weights="none", img_size=32).model
    optimizer = schedule().configure(model, model.backbone)["optimizer"]
    place = {id(p): group for group in optimizer.param_groups for p in group["params"]}

    assert len(place) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        group = place[id(parameter)]
        assert group["weight_decay"] == (0.05 if parameter.ndim > 1 else 0), name
        assert group["initial_lr"] == pytest.approx(1e-4 if name.startswith("backbone.") else 1e-3), name


def backbone(name):
    torch.manual_seed(0)
    weights = "pretrained" if name == "embedded" else "none"
    return build_backbone("vit_2d", encoder_name=name, encoder_weights=weights, img_size=32).backbone


def learns(module):
    return {parameter.requires_grad for parameter in module.parameters()}


def test_a_frozen_backbone_is_in_eval_mode_and_then_learns():
    encoder = backbone("test_vit").train()
    freeze = Freeze(n_epochs=2, last_blocks=None)
    for epoch in (0, 1):
        set_learning(encoder, freeze=freeze, epoch=epoch)
        assert learns(encoder) == {False}
        assert not any(module.training for module in encoder.modules())
    set_learning(encoder, freeze=freeze, epoch=2)
    assert learns(encoder) == {True}
    assert all(module.training for module in encoder.modules())


@pytest.mark.parametrize(
    ("n_last", "n_learning"),
    [(1, 1), (2, 2), (0, 0), pytest.param(7, 6, id="one more than there are")],
)
def test_only_the_last_blocks_are_unfrozen(n_last, n_learning):
    encoder = backbone("test_vit")
    blocks = encoder.blocks()
    set_learning(encoder, freeze=Freeze(n_epochs=1, last_blocks=n_last), epoch=1)
    expected = [False] * (len(blocks) - n_learning) + [True] * n_learning

    assert [learns(block) == {True} for block in blocks] == expected
    assert [all(module.training for module in [*block.modules()][1:]) for block in blocks] == expected
    assert learns(encoder.encoder.patch_embed) == {False}
    assert not encoder.encoder.patch_embed.training


@pytest.mark.parametrize("last_blocks", [None, 3], ids=["all of it", "its last blocks"])
def test_batch_norms_of_pretrained_weights_stay_in_eval_mode(last_blocks):
    encoder = backbone("embedded")
    set_learning(encoder, freeze=Freeze(n_epochs=0, last_blocks=last_blocks), epoch=0)
    norms = [module for module in encoder.modules() if isinstance(module, _BatchNorm)]

    assert len(norms) > 10
    assert not any(norm.training for norm in norms)
    assert True in learns(encoder.blocks()[-1])
