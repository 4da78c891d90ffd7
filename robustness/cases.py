"""What a case of the corpus is: a study with one fault, and what has to come of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from robustness.study import ANIMALS, COMMANDS, TRIALS, Study

Spoil = Callable[[Study], object]
"""Puts a fault into a copy of the healthy study."""

ALL_TRIALS = frozenset(f"{animal}{trial}" for animal in ANIMALS for trial in TRIALS)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault. Where nothing else is said, every command has to give what it gives of the healthy study."""

    kind: str
    name: str
    spoil: Spoil
    runs: tuple[str, ...] = COMMANDS
    refused: tuple[str, ...] = ()
    """Commands that have to end with 2 (check: with 1 or 2), having written nothing that looks finished."""
    lost: frozenset[str] = frozenset()
    """Trials that must not be used, such as a1; all others must be, with the labels and frames of the healthy study."""
    unpredicted: frozenset[str] = frozenset()
    """Recordings of which `predict` must not write a csv, and say why."""
    gone: frozenset[str] = frozenset()
    """Recordings that `predict` can't know of."""
    changed: frozenset[str] = frozenset()
    """Recordings whose pixels or keypoints are no longer all there: what models make of them may differ."""
    trains_otherwise: bool = False
    """The healthy trials are all used, but in another order, or divided in another way."""
    is_open: bool = False
    """Whether the fault is one is up to a library; then only what holds for every case is asked for."""
    says: tuple[str, ...] = ()
    """Patterns of what has to be said by each command that refuses or leaves something out."""

    @property
    def told(self) -> frozenset[str]:
        """Commands that have to say `says`."""
        readers = {"check", "train", "evaluate"} if self.lost else set()
        return frozenset(self.runs) & {*self.refused, *readers, *({"predict"} if self.unpredicted else ())}

    @property
    def is_harmless(self) -> bool:
        """Models and scores have to be those of the healthy study, number by number."""
        return not (self.lost or self.gone or self.changed or self.unpredicted or self.trains_otherwise or self.is_open)

    def unsaid(self, text: str) -> list[str]:
        """Patterns of `says` that are not found; in a table of skips the file has a column of its own."""
        text = re.sub(r"(\.\w+) {2,}(?=expected )", r"\1: ", text)
        return [pattern for pattern in self.says if not re.search(pattern, text)]


def trials_of(*animals: str) -> frozenset[str]:
    """All trials of some recordings."""
    return frozenset(f"{animal}{trial}" for animal in animals for trial in TRIALS)
