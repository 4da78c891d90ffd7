"""`nocigram convert`: pose and labels of other tools into the laboratory's layout."""

from typing import TYPE_CHECKING

from nocigram.cli.flags import Positional
from nocigram.config.convert import ConvertOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "convert",
        ConvertOptions,
        handle,
        help="Bring pose and labels of other tools (SLEAP, NWB, BORIS, SimBA, ...) into Nocigram's layout.",
        positional=(Positional("files", "+"),),
    )


def handle(options: ConvertOptions) -> int:
    """Run the command; 1 when a file, or a part of one, could not be used."""
    from nocigram.data.conversion import convert

    summary = convert(options)
    print(summary)
    return 1 if summary.skipped else 0
