"""What the time stamps of a video's frames say about its rate."""

import numpy as np
from jaxtyping import Float64, Int

_SHARE, _ROUNDING_S = 0.5, 1e-3
"""An interval is uneven if it differs from the usual one by more than half of it, less what rounding to whole
milliseconds (Matroska) may do: a frame was dropped, or two were taken at once."""


def uneven_frames(times_s: Float64[np.ndarray, " N"]) -> Int[np.ndarray, " M"]:
    """Frames that come much sooner or later after the one before than is usual in the recording."""
    intervals = np.diff(times_s)
    if not len(intervals):
        return np.zeros(0, dtype=np.int64)
    usual = float(np.median(intervals))
    return np.flatnonzero(np.abs(intervals - usual) > _SHARE * usual + _ROUNDING_S) + 1


def measured_fps(times_s: Float64[np.ndarray, " N"]) -> float | None:
    """Frames per second from the first to the last frame; None where no time passes."""
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return None
    return float((len(times_s) - 1) / (times_s[-1] - times_s[0]))
