"""Pose files with cells that are no numbers, other headers, other separators, other encodings, cut off, twice."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import tables

from robustness.cases import Case, Spoil, trials_of
from robustness.checkpoint_cases import Evil
from robustness.study import Study

_A = trials_of("a")
_N_HEADER_ROWS = 3
Rows = list[list[str]]


def _edited(edit: Callable[[Rows], Rows | None], **how: str) -> Spoil:
    """Edit the cells of the first recording's pose file."""

    def spoil(study: Study) -> None:
        path = study.pose("a")
        rows = [line.split(",") for line in path.read_text().splitlines()]
        _written(path, edit(rows) or rows, **how)

    return spoil


def _written(path: Path, rows: Rows, *, separator: str = ",", end: str = "\n", encoding: str = "utf-8") -> None:
    path.write_bytes((end.join(separator.join(row) for row in rows) + end).encode(encoding))


def _bytes(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the first recording's pose file."""
    return lambda study: study.pose("a").write_bytes(change(study.pose("a").read_bytes()))


def _cell(text: str, *, row: int = 200, column: int = 4) -> Spoil:
    """One cell below the header."""

    def edit(rows: Rows) -> None:
        rows[_N_HEADER_ROWS + row][column] = text

    return _edited(edit)


def _decimal_commas(rows: Rows) -> Rows:
    return [*rows[:_N_HEADER_ROWS], *([cell.replace(".", ",") for cell in row] for row in rows[_N_HEADER_ROWS:])]


def _h5(path: Path) -> Path:
    """The file's h5 twin, as DeepLabCut writes it."""
    table = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    twin = path.with_suffix(".h5")
    table.to_hdf(twin, key="df_with_missing", mode="w")
    return twin


def _h5_alone(change: Callable[[Path], object]) -> Spoil:
    """Only the h5 twin of the first pose file, changed."""

    def spoil(study: Study) -> None:
        path = study.pose("a")
        twin = _h5(path)
        path.unlink()
        change(twin)

    return spoil


def _with_code(path: Path) -> None:
    """Names of columns that run code when they are read."""
    with tables.open_file(str(path), "a") as file:
        file.root.df_with_missing._v_attrs.encoding = Evil(path.parents[2] / "CANARY")


def _two_animals(rows: Rows) -> Rows:
    """A multi-animal file: the same track twice."""
    scorer, bodyparts, coords = rows[:_N_HEADER_ROWS]
    n = len(scorer) - 1
    individuals = ["individuals", *["mouse1"] * n, *["mouse2"] * n]
    header = [[*row, *row[1:]] for row in (scorer, bodyparts, coords)]
    return [header[0], individuals, *header[1:], *([*row, *row[1:]] for row in rows[_N_HEADER_ROWS:])]


def _copied(study: Study, name: Callable[[str], str]) -> None:
    path = study.pose("a")
    shutil.copy(path, path.with_name(name(path.name)))


def _same(name: str, spoil: Spoil, **more: object) -> Case:
    """No fault: everything is as in the healthy study."""
    return Case(kind="pose", name=name, spoil=spoil, **more)


def _thinner(name: str, spoil: Spoil, **more: object) -> Case:
    """Some keypoints are not visible; those that are have their places."""
    return Case(kind="pose", name=name, spoil=spoil, changed=frozenset("a"), **more)


def _refused(name: str, spoil: Spoil, *says: str) -> Case:
    """The recording is left out, and it is said why."""
    return Case(kind="pose", name=name, spoil=spoil, lost=_A, unpredicted=frozenset("a"), says=says)


_FILE = r"_tracking\S*\.csv: expected "
_NUMBER = _FILE + r"a number in row 204, column 5, got"
_HEADER = _FILE + r"header rows scorer, \(individuals,\) bodyparts, coords, got"
_CELLS = _FILE + r"\d+ cells in every row, got"
_FRAMES = _FILE + r"the first column to hold the frame number"

CASES = [
    *(_thinner(f"{text!r} in a cell", _cell(text)) for text in ("", "NaN", "nan", "NA", "N/A", "#N/A", "NULL", "None")),
    *(
        _thinner(f"{text!r} in a cell", _cell(text))
        for text in ("inf", "-inf", "Infinity", "1e400", "1e300", "1e30", "-99999")
    ),
    *(
        _refused(f"{text!r} in a cell", _cell(text), _NUMBER)
        for text in ("abc", "12..5", "1 2", "--", "#REF!", "0x1A", "12.5px", "l2.5")
    ),
    _thinner(
        "blanks in all of a keypoint",
        _edited(lambda rows: [*rows[:3], *([*row[:4], "", "", "", *row[7:]] for row in rows[3:])]),
    ),
    _thinner(
        "no likelihood high enough",
        _edited(
            lambda rows: [*rows[:3], *([c if i % 3 or not i else "0.1" for i, c in enumerate(row)] for row in rows[3:])]
        ),
    ),
    _thinner(
        "every cell NaN", _edited(lambda rows: [*rows[:3], *([row[0], *["NaN"] * (len(row) - 1)] for row in rows[3:])])
    ),
    _thinner("rows missing on the way", _edited(lambda rows: [*rows[:100], *rows[180:]])),
    Case(
        kind="pose",
        name="rows missing at the end",
        spoil=_edited(lambda rows: rows[:-100]),
        lost=frozenset({"a2"}),
        changed=frozenset("a"),
        says=(r"past the end of the pose file \(620 rows\)",),
    ),
    _refused(
        "rows missing at the start",
        _edited(lambda rows: [*rows[:3], *rows[10:]]),
        _FILE + "the first frame to be 0, got 7",
    ),
    _refused(
        "a row twice",
        _edited(lambda rows: [*rows[:50], rows[49], *rows[50:]]),
        _FILE + "frames in rising order, got 46 after 46",
    ),
    _refused(
        "rows in another order",
        _edited(lambda rows: [*rows[:3], *rows[:2:-1]]),
        _FILE + "the first frame to be 0, got 719",
    ),
    _refused(
        "frames counted from 1",
        _edited(lambda rows: [*rows[:3], *([str(int(row[0]) + 1), *row[1:]] for row in rows[3:])]),
        _FILE + "the first frame to be 0, got 1",
    ),
    _refused("a frame below 0", _edited(lambda rows: [*rows[:3], ["-1", *rows[3][1:]], *rows[4:]]), _FRAMES),
    _refused("half a frame", _cell("200.5", column=0), _FRAMES),
    _refused("a frame that is a word", _cell("frame", column=0), _FRAMES),
    _refused(
        "a frame far beyond",
        _edited(lambda rows: [*rows[:-1], ["1000000000000", *rows[-1][1:]]]),
        _FILE + "about 720 frames",
    ),
    _refused("no column of frames", _edited(lambda rows: [row[1:] for row in rows]), _HEADER),
    _same(
        "frames as decimal numbers", _edited(lambda rows: [*rows[:3], *([f"{row[0]}.0", *row[1:]] for row in rows[3:])])
    ),
    *(
        _refused(
            f"no row {rows}", _edited(lambda found, at=at: [row for i, row in enumerate(found) if i != at]), _HEADER
        )
        for at, rows in enumerate(("scorer", "bodyparts", "coords"))
    ),
    _refused("no header", _edited(lambda rows: rows[3:]), _HEADER),
    _refused(
        "one header row of plain names", _edited(lambda rows: [["frame", *map(str, range(18))], *rows[3:]]), _HEADER
    ),
    _refused("the header once more on the way", _edited(lambda rows: [*rows[:300], *rows[:3], *rows[300:]]), _FILE),
    _same("a line above the header", _edited(lambda rows: [["# exported by lab software"], *rows])),
    _same(
        "a header row of one individual", _edited(lambda rows: [rows[0], ["individuals", *["mouse"] * 18], *rows[1:]])
    ),
    _refused(
        "two individuals and no choice",
        _edited(_two_animals),
        _FILE + r"one of its individuals mouse1, mouse2, got no choice\. Choose one with --individual",
    ),
    _same(
        "two individuals and a choice",
        lambda study: (
            _edited(_two_animals)(study),
            study.flags.update(
                {command: ["--individual", "mouse2"] for command in ("check", "train", "predict", "evaluate")}
            ),
        ),
    ),
    _refused(
        "a keypoint without likelihood",
        _edited(lambda rows: [row[:-1] for row in rows]),
        r"keypoint 'tail_base': expected one column each of x, y and likelihood, got x, y\.",
    ),
    _refused(
        "a keypoint twice",
        _edited(lambda rows: [[*row, *row[-3:]] for row in rows]),
        "expected one column each of x, y and likelihood, got x, y, likelihood, x",
    ),
    _thinner("a keypoint missing", _edited(lambda rows: [row[:-3] for row in rows])),
    _same(
        "keypoints in capitals", _edited(lambda rows: [rows[0], [rows[1][0], *map(str.upper, rows[1][1:])], *rows[2:]])
    ),
    _same(
        "a keypoint more",
        _edited(
            lambda rows: [
                [*rows[0], *["x"] * 3],
                [*rows[1], *["ear"] * 3],
                [*rows[2], "x", "y", "likelihood"],
                *([*row, "1", "2", "0.9"] for row in rows[3:]),
            ]
        ),
    ),
    *(
        _refused(f"cells separated by {word}", _edited(lambda rows: None, separator=sign), _FILE + rf".*{word}")
        for word, sign in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|"))
    ),
    _refused("semicolons and decimal commas", _edited(_decimal_commas, separator=";"), _FILE + ".*semicolons"),
    _refused("decimal commas among commas", _edited(_decimal_commas), _CELLS),
    _refused(
        "one row with a decimal comma",
        _edited(lambda rows: rows[200].__setitem__(3, rows[200][3].replace(".", ","))),
        _CELLS,
    ),
    _refused("a row with a cell too few", _edited(lambda rows: rows[200].pop() and None), _CELLS),
    _same("a byte order mark", _edited(lambda rows: None, encoding="utf-8-sig")),
    _same("Windows' line ends", _edited(lambda rows: None, end="\r\n")),
    _same("old Macs' line ends", _edited(lambda rows: None, end="\r")),
    _same("blank lines at the end", _bytes(lambda content: content + b"\n\n\n")),
    _same("no line end at the end", _bytes(bytes.rstrip)),
    _same("blanks around cells", _edited(lambda rows: [[f" {cell} " for cell in row] for row in rows])),
    _same("quotes around cells", _edited(lambda rows: [[f'"{cell}"' for cell in row] for row in rows])),
    _refused("UTF-16", _edited(lambda rows: None, encoding="utf-16"), _FILE + "a text file"),
    _refused(
        "an umlaut in Latin-1",
        _edited(lambda rows: [["scorer", *["M\u00fcller"] * 18], *rows[1:]], encoding="latin-1"),
        _FILE + "a text file",
    ),
    _same("an umlaut in UTF-8", _edited(lambda rows: [["scorer", *["M\u00fcller"] * 18], *rows[1:]])),
    _refused("a quote that is never closed", _cell('"12'), _FILE),
    _refused("a zero byte in a cell", _cell("1\0002"), _FILE),
    *(
        _refused(f"{name} as pose", _bytes(lambda _, content=content: content), _FILE)
        for name, content in (
            ("zero bytes", b""),
            ("one line end", b"\n"),
            ("a sentence", b"pose of mouse 3\n"),
            ("a zip", b"PK\3\4" + bytes(99)),
        )
    ),
    _refused("only its header", _edited(lambda rows: rows[:3]), _FILE + "a row per frame"),
    _refused(
        "cut off in a row",
        _bytes(lambda content: content[: int(0.97 * len(content))].rpartition(b"\n")[0] + b"\n712,4"),
        _CELLS,
    ),
    Case(kind="pose", name="removed", spoil=lambda study: study.pose("a").unlink(), changed=frozenset("a")),
    _refused(
        "a folder",
        lambda study: (
            study.pose("a").rename(study.place / "moved.csv"),
            (study.folder / "Videos" / (study.names["a"] + "DLC_x.csv")).mkdir(),
        ),
        "expected a pose file",
    ),
    _refused(
        "a pipe that nobody writes to",
        lambda study: (
            study.pose("a").rename(study.place / "moved.csv"),
            os.mkfifo(study.folder / "Videos" / (study.names["a"] + "DLC_x.csv")),
        ),
        "expected a pose file",
    ),
    _refused(
        "a link to itself",
        lambda study: (
            study.pose("a").unlink(),
            (study.folder / "Videos" / (study.names["a"] + "DLC_x.csv")).symlink_to(study.names["a"] + "DLC_x.csv"),
        ),
        "expected a pose file",
    ),
    _refused(
        "two analyses",
        lambda study: _copied(study, lambda name: name.replace("shuffle1_500000", "shuffle1_900000")),
        "expected one pose file in .*, got .*Keep one",
    ),
    _same("filtered beside raw", lambda study: _copied(study, lambda name: name.replace(".csv", "_filtered.csv"))),
    _same("a pose file of no video", lambda study: _copied(study, lambda name: f"another{name}")),
    _same(
        "skeleton lengths beside it",
        lambda study: study.pose("a").with_name(study.pose("a").stem + "_skeleton.csv").write_text("x\n"),
    ),
    _same("its h5 twin beside it", lambda study: _h5(study.pose("a"))),
    _same("a damaged h5 twin beside it", lambda study: _h5(study.pose("a")).write_bytes(b"HDF")),
    _same("its h5 twin alone", _h5_alone(lambda path: None), is_open=True),
    *(
        _refused(f"h5 {name}", _h5_alone(change), r"_tracking\S*\.h5: expected an h5 file of DeepLabCut")
        for name, change in (
            ("of zero bytes", lambda path: path.write_bytes(b"")),
            ("that is text", lambda path: path.write_text("scorer,x\n")),
            ("cut off in the middle", lambda path: os.truncate(path, path.stat().st_size // 2)),
            ("cut off in its head", lambda path: os.truncate(path, 600)),
        )
    ),
    _refused("h5 with code", _h5_alone(_with_code), r"\.h5: expected plain tables, got a pickle of posix\.system"),
    _refused(
        "h5 of another table",
        _h5_alone(lambda path: pd.DataFrame({"x": [1.0]}).to_hdf(path, key="t", mode="w")),
        r"\.h5: expected column levels bodyparts and coords",
    ),
]
