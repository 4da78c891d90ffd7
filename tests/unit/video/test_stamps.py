import numpy as np
import pytest

from nocigram.video.stamps import measured_fps, uneven_frames


@pytest.mark.parametrize(
    ("times_s", "expected"),
    [
        pytest.param(np.arange(50) / 30, [], id="constant"),
        pytest.param(np.round(np.arange(50) / 30, 3), [], id="rounded to milliseconds"),
        pytest.param(np.round(np.arange(50) / 480, 3), [], id="rounded to milliseconds at a high rate"),
        pytest.param(np.delete(np.arange(50) / 30, 20), [20], id="a dropped frame"),
        pytest.param(np.insert(np.arange(50) / 30, 20, 19.2 / 30), [20], id="an extra frame"),
        pytest.param(np.zeros(1), [], id="one frame"),
    ],
)
def test_uneven_intervals(times_s, expected):
    assert uneven_frames(times_s).tolist() == expected


def test_the_rate_is_that_of_the_whole():
    assert measured_fps(np.arange(91) / 30) == pytest.approx(30)
    assert measured_fps(np.zeros(1)) is None
