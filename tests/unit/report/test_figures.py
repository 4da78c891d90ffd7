import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from nocigram.core.errors import InputError
from nocigram.evaluation import Timing, TrialPrediction, score_events, score_trials
from nocigram.report import draw_bland_altman, draw_confusion, draw_ethograms
from nocigram.report._saving import save_figure

CLASSES = ("rest", "paw_withdraw", "walk")
COLOURS = {"rest": "#8c8c8c", "paw_withdraw": "#d62728", "walk": "#2a78d2"}


def trial(labels, predicted, *, number=1):
    return TrialPrediction(
        recording="mouse1",
        trial=number,
        animal="A",
        labels=np.array(labels),
        probabilities=np.eye(3)[predicted],
        timing=Timing(fps=10.0, start=0, stim_frame=None),
    )


def texts_of(svg: Path) -> list[str]:
    """What is written in a figure: matplotlib keeps each text as a comment before its outlines."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"), flags=re.DOTALL)


def share_of(png: Path, colour: str) -> float:
    """Share of a picture's dots that have exactly this colour."""
    return float((np.abs(imread(png)[..., :3] - np.array(to_rgb(colour))) < 2 / 255).all(axis=-1).mean())


@pytest.fixture
def trials():
    return [trial([0] * 8 + [1] * 2 + [-1] * 2, [0] * 9 + [1] * 3), trial([0, 1, 1, 1], [0, 0, 2, 1], number=2)]


@pytest.fixture
def drawers(trials):
    options = {"classes": CLASSES, "colours": COLOURS}
    return {
        "confusion": lambda path: draw_confusion(score_trials(trials, classes=CLASSES), path=path, **options),
        "ethograms": lambda path: draw_ethograms(trials, path=path, **options),
        "bland_altman": lambda path: draw_bland_altman(
            score_events(trials, classes=CLASSES), path=path, colours=COLOURS
        ),
    }


