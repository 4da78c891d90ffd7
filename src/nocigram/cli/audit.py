"""`nocigram audit`: labels that a model finds improbable, for a person to look at once more."""

from typing import TYPE_CHECKING

from nocigram.cli.flags import Positional
from nocigram.config.audit import AuditOptions

if TYPE_CHECKING:
    from nocigram.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    commands.add(
        "audit",
        AuditOptions,
        handle,
        help="List labels that models which never saw them find improbable: a table to work through, and pictures.",
        positional=(Positional("source"),),
    )


def handle(options: AuditOptions) -> int:
    """Run the command."""
    from nocigram.study.audit import audit

    audit(options)
    return 0
