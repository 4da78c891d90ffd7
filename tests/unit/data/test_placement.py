from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.ranges import FrameRange
from nocigram.data.placement import CONSECUTIVE_RULE, NOMINAL_RULE, TABLE_RULE, place_trials
from nocigram.data.recordings_table import TrialRow


def row(start=None, stop=None, stim_frame=None):
    return TrialRow(start=start, stop=stop, stim_frame=stim_frame)


@pytest.mark.parametrize(
    ("n_rows", "table", "spans", "rule"),
    [
        pytest.param({1: 345}, {}, {1: (15, 360)}, NOMINAL_RULE, id="a single file of 345 rows"),
        pytest.param({1: 360}, {}, {1: (0, 360)}, NOMINAL_RULE, id="a single file of 360 rows"),
        pytest.param(
            {1: 360, 2: 345, 3: 360}, {}, {1: (0, 360), 2: (375, 720), 3: (720, 1080)}, NOMINAL_RULE, id="both mixed"
        ),
        pytest.param({3: 345}, {}, {3: (735, 1080)}, NOMINAL_RULE, id="trial 3 alone keeps its place"),
        pytest.param({1: None, 2: 345}, {}, {2: (375, 720)}, NOMINAL_RULE, id="an unreadable file changes nothing"),
        pytest.param({1: 300, 2: 500}, {}, {1: (0, 300), 2: (300, 800)}, CONSECUTIVE_RULE, id="other lengths"),
        pytest.param({1: 345, 2: 400}, {}, {1: (0, 345), 2: (345, 745)}, CONSECUTIVE_RULE, id="345 among others"),
        pytest.param(
            {1: 9, 3: 9, 4: 9}, {}, {1: (0, 9)}, CONSECUTIVE_RULE, id="after a missing file no place is known"
        ),
        pytest.param({1: 9, 2: None, 3: 9}, {}, {1: (0, 9)}, CONSECUTIVE_RULE, id="after an unreadable file neither"),
        pytest.param({1: 9}, {1: row(40)}, {1: (40, 49)}, TABLE_RULE, id="start given"),
        pytest.param({1: 9}, {1: row(None, 49)}, {1: (40, 49)}, TABLE_RULE, id="stop given"),
        pytest.param({1: 9}, {1: row(40, 49)}, {1: (40, 49)}, TABLE_RULE, id="both given"),
        pytest.param({1: 345}, {1: row(400, 760)}, {1: (415, 760)}, TABLE_RULE, id="345 rows in 360 given frames"),
        pytest.param({1: 345}, {1: row(400, 745)}, {1: (400, 745)}, TABLE_RULE, id="345 rows in 345 given frames"),
        pytest.param({1: 345}, {1: row(400)}, {1: (400, 745)}, TABLE_RULE, id="345 rows from a given start"),
        pytest.param({1: 360}, {1: row(None, None, 30)}, {1: (0, 360)}, NOMINAL_RULE, id="only stim_frame given"),
        pytest.param({1: 360}, {2: row(40)}, {1: (0, 360)}, NOMINAL_RULE, id="a row without a file"),
        pytest.param(
            {1: 360, 2: 345}, {1: row(7)}, {1: (7, 367), 2: (375, 720)}, f"{TABLE_RULE}; else {NOMINAL_RULE}", id="half"
        ),
        pytest.param(
            {1: 9, 2: 9, 3: 5},
            {1: row(40)},
            {1: (40, 49), 2: (49, 58), 3: (58, 63)},
            f"{TABLE_RULE}; else {CONSECUTIVE_RULE}",
            id="others follow a trial that is given",
        ),
        pytest.param(
            {2: None, 4: 9, 5: 9},
            {4: row(40)},
            {4: (40, 49), 5: (49, 58)},
            f"{TABLE_RULE}; else {CONSECUTIVE_RULE}",
            id="a trial that is given ends the doubt",
        ),
    ],
)
def test_trials_are_placed(n_rows, table, spans, rule):
    placement = place_trials(n_rows, table=table)
    assert placement.spans == {number: FrameRange(*span) for number, span in spans.items()}
    assert placement.rule == rule
    readable = {number for number, rows in n_rows.items() if rows is not None}
    assert set(placement.faults) == readable - set(spans)


