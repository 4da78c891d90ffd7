from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stamped_videos import HEIGHT_PX, WIDTH_PX, number_in, stamped_frame, write_stamped_video

from nocigram.core.errors import InputError
from nocigram.video.decode import decode
from nocigram.video.encode import VideoWriter


@pytest.fixture
def stamped_video(tmp_path):
    def write(name="v.mp4", **options):
        return write_stamped_video(tmp_path / name, **options)

    return write


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("v.mp4", {"codec": "libx264"}, id="h264 with B-frames in mp4"),
        pytest.param("v.mkv", {"codec": "libx264"}, id="h264 with B-frames in mkv"),
        pytest.param("v.mov", {"codec": "libx264"}, id="h264 with B-frames in mov"),
        pytest.param(
            "v.m4v", {"codec": "libx264", "options": {"bf": "8", "g": "12"}}, id="h264, 8 B-frames, short groups"
        ),
        pytest.param("v.mp4", {"codec": "libx264", "options": {"bf": "0"}}, id="h264 without B-frames"),
        pytest.param("v.mp4", {"codec": "mpeg4"}, id="mpeg4 in mp4"),
        pytest.param("v.avi", {"codec": "mpeg4", "options": {"bf": "2"}}, id="mpeg4 with B-frames in avi"),
        pytest.param("v.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, id="mjpeg in avi"),
        pytest.param("v.mkv", {"codec": "ffv1", "pix_fmt": "gray"}, id="grey ffv1 in mkv"),
    ],
)
@pytest.mark.parametrize("grey", [True, False], ids=["grey", "rgb"])
def test_frame_i_shows_what_was_filmed_as_frame_i(name, options, grey, stamped_video):
    frames = list(decode(stamped_video(name, n_frames=75, **options), grey=grey))
    assert [number_in(frame.pixels) for frame in frames] == list(range(75))
    assert [frame.index for frame in frames] == list(range(75))
    assert frames[0].pixels.shape == (1 if grey else 3, HEIGHT_PX, WIDTH_PX)
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(75) / 30, atol=1.1e-3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.integers(1, 9), min_size=3, max_size=40),
    first=st.integers(0, 20),
    name=st.sampled_from(["v.mp4", "v.mkv"]),
)
def test_a_variable_frame_rate_changes_times_and_no_index(steps, first, name, stamped_video):
    pts = np.concatenate(([first], first + np.cumsum(steps)))
    video = stamped_video(name, n_frames=len(pts), fps=120.0, pts=[int(stamp) for stamp in pts])
    frames = list(decode(video, grey=True))
    assert [number_in(frame.pixels) for frame in frames] == list(range(len(pts)))
    np.testing.assert_allclose([frame.time_s for frame in frames], (pts - first) / 120, atol=1.1e-3)  # mkv counts in ms


def test_grey_is_each_channel_of_rgb(stamped_video):
    video = stamped_video()
    for grey, rgb in zip(decode(video, grey=True), decode(video, grey=False), strict=True):
        assert np.abs(rgb.pixels.astype(int) - grey.pixels.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "options"),
    [
        pytest.param("yuv420p", "libx264", {}, id="limited range"),
        pytest.param("yuvj420p", "mjpeg", {"qmin": "1", "q": "1"}, id="full range"),
        pytest.param("gray", "ffv1", {}, id="grey format"),
        pytest.param("yuv444p", "libx264", {}, id="whole chroma"),
        pytest.param("yuv420p10le", "libx264", {}, id="10 bits"),
        pytest.param("bgr0", "ffv1", {}, id="rgb format"),
    ],
)
@pytest.mark.parametrize("grey", [True, False], ids=["grey", "rgb"])
def test_black_is_0_and_white_is_255(pix_fmt, codec, options, grey, tmp_path):
    levels = np.repeat(np.array([0, 64, 128, 192, 255], dtype=np.uint8), 32)
    with VideoWriter(
        tmp_path / "v.mkv", width_px=160, height_px=32, codec=codec, pix_fmt=pix_fmt, options=options
    ) as writer:
        writer.write(np.tile(levels, (32, 1)))
    (frame,) = decode(tmp_path / "v.mkv", grey=grey)
    np.testing.assert_allclose(frame.pixels[:, 16, 16::32], np.tile(levels[16::32], (len(frame.pixels), 1)), atol=4)


def test_colours_stay_in_their_channels(tmp_path):
    picture = np.zeros((32, 96, 3), dtype=np.uint8)
    for channel in range(3):
        picture[:, 32 * channel : 32 * (channel + 1), channel] = 255
    with VideoWriter(tmp_path / "v.mp4", width_px=96, height_px=32, grey=False) as writer:
        writer.write(picture)
    (frame,) = decode(tmp_path / "v.mp4", grey=False)
    np.testing.assert_allclose(frame.pixels[:, 16, 16::32], 255 * np.eye(3), atol=12)
    (frame,) = decode(tmp_path / "v.mp4", grey=True)
    np.testing.assert_allclose(frame.pixels[0, 16, 16::32], [76, 150, 29], atol=6)  # Rec. 601 luma


def _with_rotation(path, *, quarter_turns):
    """Write the matrix of a phone that was held sideways into the track header of an mp4."""
    a, b = {1: (0, 1), 2: (-1, 0), 3: (0, -1)}[quarter_turns]
    matrix = [a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = np.array(matrix, dtype=">i4").tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_rotated_video_is_shown_upright(quarter_turns, tmp_path):
    video, picture = tmp_path / "v.mp4", np.full((32, 64), 30, dtype=np.uint8)
    picture[:16, :16] = 220
    with VideoWriter(video, width_px=64, height_px=32) as writer:
        writer.write(picture)
    _with_rotation(video, quarter_turns=quarter_turns)
    (frame,) = decode(video, grey=True)
    expected = np.rot90(picture, -quarter_turns)  # the matrix turns clockwise
    assert frame.pixels[0].shape == expected.shape
    assert np.abs(frame.pixels[0].astype(int) - expected).mean() < 3


def test_stopping_early_closes_the_file(stamped_video):
    frames = decode(stamped_video(), grey=True)
    assert next(frames).index == 0
    frames.close()


def test_pixels_outlive_their_decoder(stamped_video):
    first = next(decode(stamped_video(), grey=True))
    list(decode(stamped_video("w.mp4", n_frames=80), grey=True))
    assert number_in(first.pixels) == 0
    assert np.abs(first.pixels[0].astype(int) - stamped_frame(0)).mean() < 4


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "libx264"), ("v.mkv", "libx264"), ("v.avi", "mpeg4"), ("v.avi", "mjpeg")]
)
def test_a_damaged_video_is_an_error_and_never_fewer_frames(name, codec, stamped_video):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    video = stamped_video(name, n_frames=200, codec=codec, pix_fmt=pix_fmt)
    data = bytearray(video.read_bytes())
    middle = int(len(data) * 0.4)
    data[middle : middle + 3000] = bytes(3000)
    video.write_bytes(data)
    numbers = []
    with pytest.raises(InputError, match=f"{name}: expected a video that decodes to its end, got '.*' after .* frames"):
        numbers.extend(number_in(frame.pixels) for frame in decode(video, grey=True))
    assert 0 < len(numbers) < 200
    assert numbers[:-2] == list(range(len(numbers) - 2))  # the decoder may make up a frame or two at the break


def test_times_rise(stamped_video):
    times = [frame.time_s for frame in decode(stamped_video(n_frames=60, fps=29.97), grey=True)]
    assert all(before < after for before, after in pairwise(times))
    assert times[0] == 0
