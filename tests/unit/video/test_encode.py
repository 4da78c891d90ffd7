from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from nocigram.video.encode import VideoWriter


def _grey_frames(n_frames: int = 40, size_px: int = 64) -> np.ndarray:
    """A bright square that moves to the right over a still, textured floor."""
    frames = np.repeat(np.random.default_rng(0).integers(20, 60, (1, size_px, size_px), dtype=np.uint8), n_frames, 0)
    for index, frame in enumerate(frames):
        frame[20:40, index : index + 20] = 220
    return frames


def _write(path: Path, frames: np.ndarray, *, pts: list[int] | None = None, **options) -> Path:
    with VideoWriter(path, width_px=frames.shape[2], height_px=frames.shape[1], **options) as video:
        for index, frame in enumerate(frames):
            video.write(frame, pts=None if pts is None else pts[index])
    return path


def _decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def test_equal_frames_give_equal_bytes(tmp_path):
    frames = _grey_frames()
    assert len({_write(tmp_path / f"{number}.mp4", frames).read_bytes() for number in range(20)}) == 1


def test_h264_has_b_frames_and_keeps_every_frame_in_order(tmp_path):
    frames = _grey_frames()
    decoded = _decoded(_write(tmp_path / "a.mp4", frames))
    kinds = [PictureType(frame.pict_type).name for frame in decoded]
    assert "B" in kinds
    assert len(decoded) == len(frames)
    for got, wanted in zip(decoded, frames, strict=True):
        assert np.abs(got.to_ndarray(format="gray").astype(int) - wanted).mean() < 6


def test_colour_frames_keep_their_colour(tmp_path):
    frames = np.zeros((5, 32, 32, 3), dtype=np.uint8)
    frames[..., 0] = 200
    picture = _decoded(_write(tmp_path / "a.mp4", frames, grey=False))[2].to_ndarray(format="rgb24")
    assert picture[..., 0].mean() > 180
    assert picture[..., 1:].mean() < 25


def test_time_stamps_can_be_uneven(tmp_path):
    pts = [0, 1, 2, 5, 6, 9, 10, 11]
    decoded = _decoded(_write(tmp_path / "a.mp4", _grey_frames(8), pts=pts, fps=30.0))
    times_s = np.array([frame.time for frame in decoded])
    assert times_s - times_s[0] == pytest.approx(np.array(pts) / 30, abs=1e-3)


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        pytest.param(30.0, 30.0, id="a whole rate"),
        pytest.param(30000 / 1001, 30000 / 1001, id="the NTSC rate"),
        pytest.param(12.5, 12.5, id="half frames per second"),
    ],
)
def test_nominal_rate_is_kept(tmp_path, fps, rate):
    path = _write(tmp_path / "a.mp4", _grey_frames(10), fps=fps)
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(rate, rel=1e-4)


def test_other_codecs_and_containers_work(tmp_path):
    assert len(_decoded(_write(tmp_path / "a.avi", _grey_frames(10), codec="mpeg4"))) == 10


def test_an_error_leaves_no_file(tmp_path):
    video = VideoWriter(tmp_path / "a.mp4", width_px=64, height_px=64)
    frame = _grey_frames(1)[0]

    def write_until_the_disk_is_gone() -> None:
        with video:
            video.write(frame)
            raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        write_until_the_disk_is_gone()
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_shape_is_refused(tmp_path):
    video = VideoWriter(tmp_path / "a.mp4", width_px=64, height_px=64)
    with pytest.raises(ValueError, match=r"expected a frame of shape \(64, 64\), got \(32, 64\)"), video:
        video.write(np.zeros((32, 64), dtype=np.uint8))


def test_an_odd_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected an even width and height for yuv420p, got 63x64"):
        VideoWriter(tmp_path / "a.mp4", width_px=63, height_px=64)
