"""Networks along time, by name."""

from nocigram.models.temporal import tcn  # noqa: F401 - its import registers it
from nocigram.models.temporal.build import (
    TEMPORAL_HEADS,
    TemporalHead,
    TemporalType,
    build_temporal,
    register_temporal,
)

__all__ = ["TEMPORAL_HEADS", "TemporalHead", "TemporalType", "build_temporal", "register_temporal"]
