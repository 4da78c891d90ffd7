"""Tables and JSON of other tools, read with one clear error."""

import csv
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from nocigram.core.errors import InputError
from nocigram.data.formats.sample import delimiter_of


def text_in(path: Path) -> str:
    """A text file, without a byte order mark.

    Raises:
        InputError: it can't be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: expected a text file in UTF-8, got {error}. Save it as UTF-8.") from error


def read_rows(path: Path) -> list[list[str]]:
    """Every row of a table as cells of text, without blanks around them.

    Raises:
        InputError: it is no text, or no table.
    """
    text = text_in(path)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.splitlines()[:60]))
        return [[cell.strip() for cell in row] for row in rows]
    except csv.Error as error:
        raise InputError(f"{path.name}: expected a table, got '{error}'. Export it again.") from error


def read_table(path: Path) -> pd.DataFrame:
    """A table with a header; names without blanks around them.

    Raises:
        InputError: rows of unequal length, a header with a name twice, or no text at all.
    """
    lines = text_in(path).splitlines()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells beyond the header would be dropped
            table = pd.read_csv(
                path,
                sep=delimiter_of(lines[:20]),
                encoding="utf-8-sig",
                index_col=False,
                skip_blank_lines=True,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["nothing"])[0].rstrip(".")
        raise InputError(f"{path.name}: expected a table, got '{reason}'. Export it again.") from error
    table.columns = [str(column).strip() for column in table.columns]
    if not len(table):
        raise InputError(f"{path.name}: expected rows below the header, got none. Export it again.")
    return table


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds one object.

    Raises:
        InputError: it is no JSON, or something other than an object.
    """
    try:
        content = json.loads(text_in(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path.name}: expected a whole JSON file, got '{error}'. Save it again.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name}: expected a JSON object, got {type(content).__name__}. Save it again.")
    return content
