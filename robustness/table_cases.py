"""recordings.csv, and the YAML and JSON files that flags name."""

import json
from collections.abc import Callable

from robustness.cases import ALL_TRIALS, Case, Spoil
from robustness.study import Study

Rows = list[list[str]]
_READERS = ("check", "train", "evaluate")


def _edited(
    edit: Callable[[Rows], Rows | None], *, separator: str = ",", end: str = "\n", code: str = "utf-8"
) -> Spoil:
    """Edit the cells of recordings.csv."""

    def spoil(study: Study) -> None:
        rows = [line.split(",") for line in study.table.read_text().splitlines()]
        rows = edit(rows) or rows
        study.table.write_bytes((end.join(separator.join(row) for row in rows) + end).encode(code))

    return spoil


def _cell(column: int, text: str) -> Spoil:
    """One cell of the first trial: recording, trial, start, stop, stim_frame, animal, group."""
    return _edited(lambda rows: rows[1].__setitem__(column, text))


def _named(flag: str, suffix: str, content: str | bytes, commands: tuple[str, ...]) -> Spoil:
    """A file that a flag names."""

    def spoil(study: Study) -> None:
        path = study.folder / f"given{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for command in commands:
            study.flags.setdefault(command, []).extend([flag, str(path)])

    return spoil


def _same(name: str, spoil: Spoil, **more: object) -> Case:
    """No fault: everything is as in the healthy study."""
    return Case(kind="recordings.csv", name=name, runs=_READERS, spoil=spoil, **more)


def _refused(name: str, spoil: Spoil, *says: str) -> Case:
    """Nothing is done with a table that contradicts itself: the place of every trial hangs on it."""
    return Case(
        kind="recordings.csv", name=name, runs=_READERS, spoil=spoil, refused=_READERS, lost=ALL_TRIALS, says=says
    )


def _given(
    flag: str, name: str, suffix: str, content: str | bytes, *says: str, commands: tuple[str, ...] = ("train",)
) -> Case:
    """A file of a flag that can't be used."""
    return Case(
        kind=flag.removeprefix("--"),
        name=name,
        spoil=_named(flag, suffix, content, commands),
        runs=commands,
        refused=commands,
        says=says,
    )


