from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED
from nocigram.core.errors import InputError
from nocigram.data.conversion.action_map import LEFT_OUT, ActionMap
from nocigram.data.conversion.clock import Clock, clock_of_video, steady_clock
from nocigram.data.conversion.frames import frame_labels
from nocigram.data.formats import Event, ForeignLabels
from nocigram.video.probe import probe

UNEVEN = Clock(times_s=np.array([0, 0.1, 0.4, 0.5, 1.0]), interval_s=0.25)


@pytest.mark.parametrize(
    ("start_s", "stop_s", "frames"),
    [
        pytest.param(0.1, 0.5, (1, 3), id="from one time stamp to another"),
        pytest.param(0.2, 0.45, (1, 2), id="between time stamps, the frame on the screen"),
        pytest.param(0.2, 0.3, (1, 2), id="shorter than a frame"),
        pytest.param(0.4, 0.4, (2, 3), id="a moment"),
        pytest.param(0.0995, 0.0995, (1, 2), id="rounded down to milliseconds"),
        pytest.param(0.098, 0.098, (0, 1), id="before the time stamp by more than rounding"),
        pytest.param(0.0, 1.2, (0, 4), id="within the last frame"),
        pytest.param(0.0, 1.25, (0, 5), id="to the end"),
        pytest.param(0.0, 1.9, (0, 5), id="a little beyond the end"),
    ],
)
def test_an_event_has_the_frames_that_are_on_the_screen(start_s, stop_s, frames):
    assert UNEVEN.span_of(start_s, stop_s) == frames


@given(
    steps=st.lists(st.integers(2, 300), min_size=3, max_size=40),
    cuts=st.lists(st.integers(0, 39), min_size=2, max_size=6, unique=True),
)
def test_events_that_meet_share_no_frame_and_leave_none_out(steps, cuts):
    times_s = np.cumsum([0, *steps[:-1]]) / 1000
    clock = Clock(times_s=times_s, interval_s=steps[-1] / 1000)
    edges = sorted({times_s[cut % len(times_s)] for cut in cuts})
    spans = [clock.span_of(start, stop) for start, stop in pairwise(edges)]
    assert [stop for _, stop in spans[:-1]] == [start for start, _ in spans[1:]]


@given(fps=st.sampled_from([12.7, 23.976, 25.0, 29.97, 30.0, 59.94, 120.0]), frame=st.integers(0, 100_000))
def test_a_time_rounded_to_milliseconds_is_the_frame_that_it_was_made_of(fps, frame):
    clock = steady_clock(n_frames=frame + 2, fps=fps)
    assert clock.frame_at(round(frame / fps, 3)) == frame


def test_the_clock_of_a_video_is_its_time_stamps_not_its_rate(laboratory):
    # the time base is 1 / 30 s; the camera pauses after frame 5
    pts = [*range(6), *range(20, 34)]
    path = laboratory.video(n_frames=20, pts=pts)
    clock = clock_of_video(probe(path))
    assert clock.n_frames == 20
    assert clock.times_s * 30 == pytest.approx(pts, abs=0.01)
    assert clock.frame_at(0.5) == 5
    assert clock.frame_at(round(21 / 30, 3)) == 7


# --- labels on frames

STEADY = steady_clock(n_frames=10, fps=10.0)
CODES = {"lick": 2, "shake": 4, "hand": UNSCORED, "light": LEFT_OUT}


@pytest.fixture
def codes_on(tmp_path):
    """One code per frame for events `(name, start, stop)` in seconds."""

    def put(*events, scored=None, unit="s", clock=STEADY, recording="mouse1", **given):
        found = ForeignLabels(
            path=tmp_path / "events.csv",
            video=None,
            unit=unit,
            events=tuple(Event(name=name, start=float(start), stop=float(stop)) for name, start, stop in events),
            names=tuple(CODES),
            scored=scored,
        )
        return frame_labels(
            found,
            clock=clock,
            codes=CODES,
            given=ActionMap(**given),
            recording=recording,
            n_actions=len(DEFAULT_SCHEME.names),
        )

    return put


def test_frames_without_a_note_are_unscored(codes_on):
    result = codes_on(("lick", 0.2, 0.5))
    assert result.codes.tolist() == [-1, -1, 2, 2, 2, -1, -1, -1, -1, -1]
    assert (result.n_silent, result.n_clashes, result.n_bouts(DEFAULT_SCHEME)) == (7, 0, {"paw_lick": 1})


