"""Allowed values of options, written once: flags, registries and checkpoints read them from here."""

from typing import Literal

Approach = Literal["multitask", "multimodal", "video_only", "pose_only", "pose_trees"]
ModelType = Literal["action_only", "multitask"]
BackboneType = Literal["vit_2d", "torchvision_3d", "videomae2_3d", "vjepa2_3d"]
Pool = Literal["auto", "cls", "mean", "cls_mean", "attention"]
"""How a 2D encoder's tokens or places become one vector per frame; auto: as the encoder does it by itself."""
Finetune = Literal["full", "last_blocks", "lora", "frozen"]
"""How much of the backbone learns."""
TemporalType = Literal["tcn", "ms_tcn", "transformer", "gru"]
Smooth = Literal["none", "median", "viterbi"]
"""How probabilities become actions: the likeliest of each frame, a majority filter, the likeliest course of bouts."""
Scheduler = Literal["cosine", "plateau"]
LauncherType = Literal["local", "slurm"]
Crop = Literal["full", "mouse"]
SplitBy = Literal["animal", "recording", "trial"]
Streams = Literal["pixels+pose", "pixels", "pose"]
"""What the model is given: both, or one alone to see what each adds."""
Features = Literal["graph", "motion", "kinematics", "light"]
"""What a model reads of keypoints: the pose graph's features, motion in the body's frame, posture and motion over
several spans of time, light at the paws."""
CnnSize = Literal["standard", "light"]
Precision = Literal["auto", "32", "bf16"]
Accelerator = Literal["auto", "cpu", "gpu", "mps"]
