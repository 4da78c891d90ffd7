"""Records of options to flat values, and back; values that a person wrote, as the types of their flags."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from nocigram.core.errors import Fault

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


def types_of(kind: Any) -> dict[str, Any]:
    """Every flag of a record and its groups -> its type."""
    types: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        types |= types_of(hint) if is_dataclass(hint) else {name: hint}
    return types


def typed(kind: Any, values: Mapping[str, Any], *, where: str) -> tuple[dict[str, Any], list[Fault]]:
    """Values in the types of their flags, as the command line would read them: 3e-3, in YAML a text, is a number.

    Args:
        kind: a record of options.
        values: by flag; each is one of the record's.
        where: what to say before a flag that is at fault.
    """
    from jsonargparse import ArgumentError, ArgumentParser

    types, found, faults = types_of(kind), {}, []
    for name, value in values.items():
        parser = ArgumentParser(exit_on_error=False)
        parser.add_argument("--value", type=types[name])
        try:
            found[name] = parser.parse_object({"value": value}).value
            is_right = value is not None or type(None) in get_args(types[name])
        except ArgumentError:
            is_right = False
        if not is_right:
            expected, got = _in_words(types[name]), repr(value)
            faults.append(Fault(where=f"{where} --{name}", expected=expected, got=got, fix="Correct the value."))
    return found, faults


def _in_words(hint: Any) -> str:
    """A type as a person would name it."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}
    return " or ".join(words.get(each, "nothing") for each in (get_args(hint) or (hint,)))
