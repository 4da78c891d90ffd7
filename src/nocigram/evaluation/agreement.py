"""Agreement of two measurements of the same things: bias, limits of agreement, concordance.

N things measured by both, such as trials.

Bland and Altman 1986, "Statistical methods for assessing agreement between two methods of clinical measurement",
The Lancet 327. Lin 1989, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_NORMAL_95 = 1.96


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well a second measurement agrees with a first one. NaN where a number does not exist."""

    n: int
    """Things that both measured."""
    mean_first: float
    """NaN without such a thing, as all others."""
    mean_second: float
    bias: float
    """Mean of second minus first."""
    low: float
    """Bias less 1.96 standard deviations of the differences: about 95% of the differences lie above. NaN of one."""
    high: float
    """Bias and 1.96 standard deviations; NaN of one."""
    concordance: float
    """Lin's coefficient, 1 where both are always the same, 0 without any relation; NaN where neither ever varies."""


def agreement(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> Agreement:
    """Compare two measurements of the same things.

    Args:
        first: what the second is held against; NaN where it could not be measured.
        second: NaN likewise. Only things that both measured count.
    """
    known = ~np.isnan(first) & ~np.isnan(second)
    first, second = first[known], second[known]
    nan, n = float("nan"), len(first)
    if not n:
        return Agreement(n=0, mean_first=nan, mean_second=nan, bias=nan, low=nan, high=nan, concordance=nan)
    differences = second - first
    bias = float(differences.mean())
    half = _NORMAL_95 * float(differences.std(ddof=1)) if n > 1 else nan
    return Agreement(
        n=n,
        mean_first=float(first.mean()),
        mean_second=float(second.mean()),
        bias=bias,
        low=bias - half,
        high=bias + half,
        concordance=_concordance(first, second),
    )


def _concordance(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    """Lin's coefficient, with variances and covariance over N as in the paper."""
    if len(first) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return float("nan")
    covariance = float(((first - first.mean()) * (second - second.mean())).mean())
    spread = float(first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    return 2 * covariance / spread
