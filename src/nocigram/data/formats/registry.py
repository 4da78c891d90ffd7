"""Formats of other tools: what each is, how its files are recognised, what reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nocigram.data.formats.records import Reading
from nocigram.data.formats.sample import Sample

Kind = Literal["pose", "labels"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of another tool."""

    name: str
    """As users know it."""
    kind: Kind
    recognises: Callable[[Sample], bool]
    """Whether a file is of this format, by what is in it; the suffix decides nothing."""
    read: Callable[[Path], Sequence[Reading]]
    """Read a file that was recognised; raises InputError."""


FORMATS: list[Format] = []
"""In the order of registration; a file is of the first that recognises it."""


def register_format(
    name: str, *, kind: Kind, recognises: Callable[[Sample], bool]
) -> Callable[[Callable[[Path], Sequence[Reading]]], Callable[[Path], Sequence[Reading]]]:
    """Register the decorated function as the reader of a format."""

    def register(read: Callable[[Path], Sequence[Reading]]) -> Callable[[Path], Sequence[Reading]]:
        FORMATS.append(Format(name=name, kind=kind, recognises=recognises, read=read))
        return read

    return register


def format_of(path: Path) -> Format | None:
    """The format of a file by its content, or None.

    Raises:
        InputError: it is missing, empty, or broken so that nobody can tell.
    """
    sample = Sample.of(path)
    return next((each for each in FORMATS if each.recognises(sample)), None)
