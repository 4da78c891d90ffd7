"""The first look at a file: enough of it to recognise its format."""

import csv
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from nocigram.core.errors import InputError
from nocigram.data.formats.hdf5 import opened_hdf5

_HDF5 = b"\x89HDF\r\n\x1a\n"
_N_LINES, _N_BYTES = 60, 1 << 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What stands at the beginning of a file, and the names within an HDF5 file."""

    path: Path
    is_json: bool = False
    """Text that begins with a brace."""
    text: str = ""
    """The beginning of a text file."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Cells of the first lines of a table; empty if it is no text."""
    members: frozenset[str] = field(default_factory=frozenset)
    """Groups and data sets of an HDF5 file, by their paths."""

    @property
    def header(self) -> tuple[str, ...]:
        """Cells of the first row."""
        return self.rows[0] if self.rows else ()

    @classmethod
    def of(cls, path: Path) -> "Sample":
        """Look into a file.

        Raises:
            InputError: it is missing, empty, or an HDF5 file that can't be opened.
        """
        if not path.is_file():
            raise InputError(f"{path}: expected a file, got nothing there. Correct the path.")
        with path.open("rb") as file:
            start = file.read(_N_BYTES)
        if not start.strip():
            raise InputError(f"{path.name}: expected a file with content, got an empty one. Export it again.")
        if start.startswith(_HDF5):
            with opened_hdf5(path) as content:
                members: list[str] = []
                content.visit(members.append)
            return cls(path=path, members=frozenset(members))
        try:
            # the last character may be cut in two
            text = start.decode("utf-8-sig", errors="strict" if len(start) < _N_BYTES else "ignore")
        except UnicodeDecodeError:
            return cls(path=path)
        if "\0" in text:
            return cls(path=path)
        return cls(path=path, is_json=text.lstrip()[:1] == "{", text=text, rows=_rows_of(text))


def _rows_of(text: str) -> tuple[tuple[str, ...], ...]:
    """The first lines as cells; tabs, semicolons or commas, whichever the lines have most of."""
    lines = list(islice(text.splitlines(), _N_LINES))
    delimiter = delimiter_of(lines)
    try:
        return tuple(tuple(cell.strip() for cell in row) for row in csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return ()


def delimiter_of(lines: list[str]) -> str:
    """What separates the cells: the character among tab, semicolon and comma that is there most often."""
    return max("\t;,", key=lambda character: (sum(line.count(character) for line in lines), character == ","))
