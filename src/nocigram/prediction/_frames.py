"""What prediction knows of a recording's frames before the model sees them.

N frames of a recording, K keypoints, L light numbers.
"""

import numpy as np
from jaxtyping import Float32

from nocigram.data.records import Recording
from nocigram.data.sources import meter_of
from nocigram.pose.light import normalised_light
from nocigram.video.count import frame_times_s
from nocigram.video.decode import decode


def light_of(recording: Recording) -> Float32[np.ndarray, "N K L"] | None:
    """Light at the keypoints of every frame, as in training; None where it can't be measured."""
    meter = meter_of(recording)
    if meter is None:
        return None
    frames = decode(recording.video.path, grey=recording.video.is_grey)
    measured = np.stack([meter.measure(frame.pixels, frame.index) for frame in frames])
    return normalised_light(measured, paws=recording.skeleton.paws)


def times_s_of(recording: Recording) -> list[float]:
    """Seconds since the first frame: the video's where there is one, else at the frame rate."""
    if recording.info is not None:
        return frame_times_s(recording.info).tolist()
    return [frame / recording.fps for frame in range(recording.n_frames)]
