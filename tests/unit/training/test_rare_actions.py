"""Shares of actions, boost factors, class weights, and the windows that an epoch draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.ranges import FrameRange
from nocigram.training.epochs import EpochPlanner, TrainSpan
from nocigram.training.rare import Distribution, distribution_of

CLASSES = ("rest", "withdraw", "shake", "walk")


def distribution(*counts):
    return Distribution(CLASSES, np.array(counts))


def span(actions, *, start=0, recording="rec"):
    actions = np.asarray(actions)
    return TrainSpan(recording=recording, span=FrameRange(start, start + len(actions)), actions=actions)


def planner(*spans, boost=None, window_T=20, mirrors=False, seed=0):
    return EpochPlanner(spans=spans, boost_factors=boost or {}, window_T=window_T, mirrors=mirrors, seed=seed)


def trial_with(action, *places, n_frames=400):
    actions = np.zeros(n_frames, dtype=int)
    for start, stop in places:
        actions[start:stop] = action
    return actions


def test_only_scored_frames_are_counted():
    found = distribution_of([np.array([0, 0, -1, 3]), np.array([-1, -1, 1])], classes=CLASSES)

    assert found.counts.tolist() == [2, 1, 0, 1]


@pytest.mark.parametrize(
    ("counts", "cap", "factors"),
    [
        pytest.param((960, 20, 20, 0), 30.0, {1: (1 / 3) / 0.02, 2: (1 / 3) / 0.02}, id="uniform share over share"),
        pytest.param((998, 2, 0, 0), 30.0, {1: 30.0}, id="at most the cap"),
        pytest.param((97, 3, 0, 0), 30.0, {}, id="a share of exactly the threshold isn't rare"),
        pytest.param((500, 0, 0, 500), 30.0, {}, id="an action that doesn't occur isn't rare"),
        pytest.param((0, 0, 0, 0), 30.0, {}, id="no scored frame at all"),
    ],
)
def test_boost_factor_is_the_uniform_share_over_the_share_up_to_the_cap(counts, cap, factors):
    assert distribution(*counts).boost_factors(threshold_share=0.03, cap=cap) == pytest.approx(factors)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=4, max_size=4).filter(any), st.floats(0, 2))
def test_class_weights_average_to_one_over_scored_frames_and_fall_with_the_share(counts, power):
    found = distribution(*counts)
    weights = found.class_weights(power=power)

    assert (weights * found.shares).sum() == pytest.approx(1)
    assert (weights[found.counts == 0] == 0).all()
    seen = np.flatnonzero(found.counts)
    order = seen[np.argsort(found.counts[seen], kind="stable")]
    assert (np.diff(weights[order]) <= 1e-9).all()


def test_class_weights_go_with_the_power_of_the_share():
    weights = distribution(810, 90, 90, 10).class_weights(power=0.5)

    assert weights[1] / weights[0] == pytest.approx(3)
    assert weights[3] / weights[0] == pytest.approx(9)


def test_the_table_marks_rare_actions():
    table = distribution(960, 20, 0, 20).as_table("TITLE", threshold_share=0.03).splitlines()

    assert table[1] == "TITLE"
    assert table[5].split() == ["rest", "960", "96.00%"]
    assert table[6].split() == ["withdraw", "20", "2.00%", "←", "RARE"]
    assert table[7].split() == ["shake", "0", "0.00%"]


@pytest.mark.parametrize("factor", [1.0, 2.0, 5.0])
def test_windows_with_a_rare_action_are_drawn_as_often_as_the_factor_says(factor):
    # one bout far shorter than a window: 1 of 20 windows a trial holds it, give or take its edges
    spans = [span(trial_with(2, (200, 201)), start=1000 * n) for n in range(10)]
    windows = [w for epoch in range(20) for w in planner(*spans, boost={2: factor}).windows(epoch)]
    plain = [w for epoch in range(20) for w in planner(*spans).windows(epoch)]

    n_with = sum((window.actions == 2).any() for window in windows)
    n_plain = sum((window.actions == 2).any() for window in plain)
    # 10 windows with it are expected in each of 20 epochs
    assert n_with == pytest.approx(n_plain + 20 * 10 * (factor - 1), rel=0.3)
    assert len(windows) == 20 * planner(*spans, boost={2: factor}).n_windows == 20 * (200 + round(10 * (factor - 1)))


def test_further_windows_are_centred_on_frames_of_the_rare_action():
    actions = trial_with(2, (150, 154), (250, 251))
    plan = planner(span(actions, start=500), boost={2: 30.0})
    base = planner(span(actions, start=500))
    further = len(plan.windows(0)) - len(base.windows(0))

    centres = [window.span.start - 500 + 10 for window in plan.windows(0)]
    assert further == plan.n_extra(2) == 29 * 5
    assert sum(actions[centre] == 2 for centre in centres) >= further


def test_short_bouts_are_drawn_as_often_as_long_ones():
    actions = trial_with(2, (50, 130), (300, 301))
    windows = planner(span(actions), boost={2: 30.0}).windows(0)
    with_short = sum(window.span.start <= 300 < window.span.stop for window in windows)

    assert with_short / len(windows) == pytest.approx(0.5, abs=0.08)


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    window_T=st.integers(2, 60),
    seed=st.integers(0, 50),
    epoch=st.integers(0, 5),
)
def test_windows_stay_inside_of_their_trial_with_its_own_labels(lengths, window_T, seed, epoch):
    starts = np.cumsum([0, *lengths])[:-1] * 2
    spans = [span(np.arange(n) % 4, start=int(s)) for n, s in zip(lengths, starts, strict=True)]
    plan = planner(*spans, boost={3: 2.5}, window_T=window_T, seed=seed)
    for window in plan.windows(epoch):
        (home,) = (each for each in spans if each.span.start <= window.span.start < each.span.stop)
        assert window.span.stop <= home.span.stop
        assert len(window.span) == min(window_T, len(home.span))
        offset = window.span.start - home.span.start
        assert (window.actions == home.actions[offset : offset + len(window.span)]).all()


def test_an_epoch_is_the_same_for_its_seed_and_another_than_the_one_before():
    spans = [span(trial_with(2, (200, 210)))]
    plans = [planner(*spans, boost={2: 3.0}, seed=seed) for seed in (0, 0, 1)]
    first, again, other = ([w.span for w in plan.windows(0)] for plan in plans)

    assert first == again != other
    assert first != [w.span for w in plans[0].windows(1)]


@pytest.mark.parametrize(("mirrors", "share"), [(True, 0.5), (False, 0.0)], ids=["with mirrors", "without"])
def test_half_of_the_windows_are_mirrored_when_asked_for(mirrors, share):
    windows = planner(*[span(np.zeros(200, dtype=int)) for _ in range(100)], mirrors=mirrors).windows(0)

    assert np.mean([window.is_mirrored for window in windows]) == pytest.approx(share, abs=0.06)


def without_annotation(n_frames, name="r"):
    return TrainSpan(recording=name, span=FrameRange(0, n_frames), actions=None)


@pytest.mark.parametrize(
    ("n_frames", "n_windows"),
    [
        pytest.param(60, 3, id="a short recording gives as many windows as it is long"),
        pytest.param(100_000, 5, id="a long one never more than the trials"),
    ],
)
def test_recordings_without_annotation_give_windows_without_labels(n_frames, n_windows):
    plan = planner(without_annotation(n_frames), span(np.zeros(100, dtype=int)))
    windows = plan.windows(0)

    assert sum(window.actions is None for window in windows) == n_windows
    assert len(windows) == plan.n_windows == 5 + n_windows


def test_spans_without_annotation_end_where_their_video_does():
    plan = planner(without_annotation(500, "cut"), without_annotation(90, "whole"), span(np.zeros(400, dtype=int)))
    cut = plan.within({"cut": 80, "whole": 90, "rec": 400})

    assert [len(each.span) for each in cut.spans] == [80, 90, 400]
    assert all(w.span.stop <= 80 for epoch in range(5) for w in cut.windows(epoch) if w.recording == "cut")
