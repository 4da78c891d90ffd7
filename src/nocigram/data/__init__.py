"""Recordings, trials, splits, caches, windows and batches."""
