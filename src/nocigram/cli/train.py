"""`nocigram train`: train a model on labelled recordings."""

from typing import TYPE_CHECKING

from nocigram.config.commands import TrainOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add("train", TrainOptions, handle, help="Train a model on labelled recordings and keep the best.")


def handle(options: TrainOptions) -> int:
    """Run the command."""
    from nocigram.training import train

    train(options)
    return 0
