"""`nocigram predict`: name the action of every frame of new recordings."""

from typing import TYPE_CHECKING

from nocigram.cli.flags import Positional
from nocigram.config.commands import PredictOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "predict",
        PredictOptions,
        handle,
        help="Name the action of every frame of new recordings: one csv each.",
        positional=(Positional("checkpoint"), Positional("videos", "+")),
    )


def handle(options: PredictOptions) -> int:
    """Run the command; 1 when a recording could not be predicted."""
    from nocigram.prediction import predict_recordings

    summary = predict_recordings(options)
    print(summary)
    return 1 if summary.failed else 0
