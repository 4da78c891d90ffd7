import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.models.temporal import build_temporal


def tcn(*, layers=3, dropout=0.0):
    torch.manual_seed(0)
    return build_temporal("tcn", in_dim=5, hidden_dim=8, layers=layers, dropout=dropout).eval()


@settings(max_examples=25, deadline=None)
@given(n_frames=st.integers(1, 40), n_padding=st.integers(1, 20))
def test_padding_changes_no_valid_frame(n_frames, n_padding):
    head = tcn()
    x = torch.randn(2, n_frames + n_padding, 5)
    valid = torch.arange(n_frames + n_padding).expand(2, -1) < n_frames

    alone = head(x[:, :n_frames], valid=torch.ones(2, n_frames, dtype=torch.bool))

    torch.testing.assert_close(head(x, valid=valid)[:, :n_frames], alone)


@pytest.mark.parametrize(("layers", "context_frames"), [(1, 2), (3, 14), (5, 62)])
def test_a_frame_knows_its_context_on_both_sides_and_no_more(layers, context_frames):
    head, middle = tcn(layers=layers), 70
    x = torch.randn(1, 141, 5, requires_grad=True)
    head(x, valid=torch.ones(1, 141, dtype=torch.bool))[0, middle, 0].backward()

    seen = x.grad[0].abs().sum(-1).nonzero().flatten()

    assert head.context_frames == context_frames
    assert (int(seen.min()), int(seen.max())) == (middle - context_frames, middle + context_frames)


def test_a_window_does_not_see_the_others_of_its_batch_in_training():
    head = tcn().train()
    x, valid = torch.randn(3, 12, 5), torch.ones(3, 12, dtype=torch.bool)

    torch.testing.assert_close(head(x, valid=valid)[:1], head(x[:1], valid=valid[:1]))
