"""`nocigram train`, from options to the best checkpoint."""

import json
import logging
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor

from nocigram.config.commands import TrainOptions
from nocigram.core.errors import InputError
from nocigram.core.files import write_json
from nocigram.data.batches import collate
from nocigram.data.records import Trial
from nocigram.data.trial_windows import TrialWindows
from nocigram.evaluation import score_trials
from nocigram.models.approaches import BuiltModel, build_model
from nocigram.models.approaches.pose_trees import PoseTreesModel
from nocigram.models.precision import computes_bf16, device_of
from nocigram.training.augment import Augmentation
from nocigram.training.averaging import MovingAverage
from nocigram.training.batches import WindowBatches
from nocigram.training.best import BestModel, CheckpointWriter
from nocigram.training.callbacks import ProgressBar, ResumePoint
from nocigram.training.features import with_cached_features
from nocigram.training.files import RunFiles
from nocigram.training.loggers import make_loggers
from nocigram.training.losses import MultitaskLoss
from nocigram.training.module import ActionModule, Freeze
from nocigram.training.preparation import Prepared, prepare, with_sources
from nocigram.training.schedule import Schedule
from nocigram.training.smoke import smoke_test
from nocigram.training.trees import grow_trees
from nocigram.training.validation import Validation, validation_lines

_CHANGEABLE = {"resume", "num_workers", "use_wandb", "wandb_entity", "wandb_project", "use_tensorboard", "cache_dir"}
"""Options that a resumed run may have otherwise: they don't change its result."""
_READ_BY_BACKBONE = ("encoder_name", "encoder_config", "pool", "img_size", "clip_T", "clip_stride")
"""What decides features beside the weights."""


def train(options: TrainOptions) -> Path:
    """Train a model and return the path of the best checkpoint.

    Raises:
        NoSamplesError: no usable trial.
        InputError: data, options, weights or the point to resume from can't be used.
    """
    _quieten_libraries()
    files = RunFiles(options.out, options.model.approach)
    _check_resume(options, files)
    seed_everything(options.machine.seed, workers=True, verbose=False)
    device = device_of(options.machine.accelerator)
    prepared = prepare(options)
    if not options.machine.resume:
        files.resume.unlink(missing_ok=True)  # an earlier run's; the options that are written next are not its own
    prepared.split.save(files.split)
    write_json(files.options, options.flat())
    built = _build(options, prepared)  # before anything is decoded: weights may be missing
    prepared = with_sources(prepared, options)
    writer = CheckpointWriter(path=files.best, options=options, prepared=prepared, built=built)
    if isinstance(built.model, PoseTreesModel):
        _fit_trees(options, prepared, built.model, writer)
    else:
        _fit_network(options, prepared, built, writer, files, device)
    print(f"[info] Best model: {files.best}")
    return files.best


def _fit_trees(options: TrainOptions, prepared: Prepared, model: PoseTreesModel, writer: CheckpointWriter) -> None:
    """Grow the trees, score them on the validation trials, write them."""
    grow_trees(
        model,
        _windows_of(prepared, prepared.train_trials, options),
        options=options.trees,
        class_weights=prepared.distribution.class_weights(power=options.loss.class_weight_power),
        mirror=prepared.found.skeleton.mirrored if options.augment.aug_hflip else None,
        seed=options.machine.seed,
    )
    validation = _windows_of(prepared, prepared.val_trials, options)
    predictions = validation.answered(lambda inputs: (model(**inputs).action_logits, None))
    scores = score_trials(predictions, classes=prepared.found.scheme.classes)
    print(validation_lines(scores))
    writer.write(model.state_dict(), raw_weights=None, epoch=1, scores=scores, predictions=predictions)


def _fit_network(
    options: TrainOptions,
    prepared: Prepared,
    built: BuiltModel,
    writer: CheckpointWriter,
    files: RunFiles,
    device: torch.device,
) -> None:
    """Train with gradients, validating every epoch."""
    prepared, backbone_state = _freeze_for_good(options, prepared, built, device)
    validation = _windows_of(prepared, prepared.val_trials, options)
    batches = WindowBatches(
        prepared.planner,
        validation,
        sources=prepared.sources,
        batch_size=options.optimiser.batch_size,
        num_workers=options.machine.num_workers,
        pin_memory=device.type == "cuda",
    )
    module = _module(options, prepared, built)
    first = collate([validation.dataset()[0]])
    smoke_test(module, first, n_actions=len(prepared.found.scheme.classes), device=device)
    average = MovingAverage(decay=options.monitor.ema_decay) if options.monitor.use_ema else None
    best = BestModel(writer=writer, backbone_state=backbone_state, average=average)
    trainer = _trainer(options, files, device, Validation(validation, save_best=best), average)
    _fit(trainer, module, batches, resume=files.resume if options.machine.resume else None)


