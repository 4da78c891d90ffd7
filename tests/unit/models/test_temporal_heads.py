"""Every temporal head: what it does to any window, what it reads of it, and what it is not allowed to read."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nocigram.models.temporal import TEMPORAL_HEADS, build_temporal

N_ACTIONS = 4
EVERY_HEAD = pytest.mark.parametrize("name", TEMPORAL_HEADS.names)


class WithActions(nn.Module):
    """A head and what comes after it, down to the logits of its last stage."""

    def __init__(self, name, *, layers, hidden_dim, dropout):
        super().__init__()
        self.head = build_temporal(
            name, in_dim=5, hidden_dim=hidden_dim, n_actions=N_ACTIONS, layers=layers, dropout=dropout
        )
        self.actions = nn.Linear(hidden_dim, N_ACTIONS)

    def forward(self, x, valid):
        features = self.head(x, valid=valid)
        return features, self.head.refine(self.actions(features), valid=valid)


def model(name, *, layers=2, hidden_dim=8, dropout=0.0):
    torch.manual_seed(0)
    return WithActions(name, layers=layers, hidden_dim=hidden_dim, dropout=dropout).eval()


def window(n_frames, *, batch=2):
    return torch.randn(batch, n_frames, 5), torch.ones(batch, n_frames, dtype=torch.bool)


@EVERY_HEAD
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("n_frames", [1, 2, 17, 345])
def test_a_window_of_any_length_gives_features_and_finite_gradients(name, layers, n_frames):
    net = model(name, layers=layers, dropout=0.2).train()
    features, stages = net(*window(n_frames))
    sum(logits.square().sum() for logits in stages).backward()

    assert features.shape == (2, n_frames, 8)
    assert all(logits.shape == (2, n_frames, N_ACTIONS) for logits in stages)
    assert not features.isnan().any()
    assert not [each for each, parameter in net.named_parameters() if parameter.grad is None]
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


@EVERY_HEAD
def test_every_parameter_changes_the_last_stage(name):
    net = model(name)
    net(*window(40))[1][-1][..., 0].square().sum().backward()

    assert not [each for each, parameter in net.named_parameters() if not parameter.grad.any()]


@EVERY_HEAD
@settings(max_examples=25, deadline=None)
@given(n_frames=st.integers(1, 40), n_padding=st.integers(1, 20))
@torch.inference_mode()
def test_padding_changes_no_valid_frame(name, n_frames, n_padding):
    net = model(name)
    x, _ = window(n_frames + n_padding)
    valid = torch.arange(n_frames + n_padding).expand(2, -1) < torch.tensor([[n_frames], [n_frames + n_padding]])
    features, stages = net(x, valid)
    features_alone, stages_alone = net(*(tensor[:1, :n_frames] for tensor in (x, valid)))

    torch.testing.assert_close(features[:1, :n_frames], features_alone)
    torch.testing.assert_close(stages[-1][:1, :n_frames], stages_alone[-1])


@EVERY_HEAD
@torch.inference_mode()
def test_a_window_of_padding_alone_is_finite_and_leaves_the_others_as_they_are(name):
    net, (x, valid) = model(name), window(20)
    valid[0] = False
    _, stages = net(x, valid)

    assert stages[-1].isfinite().all()
    torch.testing.assert_close(stages[-1][1:], net(x[1:], valid[1:])[1][-1])


@pytest.mark.parametrize(
    ("name", "layers", "context_frames"),
    [
        ("tcn", 1, 2),
        ("tcn", 3, 14),
        ("tcn", 5, 62),
        ("ms_tcn", 1, 1 + 3),
        ("ms_tcn", 3, (4 + 2 + 4) + 3 * 7),
        ("transformer", 1, 1 + 8),
        ("transformer", 3, 7 + 8 + 16 + 32),
    ],
)
def test_a_frame_knows_its_context_on_both_sides_and_no_more(name, layers, context_frames):
    net, middle = model(name, layers=layers).double(), 70
    x = torch.randn(1, 141, 5, dtype=torch.float64, requires_grad=True)
    net(x, torch.ones(1, 141, dtype=torch.bool))[1][-1][0, middle, 0].backward()

    seen = x.grad[0].abs().sum(-1).nonzero().flatten()

    assert net.head.context_frames == context_frames
    assert (int(seen.min()), int(seen.max())) == (middle - context_frames, middle + context_frames)


def test_a_frame_of_the_recurrent_head_knows_its_whole_window():
    net = model("gru").double()
    x = torch.randn(1, 61, 5, dtype=torch.float64, requires_grad=True)
    net(x, torch.ones(1, 61, dtype=torch.bool))[0][0, 30, 0].backward()

    assert net.head.context_frames is None
    assert x.grad[0].abs().sum(-1).all()


@EVERY_HEAD
def test_a_window_does_not_see_the_others_of_its_batch_in_training(name):
    net, (x, valid) = model(name).train(), window(12, batch=3)

    torch.testing.assert_close(net(x, valid)[0][:1], net(x[:1], valid[:1])[0])


@EVERY_HEAD
@torch.inference_mode()
def test_a_width_that_divides_by_nothing_is_as_good_as_others(name):
    features, _ = model(name, hidden_dim=13)(*window(9))

    assert features.shape == (2, 9, 13)


@EVERY_HEAD
def test_a_copy_learns_under_bfloat16(name):
    net = copy.deepcopy(model(name)).train()
    with torch.autocast("cpu", torch.bfloat16):
        features, stages = net(*window(50))
        (features.float().square().sum() + stages[-1].float().square().sum()).backward()

    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


@pytest.mark.parametrize("name", ["tcn", "ms_tcn", "transformer"])
@torch.inference_mode()
def test_where_a_window_begins_changes_no_frame_whose_context_is_within_it(name):
    net, (x, valid) = model(name), window(161)
    context = net.head.context_frames
    later = net(x[:, 37:], valid[:, 37:])[0][:, context:]

    torch.testing.assert_close(later, net(x, valid)[0][:, 37 + context :], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_local_attention_is_attention_under_a_band_with_rotary_positions():
    net = model("transformer", layers=1)
    attention = net.head.layers[0].attention
    x, valid = torch.randn(1, 43, 8), torch.ones(1, 43, dtype=torch.bool)
    valid[:, 40:] = False
    n_heads, n_frames = 4, 43
    query, key, value = attention.to_qkv(attention.norm(x))[0].unflatten(-1, (3, n_heads, -1)).permute(1, 2, 0, 3)
    position = torch.arange(n_frames)
    distance = position[:, None] - position
    # head_dim is 2 here: one pair, turned by one radian a frame
    query, key = (torch.view_as_complex(tensor.contiguous()) for tensor in (query, key))
    scores = (query[:, :, None] * key.conj()[:, None] * torch.exp(1j * distance)).real / 2**0.5
    scores = scores.masked_fill((distance.abs() > attention.reach) | ~valid, float("-inf"))
    expected = attention.merge((scores.softmax(-1) @ value).transpose(0, 1).flatten(1))

    torch.testing.assert_close(attention(x, valid)[0, :40], expected[:40], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_only_ms_tcn_has_stages_and_its_first_is_what_the_action_head_said():
    for name in TEMPORAL_HEADS.names:
        net, (x, valid) = model(name), window(12)
        features, stages = net(x, valid)
        assert len(stages) == (4 if name == "ms_tcn" else 1)
        torch.testing.assert_close(stages[0], net.actions(features))
