"""The `nocigram` command: finds the subcommand, prints user errors as one line.

Adding a command: a module beside this one with `register(commands)` and `handle(options)`, named in `_COMMANDS`.
"""

import errno
import io
import os
import re
import sys
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from jsonargparse import ArgumentParser

import nocigram
from nocigram.cli import audit, check, compare, convert, crossval, evaluate, predict, simulate, train
from nocigram.cli.flags import Positional, add_flags, options_of
from nocigram.config.presets import approach_values, preset_names, preset_values
from nocigram.core.errors import InputError
from nocigram.core.literals import Approach

_COMMANDS = (simulate, convert, check, train, evaluate, crossval, compare, audit, predict)
_TRAINING = ("train", "crossval")
"""Commands whose defaults depend on the approach and on a preset."""
_FULL, _FORBIDDEN = (
    "Make room on the disk, or choose another folder.",
    "Choose another folder, or change its permissions.",
)
_FIXES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.ENAMETOOLONG: "Shorten the name.",
    errno.ELOOP: "Remove the link, which leads to itself.",
    errno.ENOTDIR: "Choose another folder: a file is in its place.",
    errno.EEXIST: "Choose another folder: a file is in its place.",
}
"""What to do about errors of the operating system."""
_OUT_OF_MEMORY = "out of memory"
"""In the errors of CUDA and of Apple's GPUs."""
_SMALLER = (
    "In training give --batch_size 1, then --gradient_checkpointing, then --backbone_chunk 16; "
    "elsewhere --accelerator cpu."
)
"""What to do about it."""


@dataclass(frozen=True)
class Command:
    """A subcommand: its options and what runs it."""

    name: str
    kind: type
    handle: Callable[[Any], int]
    parser: ArgumentParser
    places: frozenset[str]
    """Fields that are given by their place."""


@dataclass
class Commands:
    """The subcommands, as their modules register them."""

    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Command -> flag -> default, where it differs from the record's."""
    found: dict[str, Command] = field(default_factory=dict)

    def add(
        self, name: str, kind: type, handle: Callable[[Any], int], *, help: str, positional: tuple[Positional, ...] = ()
    ) -> None:
        """Register a subcommand whose flags are the fields of `kind`."""
        parser = ArgumentParser(prog=f"nocigram {name}", description=help, exit_on_error=False, allow_abbrev=False)
        parser.add_argument("--config", action="config", help="YAML file of flags; later flags override it.")
        parser.add_argument("--debug", action="store_true", help="Show the traceback of an error.")
        if name in _TRAINING:
            parser.add_argument("--preset", choices=preset_names(), help="A set of flags; your own flags override it.")
        add_flags(parser, kind, positional=positional)
        parser.set_defaults(self.defaults.get(name, {}))
        self.found[name] = Command(name, kind, handle, parser, frozenset(place.name for place in positional))


def main(arguments: Sequence[str] | None = None, *, defaults: dict[str, dict[str, Any]] | None = None) -> int:
    """Run a subcommand; return its exit status. 2: the user can mend it. 130: stopped by Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_debug = "--debug" in given
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may hold bytes that are no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(given, defaults or {})
    except InputError as error:
        if is_debug:
            raise
        print(f"{error.label}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the output has seen enough, as in `nocigram check ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a full disk, a folder that can't be written
        if is_debug:
            raise
        where = error.filename or "a file"
        reason, fix = error.strerror or error, _FIXES.get(error.errno or 0, "Check the path and the disk.")
        print(f"error: {where}: expected to read or write it, got '{reason}'. {fix}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        said = [line.strip().rstrip(".") for line in str(error).splitlines() if _OUT_OF_MEMORY in line]
        if is_debug or not said:
            raise
        print(f"error: the GPU: expected room for the model, got '{said[0]}'. {_SMALLER}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if is_debug:
            raise
        print("\nstopped", file=sys.stderr)
        return 130


def _run(given: list[str], defaults: dict[str, dict[str, Any]]) -> int:
    """Parse and handle."""
    chosen = _Chosen(preset=_value_of("--preset", given), approach=_value_of("--approach", given))
    command, values = _parsed(given, defaults, chosen)
    if command.name in _TRAINING:
        read = _Chosen(preset=values["preset"], approach=values["approach"])
        if read != chosen:  # they stand in the --config file
            chosen = read
            command, values = _parsed(given, defaults, chosen)
        for flag, changed in chosen.values().items():
            if changed:
                print(f"[info] {flag}: {', '.join(f'{key}={value}' for key, value in changed.items())}")
    return command.handle(options_of(command.kind, values))


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """What decides on defaults; it must be known before the flags are parsed."""

    preset: str | None
    approach: str | None

    def values(self) -> dict[str, dict[str, Any]]:
        """Flags and values by what sets them, the weaker first."""
        approach: Any = self.approach or "multitask"
        if approach not in get_args(Approach):
            return {}  # the parser says so
        found = {f"--approach {approach}": approach_values(approach)}
        if self.preset is not None:
            found[f"--preset {self.preset}"] = preset_values(self.preset, approach)
        return found


def _parsed(given: list[str], defaults: dict[str, dict[str, Any]], chosen: _Chosen) -> tuple[Command, dict[str, Any]]:
    """The subcommand and its flags; those that aren't given are the preset's, else the approach's, else the defaults.

    Raises:
        InputError: a flag is unknown, missing or of another type.
    """
    for name in _TRAINING:
        for changed in chosen.values().values():
            defaults = {**defaults, name: {**defaults.get(name, {}), **changed}}
    commands = Commands(defaults)
    for module in _COMMANDS:
        module.register(commands)
    top = ArgumentParser(prog="nocigram", description=nocigram.__doc__, exit_on_error=False, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"nocigram {nocigram.__version__}")
    subcommands = top.add_subcommands(dest="command", required=True)
    for command in commands.found.values():
        subcommands.add_subcommand(command.name, command.parser, help=command.parser.description)
    try:
        parsed = top.parse_args(given)
    except ArgumentError as error:
        named = [word for word in given[:1] if word in commands.found]
        raise InputError(f"{_one_line(error, commands)}. See {' '.join(['nocigram', *named, '--help'])}.") from error
    return commands.found[parsed.command], vars(parsed[parsed.command])


def _one_line(error: ArgumentError, commands: Commands) -> str:
    """The parser's words in one line, flags written as they are given."""
    text = " ".join(str(error).split()).rstrip(".")
    text = re.sub(r'(?:Parser key|argument) "?(?:--)?(\w+)"?:', r"--\1:", text)
    for name, command in commands.found.items():
        for place in command.places:
            text = text.replace(f"{name}.{place}", place)
        text = re.sub(rf"(?<![\w/'\"]){name}\.(?=\w)", "--", text)
    return re.sub(r"<class '(\w+)'>|a typing\.Literal(?=\[)", lambda match: match[1] or "one of ", text)


def _value_of(flag: str, given: list[str]) -> str | None:
    """The value of a flag among the words of a command; the last counts, as for the parser."""
    value = None
    for position, word in enumerate(given):
        if word == flag and position + 1 < len(given):
            value = given[position + 1]
        elif word.startswith(f"{flag}="):
            value = word.removeprefix(f"{flag}=")
    return value


def run() -> None:
    """Entry point of the console command."""
    sys.exit(main())
