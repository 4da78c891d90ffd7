"""What a model says of consecutive frames.

T frames, C actions, K keypoints.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of consecutive frames."""

    actions: Int[np.ndarray, " T"]
    """Position of the action in `classes`: the likeliest, or what the decoder of bouts made of all frames."""
    probabilities: Float[np.ndarray, "T C"]
    classes: tuple[str, ...]
    times_s: Float64[np.ndarray, " T"]
    """Seconds since the first frame, by the video's time stamps."""
    keypoints: Float[np.ndarray, "T K 2"] | None
    """Predicted keypoints in pixels of the video; None without a keypoint head."""
