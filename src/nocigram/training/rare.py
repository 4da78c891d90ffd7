"""How often each action occurs, which are rare, and how much more often windows with a rare one are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_LINE = "=" * 60


@dataclass(frozen=True)
class Distribution:
    """Scored frames of each action."""

    classes: tuple[str, ...]
    counts: Int[np.ndarray, " C"]

    @property
    def shares(self) -> Float[np.ndarray, " C"]:
        """Share of all scored frames."""
        return self.counts / max(int(self.counts.sum()), 1)

    def rare(self, threshold_share: float) -> list[int]:
        """Actions that occur, with a smaller share than this."""
        return [action for action, share in enumerate(self.shares) if 0 < share < threshold_share]

    def boost_factors(self, *, threshold_share: float, cap: float) -> dict[int, float]:
        """Rare action -> how many times as often its windows are drawn: uniform share over share, at most `cap`.

        The uniform share is one over the number of actions that occur.
        """
        uniform_share = 1 / max(int((self.counts > 0).sum()), 1)
        return {action: min(cap, uniform_share / float(self.shares[action])) for action in self.rare(threshold_share)}

    def class_weights(self, *, power: float) -> Float[np.ndarray, " C"]:
        """Weight of each action in the loss: (uniform share / share) to a power, a scored frame weighing 1 on average.

        An action that doesn't occur weighs 0, since it has no frame to weigh.
        """
        occurs = self.counts > 0
        weights = np.zeros(len(self.counts))
        weights[occurs] = (1 / occurs.sum() / self.shares[occurs]) ** power
        return weights / max(float(weights @ self.shares), 1e-12)

    def as_table(self, title: str, *, threshold_share: float) -> str:
        """The guide's table."""
        rare = self.rare(threshold_share)
        lines = [_LINE, title, _LINE, f"{'Class':<22}{'Count':>10}{'Share':>12}", "-" * 60]
        for action, name in enumerate(self.classes):
            mark = "  ← RARE" if action in rare else ""
            lines.append(f"{name:<22}{self.counts[action]:>10}{self.shares[action]:>12.2%}{mark}")
        return "\n".join(lines)


def distribution_of(labels: Sequence[Int[np.ndarray, " _"]], *, classes: tuple[str, ...]) -> Distribution:
    """Count the scored frames of each action."""
    counts = np.zeros(len(classes), dtype=np.int64)
    for actions in labels:
        counts += np.bincount(actions[actions >= 0], minlength=len(classes))
    return Distribution(classes, counts)
