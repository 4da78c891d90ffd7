import numpy as np
import pytest

from nocigram.pose.leaps import leaps_of


@pytest.mark.parametrize(
    ("moved", "by", "hidden", "expected"),
    [
        pytest.param([0, 1, 2, 3], 200, [], [50], id="the whole body two lengths away"),
        pytest.param([0, 1, 2], 200, [], [50], id="most of it"),
        pytest.param([0], 200, [], [], id="one keypoint"),
        pytest.param([0, 1, 2, 3], 100, [], [], id="as fast as a mouse may run at 30 Hz"),
        pytest.param([0, 1, 2, 3], 200, [0, 1, 2, 3], [], id="not visible before"),
    ],
)
def test_leaps_of_the_body(moved, by, hidden, expected):
    xy = np.zeros((100, 4, 2), dtype=np.float32)
    visible = np.ones((100, 4), dtype=bool)
    xy[50:, moved, 0] = by
    visible[49, hidden] = False
    assert leaps_of(xy, visible, body_length_px=100.0, fps=30.0).tolist() == expected
