"""From seconds to frames, by the time stamps of the video.

A frame is on the screen from its time stamp to the next one's. Whoever notes that something begins or ends sees the
frame that is on the screen at that moment. So an event begins with the frame that is shown at its start, and the frame
that is shown at its stop is the first that belongs to it no more. N frames.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from nocigram.video.count import frame_times_s, n_frames_of
from nocigram.video.probe import VideoInfo

ROUNDING_S = 0.0006
"""Other tools write milliseconds, so a time may lie half of one before the frame that is meant."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """When the frames of a recording are shown."""

    times_s: Float64[np.ndarray, " N"]
    """Seconds since the first frame, rising."""
    interval_s: float
    """The last frame is shown for so long."""

    @property
    def n_frames(self) -> int:
        """N."""
        return len(self.times_s)

    @property
    def end_s(self) -> float:
        """When the last frame is over."""
        return float(self.times_s[-1]) + self.interval_s

    def frame_at(self, time_s: float) -> int:
        """The frame that is shown at a time; N when the recording is over."""
        if time_s + ROUNDING_S >= self.end_s:
            return self.n_frames
        return max(0, int(np.searchsorted(self.times_s, time_s + ROUNDING_S, side="right")) - 1)

    def span_of(self, start_s: float, stop_s: float) -> tuple[int, int]:
        """Half-open frames of an event; one that is shorter than a frame has the frame that it begins in."""
        start = self.frame_at(start_s)
        return start, min(max(start + 1, self.frame_at(stop_s)), self.n_frames)


def clock_of_video(info: VideoInfo) -> Clock:
    """The clock of a video, by its time stamps.

    Raises:
        InputError: the file breaks off.
    """
    times_s = frame_times_s(info)[: n_frames_of(info)]
    interval_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0 / info.nominal_fps
    return Clock(times_s=times_s, interval_s=interval_s)


def steady_clock(*, n_frames: int, fps: float) -> Clock:
    """The clock of a recording whose video is not there."""
    return Clock(times_s=np.arange(n_frames) / fps, interval_s=1.0 / fps)
