import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from nocigram.core.ranges import FrameRange
from nocigram.evaluation.support import ActionSupport
from nocigram.report.contact_sheet import Panel, draw_contact_sheet
from nocigram.report.labels import MOST_ROWS, LabelledSpan, draw_action_counts, draw_labels
from nocigram.report.traces import draw_traces

CLASSES = ("rest", "paw_withdraw")
COLOURS = {"rest": "#8c8c8c", "paw_withdraw": "#d62728"}


def texts_of(svg: Path) -> list[str]:
    """What is written in a figure: matplotlib keeps each text as a comment before its outlines."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"), flags=re.DOTALL)


def span(labels: list[int], *, start: int = 0) -> LabelledSpan:
    return LabelledSpan(start=start, labels=np.array(labels), stim_frame=start + 1)


def test_the_counts_of_each_action_are_written_at_their_bars(tmp_path):
    supports = {
        "rest": ActionSupport(n_frames=3000, n_bouts=12, n_animals=4),
        "paw_withdraw": ActionSupport(n_frames=1000, n_bouts=7, n_animals=3),
    }
    draw_action_counts(supports, colours=COLOURS, path=tmp_path / "actions.svg")
    texts = texts_of(tmp_path / "actions.svg")
    assert {"3,000 (75%)", "12", "4", "1,000 (25%)", "7", "3", *CLASSES} <= set(texts)


def test_labels_lie_where_their_trial_does(tmp_path):
    path = tmp_path / "labels.png"
    draw_labels({"a": [span([1] * 50, start=50)]}, n_frames={"a": 100}, classes=CLASSES, colours=COLOURS, path=path)
    red = (np.abs(imread(path)[..., :3] - np.array(to_rgb(COLOURS["paw_withdraw"]))) < 2 / 255).all(axis=-1)
    bar = red.any(axis=0)[red.shape[1] // 2 + 20 :], red[red.shape[0] // 2 :, : red.shape[1] // 2 - 40]
    assert bar[0].mean() > 0.9
    assert not bar[1].any()


@pytest.mark.parametrize(("n", "title"), [(3, None), (MOST_ROWS + 5, f"the first {MOST_ROWS} of {MOST_ROWS + 5}")])
def test_the_labels_of_many_recordings_are_cut_short_and_it_is_said(tmp_path, n, title):
    names = [f"mouse{number}" for number in range(n)]
    draw_labels(
        {name: [span([0, 1])] for name in names},
        n_frames=dict.fromkeys(names, 2),
        classes=CLASSES,
        colours=COLOURS,
        path=tmp_path / "labels.svg",
    )
    texts = texts_of(tmp_path / "labels.svg")
    assert len([text for text in texts if text.startswith("mouse")]) == min(n, MOST_ROWS)
    assert [text for text in texts if text.startswith("the first")] == (
        [f"{title} labelled recordings"] if title else []
    )


@pytest.mark.parametrize(("n_frames", "said"), [(50, False), (45_000, True)])
def test_traces_have_a_panel_for_each_keypoint(tmp_path, n_frames, said):
    xy = np.zeros((n_frames, 2, 2), dtype=np.float32)
    visible = np.ones((n_frames, 2), dtype=bool)
    visible[3] = False
    draw_traces(
        xy,
        visible.astype(np.float32),
        visible,
        names=("nose", "tail"),
        title="mouse1",
        likelihood_thr=0.9,
        path=tmp_path / "traces.svg",
        swaps=[(1, FrameRange(10, 20))],
    )
    texts = texts_of(tmp_path / "traces.svg")
    assert {"nose", "tail", "mouse1", "x (px)", "y (px)", "not visible"} <= set(texts)
    assert any("one in 3 is drawn" in text for text in texts) == said


@pytest.mark.parametrize("n_keypoints", [0, 6, 14])
def test_a_contact_sheet_names_its_frames_and_keypoints(tmp_path, n_keypoints):
    names = [f"part{number}" for number in range(n_keypoints)]
    xy = np.full((n_keypoints, 2), 8.0)
    panels = [
        Panel(
            title=f"frame {number}",
            pixels=np.full((16, 16), 9, dtype=np.uint8),
            xy=xy,
            visible=np.arange(n_keypoints) % 2 == 0,
            path_xy=xy[None].repeat(3, axis=0),
        )
        for number in range(5)
    ]
    draw_contact_sheet(panels, names=names, title="mouse1", path=tmp_path / "frames.svg")
    texts = texts_of(tmp_path / "frames.svg")
    assert {f"frame {number}" for number in range(5)} | set(names) <= set(texts)
    assert ("not visible" in texts) == (n_keypoints > 0)
