"""Windows as tensors: padding, unlabelled recordings, cached features, batches."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data._utils.pin_memory import pin_memory

from nocigram.config.model import needs_of
from nocigram.core.actions import UNSCORED
from nocigram.core.ranges import FrameRange
from nocigram.data import discover
from nocigram.data.batches import Window, Windows, collate
from nocigram.data.sources import sources_of

POSE_GRAPH = needs_of("pose_only", streams="pixels+pose", features=("graph",))


@pytest.fixture
def sources(laboratory):
    """A recording of 40 frames with its pixels."""
    laboratory.video()
    laboratory.pose()
    found = discover(**laboratory.folders)
    cache_dir = laboratory.folder / "cache"
    return sources_of(found.recordings.values(), crop="full", img_size=64, cache_dir=cache_dir, say=lambda _: None)


def window(start, stop, *, actions="of the frame", **more):
    labels = np.arange(start, stop) % 6 if isinstance(actions, str) else actions
    return Window(recording="rec", span=FrameRange(start, stop), actions=labels, **more)


def test_a_short_window_is_padded_at_its_end(sources, laboratory):
    item = Windows([window(30, 40)], sources=sources, window_T=16)[0]
    frames = list(range(30, 40))
    assert item.valid.tolist() == [[True] * 10 + [False] * 6]
    assert item.actions.tolist() == [[frame % 6 for frame in frames] + [UNSCORED] * 6]
    assert laboratory.numbers_in(item.pixels[0]) == frames + [-1] * 6
    assert not item.visible[0, 10:].any()
    assert (item.boxes[0, 10:] == 1).all()
    assert torch.isfinite(item.xy_in_view()).all()
    for name in ("pixels", "xy_px", "visible", "pose_xy_px", "pose_visible", "boxes", "actions", "valid"):
        assert getattr(item, name).shape[:2] == (1, 16), name


def test_a_full_window_is_not_padded(sources):
    item = Windows([window(0, 16)], sources=sources, window_T=16)[0]
    assert item.valid.all()
    assert (item.actions != UNSCORED).all()


def test_a_window_of_an_unlabelled_recording_trains_keypoints_alone(sources, laboratory):
    item = Windows([window(4, 20, actions=None)], sources=sources, window_T=16)[0]
    assert item.action_mask.tolist() == [0.0]
    assert (item.actions == UNSCORED).all()
    np.testing.assert_array_equal(item.visible[0], laboratory.visible_of(np.arange(4, 20)))
    assert Windows([window(4, 20)], sources=sources, window_T=16)[0].action_mask.tolist() == [1.0]


def test_frames_past_the_end_of_the_pose_are_invisible(laboratory):
    laboratory.video(n_frames=40)
    laboratory.pose(n_frames=25)
    sources = sources_of(
        discover(**laboratory.folders).recordings.values(), needs=POSE_GRAPH, crop="full", img_size=32, cache_dir=Path()
    )
    item = Windows([window(20, 36)], sources=sources, window_T=16)[0]
    assert item.pixels is None
    np.testing.assert_array_equal(item.visible[0, :5], laboratory.visible_of(np.arange(20, 25)))
    assert not item.visible[0, 5:].any()
    item = Windows([window(30, 40)], sources=sources, window_T=10)[0]
    assert not item.visible.any()


@pytest.mark.parametrize(("is_mirrored", "sign"), [(False, 1), (True, -1)], ids=["as filmed", "mirrored"])
def test_features_take_the_place_of_pixels(is_mirrored, sign, sources):
    features = np.arange(40 * 3, dtype=np.float16).reshape(40, 3)
    with_features = {"rec": sources["rec"].with_features((features, -features))}
    item = Windows([window(30, 40, is_mirrored=is_mirrored)], sources=with_features, window_T=16)[0]
    assert item.pixels is None
    assert item.features.dtype == torch.float32
    np.testing.assert_array_equal(item.features[0, :10], sign * features[30:40])
    assert not item.features[0, 10:].any()
    inputs = item.inputs()
    assert inputs["frames"] is None
    assert inputs["features"] is item.features


def test_a_models_inputs_are_those_that_augmentation_may_change(sources):
    item = Windows([window(0, 16)], sources=sources, window_T=16)[0]
    inputs = item.inputs()
    assert inputs["frames"] is item.pixels
    assert inputs["xy_px"] is item.pose_xy_px
    assert inputs["visible"] is item.pose_visible
    assert inputs["xy_px"] is not item.xy_px


def test_keypoints_are_given_in_parts_of_the_views_side(sources, laboratory):
    item = Windows([window(0, 16)], sources=sources, window_T=16)[0]
    xy = laboratory.xy_of(np.arange(16))
    seen = laboratory.visible_of(np.arange(16))
    expected = (xy + np.array([0, 8])) / 64  # 64x48 in a square of 64
    np.testing.assert_allclose(item.xy_in_view()[0].numpy()[seen], expected[seen], atol=1e-6)


def test_a_batch_is_its_windows_side_by_side(sources):
    windows = Windows(
        [window(0, 16), window(10, 20, is_mirrored=True), window(5, 21, actions=None)], sources=sources, window_T=16
    )
    items = list(windows)
    batch = collate(items)
    assert len(windows) == 3
    assert batch.index.tolist() == [0, 1, 2]
    assert batch.is_mirrored.tolist() == [False, True, False]
    assert batch.action_mask.tolist() == [1, 1, 0]
    assert batch.features is None
    for name in ("pixels", "xy_px", "visible", "boxes", "actions", "valid", "body_length_px"):
        for position, item in enumerate(items):
            assert torch.equal(getattr(batch, name)[position], getattr(item, name)[0]), name


def test_a_batch_without_pixels_has_none(laboratory):
    laboratory.video()
    laboratory.pose()
    sources = sources_of(
        discover(**laboratory.folders).recordings.values(), needs=POSE_GRAPH, crop="full", img_size=32, cache_dir=Path()
    )
    batch = collate(list(Windows([window(0, 8), window(8, 16)], sources=sources, window_T=8)))
    assert batch.pixels is None
    assert batch.features is None
    assert batch.actions.shape == (2, 8)


def test_a_batch_is_pinned_whole_by_torchs_loader(sources, monkeypatch):
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(self) or self)
    batch = collate([Windows([window(0, 16)], sources=sources, window_T=16)[0]])
    again = pin_memory(batch)

    tensors = [value for value in vars(batch).values() if value is not None]
    assert [id(tensor) for tensor in pinned] == [id(tensor) for tensor in tensors]
    assert again.pixels is batch.pixels
    assert again.features is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only a GPU copies from pinned memory")
def test_a_pinned_batch_is_what_it_was(sources):
    batch = collate([Windows([window(0, 16)], sources=sources, window_T=16)[0]])
    again = batch.pin_memory()

    assert again.pixels.is_pinned()
    assert torch.equal(again.pixels, batch.pixels)
