"""`nocigram train`, from options to the best checkpoint."""

import json
import logging
import warnings
from pathlib import Path

from lightning.pytorch import seed_everything

from nocigram.config.commands import TrainOptions
from nocigram.core.errors import InputError
from nocigram.core.files import write_json
from nocigram.evaluation import score_trials
from nocigram.models.approaches import BuiltModel, build_model
from nocigram.models.approaches.pose_trees import PoseTreesModel
from nocigram.models.precision import device_of
from nocigram.training.best import CheckpointWriter
from nocigram.training.determinism import prefer_determinism
from nocigram.training.files import RunFiles, check_point, read_options
from nocigram.training.network import NetworkFit
from nocigram.training.preparation import Prepared, prepare, with_everyone, with_sources
from nocigram.training.trees import grow_trees
from nocigram.training.validation import validation_lines

_CHANGEABLE = {"resume", "num_workers", "use_wandb", "wandb_entity", "wandb_project", "use_tensorboard", "cache_dir"}
"""Options that a resumed run may have otherwise: they don't change its result."""


def train(options: TrainOptions) -> Path:
    """Train a model and return the path of the best checkpoint.

    Raises:
        NoSamplesError: no usable trial.
        InputError: data, options, weights or the point to resume from can't be used.
    """
    _quieten_libraries()
    files = RunFiles(options.out, options.model.approach)
    _check_resume(options, files)
    if options.model.approach != "pose_trees":
        device_of(options.machine.accelerator)  # before anything is decoded: it may be missing
    prefer_determinism()
    seed_everything(options.machine.seed, workers=True, verbose=False)
    prepared = prepare(options)
    if not options.machine.resume:
        for point in (files.resume, files.refit_resume):  # an earlier run's; the options written next are not its own
            point.unlink(missing_ok=True)
    prepared.split.save(files.split)
    write_json(files.options, options.flat())
    built = _build(options, prepared)  # before anything is decoded: weights may be missing
    prepared = with_sources(prepared, options)
    writer = CheckpointWriter(path=files.best, options=options, prepared=prepared, built=built)
    if not (options.machine.resume and files.refit_resume.is_file()):
        _choose(options, prepared, built, writer, files)
    if options.optimiser.refit:
        _refit(options, prepared, writer, files)
    print(f"[info] Best model: {files.best}")
    return files.best


def _choose(
    options: TrainOptions, prepared: Prepared, built: BuiltModel, writer: CheckpointWriter, files: RunFiles
) -> None:
    """Train on one side of the split; the other one chooses epoch, thresholds and smoothing."""
    if not isinstance(built.model, PoseTreesModel):
        device = device_of(options.machine.accelerator)
        NetworkFit(options=options, prepared=prepared, built=built, files=files, device=device).choose(writer)
        return
    _grow(built.model, prepared, options)
    validation = prepared.windows_of(prepared.val_trials, window_T=options.windows.val_T)
    predictions = validation.answered(lambda inputs: (built.model(**inputs).action_logits, None))
    scores = score_trials(predictions, classes=prepared.found.scheme.classes)
    print(validation_lines(scores))
    writer.write(built.model.state_dict(), raw_weights=None, epoch=1, scores=scores, predictions=predictions)


def _refit(options: TrainOptions, prepared: Prepared, writer: CheckpointWriter, files: RunFiles) -> None:
    """Train anew on both sides: with few animals, those that chose are worth more as teachers.

    Epochs, thresholds, smoothing and the scores of the checkpoint stay those that were chosen before.
    """
    whole = with_everyone(prepared, options)
    n_animals = len({trial.animal for trial in whole.train_trials})
    print(
        f"[info] --refit: training anew on all {n_animals} animals; the scores above stay those of the first training"
    )
    seed_everything(options.machine.seed, workers=True, verbose=False)
    built = _build(options, whole)
    if isinstance(built.model, PoseTreesModel):
        _grow(built.model, whole, options)
        writer.replace_weights(built.model.state_dict(), prepared=whole)
        return
    device = device_of(options.machine.accelerator)
    NetworkFit(options=options, prepared=whole, built=built, files=files, device=device).refit(writer)


def _grow(model: PoseTreesModel, prepared: Prepared, options: TrainOptions) -> None:
    """Grow the trees from the training trials."""
    grow_trees(
        model,
        prepared.windows_of(
            prepared.train_trials,
            window_T=options.windows.val_T,
            boundary_tolerance=options.loss.loss_boundary_tolerance,
        ),
        options=options.trees,
        class_weights=prepared.distribution.class_weights(power=options.loss.class_weight_power),
        mirror=prepared.found.skeleton.mirrored if options.augment.aug_hflip else None,
        seed=options.machine.seed,
    )


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


def _check_resume(options: TrainOptions, files: RunFiles) -> None:
    """A run can only be continued with the options that it began with.

    Raises:
        InputError: there is nothing to resume, its files are damaged, or the options differ.
    """
    if not options.machine.resume:
        return
    if not files.resume.is_file() or not files.options.is_file():
        raise InputError(f"--resume: expected a stopped run in {files.folder}, got none. Leave the flag out.")
    before, now = read_options(files.options), json.loads(json.dumps(options.flat()))
    for point in (files.resume, files.refit_resume):
        if point.is_file():
            check_point(point)
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
