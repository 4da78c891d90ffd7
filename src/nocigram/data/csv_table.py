"""Tables as csv: read with named columns, or said why it can't be done rightly; written whole."""

import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from nocigram.core.errors import InputError, reason_in
from nocigram.core.files import written_whole
from nocigram.core.separators import SEPARATOR_FIX, other_separator

_NUMBERED = re.compile(r"\.\d+$")
"""pandas puts numbers behind the names of columns that are there twice."""


def read_csv_table(path: Path, *, where: str, columns: str, **how: Any) -> pd.DataFrame:
    """The table, its columns in lower case.

    Args:
        path: the file.
        where: what messages call it.
        columns: what should be in it, for messages.
        how: further arguments of `pandas.read_csv`.

    Raises:
        InputError: it is no file, can't be read, is no UTF-8, has other separators, rows that are longer than its
            header, or a column twice.
    """
    expected = f"{where}: expected a csv with the columns {columns}, got"
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise InputError(f"{expected} no file. Save it as a UTF-8 csv.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells beyond the header, which it would drop
            table = pd.read_csv(path, encoding="utf-8-sig", skipinitialspace=True, index_col=False, **how)
    except pd.errors.ParserWarning as error:
        raise InputError(f"{expected} rows with more cells than columns. Name each column in the first row.") from error
    except (OSError, ValueError) as error:  # pandas' own and those of encodings are ValueErrors
        raise InputError(f"{expected} {reason_in(error)}. Save it as a UTF-8 csv.") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    if len(table.columns) == 1 and (separator := other_separator(table.columns[0])) is not None:
        raise InputError(f"{expected} cells separated by {separator}. {SEPARATOR_FIX}")
    names = Counter(_NUMBERED.sub("", column) for column in table.columns)
    if doubles := sorted(name for name, n in names.items() if n > 1 and name in columns.lower()):
        raise InputError(f"{expected} {', '.join(doubles)} twice. Remove or rename one column.")
    return table


def write_csv_table(path: Path, table: pd.DataFrame, *, n_decimals: int | None = None) -> None:
    """Write a table without its index, whole or not at all; a number that does not exist is blank.

    Args:
        path: the file.
        table: with a name for each column.
        n_decimals: of numbers that aren't whole (default: as many as they have).
    """
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, float_format=None if n_decimals is None else f"%.{n_decimals}f")
