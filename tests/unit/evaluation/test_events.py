"""Bouts as events, worked out by hand, and what must hold for any trial."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import InputError
from nocigram.evaluation import Timing, TrialPrediction, events_as_text, score_events
from nocigram.evaluation.events import plain_events

CLASSES = ("rest", "paw_withdraw", "walk")
WITHDRAW = 1


def trial_of(labels, predicted, *, trial=1, animal="A", fps=10.0, start=0, stim=None):
    return TrialPrediction(
        recording=f"mouse{animal}",
        trial=trial,
        animal=animal,
        labels=np.asarray(labels),
        probabilities=np.eye(3)[np.asarray(predicted)],
        timing=Timing(fps=fps, start=start, stim_frame=stim),
    )


def rest_but(n_frames, *spans, action=WITHDRAW):
    """Rest with bouts of another action in the spans."""
    frames = np.zeros(n_frames, dtype=int)
    for start, stop in spans:
        frames[start:stop] = action
    return frames


def withdraw_of(*trials, **options):
    return score_events(trials, classes=CLASSES, **options).actions["paw_withdraw"]


@st.composite
def trials(draw, *, unscored=True):
    """Any trial of 10 frames a second."""
    run = st.tuples(st.integers(UNSCORED if unscored else 0, 2), st.integers(1, 6))
    labels = np.concatenate([np.repeat(*each) for each in draw(st.lists(run, min_size=1, max_size=8))])
    run = st.tuples(st.integers(0, 2), st.integers(1, 6))
    predicted = np.concatenate([np.repeat(*each) for each in draw(st.lists(run, min_size=1, max_size=8))])
    labels[0] = max(labels[0], 0)
    return trial_of(labels, np.resize(predicted, len(labels)))


@pytest.fixture
def worked():
    """10 frames a second, so a frame is 100 ms and a tolerance of 0.2 s is 2 frames.

    Withdrawals, labelled: [6, 10), [20, 22); predicted: [7, 10), [13, 15).
    """
    labels, predicted = rest_but(30, (6, 10), (20, 22)), rest_but(30, (7, 10), (13, 15))
    return trial_of(labels, predicted, start=100, stim=105)


def test_bouts_by_onset_and_overlap_of_a_case_worked_out_by_hand(worked):
    found = withdraw_of(worked)
    # By onset 7 is 1 frame from 6, and 13 is 7 from 20. By overlap [7, 10) of [6, 10) is 3/4. 30 frames are 0.05 min.
    for matched in (found.by_onset, found.by_overlap):
        assert (matched.n_found, matched.n_missed, matched.n_false) == (1, 1, 1)
        assert matched.false_per_minute == pytest.approx(1 / 0.05)
        assert (matched.precision, matched.recall, matched.f1) == (0.5, 0.5, 0.5)
    assert (found.onset.n, found.onset.median_ms, found.onset.bias_ms) == (1, 100, 100)
    assert (found.offset.n, found.offset.median_ms) == (1, 0)


def test_every_bout_has_a_row_in_frames_and_seconds_of_the_recording(worked):
    rows = [row for row in score_events([worked], classes=CLASSES).bouts if row.action == "paw_withdraw"]
    spans = [(row.by, row.start, row.stop, row.is_matched, row.is_overlapped) for row in rows]
    assert spans == [
        ("labels", 106, 110, True, True),
        ("labels", 120, 122, False, False),
        ("model", 107, 110, True, True),
        ("model", 113, 115, False, False),
    ]
    assert (rows[0].start_s, rows[0].duration_s) == pytest.approx((10.6, 0.4))
    errors = [(row.onset_error_ms, row.offset_error_ms) for row in rows]
    np.testing.assert_allclose(errors, [(100, 0), (np.nan, np.nan), (100, 0), (np.nan, np.nan)])


def test_count_duration_and_latency_of_a_trial_worked_out_by_hand(worked):
    (row,) = [row for row in score_events([worked], classes=CLASSES).trials if row.action == "paw_withdraw"]
    # The stimulus is at frame 5 of the trial, which goes on for 25 frames.
    assert (row.scored_s, row.has_stimulus, row.followed_s) == (3.0, True, 2.5)
    assert vars(row.labels) == pytest.approx({"count": 2, "duration_s": 0.6, "mean_bout_s": 0.3, "latency_s": 0.1})
    assert vars(row.model) == pytest.approx({"count": 2, "duration_s": 0.5, "mean_bout_s": 0.25, "latency_s": 0.2})


def test_a_short_bout_that_is_late_is_found_by_onset_and_lost_by_overlap():
    # 5 frames at 30 a second, 4 frames late: an overlap of 1/9.
    found = withdraw_of(trial_of(rest_but(60, (20, 25)), rest_but(60, (24, 29)), fps=30.0))
    assert (found.by_onset.f1, found.by_overlap.f1) == (1, 0)
    assert found.onset.median_ms == pytest.approx(4000 / 30)


@pytest.mark.parametrize(("tolerance_s", "n_found"), [(0.0, 0), (0.09, 0), (0.1, 1)])
def test_the_tolerance_decides(worked, tolerance_s, n_found):
    assert withdraw_of(worked, onset_tolerance_s=tolerance_s).by_onset.n_found == n_found


def test_errors_are_summed_up_by_median_quartiles_and_mean():
    # Onset errors of -2, 0, 1, 1 and 2 frames: median 1, quartiles 0 and 1, mean 0.4.
    labels = rest_but(60, (5, 8), (15, 18), (25, 28), (35, 38), (45, 48))
    predicted = rest_but(60, (3, 8), (15, 18), (26, 28), (36, 38), (47, 48))
    onset = withdraw_of(trial_of(labels, predicted)).onset
    assert (onset.n, onset.quartile_1_ms, onset.median_ms, onset.quartile_3_ms) == (5, 0, 100, 100)
    assert onset.bias_ms == pytest.approx(40)


def test_a_bout_that_unscored_frames_or_the_trial_cut_counts_without_an_error_there():
    labels = rest_but(20, (0, 3), (8, 12), (17, 20))
    labels[9:11] = UNSCORED  # withdrawals [0, 3), [8, 9), [11, 12), [17, 20)
    predicted = rest_but(20, (0, 4), (7, 13), (18, 20))  # cut alike: [0, 4), [7, 9), [11, 13), [18, 20)
    events = score_events([trial_of(labels, predicted)], classes=CLASSES)
    rows = [row for row in events.bouts if row.action == "paw_withdraw" and row.by == "labels"]
    assert all(row.is_matched for row in rows)
    errors = [(row.onset_error_ms, row.offset_error_ms) for row in rows]
    np.testing.assert_allclose(errors, [(np.nan, 100), (-100, np.nan), (np.nan, 100), (100, np.nan)])
    assert events.actions["paw_withdraw"].onset.n == 2


@pytest.mark.parametrize(
    ("stim", "labels_s", "followed_s"),
    [
        pytest.param(None, 0.5, 3.0, id="from the trial's start where nobody gave a stimulus"),
        pytest.param(105, 0.0, 2.5, id="a bout that begins at the stimulus"),
        pytest.param(106, 1.4, 2.4, id="a bout that began before the stimulus is not its answer"),
        pytest.param(121, np.nan, 0.9, id="none after it: longer than was followed, not 0"),
        pytest.param(130, np.nan, np.nan, id="a stimulus after the trial's end"),
        pytest.param(95, 1.0, 3.5, id="a stimulus before the trial's start"),
    ],
)
def test_latency_is_to_the_first_bout_that_begins_after_the_stimulus(stim, labels_s, followed_s):
    labels = rest_but(30, (5, 8), (20, 22))
    events = score_events([trial_of(labels, rest_but(30), start=100, stim=stim)], classes=CLASSES)
    (row,) = [row for row in events.trials if row.action == "paw_withdraw"]
    np.testing.assert_allclose([row.labels.latency_s, row.followed_s], [labels_s, followed_s])
    assert np.isnan(row.model.latency_s)


def test_a_trial_is_followed_to_its_last_scored_frame():
    labels = rest_but(30)
    labels[25:] = UNSCORED
    events = score_events([trial_of(labels, rest_but(30, (27, 29)), stim=5)], classes=CLASSES)
    row = events.trials[WITHDRAW]
    assert (row.scored_s, row.followed_s, row.model.count) == (2.5, 2.0, 0)


def test_censored_trials_count_in_the_median_latency():
    # Labels at 1 s, 2 s, and none within 2.5 and 3 s; Kaplan and Meier: 3/4 are left after 1 s, 2/4 after 2 s.
    # The model at 1 s, and none in three: 3/4 are left to the end.
    labels = [(15, 16)], [(25, 26)], [], []
    predicted = [(15, 16)], [], [], []
    lengths = 35, 35, 30, 35
    made = [
        trial_of(rest_but(n, *one), rest_but(n, *other), trial=number, stim=5)
        for number, (n, one, other) in enumerate(zip(lengths, labels, predicted, strict=True))
    ]
    latencies = withdraw_of(*made).latencies
    assert latencies.median_labels_s == pytest.approx(2)
    assert np.isnan(latencies.median_model_s)
    n = (latencies.n_both, latencies.n_labels_only, latencies.n_model_only, latencies.n_neither)
    assert n == (1, 1, 0, 2)


def test_agreement_is_over_trials_and_of_each_animal_alone():
    # Counts by the labels 1, 2, 0 and by the model 1, 1, 1: differences 0, -1, 1.
    spans = {"A1": ([(5, 8)], [(5, 8)]), "A2": ([(5, 8), (15, 18)], [(5, 8)]), "B1": ([], [(15, 18)])}
    made = [
        trial_of(rest_but(30, *labels), rest_but(30, *predicted), animal=name[0], trial=int(name[1]))
        for name, (labels, predicted) in spans.items()
    ]
    found = withdraw_of(*made)
    count = found.agreements["count"]
    assert (count.n, count.mean_first, count.mean_second, count.bias) == (3, 1, 1, 0)
    assert count.high == pytest.approx(1.96)
    assert found.agreements["latency_s"].n == 2  # B has none by the labels
    assert [found.animals[name]["count"].mean_first for name in "AB"] == [1.5, 0]
    assert [found.animals[name]["count"].mean_second for name in "AB"] == [1, 1]


def test_an_action_that_nobody_shows_has_no_scores_of_events():
    walk = plain_events(score_events([trial_of(rest_but(30), rest_but(30))], classes=CLASSES).actions["walk"])
    assert (walk["n_found"], walk["n_missed"], walk["n_false"], walk["false_per_minute"]) == (0, 0, 0, 0)
    missing = ("f1", "precision", "recall", "onset_error_median_ms", "latency_median_labels_s", "latency_s_bias")
    assert np.isnan([walk[name] for name in missing]).all()


def test_a_trial_without_a_frame_rate_is_refused(worked):
    with pytest.raises(InputError, match=r"mouseA trial 1: expected its frame rate, got none\. Predict it again\."):
        score_events([replace(worked, timing=None)], classes=CLASSES)


@settings(deadline=None, max_examples=40)
@given(trials())
def test_a_perfect_prediction_has_no_errors(trial):
    perfect = replace(trial, decoded=np.maximum(trial.labels, 0))
    for action in score_events([perfect], classes=CLASSES).actions.values():
        for found in (action.by_onset, action.by_overlap):
            assert (found.n_missed, found.n_false) == (0, 0)
        assert all(not errors.n or errors.bias_ms == 0 for errors in (action.onset, action.offset))
        assert action.agreements["duration_s"].bias == 0


@settings(deadline=None, max_examples=40)
@given(trials(), st.floats(0, 1))
def test_changing_places_makes_missed_bouts_false_ones(trial, tolerance_s):
    there = replace(trial, decoded=np.where(trial.scored, trial.predicted, 0))
    swapped = np.where(trial.scored, trial.predicted, UNSCORED)
    back = replace(trial, labels=swapped, decoded=np.maximum(trial.labels, 0))
    one, other = (score_events([each], classes=CLASSES, onset_tolerance_s=tolerance_s) for each in (there, back))
    for name in CLASSES:
        for kind in ("by_onset", "by_overlap"):
            found, mirrored = getattr(one.actions[name], kind), getattr(other.actions[name], kind)
            assert (found.n_found, found.n_missed, found.n_false) == (
                mirrored.n_found,
                mirrored.n_false,
                mirrored.n_missed,
            )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(4, 8), min_size=1, max_size=5), st.integers(-3, 3))
def test_a_prediction_that_is_k_frames_late_has_errors_of_k_frames(lengths, k):
    starts = 10 + 20 * np.arange(len(lengths))
    n_frames = 20 * len(lengths) + 20
    labels = rest_but(n_frames, *zip(starts, starts + lengths, strict=True))
    predicted = rest_but(n_frames, *zip(starts + k, starts + k + lengths, strict=True))
    found = withdraw_of(trial_of(labels, predicted, fps=25.0))
    assert found.by_onset.n_found == len(lengths)
    for errors in (found.onset, found.offset):
        assert errors.n == len(lengths)
        assert (errors.median_ms, errors.bias_ms) == pytest.approx((k * 40, k * 40))
    assert found.agreements["latency_s"].bias == pytest.approx(k / 25)


def test_the_pain_sign_is_the_first_row_and_what_its_numbers_say_is_below(worked):
    lines = events_as_text(score_events([worked], classes=CLASSES)).splitlines()
    assert " ".join(lines[2].split()) == "paw_withdraw 0.500 1 1 1 20.00 +100 [+100, +100] +0 [+0, +0]"
    assert lines[3].startswith("rest")
    assert lines[5].startswith("found: a predicted bout of the action begins within 0.2 s of the labelled one")
    assert lines[6].startswith(
        "paw_withdraw, time from the stimulus to the first, median of 1 trial: 0.10 s by the labels, 0.20 s by the "
        "model; there is one by both in 1, by the labels alone in 0,"
    )
    assert lines[7] == "paw_withdraw, bouts in a trial: 2.00 by the labels, 2.00 by the model; the model counts +0.00."


def test_it_is_said_where_latencies_are_from_the_start_of_trials(worked):
    other = replace(worked, trial=2, timing=replace(worked.timing, stim_frame=None))
    both = events_as_text(score_events([worked, other], classes=CLASSES))
    assert "time from the stimulus (of 1 trial; else from the trial's start) to the first, median of 2 trials" in both
    assert "time from the trial's start to the first" in events_as_text(score_events([other], classes=CLASSES))
