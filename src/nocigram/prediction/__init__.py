"""A checkpoint and a recording to an action for every frame."""
