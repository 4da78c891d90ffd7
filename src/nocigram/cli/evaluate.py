"""`nocigram evaluate`: score a checkpoint on labelled recordings."""

from typing import TYPE_CHECKING

from nocigram.cli.flags import Positional
from nocigram.config.commands import EvaluateOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "evaluate",
        EvaluateOptions,
        handle,
        help="Score a checkpoint on labelled recordings: a table, figures and metrics.json.",
        positional=(Positional("checkpoint"),),
    )


def handle(options: EvaluateOptions) -> int:
    """Run the command."""
    from nocigram.study.evaluate import evaluate

    evaluate(options)
    return 0
