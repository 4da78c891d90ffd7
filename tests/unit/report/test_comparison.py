import math
import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from nocigram.core.errors import InputError
from nocigram.evaluation import Measured
from nocigram.report import ComparedRow, draw_intervals, write_comparison

CLASSES = ("rest", "paw_withdraw", "walk")
BEST_COLOUR = "#D55E00"
MISSING = float("nan")


def scores_of(macro_f1, *, withdraw=0.5, walk=0.4, has_intervals=True):
    values = {
        "macro_f1": macro_f1,
        "accuracy": 0.9,
        "edit": 71.26,
        "segment_f1/0.5": 0.6,
        "segment_f1/0.3": 0.7,
        "per_action/rest/f1": 0.8,
        "per_action/paw_withdraw/f1": withdraw,
        "per_action/walk/f1": walk,
    }
    around = {path: 5.0 if path == "edit" else 0.042 for path in values}
    return {
        path: Measured(value=value, low=value - around[path], high=value + around[path])
        if has_intervals and not math.isnan(value)
        else Measured(value=value)
        for path, value in values.items()
    }


@pytest.fixture
def rows():
    return [
        ComparedRow(name="pose_only", scores=scores_of(0.6, has_intervals=False, walk=MISSING), p=0.0004),
        ComparedRow(
            name="multitask",
            scores=scores_of(0.842, withdraw=0.7, walk=MISSING),
            n_parameters=22_100_000,
            training_minutes=42.34,
            frames_per_s=1184.4,
        ),
        ComparedRow(name="video_only"),
    ]


def cells_of(markdown: Path) -> dict[str, dict[str, str]]:
    """Name of the row -> heading -> cell."""
    lines = [line.strip("|").split(" | ") for line in markdown.read_text(encoding="utf-8").splitlines() if "|" in line]
    headings, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return {row[0]: dict(zip(headings, row, strict=True)) for row in rows}


