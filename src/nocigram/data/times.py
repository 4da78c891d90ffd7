"""When each frame of a recording was filmed."""

from nocigram.data.records import Recording
from nocigram.video.count import frame_times_s


def times_s_of(recording: Recording) -> list[float]:
    """Seconds since the first frame: the video's where there is one, else at the frame rate.

    Raises:
        InputError: the video breaks off.
    """
    if recording.info is not None:
        return frame_times_s(recording.info).tolist()
    return [frame / recording.fps for frame in range(recording.n_frames)]
