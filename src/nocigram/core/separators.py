"""What separates the cells of a csv, where it is no comma."""

SEPARATOR_FIX = "Save it as a csv with commas between cells and points in numbers."
_WORDS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def other_separator(line: str) -> str | None:
    """The word for the sign that separates a line's cells; None where it may be the comma.

    Spreadsheets write semicolons in countries with decimal commas.
    """
    most = max(_WORDS, key=line.count)
    return _WORDS[most] if line.count(most) > line.count(",") else None
