"""The page of `nocigram check`."""

from dataclasses import replace
from pathlib import Path

import pytest

from nocigram.core.errors import Fault
from nocigram.data import Skip, discover
from nocigram.data.inventory import actions_table, inventory, skips_table


@pytest.fixture
def found(laboratory):
    """Three trials of two animals, a recording without annotation, a skip."""
    for name in ("a", "b", "free"):
        laboratory.video(f"{name}.mp4", n_frames=90)
    laboratory.pose("a", n_frames=90)
    laboratory.pose("free", n_frames=90)
    laboratory.labels({1: [0] * 20 + [1, 3, 5] * 5 + [-1] * 5, 2: [2] * 40}, video="a.mp4")
    laboratory.labels({1: [0] * 40, 2: [0] * 10}, video="b.mp4")
    laboratory.table(("a", 1, None, None, 12, "m1", "CFA"), ("b", None, None, None, None, "m2", None))
    return discover(**laboratory.folders, min_frames=40)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("a m1 CFA 90 30 64x48 grey 90 rows, 91% visible", id="a recording"),
        pytest.param("b m2 90 30 64x48 grey none", id="a recording without pose"),
        pytest.param("a 1 [0, 40) 40 12", id="a trial with its frames and stimulus"),
        pytest.param("a 2 [40, 80) 40", id="the trial after it"),
        pytest.param("a: placed by the rule 'trials follow each other by their own lengths'", id="the rule"),
        pytest.param("1 recordings with pose and no annotation: free", id="recordings for keypoints alone"),
        pytest.param("Skipped: 1", id="the number of skips"),
        pytest.param("prediction_b.mp4_2.csv", id="a skip"),
    ],
)
def test_the_page_shows(line, found):
    page = [" ".join(each.split()) for each in inventory(found).splitlines()]
    assert any(each.startswith(line) for each in page)


def test_warnings_are_on_the_page(found):
    assert "[warn] something to know" in inventory(replace(found, warnings=["[warn] something to know"])).splitlines()


def test_actions_are_counted_after_merging(found):
    lines = [line.split() for line in actions_table(found, found.trials).splitlines()]
    assert ["rest", "60", "52.17%", "2", "2"] in lines
    assert ["paw_withdraw", "15", "13.04%", "1", "1"] in lines
    assert ["paw_lick", "40", "34.78%", "1", "1"] in lines
    assert ["walk", "0", "0.00%", "0", "0"] in lines
    assert lines[-1] == ["unscored", "frames:", "5"]


def test_a_skip_is_one_line_however_many_reasons_it_has(found):
    own, one, other = (
        Fault(where=where, expected="a", got="b", fix="Mend it.") for where in ("a.csv", "trial 1", "trial 2")
    )
    two = replace(found, skipped=[Skip(Path("x/a.csv"), (own, other)), Skip(Path("b.csv"), (one,))])
    lines = skips_table(two).splitlines()
    assert [line.split(maxsplit=1) for line in lines[-2:]] == [
        ["a.csv", "expected a, got b. Mend it.; trial 2: expected a, got b. Mend it."],
        ["b.csv", "trial 1: expected a, got b. Mend it."],
    ]
    assert "Skipped: 2" in lines


def test_nothing_skipped_is_said(found):
    assert skips_table(replace(found, skipped=[])) == "Nothing was skipped."


def test_an_empty_folder_has_a_page(laboratory):
    page = inventory(discover(**laboratory.folders))
    assert "Recordings" in page
    assert "Nothing was skipped." in page
