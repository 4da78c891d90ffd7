"""Recordings, trials, splits, caches, windows and batches."""

from nocigram.data.discover import discover, discover_from
from nocigram.data.records import Discovery, Recording, Skip, Trial

__all__ = ["Discovery", "Recording", "Skip", "Trial", "discover", "discover_from"]
