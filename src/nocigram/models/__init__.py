"""Backbones, temporal heads, approaches and the checkpoint file: tensors in, logits out."""
