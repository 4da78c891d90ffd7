"""Losses, augmentation, sampling of rare actions, and the Lightning module around a model."""

from nocigram.training.run import train

__all__ = ["train"]
