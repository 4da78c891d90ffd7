"""Augmentation: what moves together, what is drawn, and what stays."""

from dataclasses import fields, replace

import pytest
import torch
from window_batches import batch_of

from nocigram.data.batches import Batch
from nocigram.training.augment import Augmentation

MIRRORED = (0, 1, 3, 2, 5, 4)
STILL = {
    "brightness": 0.0,
    "contrast": 0.0,
    "temporal_drop": 0.0,
    "kp_jitter_std": 0.0,
    "pose_drop": 0.0,
    "pixel_drop": 0.0,
}
N_WINDOWS = 200


def augmented(batch, *, seed=0, **changes):
    augmentation = Augmentation(**(STILL | changes), mirrored=MIRRORED)
    return augmentation(batch, generator=torch.Generator().manual_seed(seed))


def test_a_roll_moves_everything_together_and_frames_that_wrapped_are_invalid():
    batch = batch_of(n_windows=N_WINDOWS)
    features = torch.arange(12.0)[None, :, None].expand(N_WINDOWS, -1, 3)
    rolled = augmented(replace(batch, features=features))
    stamp = rolled.boxes[..., 0]
    shift = (stamp[:, 0] - 0) % 12
    moved = shift != 0

    assert 0.12 < moved.float().mean() < 0.28  # a fifth, but for shifts of 0
    assert set(shift[moved].int().tolist()) == {1, 2, 3, 4, 5, 7, 8, 9, 10, 11}
    assert (rolled.pixels[..., 0, 0, 0] == stamp + 100).all()
    assert (rolled.features[..., 0] == stamp).all()
    assert (rolled.light[..., 0, 0] == stamp + 1).all()
    assert (rolled.actions == stamp % 4).all()
    assert (rolled.boxes[..., 1] == stamp / 2).all()
    source = stamp.long()
    for window in range(N_WINDOWS):
        assert torch.equal(rolled.xy_px[window], batch.xy_px[window, source[window]])
        assert torch.equal(rolled.visible[window], batch.visible[window, source[window]])
        assert torch.equal(rolled.pose_visible[window], batch.visible[window, source[window]])
        assert torch.equal(~rolled.valid[window], _wrapped(int(shift[window])))


def _wrapped(n_back):
    """Frames of a window of 12 that came round its end, where its first frame shows frame `n_back`.

    7 to 11 are shifts by 5 to 1 frames towards the end.
    """
    frames = torch.arange(12)
    return frames < 12 - n_back if n_back > 6 else frames >= 12 - n_back


def test_padding_that_is_rolled_stays_padding():
    batch = batch_of(n_windows=N_WINDOWS)
    batch.valid[:, 9:] = False
    rolled = augmented(batch)

    assert not rolled.valid[rolled.boxes[..., 0] >= 9].any()


def mirrored(batch, *, windows=slice(None)):
    batch.is_mirrored[windows] = True
    return batch


def no_roll_seed():
    """A seed with which none of two windows is rolled or made noisy."""
    for seed in range(100):
        batch = batch_of()
        same = augmented(batch, seed=seed)
        if torch.equal(same.boxes, batch.boxes) and torch.equal(same.pixels, batch.pixels):
            return seed
    raise AssertionError("every seed rolls")


def test_a_mirror_flips_pixels_and_exchanges_left_and_right():
    batch = batch_of()
    batch.pixels = torch.randint(0, 256, batch.pixels.shape, dtype=torch.uint8)
    batch.light = torch.rand(batch.light.shape)
    seen = augmented(mirrored(batch, windows=1), seed=no_roll_seed())
    order = [0, 1, 3, 2, 5, 4]

    assert torch.equal(seen.pixels[1], batch.pixels[1].flip(-1))
    assert torch.equal(seen.visible[1], batch.visible[1][:, order])
    assert torch.equal(seen.light[1], batch.light[1][:, order])
    assert torch.equal(seen.actions, batch.actions)
    # a keypoint at the part x of the view's width is seen at 1 - x, under the name of the other side
    assert torch.allclose(seen.xy_in_view()[1, ..., 0], 1 - batch.xy_in_view()[1][:, order, 0], atol=1e-5)
    assert torch.allclose(seen.xy_in_view()[1, ..., 1], batch.xy_in_view()[1][:, order, 1], atol=1e-5)
    for name in ("pixels", "visible", "light", "xy_px"):
        assert torch.equal(getattr(seen, name)[0], getattr(batch, name)[0]), name


