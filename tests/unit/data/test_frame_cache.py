import multiprocessing
import pickle
import shutil

import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.data.array_cache import ArrayCache, content_hash
from nocigram.data.frame_cache import cache_size_bytes, cached_frames, is_cached
from nocigram.data.view import View, full_view, to_view
from nocigram.video.encode import VideoWriter
from nocigram.video.probe import probe

N_FRAMES = 70


def dot_at(frame):
    """Where the dot of a frame is, in whole pixels."""
    return 20 + 2 * frame % 120, 15 + frame % 60


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A dark grey video, 160x96, variable frame rate, with a bright dot that moves."""
    path = tmp_path_factory.mktemp("videos") / "v.mp4"
    with VideoWriter(path, width_px=160, height_px=96, fps=120.0) as writer:
        for frame in range(N_FRAMES):
            picture = np.full((96, 160), 10, dtype=np.uint8)
            x, y = dot_at(frame)
            picture[y - 2 : y + 3, x - 2 : x + 3] = 240
            writer.write(picture, pts=4 * frame + frame % 3)
    return path


def following_view(n_frames=N_FRAMES):
    """A square of 80 px around the dot, a little off centre and jittering."""
    corners = [[x - 40 + f % 5, y - 37 - f % 3, 80] for f in range(n_frames) for x, y in [dot_at(f)]]
    return View(np.array(corners, dtype=np.int32))


@pytest.mark.parametrize("view", [full_view(160, 96), following_view()], ids=["full", "following"])
def test_a_dot_is_found_where_its_keypoint_says_from_video_to_cache(view, video, tmp_path):
    store = cached_frames(video, view=view, img_size=64, cache_dir=tmp_path)
    keypoints = np.array([dot_at(frame) for frame in range(N_FRAMES)], dtype=np.float64)[:, None] + 0.5
    expected = to_view(keypoints, view.boxes_of(0, N_FRAMES))[:, 0] * 64
    light = np.clip(store.frames[:, 0].astype(float) - 40, 0, None)
    rows, columns = np.mgrid[:64, :64] + 0.5
    found = np.stack([(light * axis).sum((1, 2)) / light.sum((1, 2)) for axis in (columns, rows)], axis=-1)
    np.testing.assert_allclose(found, expected, atol=0.5)


def test_frames_are_grey_memory_maps_with_times(video, tmp_path):
    store = cached_frames(video, view=full_view(160, 96), img_size=32, cache_dir=tmp_path)
    assert store.n_frames == N_FRAMES
    assert isinstance(store.frames, np.memmap)
    assert (store.frames.shape, store.frames.dtype) == ((N_FRAMES, 1, 32, 32), np.uint8)
    np.testing.assert_allclose(store.times_s, [(4 * f + f % 3) / 120 for f in range(N_FRAMES)], atol=1e-4)
    announced = cache_size_bytes(N_FRAMES, img_size=32, grey=True)
    assert announced == store.frames.nbytes + store.times_s.nbytes


def test_a_cached_recording_is_not_decoded_again_even_after_a_move(video, tmp_path):
    told = []
    for path in (video, shutil.copy(video, tmp_path / "moved.mp4")):
        cached_frames(path, view=full_view(160, 96), img_size=32, cache_dir=tmp_path, on_frames=told.append)
    assert sum(told) == N_FRAMES
    assert is_cached(video, view=full_view(160, 96, 9), img_size=32, cache_dir=tmp_path, info=probe(video))


@pytest.mark.parametrize(
    "other", [{"img_size": 48}, {"view": full_view(100, 96)}, {"view": following_view()}], ids=["size", "box", "boxes"]
)
def test_other_settings_are_other_frames(other, video, tmp_path):
    settings = {"view": full_view(160, 96), "img_size": 32}
    cached_frames(video, **settings, cache_dir=tmp_path)
    assert not is_cached(video, **(settings | other), cache_dir=tmp_path, info=probe(video))


@pytest.mark.parametrize("damage", ["frames cut", "frames empty", "times cut", "times gone", "frames too long"])
def test_a_damaged_cache_is_built_anew(damage, video, tmp_path):
    settings = {"view": full_view(160, 96), "img_size": 32, "cache_dir": tmp_path}
    before = np.array(cached_frames(video, **settings).frames)
    (times,) = tmp_path.glob("frames/*-times_s.npy")
    frames = times.with_name(times.name.replace("-times_s", ""))
    victim = times if damage.startswith("times") else frames
    if damage.endswith("gone"):
        victim.unlink()
    elif damage.endswith("long"):
        victim.write_bytes(victim.read_bytes() + b"\0")
    else:
        victim.write_bytes(victim.read_bytes()[: -100 if damage.endswith("cut") else 0])
    told = []
    np.testing.assert_array_equal(cached_frames(video, **settings, on_frames=told.append).frames, before)
    assert sum(told) == N_FRAMES


def test_a_video_that_breaks_leaves_nothing_behind(video, tmp_path):
    data = bytearray(video.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 1500] = bytes(1500)
    (tmp_path / "broken.mp4").write_bytes(data)
    with pytest.raises(InputError, match=r"broken\.mp4"):
        cached_frames(tmp_path / "broken.mp4", view=full_view(160, 96), img_size=32, cache_dir=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.*"))


def _build(video, cache_dir):
    cached_frames(video, view=full_view(160, 96), img_size=32, cache_dir=cache_dir)


def test_two_processes_may_build_at_once(video, tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_build, args=(video, tmp_path)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(list((tmp_path / "frames").iterdir())) == 2
    assert is_cached(video, view=full_view(160, 96), img_size=32, cache_dir=tmp_path, info=probe(video))


def test_an_array_is_written_block_by_block(tmp_path):
    blocks = [np.full((n, 3), n, dtype=np.float32) for n in (2, 5, 1)]
    array = ArrayCache(tmp_path).put("features", blocks, row_shape=(3,), dtype=np.dtype(np.float16))
    assert (array.shape, array.dtype) == ((8, 3), np.float16)
    np.testing.assert_array_equal(array, np.concatenate(blocks))
    assert ArrayCache(tmp_path).get("other") is None


def test_an_error_while_building_leaves_no_file(tmp_path):
    def blocks():
        yield np.zeros((2, 3))
        raise InputError("broken")

    with pytest.raises(InputError, match="broken"):
        ArrayCache(tmp_path).put("a", blocks(), row_shape=(3,), dtype=np.dtype(np.float32))
    assert not list(tmp_path.iterdir())


def test_the_content_hash_follows_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = content_hash(path)
    path.write_bytes(b"three")
    assert content_hash(path) != first


@pytest.mark.parametrize(
    ("write", "is_there"),
    [
        pytest.param(lambda file: np.lib.format.write_array(file, np.ones(3), version=(2, 0)), True, id="version 2"),
        pytest.param(lambda file: np.savez(file, a=np.ones(3)), False, id="an archive"),
        pytest.param(
            lambda file: np.save(file, np.array([{}], dtype=object), allow_pickle=True), False, id="objects, pickled"
        ),
        pytest.param(lambda file: file.write(pickle.dumps([1])), False, id="a pickle"),
    ],
)
def test_only_a_plain_array_is_taken_from_the_cache(write, is_there, tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        write(file)
    assert (ArrayCache(tmp_path).get("a") is not None) == is_there
