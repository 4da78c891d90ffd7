"""How events are scored, and what a second person said."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault

ONSET_TOLERANCE_S = 0.2
"""Of rears that two of three people labelled alike (25 Hz, 538 pairs that overlap by 0.3), 74% begin within 0.2 s of
each other and 94% within 0.5 s."""


@dataclass(frozen=True, kw_only=True)
class EventOptions:
    """Bouts as events, and the human ceiling."""

    onset_tolerance_s: float = ONSET_TOLERANCE_S
    """A predicted bout that begins within so many seconds of a labelled one of its action is that one, found."""
    annotations_b: Path | None = None
    """Folder with a second person's annotations of the same trials: how well people agree, beside the model."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, onset_tolerance_s=(0, 60))