def _windows_of(prepared: Prepared, trials: list[Trial], options: TrainOptions) -> TrialWindows:
    """Trials, whole, as the model is shown them outside of training."""
    return TrialWindows(found=prepared.found, trials=trials, sources=prepared.sources, window_T=options.windows.val_T)


def _build(options: TrainOptions, prepared: Prepared) -> BuiltModel:
    """The model, with the guide's line on its backbone."""
    model, windows = options.model, options.windows
    built = build_model(
        model.approach,
        n_actions=len(prepared.found.scheme.classes),
        model_type=model.model_type,
        streams=model.streams,
        features=list(model.feature_names),
        skeleton=prepared.found.skeleton.as_plain(),
        cnn_size=model.cnn_size,
        hidden_dim=model.hidden_dim,
        temporal_head=model.temporal_head,
        tcn_layers=model.tcn_layers,
        dropout=model.dropout,
        pixel_dropout=model.pixel_dropout,
        pose_dropout=model.pose_dropout,
        members=model.members,
        backbone_type=model.backbone_type,
        encoder_name=model.encoder_name,
        encoder_weights=model.encoder_weights,
        img_size=options.view.img_size,
        pool=model.pool,
        lora_rank=options.optimiser.lora_rank if options.optimiser.finetune == "lora" else None,
        clip_T=windows.clip_T,
        backbone_chunk=model.backbone_chunk,
        gradient_checkpointing=model.gradient_checkpointing,
        strict_backbone=model.strict_backbone,
        warn=print,
    )
    if built.backbone is not None:
        print(built.backbone.description)
    if n_parameters := built.model.n_parameters:
        print(f"[info] Model: {n_parameters / 1e6:.1f}M parameters")
    return built


def _freeze_for_good(
    options: TrainOptions, prepared: Prepared, built: BuiltModel, device: torch.device
) -> tuple[Prepared, dict[str, torch.Tensor]]:
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
    options: TrainOptions, files: RunFiles, device: torch.device, validation: Validation, average: MovingAverage | None
) -> Trainer:
    """Lightning's trainer. The order of callbacks matters, see `Validation`."""
    machine, optimiser = options.machine, options.optimiser
    wants_bf16 = machine.precision == "bf16" or (
        machine.precision == "auto" and computes_bf16(device) and not options.is_backbone_frozen
    )
    callbacks: list[Callback] = [validation]
    if average is not None:
        callbacks.append(average)
    callbacks += [
        EarlyStopping("val/macro_f1", mode="max", patience=optimiser.early_stop_patience),
        LearningRateMonitor("epoch"),
        ResumePoint(files.resume),
    ]
    if sys.stderr.isatty():
        callbacks.append(ProgressBar())
    return Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=machine.devices,
        strategy="auto" if machine.devices == 1 else "ddp_find_unused_parameters_true",
        precision="bf16-mixed" if wants_bf16 else "32-true",
        max_epochs=optimiser.epochs,
        gradient_clip_val=optimiser.clip_grad_norm or None,
        callbacks=callbacks,
        logger=make_loggers(options, files.folder),
        default_root_dir=files.folder,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        log_every_n_steps=1,
        deterministic="warn",
    )


def _fit(trainer: Trainer, module: ActionModule, batches: WindowBatches, *, resume: Path | None) -> None:
    """Train; Ctrl-C leaves the point to resume from and says so."""
    try:
        trainer.fit(module, datamodule=batches, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:  # Lightning turns Ctrl-C into an exit once it has closed everything
        if not trainer.interrupted:
            raise
        print("[info] Stopped. The same command with --resume continues at the start of this epoch.")
        raise KeyboardInterrupt from stop


def _check_resume(options: TrainOptions, files: RunFiles) -> None:
    """A run can only be continued with the options that it began with.

    Raises:
        InputError: there is nothing to resume, or the options differ.
    """
    if not options.machine.resume:
        return
    if not files.resume.is_file() or not files.options.is_file():
        raise InputError(f"--resume: expected a stopped run in {files.folder}, got none. Leave the flag out.")
    before, now = json.loads(files.options.read_text(encoding="utf-8")), json.loads(json.dumps(options.flat()))
    if changed := sorted(name for name in now if name not in _CHANGEABLE and before.get(name) != now[name]):
        listed = ", ".join(f"--{name} {now[name]} (was {before.get(name)})" for name in changed)
        raise InputError(f"--resume: expected the options of the stopped run, got {listed}. Give them as they were.")


def _quieten_libraries() -> None:
    """Lightning's banners and hints for its developers say nothing to a user of ours."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*GPU available but not used.*",
        ".*Checkpoint directory.*",
        ".*LeafSpec.*",
    ):
        warnings.filterwarnings("ignore", message)