@pytest.mark.parametrize(
    ("how", "codes"),
    [
        pytest.param({}, [0, 0, 2, 2, 2, 0, 0, 0, 0, 0], id="in the whole recording"),
        pytest.param({"scored": ((0.1, 0.7),)}, [-1, 0, 2, 2, 2, 0, 0, -1, -1, -1], id="in what the file says"),
        pytest.param({"scored": ((0.1, 0.7),), "scored_s": {"mouse1": (0.0, 0.4)}},
                     [0, 0, 2, 2, 2, -1, -1, -1, -1, -1], id="in what the user says"),
        pytest.param({"scored_s": {"mouse2": (0.0, 0.4)}}, [0, 0, 2, 2, 2, 0, 0, 0, 0, 0], id="not in another's"),
        pytest.param({"scored": ()}, [-1, -1, 2, 2, 2, -1, -1, -1, -1, -1], id="nowhere where nobody looked"),
    ],
)  # fmt: skip
def test_background_fills_what_was_looked_at(how, codes, codes_on):
    assert codes_on(("lick", 0.2, 0.5), background=0, **how).codes.tolist() == codes


def test_different_actions_at_once_are_unscored_and_counted(codes_on):
    result = codes_on(("lick", 0.2, 0.6), ("shake", 0.4, 0.8), background=0)
    assert result.codes.tolist() == [0, 0, 2, 2, -1, -1, 4, 4, 0, 0]
    assert result.n_clashes == 2


def test_one_action_noted_twice_at_once_is_no_clash(codes_on):
    result = codes_on(("lick", 0.2, 0.6), ("lick", 0.4, 0.8))
    assert result.codes.tolist() == [-1, -1, 2, 2, 2, 2, 2, 2, -1, -1]
    assert result.n_clashes == 0


@pytest.mark.parametrize(("priority", "winner", "n_clashes"), [((4, 2), 4, 0), ((2,), 2, 0), ((6,), -1, 2)])
def test_priority_decides_where_it_names_one_of_them(priority, winner, n_clashes, codes_on):
    result = codes_on(("lick", 0.2, 0.6), ("shake", 0.4, 0.8), priority=priority)
    assert result.codes.tolist() == [-1, -1, 2, 2, winner, winner, 4, 4, -1, -1]
    assert result.n_clashes == n_clashes


def test_a_behaviour_to_be_unscored_wins_over_all_and_one_left_out_over_none(codes_on):
    result = codes_on(("lick", 0.2, 0.6), ("hand", 0.4, 0.5), ("hand", 0.9, 1.0), ("light", 0.2, 0.9), background=0)
    assert result.codes.tolist() == [0, 0, 2, 2, -1, 2, 0, 0, 0, -1]


def test_frames_of_a_table_are_taken_as_they_are(codes_on):
    assert codes_on(("lick", 2, 5), unit="frames").codes.tolist() == [-1, -1, 2, 2, 2, -1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("event", "unit", "message"),
    [
        pytest.param(("lick", 0.5, 2.5), "s", "within the recording's 1 s, got 'lick' until 2.5", id="ends much later"),
        pytest.param(("lick", 1.0, 1.0), "s", "within the recording's 1 s, got 'lick' until 1", id="begins at the end"),
        pytest.param(("lick", 5, 11), "frames", "within the recording's 10 frames, got 'lick' until 11", id="a frame"),
    ],
)
def test_an_event_beyond_the_end_is_of_another_video(event, unit, message, codes_on):
    with pytest.raises(InputError, match=message + ". Check that it is the right video"):
        codes_on(event, unit=unit)


@given(
    spans=st.lists(st.tuples(st.sampled_from(sorted(CODES)), st.integers(0, 9), st.integers(1, 5)), max_size=8),
    priority=st.lists(st.sampled_from([2, 4]), unique=True),
)
def test_each_frame_is_what_was_noted_in_it_and_nothing_else(spans, priority, tmp_path_factory):
    events = tuple(Event(name=name, start=at / 10, stop=min(at + n, 10) / 10) for name, at, n in spans)
    found = ForeignLabels(path=tmp_path_factory.getbasetemp(), video=None, unit="s", events=events, names=())
    given_map = ActionMap(background=0, priority=tuple(priority))
    result = frame_labels(found, clock=STEADY, codes=CODES, given=given_map, recording="m", n_actions=8)
    for frame in range(10):
        noted = {CODES[name] for name, at, n in spans if at <= frame < at + n} - {LEFT_OUT}
        first = [code for code in priority if code in noted]
        if UNSCORED in noted:
            expected = UNSCORED
        elif len(noted) > 1:
            expected = first[0] if first else UNSCORED
        else:
            expected = next(iter(noted), 0)
        assert result.codes[frame] == expected
