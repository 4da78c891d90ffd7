import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.pose.features import body_length_px, pose_features
from nocigram.pose.skeleton import ANGLES, DEFAULT_KEYPOINTS, EDGES, FEATURE_NAMES, left_right_pairs

# A mouse that looks up, body 100 px: mouth, tail base, L front, R front, L hind, R hind (seen from below).
STANDING = torch.tensor([[50.0, 0.0], [50.0, 100.0], [30.0, 20.0], [70.0, 20.0], [20.0, 80.0], [80.0, 80.0]])
ALL_VISIBLE = torch.ones(1, 6, dtype=torch.bool)


def features_of(xy, *, visible=None, body_length=100.0):
    xy = xy if xy.ndim == 3 else xy[None]
    visible = torch.ones(xy.shape[:2], dtype=torch.bool) if visible is None else visible
    return pose_features(xy, visible, body_length_px=torch.tensor(body_length, dtype=xy.dtype))


def test_the_names_are_the_eighteen_of_the_guide_and_the_design():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 18
    assert (len(EDGES), len(ANGLES)) == (7, 10)
    assert FEATURE_NAMES[7] == "length mouth - centroid"
    assert FEATURE_NAMES[8] == "angle at mouth (tail, L_front)"
    assert FEATURE_NAMES[17] == "angle at R_hind (tail, R_front)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("length mouth - tail", 1.0),
        ("length mouth - L_front", math.hypot(0.2, 0.2)),
        ("length tail - R_hind", math.hypot(0.3, 0.2)),
        ("length L_front - R_front", 0.4),
        ("length L_hind - R_hind", 0.6),
        ("length mouth - centroid", 0.5),
        ("angle at mouth (tail, L_front)", math.pi / 4),
        ("angle at mouth (tail, R_front)", math.pi / 4),
        ("angle at mouth (L_front, R_front)", math.pi / 2),
        ("angle at tail (mouth, L_hind)", math.atan2(30, 20)),
        ("angle at tail (L_hind, R_hind)", 2 * math.atan2(30, 20)),
        ("angle at L_front (mouth, L_hind)", math.pi - (math.pi / 4 - math.atan2(10, 60))),
        ("angle at R_hind (tail, R_front)", math.pi - math.atan2(20, -30) + math.atan2(60, 10)),
    ],
)
def test_a_feature_has_the_value_that_a_ruler_and_a_protractor_give(name, value):
    features, known = features_of(STANDING)
    position = FEATURE_NAMES.index(name)
    assert known[0, position]
    assert float(features[0, position]) == pytest.approx(value, abs=1e-6)


poses = st.lists(st.floats(-200, 200), min_size=12, max_size=12).map(
    lambda numbers: torch.tensor(numbers, dtype=torch.float64).reshape(6, 2)
)


def well_spread(xy):
    """Whether no two keypoints nearly coincide, so that directions are well conditioned."""
    return float((torch.cdist(xy, xy) + 1e9 * torch.eye(6)).min()) > 1.0


