"""Alignment: the pixels, the keypoints and the label of a window's frame t are of one video frame."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from nocigram.config.data import DataOptions
from nocigram.config.model import needs_of
from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.errors import InputError
from nocigram.core.needs import EVERYTHING
from nocigram.data import discover, discover_from
from nocigram.data.batches import collate
from nocigram.data.locate import located_view
from nocigram.data.sources import default_cache_dir, sources_of
from nocigram.data.trial_windows import TrialWindows
from nocigram.data.view import to_view
from nocigram.video.encode import VideoWriter

POSE_GRAPH = needs_of("pose_only", streams="pixels+pose", features=("graph",))

B_FRAMES = {"options": {"bf": "8", "g": "30"}}
UNEVEN = [int(stamp) for stamp in np.cumsum(1 + np.arange(900) * 7 % 5)]


def windows_of(laboratory, *, window_T, crop="full", img_size=64, **options):
    """Discovery, trials and every window of every trial, from the laboratory's files to tensors."""
    found = discover(**laboratory.folders, **options)
    cache_dir = laboratory.folder / "cache"
    sources = sources_of(
        found.recordings.values(), crop=crop, img_size=img_size, cache_dir=cache_dir, say=lambda _: None
    )
    return found, TrialWindows(found=found, trials=found.trials, sources=sources, window_T=window_T)


@pytest.mark.parametrize(
    ("trials", "table", "how", "spans"),
    [
        pytest.param([(0, 360), (360, 360)], [], {}, [(0, 360), (360, 720)], id="360 rows, with B-frames"),
        pytest.param([(15, 345)], [], B_FRAMES, [(15, 360)], id="a single file of 345 rows uses frames 15 to 359"),
        pytest.param([(15, 345), (360, 360)], [], B_FRAMES, [(15, 360), (360, 720)], id="345 rows, then 360"),
        pytest.param([(0, 360), (375, 345)], [], {}, [(0, 360), (375, 720)], id="360 rows, then 345"),
        pytest.param([(0, 350), (350, 400)], [], {}, [(0, 350), (350, 750)], id="other lengths follow each other"),
        pytest.param(
            [(211, 345), (30, 350)],
            [("rec", 1, 211, None, None, "m", ""), ("rec.mp4", 2, 30, 380, None, "m", "")],
            B_FRAMES,
            [(211, 556), (30, 380)],
            id="recordings.csv overrides",
        ),
        pytest.param(
            [(375, 345)],
            [("rec", 1, 360, 720, None, "m", "")],
            {},
            [(375, 720)],
            id="345 rows in a span of 360 frames of recordings.csv",
        ),
        pytest.param(
            [(15, 345), (375, 345)], [], {"pts": UNEVEN, "fps": 120.0}, [(15, 360), (375, 720)], id="variable rate"
        ),
        pytest.param(
            [(375, 345)], [("rec", 1, 375)], {"codec": "mpeg4", "options": {"bf": "2"}}, [(375, 720)], id="mpeg4"
        ),
    ],
)
def test_pixels_keypoints_and_label_of_frame_t_are_of_one_video_frame(trials, table, how, spans, laboratory):
    laboratory.video(n_frames=800, **how)
    laboratory.pose(n_frames=800)
    for number, (start, n_rows) in enumerate(trials, start=1):
        laboratory.annotation(number, start=start, n_rows=n_rows)
    if table:
        header = "recording,trial,start,stop,stim_frame,animal,group"
        laboratory.table(*table, header=",".join(header.split(",")[: len(table[0])]))

    found, windows = windows_of(laboratory, window_T=64)
    assert [(trial.start, trial.stop) for trial in found.trials] == spans

    covered = [set() for _ in spans]
    for (position, place), item in zip(windows.places, windows.dataset(), strict=True):
        n = len(place)
        frames = np.arange(spans[position][0] + place.start, spans[position][0] + place.stop)
        covered[position] |= set(frames)
        assert laboratory.numbers_in(item.pixels[0, :n]) == list(frames)
        seen = laboratory.visible_of(frames)
        np.testing.assert_array_equal(item.visible[0, :n], seen)
        np.testing.assert_array_equal(item.xy_px[0, :n].numpy()[seen], laboratory.xy_of(frames)[seen])
        np.testing.assert_array_equal(item.actions[0, :n], found.scheme.merged(laboratory.action_of(frames)))
        assert item.valid[0].tolist() == [True] * n + [False] * (item.valid.shape[1] - n)
    assert covered == [set(range(*span)) for span in spans]


def test_colour_videos_are_aligned_too(laboratory):
    laboratory.video(n_frames=80, grey=False)
    laboratory.annotation(1, n_rows=80)
    _, windows = windows_of(laboratory, window_T=30, min_frames=80)
    for (_, place), item in zip(windows.places, windows.dataset(), strict=True):
        assert item.pixels.shape[2] == 3
        assert laboratory.numbers_in(item.pixels[0]) == list(range(place.start, place.stop))


