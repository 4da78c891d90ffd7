"""The 3D CNN beside pose: attention over the clip, statistics of the pose, windows without pixels."""

import pytest
import torch
from approach_inputs import build, inputs
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.models.approaches.multimodal import ClipAttention
from nocigram.models.approaches.pose_groups import Pose, numbers_of


@settings(max_examples=25, deadline=None)
@given(n_frames=st.integers(1, 40), n_valid=st.integers(1, 40), seed=st.integers(0, 99))
@torch.inference_mode()
def test_attention_is_a_softmax_over_the_valid_frames_of_each_clip(n_frames, n_valid, seed):
    torch.manual_seed(seed)
    n_valid = min(n_valid, n_frames)
    attend, x = ClipAttention(6), torch.randn(1, n_frames, 6)
    pooled = attend(x, valid=torch.arange(n_frames)[None] < n_valid)

    assert pooled.isfinite().all(), "clips of padding alone too"
    for frame in range(n_valid):
        clip = x[0, max(0, frame - 8) : min(n_valid, frame + 8)]
        weights = torch.exp(clip @ attend.score.weight[0] + attend.score.bias)
        expected = (weights[:, None] * clip).sum(0) / weights.sum()
        torch.testing.assert_close(pooled[0, frame], expected, rtol=1e-4, atol=1e-5)


def test_the_statistics_that_pose_features_are_standardised_by_travel_in_the_state_dict():
    model, batch = build("multimodal"), inputs()
    for _ in range(3):
        model.train()(**batch)
    state = model.state_dict()
    pose = Pose.of(**{name: value for name, value in batch.items() if name != "frames"})
    rows = numbers_of(model.groups, pose)

    torch.testing.assert_close(state["standardise.mean"], rows.flatten(0, 1).mean(0))
    torch.testing.assert_close(state["standardise.variance"], rows.flatten(0, 1).var(0, correction=0))
    again = build("multimodal", seed=1)
    again.load_state_dict(state)
    torch.testing.assert_close(again.eval()(**batch).action_logits, model.eval()(**batch).action_logits)


@pytest.mark.parametrize("seen", [True, False], ids=["looked at", "not looked at"])
@torch.inference_mode()
def test_pixels_count_only_where_they_are_to_be_looked_at(seen):
    model, batch = build("multimodal").eval(), inputs()
    batch["has_pixels"] = torch.tensor([seen, True])
    logits = model(**batch).action_logits
    other = model(**batch | {"frames": 255 - batch["frames"]}).action_logits

    assert torch.allclose(logits[0], other[0], atol=1e-6) != seen
    assert not torch.allclose(logits[1], other[1], atol=1e-6)
