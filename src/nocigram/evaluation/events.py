"""Bouts as events: found, missed and made up; how far off they are; what a trial would be said to hold.

A withdrawal of 150 ms is a handful of frames, so scores of frames hardly see it. A laboratory asks whether it was
found, when, how often it came and how soon after the stimulus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import CensoredData, ecdf

from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation.agreement import Agreement, agreement
from nocigram.evaluation.bout_events import BoutEvent, bout_events
from nocigram.evaluation.frame_scores import share_of
from nocigram.evaluation.onsets import ONSET_TOLERANCE_S
from nocigram.evaluation.trial_events import TrialEvents, trial_events
from nocigram.evaluation.trial_prediction import TrialPrediction

MEASURES = ("count", "duration_s", "mean_bout_s", "latency_s")
"""What is measured of an action in each trial: names of fields of `Shown`."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Bouts of one action, matched one to one. NaN where a number does not exist."""

    n_found: int
    """Labelled bouts with a partner."""
    n_missed: int
    """Labelled bouts without one."""
    n_false: int
    """Predicted bouts without one."""
    false_per_minute: float
    """Of scored time."""

    @property
    def precision(self) -> float:
        """Share of the predicted bouts that have a partner; NaN if there is none."""
        return float(share_of(np.array(self.n_found), np.array(self.n_found + self.n_false)))

    @property
    def recall(self) -> float:
        """Share of the labelled bouts that have a partner; NaN if there is none."""
        return float(share_of(np.array(self.n_found), np.array(self.n_found + self.n_missed)))

    @property
    def f1(self) -> float:
        """Harmonic mean of both; NaN without any bout."""
        n_bouts = 2 * self.n_found + self.n_missed + self.n_false
        return float(share_of(np.array(2 * self.n_found), np.array(n_bouts)))


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Errors in time of pairs by onset, model less labels, in ms. NaN without a pair whose error was seen."""

    n: int
    median_ms: float
    quartile_1_ms: float
    quartile_3_ms: float
    bias_ms: float
    """Mean; above 0 the model is late."""


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """In how many trials who saw the action after the stimulus, and how soon."""

    n_both: int
    n_labels_only: int
    n_model_only: int
    n_neither: int
    median_labels_s: float
    """Kaplan and Meier's median over all trials, those without a bout censored at their end; NaN where fewer than half
    of the trials come to a bout."""
    median_model_s: float


@dataclass(frozen=True, kw_only=True)
class ActionEvents:
    """Everything about the bouts of one action."""

    by_onset: Found
    by_overlap: Found
    onset: Errors
    offset: Errors
    latencies: Latencies
    agreements: Mapping[str, Agreement]
    """By measure: the trials' numbers by the model against those by the labels."""
    animals: Mapping[str, Mapping[str, Agreement]]
    """Animal -> measure -> the same over its trials; their means are what is of interest."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events of a set of trials."""

    onset_tolerance_s: float
    actions: Mapping[str, ActionEvents]
    """By name, in the order of the classes."""
    bouts: Sequence[BoutEvent]
    """Every bout of every trial."""
    trials: Sequence[TrialEvents]
    """Every action of every trial with a scored frame."""


def score_events(
    trials: Sequence[TrialPrediction], *, classes: Sequence[str], onset_tolerance_s: float = ONSET_TOLERANCE_S
) -> Events:
    """Compare the bouts that were predicted with those that were labelled. Unscored frames count nowhere.

    Args:
        trials: each trial of a recording once, with its timing.
        classes: names of the columns of the probabilities.
        onset_tolerance_s: bouts may begin so far apart and still be one and the same.

    Raises:
        InputError: as `score_trials`, or a trial has no timing.
    """
    require_scorable(trials, classes=classes)
    used = [trial for trial in trials if trial.scored.any()]
    bouts = [event for trial in used for event in bout_events(trial, classes=classes, tolerance_s=onset_tolerance_s)]
    rows = [row for trial in used for row in trial_events(trial, classes=classes)]
    actions = {
        name: _of_action([each for each in bouts if each.action == name], [row for row in rows if row.action == name])
        for name in classes
    }
    return Events(onset_tolerance_s=onset_tolerance_s, actions=actions, bouts=bouts, trials=rows)


