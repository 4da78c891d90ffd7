"""Keypoint tracks: readers, skeleton, visibility, pose features."""