def texts_of(svg: Path) -> list[str]:
    return re.findall(r"<!-- (.*?) -->", svg.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_three_files_are_written_and_no_other(rows, tmp_path):
    write_comparison(rows, classes=CLASSES, folder=tmp_path / "new")
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["comparison.csv", "comparison.md", "comparison.png"]


def test_columns_stand_in_order_with_the_pain_sign_first(rows, tmp_path):
    write_comparison(rows, classes=CLASSES, folder=tmp_path)
    assert list(cells_of(tmp_path / "comparison.md")["multitask"]) == [
        "approach",
        "macro F1",
        "F1 paw_withdraw",
        "F1 rest",
        "F1 walk",
        "segment F1@0.5",
        "segment F1@0.3",
        "edit",
        "accuracy",
        "parameters",
        "training (min)",
        "frames/s",
        "p",
    ]


@pytest.mark.parametrize(
    ("row", "heading", "cell"),
    [
        pytest.param("multitask", "macro F1", "**0.842** [0.80, 0.88]", id="the best with its interval"),
        pytest.param("pose_only", "macro F1", "0.600", id="a score without an interval"),
        pytest.param("multitask", "F1 walk", "not assessable", id="an action that is not assessable"),
        pytest.param("multitask", "edit", "**71.3** [66, 76]", id="an edit score of 100"),
        pytest.param("pose_only", "edit", "**71.3**", id="another that is as good"),
        pytest.param("multitask", "parameters", "22.1 M", id="millions of parameters"),
        pytest.param("multitask", "training (min)", "42.3", id="minutes"),
        pytest.param("multitask", "frames/s", "1,184", id="frames per second"),
        pytest.param("pose_only", "p", "<0.001", id="a small p"),
        pytest.param("multitask", "p", "", id="no p of the best"),
        pytest.param("pose_only", "parameters", "", id="parameters that nobody counted"),
    ],
)
def test_cells_of_the_markdown(rows, tmp_path, row, heading, cell):
    write_comparison(rows, classes=CLASSES, folder=tmp_path)
    assert cells_of(tmp_path / "comparison.md")[row][heading] == cell


@pytest.mark.parametrize(
    ("number", "cell"), [(94, "94"), (310_400, "310 k"), (1_000_000, "1.0 M")], ids=["units", "thousands", "a million"]
)
def test_parameters_in_words(tmp_path, number, cell):
    write_comparison([ComparedRow(name="a", n_parameters=number)], classes=CLASSES, folder=tmp_path)
    assert cells_of(tmp_path / "comparison.md")["a"]["parameters"] == cell


def test_a_row_that_was_not_run_is_listed_with_empty_cells(rows, tmp_path):
    write_comparison(rows, classes=CLASSES, folder=tmp_path)
    cells = cells_of(tmp_path / "comparison.md")["video_only"]
    assert {cell for heading, cell in cells.items() if heading != "approach"} == {""}
    table = pd.read_csv(tmp_path / "comparison.csv").set_index("approach")
    assert table.loc["video_only"].drop("is_best").isna().all()
    assert not table.loc["video_only", "is_best"]


def test_the_csv_has_the_numbers_themselves(rows, tmp_path):
    write_comparison(rows, classes=CLASSES, folder=tmp_path)
    table = pd.read_csv(tmp_path / "comparison.csv").set_index("approach")
    best = table.loc["multitask"]
    assert (best["macro_f1"], best["macro_f1/low"], best["macro_f1/high"]) == pytest.approx((0.842, 0.8, 0.884))
    assert (best["n_parameters"], best["training_minutes"], best["frames_per_s"]) == (22_100_000, 42.34, 1184.4)
    assert best["per_action/walk/f1"] == "not assessable"
    assert table["is_best"].tolist() == [False, True, False]
    assert math.isnan(table.loc["pose_only", "macro_f1/low"])
    assert "22100000," in (tmp_path / "comparison.csv").read_text(encoding="utf-8")


def test_nothing_run_at_all_is_still_a_table(tmp_path):
    write_comparison([ComparedRow(name="a"), ComparedRow(name="b")], classes=CLASSES, folder=tmp_path)
    assert list(cells_of(tmp_path / "comparison.md")) == ["a", "b"]
    assert not pd.read_csv(tmp_path / "comparison.csv")["is_best"].any()


def test_a_name_with_a_bar_does_not_break_the_table(tmp_path):
    write_comparison([ComparedRow(name="a|b")], classes=CLASSES, folder=tmp_path)
    assert "| a\\|b |" in (tmp_path / "comparison.md").read_text(encoding="utf-8")


def test_the_figure_writes_each_number_and_what_is_missing(rows, tmp_path):
    panels = {"macro F1": "macro_f1", "F1 of walk": "per_action/walk/f1"}
    draw_intervals({row.name: row.scores for row in rows}, panels=panels, path=tmp_path / "figure.svg")
    texts = texts_of(tmp_path / "figure.svg")
    assert {"pose_only", "multitask", "video_only", "macro F1", "F1 of walk"} <= set(texts)
    assert "0.84 [0.80, 0.88]" in texts
    assert "0.60" in texts
    assert (texts.count("not run"), texts.count("not assessable")) == (2, 2)


def test_the_best_of_a_panel_alone_has_its_colour(tmp_path):
    scores = {"fair": scores_of(0.6), "best": scores_of(0.8), "good": scores_of(0.7)}
    draw_intervals(scores, panels={"macro F1": "macro_f1"}, path=tmp_path / "figure.svg")
    drawing = (tmp_path / "figure.svg").read_text(encoding="utf-8").lower()
    assert (
        drawing.count(f"stroke: {BEST_COLOUR.lower()}; stroke-width: 2") == 1
    )  # its interval; its dot has no such line
    draw_intervals({"a": {}}, panels={"macro F1": "macro_f1"}, path=tmp_path / "none.png")
    dots = imread(tmp_path / "none.png")[..., :3]
    assert not (abs(dots - to_rgb(BEST_COLOUR)) < 2 / 255).all(axis=-1).any()


def test_without_the_pain_sign_there_is_one_panel(rows, tmp_path):
    write_comparison(rows, classes=CLASSES, folder=tmp_path / "two")
    write_comparison(rows, classes=CLASSES, folder=tmp_path / "one", pain_sign="scratch")
    two, one = (imread(tmp_path / name / "comparison.png").shape[1] for name in ("two", "one"))
    assert one < 0.7 * two
    assert list(cells_of(tmp_path / "one" / "comparison.md")["multitask"])[2] == "F1 rest"


@pytest.mark.parametrize(
    ("names", "got"),
    [pytest.param([], "none", id="no row"), pytest.param(["a", "b", "a"], "twice ['a']", id="a name that comes twice")],
)
def test_rows_without_a_name_of_their_own_are_refused(tmp_path, names, got):
    message = f"comparison: expected rows with a name each, got {got}. Name each approach once."
    with pytest.raises(InputError, match=re.escape(message)):
        write_comparison([ComparedRow(name=name) for name in names], classes=CLASSES, folder=tmp_path)
    assert not list(tmp_path.iterdir())
