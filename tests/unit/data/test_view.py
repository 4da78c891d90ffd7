import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.errors import InputError
from nocigram.data.view import View, from_view, full_view, mouse_view, render, render_many, to_view

BODY = np.array([[0, -50], [0, 50], [-20, -30], [20, -30], [-30, 30], [30, 30]], dtype=np.float32)


def walking(n_frames=200, speed=1.5):
    """A mouse that walks right; nothing hidden."""
    path = np.stack([100 + speed * np.arange(n_frames), np.full(n_frames, 200.0)], axis=-1).astype(np.float32)
    return BODY + path[:, None], np.ones((n_frames, 6), dtype=bool)


@pytest.mark.parametrize(
    ("size", "box"),
    [((640, 480), [0, -80, 640]), ((480, 640), [-80, 0, 640]), ((384, 384), [0, 0, 384]), ((5, 2), [0, -2, 5])],
)
def test_the_full_view_is_the_centred_square_around_the_frame(size, box):
    assert full_view(*size, n_frames=3).boxes.tolist() == [box] * 3


def test_the_mouse_view_keeps_its_size_and_the_whole_body_inside():
    xy_px, visible = walking()
    boxes = mouse_view(xy_px, visible, 100.0, recording="m").boxes
    assert set(boxes[:, 2]) == {170}
    inside = to_view(xy_px, boxes)
    assert inside.min() > 0.1
    assert inside.max() < 0.9


def test_left_right_swaps_move_no_square():
    xy_px, visible = walking()
    swapped = xy_px.copy()
    swapped[50:60] = xy_px[50:60][:, [0, 1, 3, 2, 5, 4]]
    before, after = (mouse_view(xy, visible, 100.0, recording="m").boxes for xy in (xy_px, swapped))
    np.testing.assert_array_equal(before, after)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 199), st.integers(0, 5)), max_size=60), st.integers(0, 160))
def test_jumps_and_drop_outs_never_make_the_square_jump(jumps, hole):
    xy_px, visible = walking()
    for frame, keypoint in dict(jumps).items():
        xy_px[frame, keypoint] = 9999
    visible[hole : hole + 30] = False
    boxes = mouse_view(xy_px, visible, 100.0, recording="m").boxes
    assert np.abs(np.diff(boxes[:, :2], axis=0)).max() <= 8


def test_a_hole_is_bridged():
    xy_px, visible = walking()
    whole = mouse_view(xy_px, visible, 100.0, recording="m").boxes
    visible[80:120], xy_px[80:120] = False, 0
    assert np.abs(mouse_view(xy_px, visible, 100.0, recording="m").boxes - whole).max() <= 1


def test_a_recording_without_visible_keypoints_has_no_mouse_view():
    xy_px, visible = walking(5)
    with pytest.raises(InputError, match="m3: expected visible keypoints for --crop mouse, got none in 5 frames"):
        mouse_view(xy_px, np.zeros_like(visible), 100.0, recording="m3")


def test_frames_beyond_the_view_keep_its_last_square():
    view = View(np.array([[0, 0, 10], [1, 0, 10], [2, 0, 10]], dtype=np.int32))
    assert view.boxes_of(1, 6)[:, 0].tolist() == [1, 2, 2, 2, 2]


def test_views_that_show_the_same_have_the_same_bytes():
    assert full_view(64, 48, 3).to_bytes() == full_view(64, 48, 300).to_bytes()
    moving = View(np.array([[0, 0, 10], [1, 0, 10]], dtype=np.int32))
    assert moving.to_bytes() == View(moving.boxes[[0, 1, 1, 1]]).to_bytes()
    assert moving.to_bytes() != View(moving.boxes[[0, 0, 1]]).to_bytes()


@given(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 900))
def test_from_view_undoes_to_view(x0, y0, side):
    xy_px, boxes = walking(4)[0], np.array([[x0, y0, side]] * 4, dtype=np.int32)
    np.testing.assert_allclose(from_view(to_view(xy_px, boxes), boxes), xy_px, atol=1e-2)


@settings(deadline=None)
@given(st.integers(2, 61), st.integers(2, 45), st.integers(-20, 20), st.integers(-20, 20), st.integers(40, 90))
def test_a_bright_dot_is_rendered_where_to_view_says(x, y, x0, y0, side):
    pixels = np.zeros((1, 48, 64), dtype=np.uint8)
    pixels[0, y - 1 : y + 2, x - 1 : x + 2] = 255
    box = np.array([x0, y0, side], dtype=np.int32)
    expected = to_view(np.array([[[x + 0.5, y + 0.5]]]), box[None])[0, 0] * 120
    if not (expected.min() > 4 and expected.max() < 116):
        return
    seen = render(pixels, box, 120)[0].astype(float)
    rows, columns = np.mgrid[:120, :120] + 0.5
    found = [(seen * columns).sum() / seen.sum(), (seen * rows).sum() / seen.sum()]
    np.testing.assert_allclose(found, expected, atol=0.3)


def test_what_lies_beyond_the_border_is_black():
    pixels = np.full((3, 20, 20), 200, dtype=np.uint8)
    assert render(pixels, np.array([-10, 0, 20], dtype=np.int32), 20)[:, :, :9].max() == 0
    assert render(pixels, np.array([100, 100, 20], dtype=np.int32), 10).max() == 0
    assert render(pixels, np.array([-100, 5, 20], dtype=np.int32), 10).max() == 0


def test_thin_stripes_become_grey_rather_than_aliased():
    pixels = np.zeros((1, 200, 200), dtype=np.uint8)
    pixels[..., ::2] = 200
    seen = render(pixels, np.array([0, 0, 200], dtype=np.int32), 20)
    assert np.abs(seen.astype(int) - 100).max() <= 12


def test_many_frames_are_rendered_like_each_alone():
    rng = np.random.default_rng(0)
    frames = list(rng.integers(0, 255, (5, 1, 48, 64), dtype=np.uint8))
    boxes = np.array([[0, 0, 40], [3, 2, 40], [0, -8, 64], [5, 5, 30], [20, 9, 40]], dtype=np.int32)
    many = render_many(frames, boxes, 24)
    for frame, box, seen in zip(frames, boxes, many, strict=True):
        np.testing.assert_array_equal(render(frame, box, 24), seen)


@pytest.mark.parametrize(
    "boxes", [np.zeros((0, 3)), np.zeros((2, 3)), np.ones((2, 2))], ids=["none", "no side", "two numbers"]
)
def test_boxes_that_are_no_squares_are_refused(boxes):
    with pytest.raises(Exception, match=r"View|boxes"):
        View(boxes.astype(np.int32))
