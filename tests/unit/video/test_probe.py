import av
import numpy as np
import pytest
from stamped_videos import HEIGHT_PX, WIDTH_PX, write_stamped_video

from nocigram.core.errors import InputError
from nocigram.video.encode import VideoWriter
from nocigram.video.probe import probe


def test_a_video_is_described(tmp_path):
    info = probe(write_stamped_video(tmp_path / "v.mp4", n_frames=40, fps=25.0))
    assert (info.width_px, info.height_px, info.n_frames_header) == (WIDTH_PX, HEIGHT_PX, 40)
    assert (info.nominal_fps, info.codec, info.is_grey) == (25.0, "h264", True)


def test_a_header_without_a_count_says_none(tmp_path):
    assert probe(write_stamped_video(tmp_path / "v.mkv")).n_frames_header is None


@pytest.mark.parametrize(
    ("coloured", "is_grey"),
    [
        pytest.param([], True, id="no colour"),
        pytest.param(range(60), False, id="colour in every frame"),
        pytest.param(range(30, 60), False, id="colour in the second half"),
    ],
)
def test_a_video_is_grey_without_colour_in_any_sample(coloured, is_grey, tmp_path):
    with VideoWriter(tmp_path / "v.mp4", width_px=64, height_px=32, grey=False, options={"g": "10"}) as writer:
        for number in range(60):
            picture = np.full((32, 64, 3), 90, dtype=np.uint8)
            picture[8:24, 8:40, 0] = 220 if number in coloured else 90
            writer.write(picture)
    assert probe(tmp_path / "v.mp4").is_grey is is_grey


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "expected a video, got nothing there. Check the path.", id="no file"),
        pytest.param(b"", "v.mp4: expected a video, got an empty file.", id="zero bytes"),
        pytest.param(b"Frame,Action\n0,0\n" * 50, "v.mp4: expected a video, got '.*ffmpeg -i 'v.mp4'", id="text"),
    ],
)
def test_a_file_that_is_no_video_is_refused(content, message, tmp_path):
    video = tmp_path / "v.mp4"
    if content is not None:
        video.write_bytes(content)
    with pytest.raises(InputError, match=message):
        probe(video)


def test_a_video_without_its_end_is_refused(tmp_path):
    video = write_stamped_video(tmp_path / "v.mp4")
    video.write_bytes(video.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"v\.mp4: expected a video, got 'Invalid data"):
        probe(video)


def test_a_copy_that_broke_off_is_refused_though_its_header_is_whole(tmp_path):
    video = write_stamped_video(tmp_path / "v.mp4")
    whole = tmp_path / "whole.mp4"
    with av.open(str(video)) as source, av.open(str(whole), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert probe(whole).n_frames_header == 40
    video.write_bytes(whole.read_bytes()[:-500])
    n_bytes = video.stat().st_size
    message = rf"v\.mp4: expected a file of at least \d+ bytes, as its index says, got {n_bytes}\. Copy it again"
    with pytest.raises(InputError, match=message):
        probe(video)