@pytest.mark.parametrize("figure", ["confusion", "ethograms", "bland_altman"])
@pytest.mark.parametrize(("suffix", "signature"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_figures_are_written_in_the_format_of_their_suffix(drawers, tmp_path, figure, suffix, signature):
    path = tmp_path / "new" / f"figure{suffix}"
    drawers[figure](path)
    assert path.read_bytes().startswith(signature)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("figure", ["confusion", "ethograms", "bland_altman"])
def test_another_suffix_is_refused_and_leaves_no_file(drawers, tmp_path, figure):
    message = "figure.doc: expected a name that ends in .png, .pdf or .svg, got '.doc'. Rename it."
    with pytest.raises(InputError, match=re.escape(message)):
        drawers[figure](tmp_path / "figure.doc")
    assert not list(tmp_path.iterdir())


def test_bland_altman_has_the_pain_sign_first_with_bias_limits_and_trials(drawers, tmp_path):
    drawers["bland_altman"](tmp_path / "bland.svg")
    texts = texts_of(tmp_path / "bland.svg")
    columns = [text for text in texts if text in CLASSES]
    assert columns == ["paw_withdraw", "rest", "walk"]
    # Withdrawals by the labels 1 and 1, by the model 1 and 1. Their duration by the labels 0.2 and 0.3 s, by the model
    # 0.1 and 0.1 s: differences -0.1 and -0.2. Latency 0.8 and 0.1 s, by the model 0.9 and 0.3 s: 0.1 and 0.2.
    assert [text for text in texts if text.endswith("n = 2")][:1] == ["bias +0 [+0, +0], n = 2"]
    assert "bias -0.15 [-0.29, -0.011], n = 2" in texts
    assert "bias +0.15 [+0.011, +0.29], n = 2" in texts
    assert texts.count("no trial in which both have one") == 1  # latency to walk, which nobody labelled


def test_confusion_matrix_shows_shares_of_rows_and_counts(drawers, tmp_path):
    drawers["confusion"](tmp_path / "confusion.svg")
    texts = texts_of(tmp_path / "confusion.svg")
    # rest: 9 of 9; withdraw: 2 rest, 2 right, 1 walk of 5; walk: no frame
    assert [text for text in texts if text.endswith("%")] == ["100%", "0%", "0%", "40%", "40%", "20%"]
    assert [text for text in texts if text.isdigit()] == ["9", "0", "0", "2", "2", "1"]
    assert "no labelled frames" in texts
    assert any("14 scored frames of 2 trials and 1 animal" in text for text in texts)


def test_true_actions_are_the_rows_of_the_confusion_matrix(drawers, tmp_path):
    drawers["confusion"](tmp_path / "confusion.svg")
    drawing = (tmp_path / "confusion.svg").read_text(encoding="utf-8")
    heights = [float(y) for y in re.findall(r"<!-- \d+ -->\s*<g [^>]*translate\([\d.]+ ([\d.]+)\)", drawing)]
    assert len(heights) == 6
    assert len(set(heights[:3])) == len(set(heights[3:])) == 1
    assert heights[0] < heights[3]


def test_each_action_of_the_confusion_matrix_wears_its_colour(drawers, tmp_path):
    drawers["confusion"](tmp_path / "confusion.svg")
    drawing = (tmp_path / "confusion.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(drawing)
    assert all(drawing.count(f"fill: {colour}") == 2 for colour in COLOURS.values())


def test_ethograms_name_each_trial_and_say_how_much_is_right(drawers, tmp_path):
    drawers["ethograms"](tmp_path / "ethograms.svg")
    texts = texts_of(tmp_path / "ethograms.svg")
    assert "mouse1 trial 1: 90% of its scored frames right" in texts
    assert "mouse1 trial 2: 50% of its scored frames right" in texts
    assert {*CLASSES, "unscored", "labels", "model"} <= set(texts)


def test_bars_cover_as_much_as_their_actions_last(tmp_path):
    labels = [0] * 50 + [1] * 50
    draw_ethograms([trial(labels, labels)], classes=CLASSES, colours=COLOURS, path=tmp_path / "half.png")
    rest, withdraw = (share_of(tmp_path / "half.png", COLOURS[name]) for name in ("rest", "paw_withdraw"))
    assert rest > 0.1
    assert withdraw == pytest.approx(rest, rel=0.05)


def test_a_bout_of_one_frame_is_seen_in_a_long_trial(tmp_path):
    labels, predicted = [0] * 6000, [0] * 6000
    legend_alone, with_bout = tmp_path / "none.png", tmp_path / "one.png"
    draw_ethograms([trial(labels, predicted)], classes=CLASSES, colours=COLOURS, path=legend_alone)
    predicted[4321] = 1
    draw_ethograms([trial(labels, predicted)], classes=CLASSES, colours=COLOURS, path=with_bout)
    assert share_of(with_bout, COLOURS["paw_withdraw"]) > share_of(legend_alone, COLOURS["paw_withdraw"])


def test_a_trial_without_scored_frames_is_drawn_and_said_so(tmp_path):
    draw_ethograms([trial([-1, -1], [0, 1])], classes=CLASSES, colours=COLOURS, path=tmp_path / "ethograms.svg")
    assert "mouse1 trial 1: no scored frame" in texts_of(tmp_path / "ethograms.svg")


def test_no_trial_is_no_figure(tmp_path):
    with pytest.raises(InputError, match=r"ethograms.png: expected at least 1 trial to draw, got 0\."):
        draw_ethograms([], classes=CLASSES, colours=COLOURS, path=tmp_path / "ethograms.png")


def test_drawing_leaves_the_state_of_matplotlib_alone(tmp_path):
    program = f"""
import sys, matplotlib, numpy
from pathlib import Path
before = matplotlib.rcParams.copy()
from nocigram.evaluation import TrialPrediction
from nocigram.report import draw_ethograms
trial = TrialPrediction(recording="m", trial=1, animal="A", labels=numpy.array([0, 1]), probabilities=numpy.eye(2))
colours = {{"rest": "red", "walk": "blue"}}
draw_ethograms([trial], classes=("rest", "walk"), colours=colours, path=Path({str(tmp_path / "ethograms.png")!r}))
assert "matplotlib.pyplot" not in sys.modules
assert matplotlib.rcParams.copy() == before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_huge_figure_gets_fewer_dots_per_inch(tmp_path):
    save_figure(Figure(figsize=(100, 40)), tmp_path / "huge.png")
    height, width = imread(tmp_path / "huge.png").shape[:2]
    assert (width, height) == (10_000, 4_000)
