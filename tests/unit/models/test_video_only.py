"""The 3D CNN over clips: computed once for a window, the same as clip by clip."""

import pytest
import torch
from approach_inputs import SIDE, build, inputs
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.models.approaches import build_model
from nocigram.models.approaches.clip_cnn import CLIP_N_FRAMES, ClipCnn, HalvedPicture


def cnn_of(*, chunk_frames=16, seed=0):
    """A small CNN whose batch norms have seen something."""
    torch.manual_seed(seed)
    cnn = ClipCnn("light", chunk_frames=chunk_frames)
    for module in cnn.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return cnn.eval()


def clip_by_clip(cnn, frames, n_frames):
    """Each frame's clip of 16 frames cut out of the window, its ends repeated, and run alone."""
    rows = []
    for frame in range(n_frames):
        clip = frames[[min(max(0, frame + offset), n_frames - 1) for offset in range(-8, 8)]]
        grey = (clip.float().mean(dim=1) / 255 - 0.45) / 0.225
        rows.append(cnn.blocks(grey[None, None]).mean(dim=(0, 2, 3, 4)))
    return torch.stack(rows)


@settings(max_examples=15, deadline=None)
@given(
    n_frames=st.lists(st.integers(1, 24), min_size=1, max_size=2),
    n_padded=st.integers(0, 9),
    chunk_frames=st.integers(1, 40),
)
@torch.inference_mode()
def test_a_window_at_once_is_its_clips_one_by_one(n_frames, n_padded, chunk_frames):
    cnn, T = cnn_of(chunk_frames=chunk_frames), max(n_frames) + n_padded
    frames = torch.randint(0, 256, (len(n_frames), T, 1, 16, 16), dtype=torch.uint8)
    features = cnn(frames, n_frames=torch.tensor(n_frames))

    assert features.shape == (len(n_frames), T, cnn.out_dim)
    for window, n in enumerate(n_frames):
        expected = clip_by_clip(cnn, frames[window], n)
        torch.testing.assert_close(features[window, :n], expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_beyond_the_ends_of_a_window_its_first_and_last_frame_are_held():
    model, frames = build("video_only").eval(), inputs(batch=1)["frames"]
    held = torch.cat((frames[:, [0] * 8], frames, frames[:, [-1] * 8]), dim=1)

    torch.testing.assert_close(model(frames=held).action_logits[:, 8:-8], model(frames=frames).action_logits)


@torch.inference_mode()
def test_a_clip_has_eight_frames_before_its_own_and_seven_after():
    model, frames = build("video_only").eval(), inputs(batch=1, n_frames=40)["frames"]
    other = frames.clone()
    other[:, 20] = 255 - other[:, 20]
    differs = (model(frames=other).action_logits - model(frames=frames).action_logits).abs().amax((0, 2)) > 0

    assert differs.nonzero().flatten().tolist() == list(range(20 - 7, 20 + 8 + 1))
    assert CLIP_N_FRAMES == 16


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda frames: frames.expand(-1, -1, 3, -1, -1), id="colour of three equal channels"),
        pytest.param(lambda frames: frames.float() / 255, id="floats from 0 to 1"),
    ],
)
@torch.inference_mode()
def test_the_same_picture_gives_the_same_answer(shown):
    model, frames = build("video_only").eval(), inputs()["frames"]

    torch.testing.assert_close(model(frames=shown(frames)).action_logits, model(frames=frames).action_logits)


@pytest.mark.parametrize(
    ("cnn_size", "low", "high"),
    [pytest.param("standard", 2.7e6, 3.1e6, id="standard"), pytest.param("light", 0.6e6, 0.7e6, id="light")],
)
def test_the_two_sizes_have_the_documented_numbers_of_parameters(cnn_size, low, high):
    built = build_model("video_only", n_actions=6, cnn_size=cnn_size)

    assert low < built.model.n_parameters < high
    assert built.backbone is None, "nothing that could be cached"


def test_in_training_batch_norm_sees_the_frames_of_all_chunks_together():
    cnn = cnn_of(chunk_frames=4).train()
    frames = torch.randint(0, 256, (2, 12, 1, SIDE, SIDE), dtype=torch.uint8)
    cnn(frames, n_frames=torch.tensor([12, 12]))

    assert [block[1].num_batches_tracked.item() for block in cnn.blocks] == [1, 1, 1, 1]


def test_a_halved_picture_and_its_gradient_are_those_of_pooling_in_three_dimensions():
    generator, gradients = torch.Generator().manual_seed(0), []
    values = torch.randn(2, 3, 4, 7, 6, generator=generator).relu()  # zeros side by side: who gets the gradient?
    for pool in (HalvedPicture(), torch.nn.MaxPool3d((1, 2, 2))):
        x = values.clone().requires_grad_()
        halved = pool(x)
        (halved * torch.arange(halved.numel()).view_as(halved)).sum().backward()
        gradients.append((halved, x.grad))

    for ours, theirs in zip(*gradients, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="on a CPU every gradient is deterministic")
def test_a_gpu_has_a_deterministic_gradient_of_the_cnn():
    cnn = cnn_of().cuda().train()
    torch.use_deterministic_algorithms(True)
    try:
        cnn(torch.rand(1, 20, 1, 32, 32, device="cuda"), n_frames=torch.tensor([20], device="cuda")).sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)
