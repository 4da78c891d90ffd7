"""Loggers: csv always, TensorBoard and W&B when asked for."""

from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from nocigram.config.commands import TrainOptions
from nocigram.core.errors import MissingExtraError


def make_loggers(options: TrainOptions, folder: Path) -> list[Logger]:
    """The loggers of a run.

    Raises:
        MissingExtraError: a logger's package is not installed.
    """
    monitor = options.monitor
    loggers: list[Logger] = [CSVLogger(folder, name="logs", flush_logs_every_n_steps=1)]
    if monitor.use_tensorboard:
        if find_spec("tensorboard") is None:
            raise MissingExtraError("--use_tensorboard", package="tensorboard", extra="tensorboard")
        loggers.append(TensorBoardLogger(folder, name="tensorboard", version=""))
    if monitor.use_wandb:
        if find_spec("wandb") is None:
            raise MissingExtraError("--use_wandb", package="wandb", extra="wandb")
        loggers.append(
            WandbLogger(
                name=run_name(options),
                save_dir=options.out,
                entity=monitor.wandb_entity,
                project=monitor.wandb_project,
                config=options.flat(),
            )
        )
    return loggers


def run_name(options: TrainOptions) -> str:
    """The guide's name of a run, such as vit_small_b2_lr5e-5_g2.5_ls0.1_wd5e-2."""
    encoder = "_".join(options.model.encoder_name.split("/")[-1].split("_")[:2])
    loss, optimiser = options.loss, options.optimiser
    return (
        f"{encoder}_b{optimiser.batch_size}_lr{_scientific(optimiser.lr)}_g{loss.focal_gamma:g}"
        f"_ls{loss.label_smoothing:g}_wd{_scientific(optimiser.weight_decay)}"
    )


def _scientific(number: float) -> str:
    """0.00005 as 5e-5, 0.05 as 5e-2."""
    if number == 0:
        return "0"
    digits, exponent = f"{number:.6e}".split("e")
    return f"{float(digits):g}e{int(exponent)}"