def test_the_view_that_follows_the_mouse_is_of_the_same_frame_as_pixels_and_keypoints(laboratory):
    rng = np.random.default_rng(0)
    n_frames, size = 90, 128
    middle = np.stack((40 + np.arange(n_frames) * 0.5, 64 + 20 * np.sin(np.arange(n_frames) / 15)), axis=-1)
    xy = middle[:, None] + np.array([[0, -12], [0, 12], [-6, -6], [6, -6], [-6, 6], [6, 6]])
    xy[:, 0] = (middle + np.array([0, -12]) + rng.integers(-2, 3, (n_frames, 2))).round()
    with VideoWriter(laboratory.videos / "rec.mp4", width_px=size, height_px=size, options={"crf": "4"}) as writer:
        for x, y in xy[:, 0].astype(int):  # a bright square whose middle is the mouth
            picture = np.full((size, size), 16, dtype=np.uint8)
            picture[y - 1 : y + 1, x - 1 : x + 1] = 235
            writer.write(picture)
    laboratory.pose(n_frames=n_frames).write_text(pose_text(xy))
    laboratory.annotation(1, n_rows=n_frames)

    _, windows = windows_of(laboratory, window_T=40, crop="mouse", img_size=64, min_frames=n_frames)
    pixels, expected, boxes = [], [], []
    for (_, place), item in zip(windows.places, windows.dataset(), strict=True):
        pixels.append(item.pixels[0, :, 0].numpy().astype(float))
        boxes.append(item.boxes[0].numpy().astype(int))
        np.testing.assert_allclose(item.xy_in_view()[0], to_view(xy[place.start : place.stop], boxes[-1]), atol=1e-5)
        expected.append(item.xy_in_view()[0, :, 0].numpy() * 64)
    pixels, expected, boxes = (np.concatenate(each) for each in (pixels, expected, boxes))
    assert len(set(boxes[:, 2])) == 1
    assert len(set(boxes[:, 0])) > 10
    light = np.clip(pixels - 60, 0, None)
    centres = np.arange(64) + 0.5
    found = (
        np.stack(((light.sum(axis=1) @ centres), (light.sum(axis=2) @ centres)), axis=-1) / light.sum((1, 2))[:, None]
    )
    assert np.abs(found - expected).max() < 0.75


def pose_text(xy):
    """A DeepLabCut csv of keypoints (T, 6, 2) in the package's order, all of them visible."""
    names = ("mouth", "tail_base", "L_frontpaw", "R_frontpaw", "L_hindpaw", "R_hindpaw")
    lines = [
        "scorer" + ",DLC" * 18,
        "bodyparts," + ",".join(name for name in names for _ in range(3)),
        "coords" + ",x,y,likelihood" * 6,
    ]
    lines += [f"{frame}," + ",".join(f"{x:g},{y:g},1" for x, y in row) for frame, row in enumerate(xy)]
    return "\n".join(lines) + "\n"


def test_a_window_past_the_frames_that_decode_is_refused(laboratory):
    laboratory.video(n_frames=60)
    laboratory.annotation(1, n_rows=60)
    found, windows = windows_of(laboratory, window_T=30, min_frames=60)
    short = {name: replace(source, frames=source.frames[:50]) for name, source in windows.sources.items()}
    assert short["rec"].n_frames == 50
    message = "^rec: expected 52 frames for its trials, got 50 that decode. Repair the video, or remove the trials"
    with pytest.raises(InputError, match=message):
        TrialWindows(found=found, trials=found.trials, sources=short, window_T=30).dataset()


def test_decoding_is_announced_once_with_its_size(laboratory):
    laboratory.video(n_frames=50)
    laboratory.video("colour.mp4", n_frames=30, grey=False)
    found, said = discover(**laboratory.folders), []
    how = {"crop": "full", "img_size": 32, "cache_dir": laboratory.folder / "cache", "say": said.append}
    first = sources_of(found.recordings.values(), **how)
    n_bytes = 50 * (32 * 32 + 8) + 30 * (3 * 32 * 32 + 8)
    assert said == [f"[info] Decoding 2 videos into {laboratory.folder / 'cache'}: 80 frames, {n_bytes / 1e6:.0f} MB"]
    second = sources_of(found.recordings.values(), **how)
    assert len(said) == 1
    assert {name: source.frames_key for name, source in first.items()} == {
        name: source.frames_key for name, source in second.items()
    }


def test_sources_without_pixels_decode_nothing(laboratory):
    laboratory.video(n_frames=50)
    found = discover(**laboratory.folders)
    source = sources_of(
        found.recordings.values(), needs=POSE_GRAPH, crop="full", img_size=32, cache_dir=laboratory.folder
    )["rec"]
    assert source.frames is None
    assert source.n_frames == 50