@settings(deadline=None, max_examples=60)
@given(poses.filter(well_spread), st.floats(-500, 500), st.floats(-500, 500), st.floats(0, 6.28), st.floats(0.1, 8))
def test_moving_turning_and_zooming_a_mouse_changes_no_feature(xy, dx, dy, turn, zoom):
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=xy.dtype)
    moved = (xy @ rotation.T + torch.tensor([dx, dy], dtype=xy.dtype)) * zoom
    before, _ = features_of(xy)
    after, _ = features_of(moved, body_length=100.0 * zoom)
    torch.testing.assert_close(after, before, atol=1e-6, rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(poses.filter(well_spread))
def test_a_mirrored_mouse_with_sides_swapped_has_the_features_with_sides_swapped(xy):
    swapped_keypoints, swapped_features = list(range(6)), list(FEATURE_NAMES)
    for left, right in left_right_pairs(DEFAULT_KEYPOINTS):
        swapped_keypoints[left], swapped_keypoints[right] = right, left
    mirrored = xy[swapped_keypoints] * torch.tensor([-1.0, 1.0], dtype=xy.dtype)
    swapped_features = [FEATURE_NAMES.index(_other_side(name)) for name in FEATURE_NAMES]
    before, _ = features_of(xy)
    after, _ = features_of(mirrored)
    torch.testing.assert_close(after, before[:, swapped_features], atol=1e-9, rtol=1e-9)


def _other_side(name):
    if name.count("L_") and name.count("R_"):
        return name  # a feature that spans both sides
    return name.replace("L_", "?_").replace("R_", "L_").replace("?_", "R_")


@pytest.mark.parametrize("hidden", range(6), ids=DEFAULT_KEYPOINTS)
def test_features_of_a_hidden_keypoint_are_zero_and_unknown_whatever_it_holds(hidden):
    visible = ALL_VISIBLE.clone()
    visible[0, hidden] = False
    xy = STANDING.clone()
    xy[hidden] = float("nan")
    features, known = features_of(xy, visible=visible)
    whole, _ = features_of(STANDING)
    needs = [hidden in parts for parts in (*EDGES, range(6), *ANGLES)]
    assert (~known[0]).tolist() == needs
    assert features[~known].eq(0).all()
    torch.testing.assert_close(features[known], whole[known])


@pytest.mark.parametrize(
    "xy",
    [
        pytest.param(torch.zeros(6, 2), id="all keypoints in one place"),
        pytest.param(torch.stack([torch.arange(6.0), torch.zeros(6)], dim=-1), id="all keypoints on one line"),
        pytest.param(torch.cat((STANDING[:1], STANDING[:1], STANDING[2:])), id="mouth on the tail base"),
        pytest.param(torch.full((6, 2), float("nan")), id="nothing but NaN"),
    ],
)
def test_degenerate_poses_have_finite_features_and_gradients(xy):
    visible = torch.isfinite(xy).all(dim=-1)[None]
    xy = xy.clone().requires_grad_()
    features, _ = features_of(xy, visible=visible)
    features.sum().backward()
    assert torch.isfinite(features).all()
    assert torch.isfinite(xy.grad).all()


def test_an_arm_without_length_makes_its_angles_unknown_but_not_its_length():
    xy = STANDING.clone()
    xy[2] = xy[0]
    _, known = features_of(xy)
    unknown = {name for name, is_known in zip(FEATURE_NAMES, known[0], strict=True) if not is_known}
    assert unknown == {
        "angle at mouth (tail, L_front)",
        "angle at mouth (L_front, R_front)",
        "angle at L_front (mouth, L_hind)",
    }


def test_gradients_are_those_of_finite_differences():
    xy = STANDING.double()[None].requires_grad_()
    visible = ALL_VISIBLE
    length = torch.tensor(100.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: pose_features(x, visible, body_length_px=length)[0], (xy,))


def test_a_batch_gives_what_each_recording_gives_alone():
    torch.manual_seed(0)
    xy, visible = torch.randn(3, 7, 6, 2) * 50, torch.rand(3, 7, 6) > 0.3
    lengths = torch.tensor([40.0, 60.0, 80.0])
    features, known = pose_features(xy, visible, body_length_px=lengths)
    for row in range(3):
        alone, alone_known = pose_features(xy[row], visible[row], body_length_px=lengths[row])
        torch.testing.assert_close(features[row], alone)
        assert known[row].equal(alone_known)


def _recording(n_frames):
    xy = np.tile(STANDING.numpy().astype(np.float32), (n_frames, 1, 1))
    return xy, np.ones((n_frames, 6), dtype=bool)


def test_body_length_is_the_median_and_ignores_jumps_and_hidden_frames():
    xy, visible = _recording(11)
    xy[:3, 0] = 9999.0
    xy[3:5, 0], visible[3:5, 0] = np.nan, False
    assert body_length_px(xy, visible) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("hidden", "length"),
    [
        pytest.param([1], math.hypot(60, 0) + 0 * 1, id="no tail base: the largest distance that is left"),
        pytest.param([0, 1, 2, 3, 4], 1.0, id="one keypoint alone: no length"),
        pytest.param(range(6), 1.0, id="nothing visible"),
    ],
)
def test_body_length_without_mouth_and_tail_base(hidden, length):
    xy, visible = _recording(5)
    visible[:, list(hidden)] = False
    expected = np.hypot(30.0, 80.0) if list(hidden) == [1] else length
    assert body_length_px(xy, visible) == pytest.approx(expected)


def test_body_length_of_coinciding_keypoints_can_be_divided_by():
    xy, visible = _recording(3)
    assert body_length_px(np.zeros_like(xy), visible) == 1.0
