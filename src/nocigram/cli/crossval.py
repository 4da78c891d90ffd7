"""`nocigram crossval`: train and test one approach on folds of animals."""

from typing import TYPE_CHECKING

from nocigram.config.commands import CrossvalOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "crossval",
        CrossvalOptions,
        handle,
        help="Test an approach on every animal by models that never saw it; scores with intervals over animals.",
    )


def handle(options: CrossvalOptions) -> int:
    """Run the command."""
    from nocigram.study.crossval import crossval

    crossval(options)
    return 0
