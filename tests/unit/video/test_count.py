"""Frames and their times without decoding."""

import numpy as np
import pytest
from stamped_videos import write_stamped_video

from nocigram.core.errors import InputError
from nocigram.video.count import frame_times_s, n_frames_of
from nocigram.video.decode import decode
from nocigram.video.probe import probe

UNEVEN = [int(stamp) for stamp in np.cumsum(1 + np.arange(40) * 7 % 5)]
B_FRAMES = {"bf": "4", "g": "12"}


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param("a.mp4", {"options": {"bf": "0"}}, id="a constant rate"),
        pytest.param("a.mp4", {"options": B_FRAMES}, id="B-frames"),
        pytest.param("a.mp4", {"pts": UNEVEN, "fps": 120.0, "options": B_FRAMES}, id="a variable rate and B-frames"),
        pytest.param("a.mkv", {"options": B_FRAMES}, id="mkv, which counts no frames"),
        pytest.param("a.mkv", {"pts": UNEVEN, "fps": 120.0}, id="mkv of variable rate"),
        pytest.param("a.avi", {"codec": "mpeg4"}, id="avi"),
        pytest.param("a.mov", {"codec": "mpeg4", "options": {"bf": "2"}}, id="mov with B-frames"),
        pytest.param("a.mp4", {"n_frames": 1}, id="one frame"),
        pytest.param("a.mp4", {"pts": [7 + stamp for stamp in UNEVEN], "fps": 120.0}, id="not beginning at 0"),
    ],
)
def test_times_are_those_that_decoding_gives(name, how, tmp_path):
    info = probe(write_stamped_video(tmp_path / name, **how))
    times_s = frame_times_s(info)

    expected = [frame.time_s for frame in decode(info.path, grey=info.is_grey)]
    assert len(times_s) == n_frames_of(info) == len(expected)
    np.testing.assert_allclose(times_s, expected, atol=1e-6)
    assert times_s[0] == 0


def test_without_time_stamps_frames_come_at_the_nominal_rate(tmp_path, monkeypatch):
    info = probe(write_stamped_video(tmp_path / "a.mp4", n_frames=10, fps=25.0))

    class Packet:
        size, pts = 10, None

    class Container:
        def __enter__(self):
            return self, type("Stream", (), {"time_base": 1 / 90000})

        def __exit__(self, *_):
            return None

        def demux(self, _):
            return [Packet() for _ in range(10)]

    monkeypatch.setattr("nocigram.video.count.opened", lambda _: Container())
    np.testing.assert_allclose(frame_times_s(info), np.arange(10) / 25)


def test_a_file_that_is_gone_is_told(tmp_path):
    info = probe(write_stamped_video(tmp_path / "a.mp4", n_frames=5))
    info.path.unlink()

    with pytest.raises((InputError, OSError), match=r"a\.mp4"):
        frame_times_s(info)
