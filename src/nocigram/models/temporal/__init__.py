"""Networks along time, by name."""

# isort: off
from nocigram.models.temporal import tcn, ms_tcn, transformer, gru  # noqa: F401 - registers them, in this order

# isort: on
from nocigram.models.temporal.build import TEMPORAL_HEADS, TemporalHead, build_temporal, register_temporal

__all__ = ["TEMPORAL_HEADS", "TemporalHead", "build_temporal", "register_temporal"]
