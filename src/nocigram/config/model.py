"""Options about the model: its approach, what it reads, what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import (
    Approach,
    BackboneType,
    CnnSize,
    Features,
    ModelType,
    Pool,
    Smooth,
    Streams,
    TemporalType,
)
from nocigram.core.needs import Needs

POSE_GROUPS: dict[Approach, tuple[Features, ...]] = {
    "multitask": ("graph", "motion"),
    "multimodal": ("graph",),
    "video_only": (),
    "pose_only": ("kinematics",),
    "pose_trees": ("kinematics",),
}
"""What `pose` stands for among the feature groups."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The model."""

    approach: Approach = "multitask"
    """'multitask': a backbone and pose; 'multimodal': a small 3D CNN and pose; 'video_only': the 3D CNN alone;
    'pose_only': pose without any video; 'pose_trees': the same by gradient-boosted trees."""
    model_type: ModelType = "multitask"
    """Of the multitask approach: 'multitask' predicts actions and keypoints, 'action_only' actions."""
    streams: Streams = "pixels+pose"
    """What the multitask approach is given; one alone shows what the other adds."""
    features: str = "pose,light"
    """What is read of keypoints, comma-separated: 'graph' (the pose graph's 18 features), 'motion' (in the body's
    frame), 'kinematics' (posture and motion over several spans of time), 'light' (brightness at the paws, where there
    is a video); 'pose' stands for what the approach reads of a pose by default."""
    cnn_size: CnnSize = "standard"
    """The 3D CNN of video_only and multimodal: 'standard' has about 3M parameters, 'light' about 0.7M."""
    backbone_type: BackboneType = "vit_2d"
    """'vit_2d': any image model of timm; over clips: 'videomae2_3d' (VideoMAE V1 and V2), 'vjepa2_3d' (V-JEPA 2),
    'torchvision_3d' (any video model of torchvision)."""
    encoder_name: str = "vit_small_patch14_dinov2.lvd142m"
    """Encoder by its timm (2D), hub or torchvision (3D) name, or 'embedded': EfficientNet-Lite0, installed with its
    weights."""
    encoder_weights: str = "pretrained"
    """'pretrained', 'none' (random) or a file of weights."""
    pool: Pool = "auto"
    """How a 2D encoder's patches become one vector: 'auto' (as it does by itself), 'cls' (the class token), 'mean',
    both, or 'attention' (learnt, so that features can't be cached)."""
    strict_backbone: bool = False
    """Make it an error when VideoMAE can't be had, instead of falling back to 2D."""
    backbone_chunk: int | None = None
    """Frames (2D) or clips' frames (3D) that run through the backbone at once; fewer need less memory (default: 64, and
    256 on a CUDA GPU without --gradient_checkpointing)."""
    gradient_checkpointing: bool = False
    """Compute backbone activations twice instead of keeping them; for small GPUs."""
    temporal_head: TemporalType = "tcn"
    """Network along time. 'tcn': dilated convolutions; 'ms_tcn': stages of them, the later ones correct the earlier;
    'transformer': attention to the frames around; 'gru': recurrent, both directions."""
    hidden_dim: int = 256
    """Width of the temporal head."""
    tcn_layers: int = 3
    """Layers of the temporal head: residual blocks dilated 1, 2, 4, ... ('tcn'), layers of each stage, dilated alike
    ('ms_tcn'), attention to 8, 16, 32, ... frames on either side ('transformer'), recurrent layers ('gru');
    0: nothing along time but what the features know."""
    dropout: float = 0.3
    """Dropout in the temporal head and the heads after it."""
    pixel_dropout: float = 0.5
    """Dropout on the backbone's features; a few animals are easily learnt by heart from them."""
    smooth: Smooth = "viterbi"
    """How probabilities become actions: 'none' (the likeliest of each frame), 'median' (a majority filter), 'viterbi'
    (the likeliest course of bouts); learnt from training labels, used only where it is better on validation."""
    members: int = 1
    """Networks of pose_only whose probabilities are averaged."""
    pose_dropout: float = 0.0
    """Dropout on the numbers that are read of keypoints."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        known = ("pose", *get_args(Features))
        unknown = sorted({name.strip() for name in self.features.split(",")} - set(known))
        faults = out_of_range(
            self,
            backbone_chunk=(1, None),
            hidden_dim=(8, None),
            tcn_layers=(0, 12),
            members=(1, 100),
            dropout=(0, 0.95),
            pixel_dropout=(0, 0.95),
            pose_dropout=(0, 0.95),
        )
        if unknown:
            fault = Fault(
                where="--features",
                expected=f"names among {', '.join(known)}",
                got=", ".join(unknown),
                fix="Correct them.",
            )
            faults.append(fault)
        return faults

    @property
    def feature_names(self) -> tuple[str, ...]:
        """`features` as a tuple, without doubles, `pose` written out."""
        written = [name.strip() for name in self.features.split(",")]
        pose = POSE_GROUPS[self.approach]
        return tuple(dict.fromkeys(n for name in written for n in (pose if name == "pose" else (name,))))

    @property
    def needs(self) -> Needs:
        """What a model of these options has to be given of a recording."""
        return needs_of(self.approach, streams=self.streams, features=self.feature_names)

    @property
    def reads_both(self) -> bool:
        """Pixels and pose both enter the model, so that it can be trained without one of them now and then."""
        has_one_stream = self.approach == "multitask" and self.streams != "pixels+pose"
        return self.needs.pixels and self.needs.pose and not has_one_stream


def needs_of(approach: Approach, *, streams: Streams, features: Sequence[str]) -> Needs:
    """What a model has to be given of a recording."""
    pixels = approach in ("video_only", "multimodal") or (approach == "multitask" and streams != "pose")
    pose = approach != "video_only"
    reads_groups = pose and not (approach == "multitask" and streams == "pixels")
    # what multitask reads of a video without its pixels is nothing, so that the streams can be told apart
    sees_light = reads_groups and not (approach == "multitask" and streams == "pose")
    return Needs(
        pixels=pixels,
        pose=pose,
        light=sees_light and "light" in features,
        kinematics=reads_groups and "kinematics" in features,
        only_with_pose=pose and not (approach == "multitask" and pixels),
    )


@dataclass(frozen=True, kw_only=True)
class TreeOptions:
    """The trees of pose_trees."""

    trees: int = 300
    """Rounds of boosting: one tree for each action in each."""
    tree_depth: int = 5
    """Questions from a tree's root to its leaves at most."""
    tree_lr: float = 0.05
    """Share of each tree's answer that is added."""
    tree_row_share: float = 0.5
    """Share of the frames that each tree is grown from."""
    tree_column_share: float = 0.15
    """Share of the features that each tree may ask for."""
    tree_leaf_weight: float = 10.0
    """Least sum of second derivatives in a leaf; more keeps leaves from single moments."""
    tree_l2: float = 5.0
    """L2 penalty on what leaves say."""
    tree_bins: int = 64
    """Values of a feature that can be told apart."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(
            self,
            trees=(1, None),
            tree_depth=(1, 20),
            tree_lr=(1e-4, 1),
            tree_row_share=(0.01, 1),
            tree_column_share=(0.01, 1),
            tree_leaf_weight=(0, None),
            tree_l2=(0, None),
            tree_bins=(2, 256),
        )
