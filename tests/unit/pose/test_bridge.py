"""Bridges over frames in which a keypoint is not visible."""

import numpy as np
import pytest

from nocigram.pose.bridge import bridged


def track(values):
    """One keypoint that moves along x; None where it is not visible (and written down as far away)."""
    seen = np.array([value is not None for value in values])[:, None]
    xy = np.array([[(-999.0 if value is None else value, 7.0)] for value in values], dtype=np.float32)
    return xy, seen


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0, None, None, 3], [0, 1, 2, 3], id="a straight line over a hole"),
        pytest.param([None, 4, 5, None], [4, 4, 5, 5], id="the first and the last are held"),
        pytest.param([1, 2, 3], [1, 2, 3], id="always visible"),
        pytest.param([None, None], [-999, -999], id="never visible stays as it was"),
    ],
)
def test_holes_are_bridged(values, expected):
    xy, seen = track(values)
    before = xy.copy()

    assert bridged(xy, seen)[:, 0, 0].tolist() == pytest.approx(expected)
    assert (xy == before).all()
