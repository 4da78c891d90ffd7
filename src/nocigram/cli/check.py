"""`nocigram check`: every fault of a data folder, before any training."""

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
        help="Find every fault of a data folder: videos, pose, labels, and whether they fit each other.",
    )


def handle(options: CheckOptions) -> int:
    """Run the command; 1 when something is unusable."""
    from nocigram.study.check import check, write_check
    from nocigram.study.checking.page import as_text, summary

    checked = check(options)
    print(as_text(checked))
    print(f"\n{summary(checked)}")
    for path in write_check(checked, json=options.json, out=options.out):
        print(f"[info] {path}")
    return 0 if checked.is_usable else 1
