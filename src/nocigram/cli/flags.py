"""From a record of options to flags, and from flags to the record. One definition serves both, and YAML."""

from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from docstring_parser import parse_from_object
from jsonargparse import ActionYesNo, ArgumentParser

from nocigram.config.records import unflat
from nocigram.core.errors import raise_faults

Options = TypeVar("Options")


@dataclass(frozen=True)
class Positional:
    """A field that is given by its place rather than by a flag."""

    name: str
    n_values: str | None = None
    """argparse's nargs."""


def add_flags(parser: ArgumentParser, kind: Any, *, positional: tuple[Positional, ...] = ()) -> None:
    """Add a flag for each field of a record; groups of the record become groups of the help page."""
    hints, help_texts = get_type_hints(kind), _field_docs(kind)
    by_place = {place.name: place for place in positional}
    group = parser.add_argument_group((kind.__doc__ or "").rstrip(".").replace("`", ""))
    for entry in fields(kind):
        hint = hints[entry.name]
        if is_dataclass(hint):
            add_flags(parser, hint)
            continue
        text = help_texts[entry.name]
        if entry.name in by_place:
            n_values = by_place[entry.name].n_values
            parser.add_argument(entry.name, type=Path if n_values else hint, help=text, nargs=n_values)
        elif hint is bool:
            yes_or_no = ActionYesNo(yes_prefix="", no_prefix="no_")
            group.add_argument(f"--{entry.name}", action=yes_or_no, default=entry.default, help=text)
        elif entry.default is MISSING and entry.default_factory is MISSING:
            group.add_argument(f"--{entry.name}", type=hint, required=True, help=text)
        else:
            group.add_argument(f"--{entry.name}", type=hint, default=entry.default, help=text)


def options_of(kind: type[Options], values: dict[str, Any]) -> Options:
    """Build the record from parsed flags.

    Raises:
        InputError: every fault of the options, one a line.
    """
    options = unflat(kind, values)
    if hasattr(options, "faults"):
        raise_faults(options.faults())
    return options


@cache
def _field_docs(kind: Any) -> dict[str, str]:
    """Field -> the docstring below it."""
    return {entry.arg_name: " ".join((entry.description or "").split()) for entry in parse_from_object(kind).params}
