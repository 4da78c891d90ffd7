import numpy as np
import pytest

from nocigram.pose.leaps import leaps_of

N_FRAMES, N_KEYPOINTS = 100, 6
ALL = range(N_KEYPOINTS)


def course(moves: dict[int, float], keypoints: object) -> np.ndarray:
    """Keypoints that rest but for moves to the right; frame -> pixels, a body length being 100."""
    steps = np.zeros((N_FRAMES, N_KEYPOINTS))
    for frame, by in moves.items():
        steps[frame, list(keypoints)] = by
    x = np.cumsum(steps, axis=0) + np.random.default_rng(0).normal(0, 0.5, steps.shape)
    return np.stack((x, np.zeros_like(x)), axis=-1).astype(np.float32)


@pytest.mark.parametrize(
    ("moves", "keypoints", "hidden", "expected"),
    [
        pytest.param({50: 15}, ALL, [], [50], id="a cut"),
        pytest.param({50: 15}, range(4), [], [50], id="a cut that leaves two keypoints where they are"),
        pytest.param({50: 15, 70: -80}, ALL, [], [50, 70], id="two cuts"),
        pytest.param({50: 15}, range(3), [], [], id="half of the body"),
        pytest.param({50: 15}, ALL, [4, 5], [50], id="a cut that four keypoints show"),
        pytest.param({50: 15}, ALL, [2, 3, 4, 5], [], id="a cut that two keypoints show"),
        pytest.param({50: 5}, ALL, [], [], id="a twitch"),
        pytest.param(dict.fromkeys(range(50, 60), 30.0), ALL, [], [], id="a run that begins and ends at once"),
        pytest.param({50: 40, 51: 15}, ALL, [], [], id="a leap that takes two frames"),
        pytest.param({50: 200, 51: -200}, ALL, [], [], id="away and back"),
        pytest.param({}, ALL, [], [], id="rest"),
    ],
)
def test_leaps_of_the_body(moves, keypoints, hidden, expected):
    visible = np.ones((N_FRAMES, N_KEYPOINTS), dtype=bool)
    visible[49, hidden] = False
    assert leaps_of(course(moves, keypoints), visible, body_length_px=100.0).tolist() == expected