_TABLE = r"recordings\.csv( row \d)?: expected "
_WHOLE = _TABLE + "a whole number in '"
_TABLES: list[Case] = [
    *(
        _refused(f"{column} {text!r}", _cell(at, text), _WHOLE + column)
        for at, column in enumerate(("trial", "start", "stop", "stim_frame"), start=1)
        for text in ("one", "-1", "1.5", "inf")
    ),
    *(
        _refused(f"{column} {text!r}", _cell(at, text), _WHOLE + column)
        for at, column in enumerate(("start", "stop", "stim_frame"), start=2)
        for text in ("1e300", "1;2")
    ),
    _refused("no name in a row", _cell(0, ""), _TABLE + "a name in 'recording'"),
    _refused("a trial twice", _edited(lambda rows: [*rows, rows[1]]), _TABLE + "trial 1 of .* once"),
    _refused("two animals of one recording", _cell(5, "another"), _TABLE + "one animal for"),
    _refused("two groups of one recording", _cell(6, "another"), _TABLE + "one group for"),
    _refused(
        "no column of recordings", _edited(lambda rows: [row[1:] for row in rows]), _TABLE + "a column 'recording'"
    ),
    _refused("no header", _edited(lambda rows: rows[1:]), _TABLE + "a column 'recording'"),
    _refused("a cell too many in a row", _edited(lambda rows: rows[1].insert(1, "1")), _TABLE),
    _refused(
        "a column twice",
        _edited(lambda rows: [[*row, row[2]] for row in rows]),
        _TABLE + ".*, got start twice",
    ),
    *(
        _refused(f"cells separated by {word}", _edited(lambda rows: None, separator=sign), _TABLE + rf".*{word}")
        for word, sign in (("semicolons", ";"), ("tabs", "\t"))
    ),
    _refused("UTF-16", _edited(lambda rows: None, code="utf-16"), _TABLE),
    _refused(
        "an umlaut in Latin-1",
        _edited(lambda rows: [[*row[:-1], "K\u00f6"] if at else row for at, row in enumerate(rows)], code="latin-1"),
        _TABLE,
    ),
    *(
        _refused(f"{name} as table", lambda study, content=content: study.table.write_bytes(content), _TABLE)
        for name, content in (("zero bytes", b""), ("line ends", b"\n\n"), ("a zip", b"PK\3\4" + bytes(99)))
    ),
    _refused("a folder", lambda study: (study.table.unlink(), study.table.mkdir()), _TABLE + "a csv file"),
    _refused(
        "a link to itself",
        lambda study: (study.table.unlink(), study.table.symlink_to(study.table)),
        _TABLE + "a csv file",
    ),
    _refused(
        "a link to nothing",
        lambda study: (study.table.unlink(), study.table.symlink_to("gone.csv")),
        _TABLE + "a csv file",
    ),
    _same("a byte order mark", _edited(lambda rows: None, code="utf-8-sig")),
    _same("Windows' line ends", _edited(lambda rows: None, end="\r\n")),
    _same("blanks around cells", _edited(lambda rows: [[f" {cell} " for cell in row] for row in rows])),
    _same(
        "columns in capitals and another order",
        _edited(lambda rows: [list(map(str.upper, rows[0][::-1])), *(row[::-1] for row in rows[1:])]),
    ),
    _same(
        "names with the video's ending",
        _edited(lambda rows: [rows[0], *([f"{row[0]}.mp4", *row[1:]] for row in rows[1:])]),
    ),
    _same(
        "numbers as 1.0",
        _edited(lambda rows: [rows[0], *([row[0], *(f"{cell}.0" for cell in row[1:5]), *row[5:]] for row in rows[1:])]),
    ),
    _same("a recording that is not there", _edited(lambda rows: [*rows, ["gone", "1", "0", "360", "", "x", "CFA"]])),
    _same("a trial that has no labels", _edited(lambda rows: [*rows, [rows[1][0], "9", "0", "360", "", *rows[1][5:]]])),
    _same("blank lines", _edited(lambda rows: [rows[0], [""], *rows[1:], [""]])),
    _same("no stops", _edited(lambda rows: [rows[0], *([*row[:3], "", *row[4:]] for row in rows[1:])]), is_open=True),
    *(
        Case(kind="recordings.csv", name=name, runs=_READERS, spoil=spoil, lost=frozenset(lost), says=says)
        for name, spoil, lost, says in (
            (
                "a trial that begins past the video's end",
                _edited(lambda rows: [rows[0], [*rows[1][:2], "100000", "100360", *rows[1][4:]], *rows[2:]]),
                {"b1"},
                ("past the end of the video",),
            ),
            (
                "a trial that stops before it starts",
                _edited(lambda rows: [rows[0], [*rows[1][:2], "360", "0", *rows[1][4:]], *rows[2:]]),
                {"b1"},
                (r"recordings\.csv, trial 1: expected frames for its 360 rows",),
            ),
        )
    ),
]
_GOOD_ACTIONS = "names: [rest, paw_withdraw, paw_lick, paw_guard, paw_shake, flinch, walk, active]\n"
_YAMLS = {
    "zero bytes": "",
    "a list": "- rest\n- walk\n",
    "a word": "rest\n",
    "not closed": "names: [rest, walk\n",
    "tabs": "names:\n\t- rest\n",
    "a zip": b"PK\3\4" + bytes(99),
    "Latin-1": "names: [rest, m\u00fcde]\n".encode("latin-1"),
    "code in a tag": "!!python/object/apply:os.system ['touch CANARY']\n",
    "a loop of aliases": "&a [*a]\n",
    "an unhashable key": "? [a, b]\n: 1\n",
    "a date": "names: [2020-01-01, rest]\n? 2020-01-01\n: 3\n",
    "deep": "[" * 400 + "]" * 400,
}
_ACTIONS = [
    *(
        _given("--actions", name, ".yaml", content, r"(--actions|given\.yaml): expected")
        for name, content in _YAMLS.items()
    ),
    *(
        _given("--actions", name, ".yaml", content, r"actions: |given\.yaml: expected")
        for name, content in {
            "a key that there is not": _GOOD_ACTIONS + "colours: red\n",
            "names as a word": "names: rest\n",
            "a name twice": "names: [rest, rest, walk]\n",
            "one name": "names: [rest]\n",
            "a merge into nothing": _GOOD_ACTIONS + "merges: {flinch: gone}\n",
            "a merge of a merge": _GOOD_ACTIONS + "merges: {flinch: walk, walk: rest}\n",
            "a merge with itself": _GOOD_ACTIONS + "merges: {flinch: flinch}\n",
            "merges as a list": _GOOD_ACTIONS + "merges: [flinch]\n",
            "everything ignored": _GOOD_ACTIONS
            + "ignore: [rest, paw_withdraw, paw_lick, paw_guard, paw_shake, flinch, walk, active]\n",
            "names that are lists": "names: [[rest], [walk], [x]]\nmerges: {x: [1]}\n",
            "an empty name": "names: ['', rest, walk]\n",
        }.items()
    ),
]
_BODY = "keypoints: [mouth, tail_base, L_frontpaw]\nfront: mouth\nback: tail_base\n"
_SKELETONS = [
    *(_given("--skeleton", name, ".yaml", content, "given.yaml") for name, content in _YAMLS.items()),
    *(
        _given("--skeleton", name, ".yaml", content, r"given\.yaml: expected")
        for name, content in {
            "no edges": _BODY + "angles: []\n",
            "edges as a word": _BODY + "edges: mouth\nangles: []\n",
            "an edge of one": _BODY + "edges: [[mouth]]\nangles: []\n",
            "an edge to nothing": _BODY + "edges: [[mouth, gone]]\nangles: []\n",
            "an edge of lists": _BODY + "edges: [[[mouth], [tail_base]]]\nangles: []\n",
            "paws as a number": _BODY + "edges: []\nangles: []\npaws: 3\n",
            "keypoints as numbers": "keypoints: [1, 2]\nfront: 1\nback: 2\nedges: []\nangles: []\n",
            "front as a list": "keypoints: [a, b]\nfront: [a]\nback: b\nedges: []\nangles: []\n",
            "front is back": "keypoints: [a, b]\nfront: a\nback: a\nedges: []\nangles: []\n",
        }.items()
    ),
]
_SPLITS = [
    _given("--split", name, ".json", content, r"--split|trials", commands=("train", "evaluate"))
    for name, content in {
        "zero bytes": "",
        "cut off": '{"split_by": "animal", "train": ["a',
        "a list": "[1, 2]",
        "a number": "3",
        "sides as words": '{"split_by": "animal", "train": "a", "val": "b"}',
        "a unit that there is not": '{"split_by": "cage", "train": [], "val": []}',
        "no trials": '{"split_by": "animal", "train": [], "val": []}',
        "trials that are not there": json.dumps({"split_by": "animal", "train": ["x#1"], "val": ["y#1"]}),
        "a trial on both sides": json.dumps({"split_by": "animal", "train": ["x#1"], "val": ["x#1"]}),
        "UTF-16": '{"split_by": "animal"}'.encode("utf-16"),
        "deep": "[" * 100_000,
        "numbers beyond all": '{"split_by": 1e999, "train": [], "val": []}',
    }.items()
]
CASES = [*_TABLES, *_ACTIONS, *_SKELETONS, *_SPLITS]
