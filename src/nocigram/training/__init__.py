"""Losses, augmentation, sampling of rare actions, and the Lightning module around a model."""