def _of_action(bouts: Sequence[BoutEvent], trials: Sequence[TrialEvents]) -> ActionEvents:
    """All about one action."""
    minutes = sum(trial.scored_s for trial in trials) / 60
    of_labels = [bout for bout in bouts if bout.by == "labels"]
    animals = sorted({trial.animal for trial in trials})
    return ActionEvents(
        by_onset=_found(bouts, "is_matched", minutes=minutes),
        by_overlap=_found(bouts, "is_overlapped", minutes=minutes),
        onset=_errors([bout.onset_error_ms for bout in of_labels]),
        offset=_errors([bout.offset_error_ms for bout in of_labels]),
        latencies=_latencies(trials),
        agreements=_agreements(trials),
        animals={animal: _agreements([trial for trial in trials if trial.animal == animal]) for animal in animals},
    )


def _found(bouts: Sequence[BoutEvent], partner: str, *, minutes: float) -> Found:
    """Count by one kind of matching."""
    n = {(by, has): 0 for by in ("labels", "model") for has in (True, False)}
    for bout in bouts:
        n[bout.by, getattr(bout, partner)] += 1
    n_false = n["model", False]
    return Found(
        n_found=n["labels", True],
        n_missed=n["labels", False],
        n_false=n_false,
        false_per_minute=n_false / minutes,
    )


def _errors(errors_ms: Sequence[float]) -> Errors:
    """Sum up errors; NaN are left out."""
    known = np.array([error for error in errors_ms if not np.isnan(error)])
    if not len(known):
        nan = float("nan")
        return Errors(n=0, median_ms=nan, quartile_1_ms=nan, quartile_3_ms=nan, bias_ms=nan)
    first, median, third = np.percentile(known, (25, 50, 75)).tolist()
    return Errors(n=len(known), median_ms=median, quartile_1_ms=first, quartile_3_ms=third, bias_ms=float(known.mean()))


def _latencies(trials: Sequence[TrialEvents]) -> Latencies:
    """Who saw the action after the stimulus, over the trials that go on after it."""
    followed = [trial for trial in trials if not np.isnan(trial.followed_s)]
    labels, model = (np.array([getattr(trial, by).latency_s for trial in followed]) for by in ("labels", "model"))
    seen, called = ~np.isnan(labels), ~np.isnan(model)
    ends = np.array([trial.followed_s for trial in followed])
    return Latencies(
        n_both=int((seen & called).sum()),
        n_labels_only=int((seen & ~called).sum()),
        n_model_only=int((~seen & called).sum()),
        n_neither=int((~seen & ~called).sum()),
        median_labels_s=_median(labels, ends),
        median_model_s=_median(model, ends),
    )


def _median(latency_s: Float[np.ndarray, " N"], followed_s: Float[np.ndarray, " N"]) -> float:
    """The first moment by which half of the trials have come to a bout (Kaplan and Meier 1958)."""
    is_censored = np.isnan(latency_s)
    if is_censored.all():
        return float("nan")
    times = CensoredData.right_censored(np.where(is_censored, followed_s, latency_s), is_censored)
    left = ecdf(times).sf
    reached = left.quantiles[left.probabilities <= 0.5 + 1e-9]
    return float(reached[0]) if len(reached) else float("nan")


def _agreements(trials: Sequence[TrialEvents]) -> dict[str, Agreement]:
    """Each measure by the model against that by the labels, over trials."""
    return {
        measure: agreement(
            np.array([getattr(trial.labels, measure) for trial in trials], dtype=np.float64),
            np.array([getattr(trial.model, measure) for trial in trials], dtype=np.float64),
        )
        for measure in MEASURES
    }


def plain_events(action: ActionEvents) -> dict[str, Any]:
    """One action's numbers as one flat record, the keys of metrics.json and the columns of events.csv."""
    record: dict[str, Any] = {}
    for prefix, found in (("", action.by_onset), ("overlap_", action.by_overlap)):
        record |= {
            f"{prefix}{name}": getattr(found, name)
            for name in ("f1", "precision", "recall", "n_found", "n_missed", "n_false", "false_per_minute")
        }
    for prefix, errors in (("onset_error", action.onset), ("offset_error", action.offset)):
        record |= {f"{prefix}_{name}": value for name, value in vars(errors).items()}
    record |= {f"latency_{name}": value for name, value in vars(action.latencies).items()}
    for measure, agreed in action.agreements.items():
        record |= {f"{measure}_{name}": value for name, value in plain_agreement(agreed).items()}
    return record


def plain_agreement(agreed: Agreement) -> dict[str, float | int]:
    """An agreement of labels and model as numbers by name."""
    names = {"mean_first": "mean_labels", "mean_second": "mean_model"}
    return {names.get(name, name): value for name, value in vars(agreed).items()}
