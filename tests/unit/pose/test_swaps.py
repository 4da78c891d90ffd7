import numpy as np
import pytest

from nocigram.core.ranges import FrameRange
from nocigram.pose.skeleton import L_FRONT, L_HIND, MOUSE, R_FRONT, R_HIND
from nocigram.pose.swaps import side_of, swaps_of, usual_side

FPS = 30.0
N_FRAMES = 300


def walking_mouse(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A mouse of 100 px that walks in a circle, its paws beside it; all visible."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, N_FRAMES)
    forward = np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    right = np.stack((-forward[:, 1], forward[:, 0]), axis=-1)
    centre = 300 + 150 * np.stack((np.sin(angle), -np.cos(angle)), axis=-1)
    places = ((50, 0), (-50, 0), (25, -15), (25, 15), (-25, -20), (-25, 20))
    xy = np.stack([centre + ahead * forward + aside * right for ahead, aside in places], axis=1)
    return (xy + rng.normal(0, 0.8, xy.shape)).astype(np.float32), np.ones(xy.shape[:2], dtype=bool)


def exchange(xy: np.ndarray, left: int, right: int, start: int, stop: int) -> None:
    """Swap two keypoints in `[start, stop)`."""
    xy[start:stop, [left, right]] = xy[start:stop, [right, left]]


@pytest.mark.parametrize(
    ("left", "right", "spans"),
    [
        pytest.param(L_HIND, R_HIND, [(100, 101)], id="a single frame"),
        pytest.param(L_HIND, R_HIND, [(100, 112)], id="a dozen frames"),
        pytest.param(L_FRONT, R_FRONT, [(20, 23), (25, 28), (200, 203)], id="three spells, two of them close together"),
        pytest.param(L_HIND, R_HIND, [(100, 160)], id="two seconds, by the side of the body"),
        pytest.param(L_HIND, R_HIND, [(0, 50)], id="from the first frame on"),
        pytest.param(L_HIND, R_HIND, [(270, N_FRAMES)], id="up to the last frame"),
        pytest.param(L_HIND, R_HIND, [], id="none"),
    ],
)
def test_swaps_are_found_to_the_frame(left, right, spans):
    xy, visible = walking_mouse()
    for start, stop in spans:
        exchange(xy, left, right, start, stop)
    found = swaps_of(xy, visible, skeleton=MOUSE, fps=FPS)
    assert [(swap.left, swap.right, swap.span) for swap in found] == [
        (left, right, FrameRange(*span)) for span in spans
    ]


def test_a_paw_that_jumps_onto_the_other_is_no_swap():
    xy, visible = walking_mouse()
    xy[100:104, L_HIND] = xy[100:104, R_HIND]
    assert swaps_of(xy, visible, skeleton=MOUSE, fps=FPS) == []


def test_what_is_not_visible_says_nothing():
    xy, visible = walking_mouse()
    exchange(xy, L_HIND, R_HIND, 100, 110)
    visible[95:115, L_HIND] = False
    assert swaps_of(xy, visible, skeleton=MOUSE, fps=FPS) == []
    assert swaps_of(xy, np.zeros_like(visible), skeleton=MOUSE, fps=FPS) == []


@pytest.mark.parametrize("pair", [(L_FRONT, R_FRONT), (L_HIND, R_HIND)])
def test_a_mirrored_mouse_has_its_left_on_the_other_side(pair):
    xy, visible = walking_mouse()
    mirrored = xy * np.array([-1, 1], dtype=np.float32)
    sides = [usual_side(side_of(points, visible, pair=pair, skeleton=MOUSE)) for points in (xy, mirrored)]
    assert sides[0] == -sides[1] != 0
    assert usual_side(side_of(xy, ~visible, pair=pair, skeleton=MOUSE)) == 0
