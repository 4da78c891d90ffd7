"""Backbones, temporal heads, approaches, the checkpoint file and the decoder of bouts: tensors in, logits out."""
