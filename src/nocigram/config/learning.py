"""Options about training."""

from dataclasses import dataclass
from pathlib import Path

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import (
    Accelerator,
    Finetune,
    Precision,
    Scheduler,
)

_N_LAST_BLOCKS = 2


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
    loss_boundary_tolerance: int = 0
    """Labelled frames within so many of a change of action don't count in the loss: people place edges a few frames
    apart. A bout keeps its middle frame."""
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
            loss_boundary_tolerance=(0, None),
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
    """Same seed, same machine, same result, but for a few operations on a GPU, which are named."""
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
