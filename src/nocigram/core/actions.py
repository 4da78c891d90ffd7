"""The action scheme: which actions an annotator names, how they merge, which are ignored, their colours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Int

from nocigram.core.errors import Fault, raise_faults

UNSCORED = -1
"""Label of a frame that nobody scored, or whose action is ignored."""

_PALETTE = (
    "#8c8c8c",
    "#d62728",
    "#ff9d2e",
    "#7b4fc9",
    "#2a78d2",
    "#2ca25f",
    "#c2549d",
    "#17a2b8",
    "#a3851c",
    "#5a3d2b",
)


@dataclass(frozen=True)
class ActionScheme:
    """Original actions, in the order of their codes, and what becomes of each."""

    names: tuple[str, ...]
    """Original actions; the code in an annotation is the position here."""
    merges: Mapping[str, str] = field(default_factory=dict)
    """Original action -> the action that it counts as."""
    ignore: frozenset[str] = frozenset()
    """Actions whose frames are unscored."""

    def __post_init__(self) -> None:
        raise_faults(_faults_of(self))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Actions after merging, in the order of their first code. The model's outputs follow it."""
        return tuple(name for name in self.names if name not in self.merges and name not in self.ignore)

    @cached_property
    def col_map(self) -> dict[int, int]:
        """Original code -> position in `classes`, or `UNSCORED` for an ignored action."""
        position = {name: index for index, name in enumerate(self.classes)}
        return {code: position.get(self.merges.get(name, name), UNSCORED) for code, name in enumerate(self.names)}

    @cached_property
    def merge_idxs(self) -> list[int]:
        """Original codes that share their merged action with another code."""
        targets = list(self.col_map.values())
        return [code for code, target in self.col_map.items() if target != UNSCORED and targets.count(target) > 1]

    @property
    def colours(self) -> dict[str, str]:
        """Action -> hex colour, the same in every figure."""
        return {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(self.classes)}

    def merged(self, codes: Int[np.ndarray, " T"]) -> Int[np.ndarray, " T"]:
        """Original codes -> positions in `classes`; unscored stays unscored."""
        table = np.array([*self.col_map.values(), UNSCORED], dtype=np.int64)  # UNSCORED = -1 reads the last entry
        return table[codes]


def _faults_of(scheme: ActionScheme) -> list[Fault]:
    """Every contradiction within a scheme."""
    known, faults = set(scheme.names), []
    if len(known) != len(scheme.names):
        faults.append(
            Fault(
                where="actions: names", expected="each name once", got=str(list(scheme.names)), fix="Remove the double."
            )
        )
    mentioned = set(scheme.merges) | set(scheme.merges.values()) | scheme.ignore
    if unknown := sorted(mentioned - known):
        faults.append(
            Fault(
                where="actions: merges and ignore",
                expected=f"names among {list(scheme.names)}",
                got=str(unknown),
                fix="Add them to names, or correct their spelling.",
            )
        )
    if chained := sorted(set(scheme.merges) & set(scheme.merges.values())):
        faults.append(
            Fault(
                where="actions: merges",
                expected="targets that are not merged themselves",
                got=str(chained),
                fix="Merge into the final action directly.",
            )
        )
    if both := sorted(set(scheme.merges) & scheme.ignore):
        faults.append(
            Fault(
                where="actions: ignore",
                expected="actions that are not merged",
                got=str(both),
                fix="Remove them from merges or from ignore.",
            )
        )
    if len(known - set(scheme.merges) - scheme.ignore) < 2:
        faults.append(
            Fault(
                where="actions: names",
                expected="at least 2 actions after merging",
                got=str(sorted(known)),
                fix="Name more actions.",
            )
        )
    return faults


DEFAULT_SCHEME = ActionScheme(
    names=("rest", "paw_withdraw", "paw_lick", "paw_guard", "paw_shake", "flinch", "walk", "active"),
    merges={"paw_guard": "paw_withdraw", "flinch": "paw_withdraw"},
)
"""The eight actions of the guide, merged to six."""
