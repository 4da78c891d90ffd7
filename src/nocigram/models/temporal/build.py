"""The registry of temporal heads.

To add one: write a builder with the keywords of `TemporalBuilder`, decorate it with `register_temporal`, import its
module in `temporal/__init__.py`, and add its name to `core.literals.TemporalType`.
"""

from abc import ABC, abstractmethod
from typing import Protocol

from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.registry import Registry


class TemporalHead(nn.Module, ABC):
    """A network along time: fused features of each frame in, features that know their neighbours out.

    It takes windows of any length and looks both ways, since a recording is labelled after the fact.
    """

    hidden_dim: int
    """Width of what comes out."""
    context_frames: int | None
    """Frames on either side that a frame's actions can depend on; None: the whole window."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Features of each frame.

        Args:
            x: features of single frames.
            valid: False for padding at a window's end, which changes nothing elsewhere.
        """

    def refine(
        self, logits: Float[Tensor, "B T C"], *, valid: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B T C"], ...]:
        """Logits of every stage, those that were read off the features first; the last are the prediction.

        Most heads have one stage.
        """
        return (logits,)


class TemporalBuilder(Protocol):
    """Builds a temporal head from numbers."""

    def __call__(self, *, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> TemporalHead:
        """A head for features of width `in_dim`."""


TEMPORAL_HEADS: Registry[TemporalBuilder] = Registry("--temporal_head")
register_temporal = TEMPORAL_HEADS.register


def build_temporal(
    temporal_head: str, *, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float
) -> TemporalHead:
    """Build a temporal head by name."""
    build = TEMPORAL_HEADS[temporal_head].build
    return build(in_dim=in_dim, hidden_dim=hidden_dim, n_actions=n_actions, layers=layers, dropout=dropout)
