"""Label files with other codes, frames that don't count right, other separators and encodings, other names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from robustness.cases import Case, Spoil
from robustness.study import Study

Rows = list[list[str]]
_A1 = frozenset({"a1"})
_READERS = ("check", "train", "evaluate")


def _edited(
    edit: Callable[[Rows], Rows | None], *, separator: str = ",", end: str = "\n", code: str = "utf-8"
) -> Spoil:
    """Edit the cells of the first trial's labels."""

    def spoil(study: Study) -> None:
        path = study.annotation("a", 1)
        rows = [line.split(",") for line in path.read_text().splitlines()]
        rows = edit(rows) or rows
        path.write_bytes((end.join(separator.join(row) for row in rows) + end).encode(code))

    return spoil


def _cell(text: str, *, row: int = 100, column: int = 1) -> Spoil:
    """One cell below the header."""
    return _edited(lambda rows: rows[1 + row].__setitem__(column, text))


def _column(change: Callable[[str], str], column: int = 1) -> Spoil:
    """Every cell of a column."""
    return _edited(
        lambda rows: [rows[0], *([*row[:column], change(row[column]), *row[column + 1 :]] for row in rows[1:])]
    )


def _bytes(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the first trial's labels."""
    return lambda study: study.annotation("a", 1).write_bytes(change(study.annotation("a", 1).read_bytes()))


def _named(name: Callable[[str], str]) -> Spoil:
    """Rename the first trial's labels."""
    return lambda study: study.annotation("a", 1).rename(
        study.annotation("a", 1).with_name(name(study.annotation("a", 1).name))
    )


def _replaced(make: Callable[[Path], object]) -> Spoil:
    """Something else under the name of the first trial's labels."""
    return lambda study: (study.annotation("a", 1).unlink(), make(study.annotation("a", 1)))


def _more(name: Callable[[str], str]) -> Spoil:
    """The first trial's labels once more, under another name."""
    return lambda study: shutil.copy(
        study.annotation("a", 1), study.annotation("a", 1).with_name(name(study.annotation("a", 1).name))
    )


def _without_table(spoil: Spoil) -> Spoil:
    """No recordings.csv either: trials are placed by their own lengths."""
    return lambda study: (study.table.unlink(), spoil(study))


def _same(name: str, spoil: Spoil, **more: object) -> Case:
    """No fault: everything is as in the healthy study."""
    return Case(kind="labels", name=name, runs=_READERS, spoil=spoil, **more)


def _one_more(name: str, renamed: Callable[[str], str], **more: object) -> Case:
    """The first trial's labels once more under another name; training may go another way, the trials stay."""
    return Case(kind="labels", name=name, runs=_READERS, spoil=_more(renamed), trains_otherwise=True, **more)


def _refused(name: str, spoil: Spoil, *says: str, lost: frozenset[str] = _A1, **more: object) -> Case:
    """The trial is left out, the others stay in their places, and it is said why."""
    return Case(kind="labels", name=name, runs=_READERS, spoil=spoil, lost=lost, says=says, **more)


_FILE = r"prediction_\S+\.mp4_1\.csv: expected "
_ACTION = _FILE + "whole numbers from 0 in Action, got .* in row 102"
_CODES = _FILE + r"actions from 0 to 7, got \[(8|99)\]\. Correct the codes, or name them with --actions"
_COUNT = _FILE + "Frame to count 0, 1, 2, "
_COLUMNS = _FILE + "the columns Frame and Action, got"
_CSV = _FILE + "a csv with the columns Frame and Action, got"

CASES = [
    *(_refused(f"code {code}", _cell(code), _CODES) for code in ("8", "99")),
    *(
        _refused(f"code {code!r}", _cell(code), _ACTION)
        for code in ("-1", "rest", "1.5", "-3", "inf", "-inf", "1;0", "0x1", "true", "1e400", "?", "paw_lick", "1 2")
    ),
    _refused("a code with a decimal comma", _cell('"1,0"'), _ACTION),
    *(
        _same(f"codes as {word}", _column(change))
        for word, change in (
            ("1.0", lambda code: f"{code}.0"),
            ("1e0", lambda code: f"{code}e0"),
            ("+1", lambda code: f"+{code}"),
            ("01", lambda code: f"0{code}"),
            ("' 1 '", lambda code: f" {code} "),
            ("quoted", lambda code: f'"{code}"'),
        )
    ),
    *(
        _same(f"{text!r} for an unscored frame", _cell(text), trains_otherwise=True)
        for text in ("", " ", "NaN", "NA", "#N/A")
    ),
    _refused(
        "every action a word",
        _column(lambda code: "rest"),
        _FILE + "whole numbers from 0 in Action, got 'rest' in row 2",
    ),
    _refused("every action blank", _column(lambda code: ""), _FILE + "at least one scored frame"),
    _refused("a hole in Frame", _edited(lambda rows: [*rows[:50], *rows[51:]]), _COUNT, "frame 49 missing"),
    _refused("a frame twice", _cell("7", column=0, row=8), _COUNT + r".*, got frame 7 twice"),
    _refused("frames from 1", _column(lambda frame: str(int(frame) + 1), 0), _COUNT + ".*, got 1 as the first frame"),
    _refused("frames backwards", _edited(lambda rows: [rows[0], *rows[:0:-1]]), _COUNT + ".* out of order"),
    _refused("two rows exchanged", _edited(lambda rows: [*rows[:50], rows[51], rows[50], *rows[52:]]), _COUNT),
    _refused("a frame blank", _cell("", column=0), _FILE + "whole numbers from 0 in Frame, got a blank in row 102"),
    _refused(
        "a frame that is a word", _cell("x", column=0), _FILE + "whole numbers from 0 in Frame, got 'x' in row 102"
    ),
    _refused(
        "frames in seconds", _column(lambda frame: f"{int(frame) / 30:.3f}", 0), _FILE + "whole numbers from 0 in Frame"
    ),
    _refused("frames of the whole recording", _column(lambda frame: str(int(frame) + 360), 0), _COUNT),
    _same("frames as decimal numbers", _column(lambda frame: f"{frame}.0", 0)),
    _refused("no header", _edited(lambda rows: rows[1:]), _COLUMNS),
    _refused(
        "no column Action", _edited(lambda rows: [["Frame", "Behaviour"], *rows[1:]]), _COLUMNS + r".*missing Action"
    ),
    _refused("one column", _edited(lambda rows: [row[1:] for row in rows]), _COLUMNS + r".*missing Frame"),
    _refused("the header once more on the way", _edited(lambda rows: [*rows[:100], rows[0], *rows[100:]]), _FILE),
    _refused(
        "a column twice",
        _edited(lambda rows: [["Frame", "Action", "Action"], *([*row, "0"] for row in rows[1:])]),
        _FILE,
    ),
    _same("columns exchanged", _edited(lambda rows: [row[::-1] for row in rows])),
    _same("columns in capitals, with blanks", _edited(lambda rows: [[" FRAME ", " action"], *rows[1:]])),
    _same(
        "further columns",
        _edited(lambda rows: [["Frame", "Action", "Who"], *([*row, "J. M\u00fcller"] for row in rows[1:])]),
    ),
    _same("commas at the ends of rows", _edited(lambda rows: [[*row, ""] for row in rows])),
    _refused("a cell too many in a row", _edited(lambda rows: rows[50].insert(1, "0")), _FILE),
    _refused(
        "a cell too many in all rows",
        _edited(lambda rows: [rows[0], *([row[0], "0", row[1]] for row in rows[1:])]),
        _FILE,
    ),
    _refused(
        "a cell too few in a row",
        _edited(lambda rows: rows[50].pop() and None),
        lost=frozenset(),
        trains_otherwise=True,
    ),
    *(
        _refused(
            f"cells separated by {word}",
            _edited(lambda rows: None, separator=sign),
            _CSV + rf" cells separated by {word}",
        )
        for word, sign in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|"))
    ),
    _same("a byte order mark", _edited(lambda rows: None, code="utf-8-sig")),
    _same("Windows' line ends", _edited(lambda rows: None, end="\r\n")),
    _same("old Macs' line ends", _edited(lambda rows: None, end="\r")),
    _same("blank lines at the end", _bytes(lambda content: content + b"\n\n,\n")),
    _same("blank lines on the way", _edited(lambda rows: [*rows[:50], [""], *rows[50:]])),
    _same("no line end at the end", _bytes(bytes.rstrip)),
    _refused("UTF-16", _edited(lambda rows: None, code="utf-16"), _CSV),
    _refused(
        "an umlaut in Latin-1",
        _edited(
            lambda rows: [["Frame", "Action", "Wer"], *([*row, "M\u00fcller"] for row in rows[1:])], code="latin-1"
        ),
        _CSV,
    ),
    _refused("a quote that is never closed", _cell('"1'), _FILE),
    _refused("a zero byte in a cell", _cell("1\0"), _FILE),
    *(
        _refused(f"{name} as labels", _bytes(lambda _, content=content: content), _FILE)
        for name, content in (
            ("zero bytes", b""),
            ("line ends", b"\n\n\n"),
            ("a sentence", b"see the other folder\n"),
            ("a zip", b"PK\3\4" + bytes(99)),
            ("noise", bytes(range(128, 256)) * 20),
        )
    ),
    _refused("only the header", _edited(lambda rows: rows[:1]), _FILE + "at least 345 rows, got 0"),
    _refused("cut off", _bytes(lambda content: content[: len(content) // 2]), _FILE + "at least 345 rows, got "),
    _refused("too few rows", _edited(lambda rows: rows[:340]), _FILE + "at least 345 rows, got 339"),
    _refused(
        "a row too few for its place in recordings.csv",
        _edited(lambda rows: rows[:-1]),
        r"recordings\.csv, trial 1: expected frames for its 359 rows, got \[0, 360\), 360 frames",
    ),
    _refused(
        "rows too many for their place in recordings.csv",
        _edited(lambda rows: [*rows, *([str(n), "0"] for n in range(360, 400))]),
        r"recordings\.csv, trial 1: expected frames for its 400 rows",
    ),
    _refused("a folder", _replaced(Path.mkdir), _CSV),
    _refused("a pipe that nobody writes to", _replaced(os.mkfifo), _CSV),
    _refused("a link to itself", _replaced(lambda path: path.symlink_to(path)), _CSV),
    _refused("a link to nothing", _replaced(lambda path: path.symlink_to("gone.csv")), _CSV),
    _refused(
        "a name without a number",
        _named(lambda name: name.replace("_1.csv", ".csv")),
        "expected the name prediction_<video name>_<n>.csv",
    ),
    _refused(
        "a name with a word for the number",
        _named(lambda name: name.replace("_1.csv", "_one.csv")),
        "expected the name prediction_<video name>_<n>.csv",
    ),
    _refused(
        "of no video", _named(lambda name: name.replace("CFA", "XYZ")), r"no video named shortened\S*XYZ\S*\.mp4 in"
    ),
    _one_more("more labels, of no video", lambda name: "prediction_gone.mp4_1.csv", says=()),
    _one_more("a trial once more as 01", lambda name: name.replace("_1.csv", "_01.csv")),
    _one_more("a trial once more with another ending", lambda name: name.replace("_1.csv", "_1.CSV")),
    _one_more("a trial with a number of thirty digits", lambda name: name.replace("_1.csv", f"_{'9' * 30}.csv")),
    _one_more("a trial more than the video has", lambda name: name.replace("_1.csv", "_3.csv")),
    _one_more("a trial 0", lambda name: name.replace("_1.csv", "_0.csv")),
    _refused("removed", lambda study: study.annotation("a", 1).unlink()),
    _refused("removed, and no recordings.csv", _without_table(lambda study: study.annotation("a", 1).unlink())),
    _refused(
        "a hole in Frame, and no recordings.csv", _without_table(_edited(lambda rows: [*rows[:50], *rows[51:]])), _COUNT
    ),
    _refused("unreadable, and no recordings.csv", _without_table(_bytes(lambda _: b"")), _CSV),
    _refused(
        "400 rows, and no recordings.csv",
        _without_table(_edited(lambda rows: [*rows, *([str(n), "0"] for n in range(360, 400))])),
        lost=frozenset(),
        is_open=True,
    ),
    Case(
        kind="labels",
        runs=_READERS,
        name="none at all",
        spoil=lambda study: [path.unlink() for path in study.folders["annotations"].iterdir()],
        refused=_READERS,
        lost=frozenset({"a1", "a2", "b1", "b2", "c1", "c2"}),
        says=("No samples found|Trials",),
    ),
]
