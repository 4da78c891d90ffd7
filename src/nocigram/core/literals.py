"""Allowed values of options, written once: flags, registries and checkpoints read them from here."""

from typing import Literal

ModelType = Literal["action_only", "multitask"]
BackboneType = Literal["vit_2d", "videomae2_3d"]
Scheduler = Literal["cosine", "plateau"]
LauncherType = Literal["local", "slurm"]
Crop = Literal["full", "mouse"]
SplitBy = Literal["animal", "recording", "trial"]
Streams = Literal["pixels+pose", "pixels", "pose"]
"""What the model is given: both, or one alone to see what each adds."""
Features = Literal["graph", "motion", "light"]
"""What a model reads of keypoints: the 18 pose features, motion in the body's frame, light at the paws."""
Precision = Literal["auto", "32", "bf16"]
Accelerator = Literal["auto", "cpu", "gpu", "mps"]
