"""Scores with 95% intervals: the percentile bootstrap over animals.

A animals, S runs (seeds), R resamples.

Frames of one animal are alike, so resampling frames would give intervals that are far too narrow. Here whole animals
are drawn with replacement, and each score is taken anew from the pooled counts of those drawn, a cluster bootstrap
(Davison and Hinkley 1997, "Bootstrap Methods and their Application", 2.4 and 3.8; percentile intervals: Efron and
Tibshirani 1993, "An Introduction to the Bootstrap", 13.3). With few animals such intervals are still too narrow, since
they know only the animals that are there: in a simulation (the mean of a normal value per animal), intervals of 3, 5, 8
and 12 animals held the truth in 75, 84, 88 and 91% of studies instead of 95%.

**Absent actions.** A resample in which nobody shows an action has no F1, recall or precision of it. It is left out of
the intervals of these, and its means over actions are taken over the actions that it has, as `frame_scores` does.

**Several seeds.** A score is the mean over seeds. A resample draws the same animals for all seeds and takes that mean,
so an interval is about other animals, not about other seeds. A seed in which a score does not exist (a precision, where
the action is never called) is left out of the mean.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from nocigram.evaluation._runs import Runs, counts_of_runs
from nocigram.evaluation.counts import action_of, named_scores
from nocigram.evaluation.onsets import ONSET_TOLERANCE_S

N_RESAMPLES = 2000
MIN_ANIMALS_OF_AN_INTERVAL = 3
"""Resamples of two animals are three different ones, which is no distribution."""
_LIMITS_PERCENT = (2.5, 97.5)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A score and the interval that it lies in with a confidence of 95%."""

    value: float
    """Mean over seeds; NaN where the score does not exist or is not assessable."""
    low: float | None = None
    """None where there is no interval: fewer than 3 animals, or fewer than 3 that show the action."""
    high: float | None = None
    """None where `low` is."""


def measure(
    runs: Runs,
    *,
    classes: Sequence[str],
    not_assessable: Collection[str] = (),
    onset_tolerance_s: float = ONSET_TOLERANCE_S,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, Measured]:
    """Every score of frames and bouts with its interval, by its path in metrics.json.

    Args:
        runs: the predictions of each seed, all of the same trials; one seed is a list of one.
        classes: names of the columns of the probabilities.
        not_assessable: actions that get no score of their own and enter no mean over actions (see `support`).
        onset_tolerance_s: bouts may begin so far apart and still be one and the same.
        seed: of the resamples.
        n_resamples: R.

    Raises:
        InputError: there is no run, the runs are of other trials, or a run can't be scored.
    """
    counts = counts_of_runs(runs, classes=classes, onset_tolerance_s=onset_tolerance_s)
    n_animals = len(counts.confusion)
    times = np.random.default_rng(seed).multinomial(n_animals, np.full(n_animals, 1 / n_animals), size=n_resamples)
    whole = counts.mixed(np.ones((1, n_animals), dtype=np.int64))
    score = partial(named_scores, classes=classes, not_assessable=not_assessable)
    values, resampled = score(whole), score(counts.mixed(times))
    n_showing = dict(zip(classes, (counts.confusion[:, 0].sum(axis=-1) > 0).sum(axis=0).tolist(), strict=True))
    measured = {}
    for path, value in values.items():
        action = action_of(path)
        is_enough = (n_animals if action is None else n_showing[action]) >= MIN_ANIMALS_OF_AN_INTERVAL
        low, high = _limits(mean_of_known(resampled[path])) if is_enough else (None, None)
        measured[path] = Measured(value=float(mean_of_known(value)[0]), low=low, high=high)
    return measured


def mean_of_known(scores: Float[np.ndarray, "*N S"]) -> Float[np.ndarray, "*N"]:
    """Mean over seeds, of those in which the score exists; NaN where it exists in none."""
    known = ~np.isnan(scores)
    n_known = known.sum(axis=-1)
    return np.where(n_known > 0, scores.sum(axis=-1, where=known) / np.maximum(n_known, 1), np.nan)


def _limits(resampled: Float[np.ndarray, " R"]) -> tuple[float | None, float | None]:
    """The percentiles of the resamples in which the score exists."""
    known = resampled[~np.isnan(resampled)]
    if not len(known):
        return None, None
    low, high = np.percentile(known, _LIMITS_PERCENT)
    return float(low), float(high)