def test_a_mirror_undoes_itself():
    batch, seed = mirrored(batch_of()), no_roll_seed()
    batch.pixels = torch.randint(0, 256, batch.pixels.shape, dtype=torch.uint8)
    once = augmented(batch, seed=seed)
    twice = augmented(once, seed=seed)

    assert not torch.equal(once.pixels, batch.pixels)
    for name in ("pixels", "visible", "light"):
        assert torch.equal(getattr(twice, name), getattr(batch, name)), name
    assert torch.allclose(twice.xy_px, batch.xy_px, atol=1e-4)


def test_cached_features_are_not_mirrored_again():
    features = torch.rand(2, 12, 5)
    batch = mirrored(batch_of(features=features))
    seen = augmented(batch, seed=no_roll_seed())

    assert torch.equal(seen.features, features)


def test_dropped_frames_are_blank_in_pixels_and_pose_and_stay_in_the_loss():
    batch = batch_of(n_windows=N_WINDOWS)
    batch.visible[:] = batch.pose_visible[:] = True
    seen = augmented(batch, temporal_drop=0.4)
    lost = (seen.pixels == 0).flatten(2).all(-1)

    assert lost[lost.any(1)].float().mean() == pytest.approx(0.4, abs=0.05)
    assert lost.any(1).float().mean() == pytest.approx(0.3, abs=0.1)
    assert torch.equal(~seen.pose_visible.any(-1), lost)
    assert torch.equal((seen.light == 0).flatten(2).all(-1), lost)
    assert seen.visible.all(), "the keypoint head goes on learning"
    assert torch.equal(seen.actions.sort(1).values, batch.actions.sort(1).values)


@pytest.mark.parametrize(
    ("flags", "blind", "unseen"),
    [
        pytest.param({}, 0, 0, id="neither"),
        pytest.param({"pose_drop": 0.4}, 0.4, 0, id="pose"),
        pytest.param({"pixel_drop": 0.4}, 0, 0.4, id="pixels"),
        pytest.param({"pose_drop": 0.5, "pixel_drop": 0.5}, 0.5, 0.25, id="never both"),
    ],
)
def test_windows_lose_one_of_their_streams_as_often_as_asked_for(flags, blind, unseen):
    batch = batch_of(n_windows=N_WINDOWS)
    batch.visible[:] = batch.pose_visible[:] = True
    seen = augmented(batch, **flags)
    is_blind = ~seen.pose_visible.flatten(1).any(1)

    assert is_blind.float().mean() == pytest.approx(blind, abs=0.1 * bool(blind))
    assert (~seen.has_pixels).float().mean() == pytest.approx(unseen, abs=0.1 * bool(unseen))
    assert not (is_blind & ~seen.has_pixels).any()
    assert (seen.light[is_blind] == 0).all()
    assert (seen.pixels > 0).all(), "pixels are hidden by has_pixels, not blanked"


def test_jitter_acts_on_what_pose_features_are_made_of_and_not_on_targets():
    batch = batch_of(n_windows=N_WINDOWS)
    batch.xy_px = batch.boxes[..., None, :2] + 20 + torch.zeros(N_WINDOWS, 12, 6, 2)
    batch.pose_xy_px = batch.xy_px
    seen = augmented(batch, kp_jitter_std=0.02)
    noise = (seen.pose_xy_px - seen.xy_px) / 40

    assert noise.std().item() == pytest.approx(0.02, rel=0.05)
    assert noise.mean().abs().item() < 1e-3
    assert torch.equal(seen.xy_in_view().round(decimals=4), torch.full_like(seen.xy_px, 0.5))


