"""Train a network: the loop of Lightning with ours around it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor
from lightning.pytorch.loggers import Logger
from torch import Tensor

from nocigram.config.commands import TrainOptions
from nocigram.data.batches import collate
from nocigram.data.trial_windows import TrialWindows
from nocigram.models.approaches import BuiltModel
from nocigram.models.backbones.lora import merged
from nocigram.models.precision import uses_bf16
from nocigram.training.augment import Augmentation
from nocigram.training.averaging import MovingAverage
from nocigram.training.batches import WindowBatches
from nocigram.training.best import BestModel, CheckpointWriter
from nocigram.training.callbacks import ProgressBar, ResumePoint, WholeFiles
from nocigram.training.determinism import is_refusal, prefer_determinism, refused
from nocigram.training.features import with_cached_features
from nocigram.training.files import RunFiles
from nocigram.training.loggers import make_loggers
from nocigram.training.losses import MultitaskLoss
from nocigram.training.module import ActionModule, Freeze
from nocigram.training.preparation import Prepared
from nocigram.training.schedule import Schedule
from nocigram.training.smoke import smoke_test
from nocigram.training.validation import Validation

_READ_BY_BACKBONE = ("encoder_name", "encoder_config", "pool", "img_size", "clip_T", "clip_stride")
"""What decides features beside the weights."""


@dataclass(frozen=True, kw_only=True)
class NetworkFit:
    """One training of a network."""

    options: TrainOptions
    prepared: Prepared
    built: BuiltModel
    files: RunFiles
    device: torch.device

    def choose(self, writer: CheckpointWriter) -> None:
        """Train on one side, validate every epoch on the other, write the best."""
        options = self.options
        prepared, backbone_state = _freeze_for_good(options, self.prepared, self.built, self.device)
        validation = prepared.windows_of(prepared.val_trials, window_T=options.windows.val_T)
        module = _module(options, prepared, self.built)
        first = collate([validation.dataset()[0]])
        smoke_test(module, first, n_actions=len(prepared.found.scheme.classes), device=self.device)
        average = MovingAverage(decay=options.monitor.ema_decay) if options.monitor.use_ema else None
        best = BestModel(writer=writer, backbone_state=backbone_state, average=average)
        callbacks: list[Callback] = [Validation(validation, save_best=best)]  # before the average, see `Validation`
        if average is not None:
            callbacks.append(average)
        callbacks.append(EarlyStopping("val/macro_f1", mode="max", patience=options.optimiser.early_stop_patience))
        self._run(module, prepared, validation, callbacks=callbacks, resume=self.files.resume)

    def refit(self, writer: CheckpointWriter) -> None:
        """Train on both sides for the whole of the schedule; only the weights of the best model are replaced."""
        options = self.options
        prepared, backbone_state = _freeze_for_good(options, self.prepared, self.built, self.device)
        module = _module(options, prepared, self.built)
        average: list[Callback] = [MovingAverage(decay=options.monitor.ema_decay)] if options.monitor.use_ema else []
        self._run(module, prepared, None, callbacks=average, resume=self.files.refit_resume)
        # Lightning leaves the average in the module when it ends
        writer.replace_weights({**backbone_state, **merged(module.model.state_dict())}, prepared=prepared)

    def _run(
        self,
        module: ActionModule,
        prepared: Prepared,
        validation: TrialWindows | None,
        *,
        callbacks: list[Callback],
        resume: Path,
    ) -> None:
        """Lightning's loop, from where it stopped if it is to be resumed and there is such a point."""
        batches = WindowBatches(
            prepared.planner,
            validation,
            sources=prepared.sources,
            batch_size=self.options.optimiser.batch_size,
            num_workers=self.options.machine.num_workers,
            pin_memory=self.device.type == "cuda",
        )
        callbacks = [*callbacks, LearningRateMonitor("epoch"), ResumePoint(resume)]
        if sys.stderr.isatty():
            callbacks.append(ProgressBar())
        trainer_of = partial(
            _trainer,
            self.options,
            self.files,
            self.device,
            callbacks,
            make_loggers(self.options, self.files.folder),
            validates=validation is not None,
        )
        start = resume if self.options.machine.resume and resume.is_file() else None
        # a GPU's gradient of attention is the same every time only where torch is to refuse what isn't
        is_strict = self.options.machine.devices == 1
        try:
            operation = _refused(partial(_fit, trainer_of(deterministic=is_strict or "warn"), module, batches), start)
            if operation is not None:
                print(f"[info] {operation} is not deterministic: runs with one seed may differ in their last digits")
                _fit(trainer_of(deterministic="warn"), module, batches, resume)  # from the epoch that it ended
        finally:
            prefer_determinism()  # what comes after a training is not to be refused