def test_a_mouse_without_pose_is_followed_by_what_the_picture_shows_and_looked_for_once(laboratory, monkeypatch):
    laboratory.video()
    found = discover(**laboratory.folders)
    how = {"crop": "mouse", "img_size": 32, "cache_dir": laboratory.folder / "cache", "say": lambda _: None}
    first = sources_of(found.recordings.values(), **how)["rec"]
    np.testing.assert_array_equal(
        first.view.boxes, located_view(found.recordings["rec"].video.path, info=found.recordings["rec"].info).view.boxes
    )
    monkeypatch.setattr("nocigram.data.sources.located_view", None)
    second = sources_of(found.recordings.values(), **how)["rec"]
    np.testing.assert_array_equal(second.view.boxes, first.view.boxes)


def test_a_cache_folder_that_cant_be_written_is_an_error(laboratory):
    laboratory.video()
    found = discover(**laboratory.folders)
    blocked = laboratory.folder / "file"
    blocked.touch()
    with pytest.raises(InputError, match=r"file: expected a folder with room for decoded frames, got .*--cache_dir"):
        sources_of(found.recordings.values(), crop="full", img_size=32, cache_dir=blocked, say=lambda _: None)


def test_the_cache_lies_beside_the_videos_folder(tmp_path):
    assert default_cache_dir(tmp_path / "Videos") == tmp_path / ".nocigram"


def test_grey_and_colour_recordings_share_a_batch(laboratory):
    laboratory.video("a.mp4", n_frames=20)
    laboratory.video("b.mp4", n_frames=20, grey=False)
    for name in ("a.mp4", "b.mp4"):
        laboratory.annotation(1, video=name, n_rows=20)
    _, windows = windows_of(laboratory, window_T=20, min_frames=20)
    batch = collate(list(windows.dataset()))
    assert batch.pixels.shape == (2, 20, 3, 64, 64)
    assert batch.index.tolist() == [0, 1]
    assert [laboratory.numbers_in(pixels) for pixels in batch.pixels] == [list(range(20))] * 2
    assert (batch.pixels[0] == batch.pixels[0, :, :1]).all()


LIGHT_ALONE = needs_of("pose_only", streams="pixels+pose", features=("kinematics", "light"))


def sources_for(needs, laboratory, *, crop="full", fps=None):
    options = DataOptions(**laboratory.folders, fps=fps)
    found = discover_from(options, scheme=DEFAULT_SCHEME, needs=needs)
    said = []
    sources = sources_of(
        found.recordings.values(),
        needs=needs,
        crop=crop,
        img_size=32,
        cache_dir=laboratory.folder / "cache",
        say=said.append,
    )
    return sources, said


def test_light_without_pixels_is_the_light_beside_them(laboratory):
    laboratory.video()
    laboratory.pose()
    beside = sources_for(EVERYTHING, laboratory)[0]["rec"].light
    shutil.rmtree(laboratory.folder / "cache")
    sources, said = sources_for(LIGHT_ALONE, laboratory)

    assert (sources["rec"].frames, sources["rec"].n_frames, len(sources["rec"].kinematics)) == (None, 40, 2)
    np.testing.assert_array_equal(sources["rec"].light, beside)
    assert [line.split(" into ")[0] for line in said] == ["[info] Decoding 1 videos"]
    assert sum(path.stat().st_size for path in (laboratory.folder / "cache/frames").iterdir()) < 40 * 32 * 32


def test_light_is_measured_once_with_pixels_or_without(laboratory, monkeypatch):
    laboratory.video()
    laboratory.pose()
    sources_for(EVERYTHING, laboratory)
    monkeypatch.setattr("nocigram.data.frame_cache.decode", None)
    sources, said = sources_for(LIGHT_ALONE, laboratory)

    assert sources["rec"].light is not None
    assert said == []


def test_recordings_without_a_video_have_no_light_and_those_beside_them_do(laboratory):
    laboratory.video("a.mp4")
    laboratory.pose("a")
    laboratory.pose("b", n_frames=30)
    sources, _ = sources_for(LIGHT_ALONE, laboratory, fps=30.0)

    assert {name: source.light is None for name, source in sources.items()} == {"a": False, "b": True}
    assert (sources["b"].n_frames, len(sources["b"].kinematics)) == (30, 2)


def test_a_video_without_pose_shows_the_animal_that_the_picture_shows_and_it_is_looked_for_once(
    laboratory, monkeypatch
):
    laboratory.video()
    sources, _ = sources_for(EVERYTHING, laboratory, crop="mouse")
    located = located_view(laboratory.videos / "rec.mp4", info=sources["rec"].recording.video).view
    np.testing.assert_array_equal(sources["rec"].view.boxes, located.boxes)

    monkeypatch.setattr("nocigram.data.sources.located_view", None)
    again, _ = sources_for(EVERYTHING, laboratory, crop="mouse")
    np.testing.assert_array_equal(again["rec"].view.boxes, located.boxes)