def test_jitter_stays_inside_of_the_view_and_pulls_nothing_into_it():
    batch = batch_of()
    low, high = batch.boxes[..., None, :2], batch.boxes[..., None, :2] + 40
    batch.xy_px = torch.cat((low - 10 + torch.zeros(2, 12, 3, 2), high + torch.zeros(2, 12, 3, 2)), dim=2)
    seen = augmented(batch, kp_jitter_std=0.4)
    in_view = (seen.pose_xy_px - seen.boxes[..., None, :2]) / 40

    assert (in_view[:, :, :3] >= -0.25 - 1e-4).all()
    assert (in_view[:, :, 3:] <= 1 + 1e-4).all()
    assert (in_view[:, :, 3:] < 0.95).any()


def test_brightness_and_contrast_change_half_of_the_windows_by_at_most_their_share():
    pixels = torch.full((N_WINDOWS, 4, 1, 8, 8), 100, dtype=torch.uint8)
    batch = batch_of(n_windows=N_WINDOWS, n_frames=4, pixels=pixels)
    batch.light[:] = 1.0
    seen = augmented(batch, brightness=0.2)
    gain = seen.light[:, 0, 0, 0]
    means = seen.pixels.float().flatten(1).mean(1)

    assert (gain != 1).float().mean() == pytest.approx(0.5, abs=0.12)
    assert 0.15 < (gain - 1).abs().max() <= 0.2
    assert torch.allclose(means, 100 * gain, atol=2.0), "light follows the lamp"


def test_contrast_turns_about_the_windows_mean():
    pixels = torch.tensor([50, 150], dtype=torch.uint8).repeat(32).reshape(8, 8).expand(N_WINDOWS, 2, 1, 8, 8)
    seen = augmented(batch_of(n_windows=N_WINDOWS, n_frames=2, pixels=pixels.clone()), contrast=0.2).pixels.float()
    spread = seen.flatten(1).std(1)

    assert torch.allclose(seen.flatten(1).mean(1), torch.tensor(100.0), atol=1.5)
    assert (spread - spread.median()).abs().max() > 5
    assert 38 < spread.min() < 45
    assert 55 < spread.max() < 63


def test_noise_falls_on_three_windows_of_ten():
    pixels = torch.full((N_WINDOWS, 2, 1, 8, 8), 100, dtype=torch.uint8)
    seen = augmented(batch_of(n_windows=N_WINDOWS, n_frames=2, pixels=pixels)).pixels.float().flatten(1).std(1)

    assert (seen > 0).float().mean() == pytest.approx(0.3, abs=0.1)
    assert seen[seen > 0].mean().item() == pytest.approx(0.02 * 255, rel=0.1)


def copies(batch):
    return {f.name: None if (v := getattr(batch, f.name)) is None else v.clone() for f in fields(Batch)}


FULL = {
    "brightness": 0.2,
    "contrast": 0.2,
    "temporal_drop": 0.1,
    "kp_jitter_std": 0.02,
    "pose_drop": 0.3,
    "pixel_drop": 0.3,
}


def test_the_batch_that_is_given_stays_as_it_is():
    batch = mirrored(batch_of(n_windows=20), windows=slice(0, 10))
    before = copies(batch)
    augmented(batch, **FULL)

    assert all(value is None or torch.equal(value, getattr(batch, name)) for name, value in before.items())


def test_the_same_generator_gives_the_same_augmentation():
    one, again, other = (copies(augmented(batch_of(n_windows=20), seed=seed, **FULL)) for seed in (5, 5, 6))

    assert all(value is None or torch.equal(value, again[name]) for name, value in one.items())
    assert not torch.equal(one["pixels"], other["pixels"])
    assert not torch.equal(one["pose_xy_px"], other["pose_xy_px"])
