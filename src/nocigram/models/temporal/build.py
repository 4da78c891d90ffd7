"""The registry of temporal heads.

To add one: write a builder with the keywords of `TemporalBuilder`, decorate it with `register_temporal`, import its
module in `temporal/__init__.py`, and add its name to `TemporalType`.
"""

from abc import ABC, abstractmethod
from typing import Literal, Protocol

from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.registry import Registry

TemporalType = Literal["tcn"]


class TemporalHead(nn.Module, ABC):
    """A network along time: fused features of each frame in, features that know their neighbours out."""

    hidden_dim: int
    """Width of what comes out."""
    context_frames: int
    """Frames on either side that a frame's output depends on."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Features of each frame; frames that are not `valid` are padding and change nothing elsewhere."""


class TemporalBuilder(Protocol):
    """Builds a temporal head from numbers."""

    def __call__(self, *, in_dim: int, hidden_dim: int, layers: int, dropout: float) -> TemporalHead:
        """A head for features of width `in_dim`."""


TEMPORAL_HEADS: Registry[TemporalBuilder] = Registry("temporal")
register_temporal = TEMPORAL_HEADS.register


def build_temporal(temporal: str, *, in_dim: int, hidden_dim: int, layers: int, dropout: float) -> TemporalHead:
    """Build a temporal head by name."""
    return TEMPORAL_HEADS[temporal].build(in_dim=in_dim, hidden_dim=hidden_dim, layers=layers, dropout=dropout)
