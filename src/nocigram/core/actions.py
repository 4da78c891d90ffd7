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
    names, merged, targets = set(scheme.names), set(scheme.merges), set(scheme.merges.values())
    doubles = list(scheme.names) if len(names) < len(scheme.names) else []
    left = sorted(names - merged - scheme.ignore)
    checks = [
        (doubles, "names", "each name once", "Remove the double."),
        (
            sorted((merged | targets | scheme.ignore) - names),
            "merges and ignore",
            f"names among {list(scheme.names)}",
            "Add them to names, or correct their spelling.",
        ),
        (
            sorted(merged & targets),
            "merges",
            "targets that are not merged themselves",
            "Merge into the final action directly.",
        ),
        (
            sorted(merged & scheme.ignore),
            "ignore",
            "actions that are not merged",
            "Remove them from merges or from ignore.",
        ),
    ]
    faults = [
        Fault(where=f"actions: {key}", expected=what, got=str(got), fix=fix) for got, key, what, fix in checks if got
    ]
    if len(left) < 2:
        few = "at least 2 actions after merging"
        faults.append(Fault(where="actions: names", expected=few, got=str(left), fix="Name more actions."))
    return faults


DEFAULT_SCHEME = ActionScheme(
    names=("rest", "paw_withdraw", "paw_lick", "paw_guard", "paw_shake", "flinch", "walk", "active"),
    merges={"paw_guard": "paw_withdraw", "flinch": "paw_withdraw"},
)
"""The eight actions of the guide, merged to six."""
