"""`nocigram check`: what a data folder holds, and what of it can't be used."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nocigram.config.commands import CheckOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "check",
        CheckOptions,
        handle,
        help="List the recordings, the frames of each trial, and what is skipped and why.",
    )


def handle(options: CheckOptions) -> int:
    """Run the command; 1 when no trial can be used."""
    from nocigram.core.needs import EVERYTHING
    from nocigram.data import discover_from
    from nocigram.data.inventory import inventory
    from nocigram.data.scheme_file import read_scheme

    # who gives --fps has recordings without a video
    needs = replace(EVERYTHING, pixels=options.data.fps is None)
    found = discover_from(options.data, scheme=read_scheme(options.data.actions), needs=needs)
    print(inventory(found))
    return 0 if found.trials else 1
