"""Alignment: the pixels, the keypoints and the label of a window's frame t are of one video frame."""

import numpy as np
import pytest

from nocigram.data import discover
from nocigram.data.batches import collate
from nocigram.data.sources import default_cache_dir, pixel_sources, pose_sources
from nocigram.data.trial_windows import TrialWindows
from nocigram.data.view import to_view
from nocigram.video.encode import VideoWriter

B_FRAMES = {"options": {"bf": "8", "g": "30"}}
UNEVEN = [int(stamp) for stamp in np.cumsum(1 + np.arange(900) * 7 % 5)]


def windows_of(laboratory, *, window_T, crop="full", img_size=64, **options):
    """Discovery, trials and every window of every trial, from the laboratory's files to tensors."""
    found = discover(**laboratory.folders, **options)
    cache_dir = laboratory.folder / "cache"
    sources = pixel_sources(
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
@pytest.mark.parametrize("window_T", [64, 345], ids=["windows of 64", "windows of 345"])
def test_pixels_keypoints_and_label_of_frame_t_are_of_one_video_frame(trials, table, how, spans, window_T, laboratory):
    laboratory.video(n_frames=800, **how)
    laboratory.pose(n_frames=800)
    for number, (start, n_rows) in enumerate(trials, start=1):
        laboratory.annotation(number, start=start, n_rows=n_rows)
    if table:
        header = "recording,trial,start,stop,stim_frame,animal,group"
        laboratory.table(*table, header=",".join(header.split(",")[: len(table[0])]))

    found, windows = windows_of(laboratory, window_T=window_T)
    assert [(trial.start, trial.stop) for trial in found.trials] == spans

    covered = [set() for _ in spans]
    for (position, place), item in zip(windows.places, windows.dataset(), strict=True):
        n = len(place)
        frames = np.arange(spans[position][0] + place.start, spans[position][0] + place.stop)
        covered[position] |= set(frames)
        assert laboratory.numbers_in(item.pixels[0, :n]) == list(frames)
        np.testing.assert_array_equal(item.xy_px[0, :n], laboratory.xy_of(frames))
        np.testing.assert_array_equal(item.visible[0, :n], laboratory.visible_of(frames))
        np.testing.assert_array_equal(item.actions[0, :n], found.scheme.merged(laboratory.action_of(frames)))
        assert item.valid[0].tolist() == [True] * n + [False] * (item.valid.shape[1] - n)
    assert covered == [set(range(*span)) for span in spans]
