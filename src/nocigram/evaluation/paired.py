"""A paired test between two approaches on the same animals, by permutation.

A animals, S runs (seeds), R swaps.

If two approaches were equally good, it would not matter which of the two said what about an animal. So both approaches'
predictions of an animal are swapped, for every subset of the animals, and the difference of the pooled scores is taken
each time. p is the share of swaps whose difference is as far from 0 as the one observed, or farther (Good 2005,
"Permutation, Parametric and Bootstrap Tests of Hypotheses"; Ernst 2004, "Permutation Methods: A Basis for Exact
Inference", Statistical Science 19). What was observed is one of all swaps, and is added to random ones, so p is never
0.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import permutation_test

from nocigram.core.errors import InputError
from nocigram.evaluation._runs import Runs, counts_of_runs, require_same_trials
from nocigram.evaluation.counts import Counts, joined, named_scores
from nocigram.evaluation.intervals import mean_of_known

MOST_SWAPS = 10_000
"""All swaps are tried where there are no more than these, which is up to 13 animals; else so many random ones."""
_SWAPS_AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Whether two approaches differ by more than chance."""

    difference: float
    """Score of the first approach minus that of the second, means over seeds; NaN where a score does not exist."""
    p: float | None
    """Two-sided; None with a single animal, and where the difference does not exist."""
    least_p: float
    """No difference, however large, could have a smaller p with so few animals: 2 of all swaps are the most extreme."""
    n_animals: int
    is_exact: bool
    """All swaps were tried, not random ones."""


def paired_test(
    first: Runs,
    second: Runs,
    *,
    classes: Sequence[str],
    score: str = "macro_f1",
    not_assessable: Collection[str] = (),
    seed: int = 0,
) -> PairedTest:
    """Test the difference of one score between two approaches.

    Args:
        first: the predictions of one approach, of each seed.
        second: those of the other, of the same trials, with as many seeds.
        classes: names of the columns of the probabilities.
        score: path of the score in metrics.json, such as `macro_f1` or `per_action/paw_withdraw/f1`.
        not_assessable: actions that get no score of their own and enter no mean over actions (see `support`).
        seed: of the random swaps; exact tests don't depend on it.

    Raises:
        InputError: the approaches have other numbers of seeds, are of other trials, or can't be scored.
    """
    if len(first) != len(second):
        raise InputError(
            f"evaluation: expected as many seeds of both approaches, got {len(first)} and {len(second)}. "
            "Train both with the same seeds."
        )
    require_same_trials([*first, *second])
    pool = joined([counts_of_runs(runs, classes=classes) for runs in (first, second)])
    n_animals = len(pool.confusion) // 2
    sides = (np.arange(n_animals), np.arange(n_animals, 2 * n_animals))
    difference_of = _difference_in(pool, partial(named_scores, classes=classes, not_assessable=not_assessable), score)
    difference, is_exact = float(difference_of(*sides)), 2**n_animals <= MOST_SWAPS
    p = None
    if n_animals > 1 and not np.isnan(difference):
        options = {"permutation_type": "samples", "vectorized": True, "batch": _SWAPS_AT_ONCE}
        rng = np.random.default_rng(seed)
        p = float(permutation_test(sides, difference_of, n_resamples=MOST_SWAPS, rng=rng, **options).pvalue)
    least_p = 2 / (2**n_animals if is_exact else MOST_SWAPS + 1)
    return PairedTest(difference=difference, p=p, least_p=least_p, n_animals=n_animals, is_exact=is_exact)


def _difference_in(
    pool: Counts, scores_of: Callable[[Counts], dict[str, np.ndarray]], score: str
) -> Callable[..., np.ndarray]:
    """A function of two arrays `*R A` of indices into the pool: the difference between the scores of these animals."""

    def score_of(taken: Int[np.ndarray, "*R A"]) -> Float[np.ndarray, "*R"]:
        times = np.eye(len(pool.confusion), dtype=np.int64)[taken].sum(axis=-2)
        return mean_of_known(scores_of(pool.mixed(times))[score])

    return lambda one, other, axis=-1: np.asarray(score_of(one) - score_of(other))
