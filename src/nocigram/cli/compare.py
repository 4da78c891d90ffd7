"""`nocigram compare`: approaches on the same folds, as a table and a figure."""

from typing import TYPE_CHECKING

from nocigram.config.commands import CompareOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "compare",
        CompareOptions,
        handle,
        help="Compare approaches on the same folds of animals: a table in Markdown and csv, and a figure.",
    )


def handle(options: CompareOptions) -> int:
    """Run the command."""
    from nocigram.study.compare import compare

    compare(options)
    return 0
