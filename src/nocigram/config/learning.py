"""Options about the model and its training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import (
    Accelerator,
    Approach,
    BackboneType,
    CnnSize,
    Features,
    Finetune,
    ModelType,
    Pool,
    Precision,
    Scheduler,
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
_N_LAST_BLOCKS = 2


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
    backbone_chunk: int = 64
    """Frames (2D) or clips' frames (3D) that run through the backbone at once; fewer need less memory."""
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


@dataclass(frozen=True, kw_only=True)
class OptimiserOptions:
    """How it is trained."""

    epochs: int = 30
    """Number of epochs."""
    batch_size: int = 2
    """Windows in a batch."""
    min_windows: int = 1
    """Windows of an epoch at least: few trials are drawn from several times."""
    lr: float = 5e-5
    """Peak learning rate."""
    weight_decay: float = 5e-2
    """AdamW weight decay; biases and norms are exempt."""
    warmup_epochs: int = 3
    """Epochs over which the learning rate rises."""
    finetune: Finetune = "full"
    """What of the backbone learns: all of it, its last blocks, adapters beside its attention ('lora', needs
    nocigram[lora]), or nothing ('frozen': its features are computed once and cached)."""
    freeze_backbone_epochs: int = 3
    """Epochs at the start with the backbone frozen, for 'full' and 'last_blocks'; as many as --epochs: 'frozen'."""
    unfreeze_last_blocks: int | None = None
    """Unfreeze only the last N blocks of the backbone (default: all; 2 with --finetune last_blocks)."""
    lora_rank: int = 8
    """Rank of the adapters of --finetune lora."""
    backbone_lr_factor: float = 0.1
    """Learning rate of the unfrozen backbone relative to --lr."""
    scheduler: Scheduler = "cosine"
    """'cosine' falls to zero over the run; 'plateau' halves when macro F1 stands still."""
    refit: bool = False
    """When epoch, thresholds and smoothing are chosen, train anew on the animals that chose, too: for few animals."""
    early_stop_patience: int = 20
    """Stop after so many epochs without a better macro F1."""
    clip_grad_norm: float = 1.0
    """Gradients are clipped to this norm; 0 leaves them."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = out_of_range(
            self,
            epochs=(1, None),
            batch_size=(1, None),
            min_windows=(1, None),
            lr=(0, None),
            weight_decay=(0, None),
            warmup_epochs=(0, None),
            freeze_backbone_epochs=(0, None),
            unfreeze_last_blocks=(1, None),
            early_stop_patience=(1, None),
            clip_grad_norm=(0, None),
            backbone_lr_factor=(0, None),
            lora_rank=(1, None),
        )
        return faults + self._contradictions()

    def _contradictions(self) -> list[Fault]:
        """Flags that the chosen way to finetune leaves without a meaning."""
        faults = []
        if self.finetune in ("frozen", "lora") and self.unfreeze_last_blocks is not None:
            fault = Fault(
                where=f"--unfreeze_last_blocks with --finetune {self.finetune}",
                expected="no blocks to unfreeze",
                got=str(self.unfreeze_last_blocks),
                fix="Leave it out, or use --finetune last_blocks.",
            )
            faults.append(fault)
        if self.finetune == "last_blocks" and self.freeze_backbone_epochs >= self.epochs:
            fault = Fault(
                where="--freeze_backbone_epochs with --finetune last_blocks",
                expected=f"fewer than --epochs {self.epochs}",
                got=str(self.freeze_backbone_epochs),
                fix="Lower it, or use --finetune frozen.",
            )
            faults.append(fault)
        if self.refit and self.scheduler == "plateau":
            fix = "Use --scheduler cosine, since nothing validates the second training."
            faults.append(Fault(where="--scheduler with --refit", expected="cosine", got="plateau", fix=fix))
        return faults

    @property
    def is_encoder_frozen(self) -> bool:
        """The encoder stays as it is for the whole run."""
        return self.finetune == "frozen" or (self.finetune == "full" and self.freeze_backbone_epochs >= self.epochs)

    @property
    def n_frozen_epochs(self) -> int:
        """Epochs at the start in which the encoder's own weights stay as they are."""
        return self.epochs if self.finetune in ("frozen", "lora") else self.freeze_backbone_epochs

    @property
    def n_last_blocks(self) -> int | None:
        """Blocks that learn, counted from the end; None: all of them."""
        is_default = self.finetune == "last_blocks" and self.unfreeze_last_blocks is None
        return _N_LAST_BLOCKS if is_default else self.unfreeze_last_blocks


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """Loss and rare actions."""

    focal_gamma: float = 2.5
    """Focal loss gamma; 0 is cross-entropy."""
    label_smoothing: float = 0.1
    """Share of the target spread over the other actions."""
    class_weight_power: float = 0.5
    """Class weights are (mean share / share) to this power; 0 leaves all equal."""
    lambda_kp: float = 1.0
    """Weight of the keypoint loss."""
    lambda_smooth: float = 1e-3
    """Weight of the temporal smoothness loss."""
    rare_threshold_share: float = 0.03
    """An action with a smaller share of frames is rare."""
    rare_boost_cap: float = 30.0
    """Windows with a rare action are drawn at most so many times as often."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(
            self,
            focal_gamma=(0, None),
            label_smoothing=(0, 0.99),
            class_weight_power=(0, 2),
            lambda_kp=(0, None),
            lambda_smooth=(0, None),
            rare_threshold_share=(0, 1),
            rare_boost_cap=(1, None),
        )


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """Augmentation of training windows."""

    aug_brightness: float = 0.2
    """Brightness changes by up to this share, in half of the windows."""
    aug_contrast: float = 0.2
    """Contrast changes by up to this share, in half of the windows."""
    aug_temporal_drop: float = 0.1
    """Share of frames that are blanked, in 30% of the windows."""
    kp_jitter_std: float = 0.02
    """Noise on keypoint coordinates, as a share of the view's side."""
    aug_hflip: bool = False
    """Mirror half of the windows, with left and right keypoints exchanged."""
    aug_pose_drop: float = 0.0
    """Share of windows without pose, to predict recordings without pose; costs accuracy where there is pose."""
    aug_pixel_drop: float = 0.2
    """Share of windows without pixels, so that the model doesn't learn single animals by their looks."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(
            self,
            aug_brightness=(0, 1),
            aug_contrast=(0, 1),
            aug_temporal_drop=(0, 0.9),
            kp_jitter_std=(0, 0.5),
            aug_pose_drop=(0, 0.9),
            aug_pixel_drop=(0, 0.9),
        )


@dataclass(frozen=True, kw_only=True)
class MonitorOptions:
    """Watching a run, and averaging of weights."""

    use_wandb: bool = False
    """Log to Weights & Biases (needs nocigram[wandb])."""
    wandb_entity: str | None = None
    """W&B entity."""
    wandb_project: str | None = None
    """W&B project."""
    use_tensorboard: bool = False
    """Log to TensorBoard (needs nocigram[tensorboard])."""
    use_ema: bool = False
    """Validate and keep an exponential moving average of the weights."""
    ema_decay: float = 0.999
    """Its decay per step."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, ema_decay=(0, 0.999999))


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """The machine, and where results go."""

    out: Path | None = None
    """Folder of best_model_multitask.pt and training/ (default: the parent of --annotations)."""
    seed: int = 0
    """Same seed, same machine, same result."""
    accelerator: Accelerator = "auto"
    """Device to train on."""
    devices: int = 1
    """How many of them (DDP when more than one)."""
    precision: Precision = "auto"
    """'auto': bf16 autocast where the device computes it, else 32."""
    num_workers: int = 0
    """Processes that prepare batches."""
    resume: bool = False
    """Continue a run that was stopped, from --out."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        return out_of_range(self, devices=(1, None), num_workers=(0, None), seed=(0, 2**32 - 1))