@pytest.mark.parametrize(
    ("n_rows", "table", "message"),
    [
        pytest.param(
            {0: 360}, {}, "trial 0: expected trials numbered from 1, got 0. Rename the file", id="a nominal trial 0"
        ),
        pytest.param({0: 9}, {}, "trial 0: expected all trials before it", id="trial 0 of another length"),
        pytest.param(
            {1: 9, 3: 9},
            {},
            "trial 3: expected all trials before it, got trials [1, 3], not all readable. Give its start"
            " in recordings.csv.",
            id="a missing file",
        ),
        pytest.param(
            {1: 9},
            {1: row(40, 50)},
            "recordings.csv, trial 1: expected frames for its 9 rows, got [40, 50), 10 frames. Correct start or stop.",
            id="a span of another length",
        ),
        pytest.param({1: 360}, {1: row(0, 345)}, "got [0, 345), 345 frames", id="360 rows in 345 frames"),
        pytest.param({1: 9}, {1: row(40, 30)}, "got [40, 30), -10 frames", id="stop before start"),
        pytest.param({1: 9}, {1: row(None, 5)}, "got [-4, 5), 9 frames", id="a stop too early for the rows"),
    ],
)
def test_a_trial_without_a_place_is_a_fault(n_rows, table, message):
    placement = place_trials(n_rows, table=table)
    assert message in str(placement.faults[max(n_rows)])
    assert max(n_rows) not in placement.spans


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8))
def test_spans_are_as_long_as_their_rows_and_never_overlap(lengths):
    placement = place_trials(dict(enumerate(lengths, start=1)), table={})
    assert [len(span) for span in placement.spans.values()] == lengths
    spans = list(placement.spans.values())
    assert all(first.stop <= second.start for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("n_rows", "table", "doubtful"),
    [
        pytest.param({1: 345, 2: 360}, {}, (), id="nominal lengths only"),
        pytest.param({1: 300, 2: 500}, {}, (), id="other lengths only"),
        pytest.param({1: 360, 2: 360, 3: 100}, {}, (), id="360 rows where they would lie anyway"),
        pytest.param({1: 345, 2: 100}, {}, (1,), id="345 rows that lose their context"),
        pytest.param({1: 100, 2: 360, 3: 345}, {}, (2, 3), id="moved by a short file before them"),
        pytest.param({1: 100, 2: 360}, {2: row(7)}, (), id="placed by recordings.csv"),
    ],
)
def test_nominal_trials_that_others_move_are_doubtful(n_rows, table, doubtful):
    assert place_trials(n_rows, table=table).doubtful == doubtful


@pytest.mark.parametrize(
    ("n_rows", "table", "n_frames", "spans"),
    [
        pytest.param({1: 400, 2: 360}, {}, 720, {2: (400, 760)}, id="a file that is too long moves those after it"),
        pytest.param({1: 400, 2: 320}, {}, 720, {1: (0, 400), 2: (400, 720)}, id="up to the end"),
        pytest.param({1: 40}, {}, 30, {1: (0, 40)}, id="alone it says so itself"),
        pytest.param(
            {1: 9, 2: 9, 3: 9}, {1: row(0)}, 20, {1: (0, 9), 3: (18, 27)}, id="recordings.csv is above all doubt"
        ),
        pytest.param({1: 360, 2: 345}, {}, 500, {1: (0, 360), 2: (375, 720)}, id="nominal places don't move"),
    ],
)
def test_trials_that_follow_each_other_past_the_end_have_no_place(n_rows, table, n_frames, spans):
    placement = place_trials(n_rows, table=table, n_frames=n_frames)
    assert placement.spans == {number: FrameRange(*span) for number, span in spans.items()}
    assert set(placement.faults) == set(n_rows) - set(spans)
    for number, fault in placement.faults.items():
        assert f"trial {number}: expected trials that follow each other within {n_frames} frames, got " in str(fault)


def test_a_file_that_is_too_short_to_be_used_casts_no_doubt_on_others():
    placement = place_trials({1: 400, 2: 400, 3: 10}, table={}, min_frames=345, n_frames=805)
    assert placement.spans == {1: FrameRange(0, 400), 2: FrameRange(400, 800), 3: FrameRange(800, 810)}
