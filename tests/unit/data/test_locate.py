import numpy as np
import pytest

from nocigram.data.locate import located_view, spread
from nocigram.data.view import BODY_LENGTHS_PER_SIDE
from nocigram.video.encode import VideoWriter
from nocigram.video.probe import probe

WIDTH, HEIGHT = 320, 240
Y, X = np.mgrid[:HEIGHT, :WIDTH]
LENGTH_PX = 70
"""Of the drawn animal, nose to tail base."""


def floor(*, level=40, seed=0):
    """Uneven light with dirt that never moves."""
    picture = level + 30 * np.exp(-((X - 250) ** 2 + (Y - 60) ** 2) / 2 / 90**2)
    for x, y in np.random.default_rng(seed).integers(10, 230, size=(12, 2)):
        picture[y : y + 4, x : x + 6] += 90
    return picture


def with_animal(picture, centre, *, body=50.0, paws=0.0, tail=120.0):
    """An ellipse with four paws and a long thin tail to its left, added to a picture; it looks right."""
    x, y = X - centre[0], Y - centre[1]
    shown = picture + body * ((2 * x / LENGTH_PX) ** 2 + (4.5 * y / LENGTH_PX) ** 2 <= 1)
    shown += tail * ((np.abs(y) <= 2) & (x < -LENGTH_PX / 2) & (x > -LENGTH_PX / 2 - 70))
    for paw_x, paw_y in ((-20, -13), (-20, 13), (18, -11), (18, 11)):
        shown += paws * ((x - paw_x) ** 2 + (y - paw_y) ** 2 <= 20)
    return shown


def film(path, pictures, *, noise=1.5, stamp=False):
    """Write pictures as a video, with noise and, if wanted, a time stamp that changes in place."""
    rng = np.random.default_rng(1)
    with VideoWriter(path, width_px=WIDTH, height_px=HEIGHT, fps=30.0) as writer:
        for number, picture in enumerate(pictures):
            shown = picture + rng.normal(0, noise, picture.shape)
            if stamp:
                shown[225:233, 280 + 8 * (number % 4) : 286 + 8 * (number % 4)] = 200
            writer.write(shown.clip(0, 255).astype(np.uint8))
    return path


def centres_of(view):
    """x, y of each square's middle."""
    return view.boxes[:, :2] + view.boxes[:, 2:] / 2


def route(n_frames=60):
    """A round walk through the picture."""
    turn = np.linspace(0, 1.5 * np.pi, n_frames)
    return np.stack([180 + 70 * np.cos(turn), 120 + 60 * np.sin(turn)], axis=-1)


@pytest.mark.parametrize(
    ("level", "animal"),
    [
        pytest.param(40, {"body": 50.0}, id="a bright animal on a dark floor"),
        pytest.param(150, {"body": -100.0, "tail": -100.0}, id="a dark animal on a bright floor"),
        pytest.param(20, {"body": 12.0, "paws": 150.0}, id="a body barely brighter than the floor, with bright paws"),
    ],
)
def test_an_animal_that_walks_is_followed(level, animal, tmp_path):
    ground = floor(level=level)
    path = film(tmp_path / "m.mp4", (with_animal(ground, at, **animal) for at in route()), stamp=True)
    located = located_view(path, info=probe(path))
    assert located.sentence.startswith(
        "the square follows the animal as found in the picture (by its movement, seen in 60 of 60 frames, about "
    )
    away = np.linalg.norm(centres_of(located.view) - route(), axis=-1) / LENGTH_PX
    assert away.max() < 0.15
    sides = set(located.view.boxes[:, 2].tolist())
    assert len(sides) == 1
    assert sides.pop() == pytest.approx(BODY_LENGTHS_PER_SIDE * LENGTH_PX, rel=0.2)


@pytest.mark.parametrize("sway_px", [0, 3], ids=["without a move", "swaying"])
def test_an_animal_that_stays_is_found_by_what_stands_out(sway_px, tmp_path):
    ground = floor(level=20)
    places = [(120 + sway_px * np.sin(frame / 3), 150) for frame in range(24)]
    pictures = (with_animal(ground, at, body=25.0, paws=150.0) for at in places)
    path = film(tmp_path / "m.mp4", pictures, stamp=True)
    located = located_view(path, info=probe(path))
    assert located.is_found
    assert located.how.startswith("by what stands out where it stays, seen in 24 of 24 frames")
    assert np.linalg.norm(centres_of(located.view) - (120, 150), axis=-1).max() / LENGTH_PX < 0.3
    assert BODY_LENGTHS_PER_SIDE * LENGTH_PX * 0.6 < located.view.boxes[0, 2] < BODY_LENGTHS_PER_SIDE * LENGTH_PX * 1.4


def test_an_animal_that_sleeps_most_of_the_time_is_followed_when_it_leaves(tmp_path):
    ground = floor()
    places = np.concatenate((np.repeat(route()[:1], 60, axis=0), route(45)))
    path = film(tmp_path / "m.mp4", (with_animal(ground, at) for at in places))
    located = located_view(path, info=probe(path))
    away = np.linalg.norm(centres_of(located.view) - places, axis=-1) / LENGTH_PX
    assert np.percentile(away, 95) < 0.25


def test_frames_without_the_animal_are_bridged(tmp_path):
    ground = floor()
    hidden = range(30, 38)
    pictures = (ground if n in hidden else with_animal(ground, at) for n, at in enumerate(route()))
    path = film(tmp_path / "m.mp4", pictures)
    located = located_view(path, info=probe(path))
    assert "seen in 52 of 60 frames" in located.how
    assert np.abs(np.diff(centres_of(located.view), axis=0)).max() < 8


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.full((HEIGHT, WIDTH), 40.0), id="nothing but noise"),
        pytest.param(floor(), id="uneven light and dirt"),
        pytest.param(np.zeros((HEIGHT, WIDTH)), id="black"),
    ],
)
def test_where_no_animal_is_the_whole_frame_is_shown(picture, tmp_path):
    path = film(tmp_path / "m.mp4", [picture] * 12, stamp=True)
    located = located_view(path, info=probe(path))
    assert located.sentence == "the whole frame is shown (nothing of an animal's size moves about or stands out)"
    assert not located.is_found
    assert located.view.boxes.tolist() == [[0, -40, 320]]


def test_a_video_gives_the_same_view_each_time_with_its_squares_in_the_frame(tmp_path):
    ground = floor()
    along_the_wall = np.stack([np.linspace(-20, 340, 40), np.full(40, 10.0)], axis=-1)
    path = film(tmp_path / "m.mp4", (with_animal(ground, at) for at in along_the_wall))
    first, second = (located_view(path, info=probe(path)) for _ in range(2))
    np.testing.assert_array_equal(first.view.boxes, second.view.boxes)
    assert first.how == second.how
    centres = centres_of(first.view)
    assert (centres >= 0).all()
    assert (centres <= (WIDTH, HEIGHT)).all()


@pytest.mark.parametrize("n_frames", [1, 8, 9, 1000])
def test_samples_spread_over_streams_of_any_length(n_frames):
    frames = spread((np.full((2, 2), n, dtype=np.float32) for n in range(n_frames)), n=4)[:, 0, 0]
    assert min(n_frames, 4) <= len(frames) <= 8
    assert frames[0] == 0
    assert len(set(np.diff(frames))) <= 1
    assert n_frames - frames[-1] <= max(1, n_frames / 4)
