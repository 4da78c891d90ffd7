"""`nocigram simulate`: write a simulated laboratory folder."""

from typing import TYPE_CHECKING

from nocigram.cli.flags import Positional
from nocigram.config.commands import SimulateOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "simulate",
        SimulateOptions,
        handle,
        help="Write a simulated data set in the documented layout, to try everything on.",
        positional=(Positional("folder"),),
    )


def handle(options: SimulateOptions) -> int:
    """Run the command."""
    from nocigram.simulation import simulate

    summary = simulate(
        options.folder,
        n_animals=options.animals,
        n_trials=options.trials,
        seed=options.seed,
        n_unlabelled=options.unlabelled,
    )
    print(f"[info] {summary.n_recordings} recordings, {summary.n_trials} labelled trials, {summary.n_frames} frames")
    print(f"[info] Results: {summary.out}")
    return 0
