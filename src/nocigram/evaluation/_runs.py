"""Counts of every animal in every run: what intervals and tests over animals start from.

A animals, S runs (seeds).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation.counts import Counts, count_trials, stacked
from nocigram.evaluation.onsets import ONSET_TOLERANCE_S
from nocigram.evaluation.trial_prediction import TrialPrediction

Runs = Sequence[Sequence[TrialPrediction]]
"""The predictions of each seed, all of the same trials."""


def counts_of_runs(runs: Runs, *, classes: Sequence[str], onset_tolerance_s: float = ONSET_TOLERANCE_S) -> Counts:
    """Counts with the axes `A S`: animals in the order of their names, runs as given.

    Raises:
        InputError: there is no run, the runs are of other trials, or a run can't be scored.
    """
    require_same_trials(runs)
    for run in runs:
        require_scorable(run, classes=classes)
    animals = sorted({trial.animal for trial in runs[0] if trial.scored.any()})
    count = partial(count_trials, n_actions=len(classes), onset_tolerance_s=onset_tolerance_s)
    return stacked(
        [stacked([count([trial for trial in run if trial.animal == animal]) for run in runs]) for animal in animals]
    )


def require_same_trials(runs: Runs) -> None:
    """Raise an `InputError` that names the trials in which runs differ; do nothing when they are of the same labels."""
    if not runs:
        raise InputError("evaluation: expected at least 1 run, got 0. Give the predictions of a seed.")
    first, *others = ({trial.name: trial for trial in run} for run in runs)
    faults = []
    for number, run in enumerate(others, start=2):
        for name in sorted(first.keys() | run.keys()):
            if (difference := _difference(first.get(name), run.get(name), number=number)) is not None:
                fix = "Compare predictions of the same trials with the same labels."
                expected = "the same animal and labels in each run"
                faults.append(Fault(where=name, expected=expected, got=difference, fix=fix))
    raise_faults(faults)


def _difference(first: TrialPrediction | None, other: TrialPrediction | None, *, number: int) -> str | None:
    """How a trial of the first run differs from that of run `number`; None when they agree."""
    if first is None or other is None:
        return f"it in run {1 if other is None else number} and not in run {number if other is None else 1}"
    if first.animal != other.animal:
        return f"animal {first.animal} in run 1 and {other.animal} in run {number}"
    return None if np.array_equal(first.labels, other.labels) else f"other labels in run {number} than in run 1"
