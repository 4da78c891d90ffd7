"""How events are scored."""

from dataclasses import dataclass

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault

ONSET_TOLERANCE_S = 0.2
"""Six frames at 30 Hz: more than what people differ by on a sharp beginning, less than what parts two withdrawals."""


@dataclass(frozen=True, kw_only=True)
class EventOptions:
    """Bouts as events."""

    onset_tolerance_s: float = ONSET_TOLERANCE_S
    """A predicted bout that begins within so many seconds of a labelled one of its action is that one, found."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, onset_tolerance_s=(0, 60))
