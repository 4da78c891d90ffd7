"""When a trial was filmed: what turns its frames into seconds."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Frame rate, place within the recording, stimulus."""

    fps: float
    """Frames per second of the recording; of a variable rate the mean."""
    start: int
    """Frame of the recording at which the trial starts."""
    stim_frame: int | None
    """Frame of the recording at which the stimulus touched; None where nobody said."""

    def frames_within(self, seconds: float) -> int:
        """Whole frames that fit into a span of time."""
        return math.floor(seconds * self.fps + 1e-9)  # 0.29 s at 100 Hz are 29 frames, and 28.999999999999996 here
