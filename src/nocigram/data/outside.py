"""Whether a recording looks like those that a model was trained on, and in what it doesn't.

n training recordings, m quantities.

**The rule.** Of a quantity the training recordings have a mean and a spread, on the scale of the quantity. A new
recording of the same kind lies within `mean +- t * spread * sqrt(1 + 1/n)`: the prediction interval for one more value
of a normal distribution, with t of Student's distribution. With few recordings the spread itself is hardly known, so it
starts from what is usual between recordings of one laboratory, which counts like `PRIOR_RECORDINGS` recordings; each
recording of training takes over some of its weight (Gelman et al. 2013, "Bayesian Data Analysis", 3.3: a normal
distribution whose variance has a scaled inverse chi-square prior). t is chosen such that about one in twenty recordings
of the same kind lies outside in any quantity at all (Bonferroni). What training itself holds is never outside.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

from nocigram.data.appearance import Appearance
from nocigram.data.quantities import Quantity

PRIOR_RECORDINGS = 5
"""Weight of the usual spread."""
FALSE_ALARM_SHARE = 0.05
"""Recordings of the same kind that are to lie outside in any quantity."""
Verdict = Literal["inside", "outside", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One quantity of one recording beside the recordings of training."""

    recording: str
    quantity: Quantity
    value: float
    """NaN where it can't be measured."""
    training_low: float
    """Lowest of the training recordings; NaN where none has it."""
    training_high: float
    expected_low: float
    """Where one more recording of the same kind is expected; NaN: no limit on this side."""
    expected_high: float
    beyond: float
    """How far outside of that, in training spreads on the quantity's scale; 0 inside, NaN where it is unknown."""

    @property
    def verdict(self) -> Verdict:
        """Unknown where the recording or the training lacks the quantity."""
        if math.isnan(self.beyond):
            return "unknown"
        return "outside" if self.beyond > 0 else "inside"

    def __str__(self) -> str:
        low, high = self.quantity.number_of(self.training_low), self.quantity.text_of(self.training_high)
        return (
            f"{self.quantity.name} {self.quantity.text_of(self.value)}, training {low} to {high} "
            f"({self.beyond:.1f} times the spread beyond)"
        )

    def as_row(self) -> dict[str, Any]:
        """A row of the csv."""
        return {
            "recording": self.recording,
            "quantity": self.quantity.name,
            "unit": "share" if self.quantity.scale == "share" else self.quantity.unit,
            **{
                name: getattr(self, name)
                for name in ("value", "training_low", "training_high", "expected_low", "expected_high", "beyond")
            },
            "verdict": self.verdict,
        }


def compared(seen: Appearance, training: Sequence[Appearance], quantities: Sequence[Quantity]) -> list[Compared]:
    """Every quantity of a recording beside the training's."""
    return [_compared(seen, training, quantity, n_quantities=len(quantities)) for quantity in quantities]


def outside(rows: Sequence[Compared]) -> list[Compared]:
    """What lies outside, the farthest first."""
    return sorted((row for row in rows if row.verdict == "outside"), key=lambda row: -row.beyond)


def sentence(rows: Sequence[Compared], *, most: int = 3) -> str | None:
    """One line for the terminal; None where nothing lies outside.

    Args:
        rows: of one recording.
        most: quantities that are named, the farthest first.
    """
    found = outside(rows)
    if not found:
        return None
    more = f"; and {len(found) - most} more" if len(found) > most else ""
    return f"[warn] {found[0].recording}: {'; '.join(map(str, found[:most]))}{more}"


def _compared(seen: Appearance, training: Sequence[Appearance], quantity: Quantity, *, n_quantities: int) -> Compared:
    """One quantity."""
    known = np.array([each.values.get(quantity.name, math.nan) for each in training], dtype=np.float64)
    known = known[np.isfinite(known)]
    value = seen.values.get(quantity.name, math.nan)
    if not len(known):
        nothing = dict.fromkeys(("training_low", "training_high", "expected_low", "expected_high"), math.nan)
        return Compared(recording=seen.recording, quantity=quantity, value=value, beyond=math.nan, **nothing)
    low, high, spread = _expected(quantity, known, n_quantities=n_quantities)
    place = float(quantity.scaled(np.array([value]))[0])
    return Compared(
        recording=seen.recording,
        quantity=quantity,
        value=value,
        training_low=float(known.min()),
        training_high=float(known.max()),
        expected_low=math.nan if quantity.alarms == "high" else quantity.unscaled(low),
        expected_high=math.nan if quantity.alarms == "low" else quantity.unscaled(high),
        beyond=math.nan if math.isnan(value) else max(0.0, *_beyond(quantity, place, low, high)) / spread,
    )


def _expected(quantity: Quantity, known: Float[np.ndarray, " n"], *, n_quantities: int) -> tuple[float, float, float]:
    """Where one more value is expected, low and high, and the spread; all on the quantity's scale."""
    x, n = quantity.scaled(known), len(known)
    degrees = PRIOR_RECORDINGS + n - 1
    squares = PRIOR_RECORDINGS * quantity.usual_spread**2 + float(((x - x.mean()) ** 2).sum())
    spread = math.sqrt(squares / degrees)
    n_sides = 2 if quantity.alarms == "both" else 1
    t = float(stats.t.isf(FALSE_ALARM_SHARE / (n_sides * n_quantities), degrees))
    reach = t * spread * math.sqrt(1 + 1 / n)
    return min(float(x.mean()) - reach, float(x.min())), max(float(x.mean()) + reach, float(x.max())), spread


def _beyond(quantity: Quantity, place: float, low: float, high: float) -> tuple[float, float]:
    """How far below and above; negative inside, and on the side that is no reason for doubt."""
    below, above = low - place, place - high
    return (-math.inf if quantity.alarms == "high" else below), (-math.inf if quantity.alarms == "low" else above)