def _refused(fit: Callable[[Path | None], object], start: Path | None) -> str | None:
    """Fit; the operation that torch refuses since it isn't deterministic, or None.

    A function of its own, so that nothing of the refused step stays in memory for the next attempt.
    """
    try:
        fit(start)
    except RuntimeError as error:
        if not is_refusal(error):
            raise
        return refused(error)
    return None


def _freeze_for_good(
    options: TrainOptions, prepared: Prepared, built: BuiltModel, device: torch.device
) -> tuple[Prepared, dict[str, Tensor]]:
    """Where the backbone never learns: its features in place of pixels, and the model without it.

    Returns:
        The data, and the backbone's weights by their names in the whole model.
    """
    model = built.model
    if not options.is_backbone_frozen or model.backbone is None:
        return prepared, {}
    sources = with_cached_features(
        prepared.sources,
        backbone=model.backbone,
        device=device,
        precision=options.machine.precision,
        window_T=options.windows.val_T,
        mirrors=options.augment.aug_hflip,
        cache_dir=prepared.cache_dir,
        settings={name: built.options[name] for name in _READ_BY_BACKBONE},
    )
    print("[info] Training from cached features: brightness, contrast and pixel noise don't apply")
    state = {f"backbone.{name}": tensor.cpu() for name, tensor in model.backbone.state_dict().items()}
    model.backbone = None
    return replace(prepared, sources=sources), state


def _module(options: TrainOptions, prepared: Prepared, built: BuiltModel) -> ActionModule:
    """The Lightning module."""
    loss, augment, optimiser = options.loss, options.augment, options.optimiser
    weights = prepared.distribution.class_weights(power=loss.class_weight_power)
    has_both = options.model.reads_both
    n_batches = -(-(prepared.planner.n_windows // options.machine.devices) // optimiser.batch_size)
    return ActionModule(
        built.model,
        loss=MultitaskLoss(
            class_weights=torch.tensor(weights, dtype=torch.float32),
            focal_gamma=loss.focal_gamma,
            label_smoothing=loss.label_smoothing,
            lambda_kp=loss.lambda_kp,
            lambda_smooth=loss.lambda_smooth,
        ),
        augmentation=Augmentation(
            brightness=augment.aug_brightness,
            contrast=augment.aug_contrast,
            temporal_drop=augment.aug_temporal_drop,
            kp_jitter_std=augment.kp_jitter_std,
            pose_drop=augment.aug_pose_drop if has_both else 0.0,
            pixel_drop=augment.aug_pixel_drop if has_both else 0.0,
            mirrored=prepared.found.skeleton.mirrored,
        ),
        schedule=Schedule(
            lr=optimiser.lr,
            weight_decay=optimiser.weight_decay,
            backbone_lr_factor=optimiser.backbone_lr_factor,
            scheduler=optimiser.scheduler,
            n_warmup_steps=min(optimiser.warmup_epochs, optimiser.epochs) * n_batches,
            n_steps=optimiser.epochs * n_batches,
        ),
        freeze=Freeze(n_epochs=optimiser.n_frozen_epochs, last_blocks=optimiser.n_last_blocks),
        seed=options.machine.seed,
    )


def _trainer(
    options: TrainOptions,
    files: RunFiles,
    device: torch.device,
    callbacks: list[Callback],
    loggers: list[Logger],
    *,
    validates: bool,
    deterministic: bool | Literal["warn"],
) -> Trainer:
    """Lightning's trainer."""
    machine, optimiser = options.machine, options.optimiser
    heads_alone = machine.precision == "auto" and options.is_backbone_frozen
    return Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=machine.devices,
        strategy="auto" if machine.devices == 1 else "ddp_find_unused_parameters_true",
        precision="bf16-mixed" if uses_bf16(device, machine.precision) and not heads_alone else "32-true",
        max_epochs=optimiser.epochs,
        gradient_clip_val=optimiser.clip_grad_norm or None,
        callbacks=callbacks,
        logger=loggers,
        plugins=[WholeFiles()],
        default_root_dir=files.folder,
        num_sanity_val_steps=0,
        limit_val_batches=1.0 if validates else 0,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        log_every_n_steps=1,
        deterministic=deterministic,
    )


def _fit(trainer: Trainer, module: ActionModule, batches: WindowBatches, resume: Path | None) -> None:
    """Train; Ctrl-C leaves the point to resume from and says so."""
    try:
        trainer.fit(module, datamodule=batches, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:  # Lightning turns Ctrl-C into an exit once it has closed everything
        if not trainer.interrupted:
            raise
        print("[info] Stopped. The same command with --resume continues at the start of this epoch.")
        raise KeyboardInterrupt from stop
