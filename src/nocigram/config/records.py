"""Records of options to flat values, and back."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

Options = TypeVar("Options")


def flat(options: Any) -> dict[str, Any]:
    """A record of options, groups dissolved, as plain values: paths become text."""
    values: dict[str, Any] = {}
    for entry in fields(options):
        value = getattr(options, entry.name)
        if is_dataclass(value):
            values |= flat(value)
        else:
            values[entry.name] = str(value) if isinstance(value, Path) else value
    return values


def unflat(kind: type[Options], values: dict[str, Any]) -> Options:
    """The opposite of `flat`: build a record of options and its groups from flags and their values.

    Text becomes a path where the field is one.
    """
    hints = get_type_hints(kind)
    arguments = {}
    for entry in fields(kind):  # type: ignore[arg-type]
        if is_dataclass(hints[entry.name]):
            arguments[entry.name] = unflat(hints[entry.name], values)
        elif entry.name in values:
            value = values[entry.name]
            is_path = isinstance(value, str) and Path in (hints[entry.name], *get_args(hints[entry.name]))
            arguments[entry.name] = Path(value) if is_path else value
    return kind(**arguments)
