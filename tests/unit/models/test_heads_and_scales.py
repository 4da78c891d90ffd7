import torch

from nocigram.models.heads import KeypointHead
from nocigram.models.standardise import RunningStandardise


def test_keypoints_begin_at_the_middle_of_the_square_and_may_leave_it():
    head = KeypointHead(4, n_keypoints=6)

    torch.testing.assert_close(head(torch.zeros(1, 2, 4)), torch.full((1, 2, 6, 2), 0.5))
    assert head(torch.full((1, 1, 4), 1e3)).abs().max() > 1


def test_coordinates_are_x_and_y_of_one_keypoint_after_another():
    head = KeypointHead(1, n_keypoints=6)
    head.linear.bias.data = torch.arange(12.0)

    torch.testing.assert_close(head(torch.zeros(1, 1, 1))[0, 0], torch.arange(12.0).view(6, 2))


def batches():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 30, 4, generator=generator) * torch.tensor([1.0, 5.0, 0.1, 2.0]) + 7 for _ in range(6)]


def test_statistics_are_those_of_all_frames_seen():
    scale, seen = RunningStandardise(4).train(), torch.cat(batches()).flatten(0, 1)
    for batch in batches():
        scale(batch, valid=torch.ones(2, 30, dtype=torch.bool))

    torch.testing.assert_close(scale.mean, seen.mean(0))
    torch.testing.assert_close(scale.variance, seen.var(0, correction=0))


def test_padding_enters_no_statistic():
    scale, other = RunningStandardise(4).train(), RunningStandardise(4).train()
    batch = batches()[0]
    valid = torch.arange(30).expand(2, -1) < 20
    scale(batch, valid=valid)
    other(batch[:, :20], valid=valid[:, :20])

    torch.testing.assert_close(scale.mean, other.mean)
    torch.testing.assert_close(scale.variance, other.variance)


def test_nothing_is_gathered_in_eval_mode_nor_from_a_batch_of_padding():
    scale = RunningStandardise(4).eval()
    scale(batches()[0], valid=torch.ones(2, 30, dtype=torch.bool))
    scale.train()(batches()[0], valid=torch.zeros(2, 30, dtype=torch.bool))

    assert scale.n_batches == 0
    torch.testing.assert_close(scale.mean, torch.zeros(4))


def test_a_small_movement_on_a_large_constant_comes_out_large():
    scale = RunningStandardise(2).train()
    scale.floor = 1.0
    features = torch.tensor([100.0, -50.0]) + 1e-2 * torch.randn(1, 200, 2)

    assert scale(features, valid=torch.ones(1, 200, dtype=torch.bool)).std() > 0.5
