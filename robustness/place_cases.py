"""Names and paths of every kind, links that go in circles, folders that can't be written, disks that are full."""

import contextlib
import csv
import os
import resource
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from robustness.cases import ALL_TRIALS, Case, Spoil, trials_of
from robustness.study import ANIMALS, COMMANDS, Study

_FOLDERS = ("check", "train", "evaluate")
_LATIN_1 = os.fsdecode("S\u00fc\u00dfe_Maus".encode("latin-1"))
"""A name that is no UTF-8: Python holds its bytes as lone surrogates, which can't be printed."""


def _renamed(name: str, *, animal: str = "a") -> Spoil:
    """A recording of another name, in all of its files and in recordings.csv."""

    def spoil(study: Study) -> None:
        old, study.names = study.names[animal], {**study.names, animal: name}
        for path in sorted(study.folder.rglob("*")):
            if old in path.name:
                path.rename(path.with_name(path.name.replace(old, name)))
        rows = [
            [name if cell == old else cell for cell in line.split(",")] for line in study.table.read_text().splitlines()
        ]
        with study.table.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            csv.writer(file).writerows(rows)

    return spoil


def _moved(*parts: str) -> Spoil:
    """The whole study in a folder of another name."""

    def spoil(study: Study) -> None:
        target = study.folder.joinpath(*parts)
        target.mkdir(parents=True)
        for name in ("Videos", "Annotations", "recordings.csv"):
            (study.folder / name).rename(target / name)
        study.folders = {"annotations": target / "Annotations", "videos": target / "Videos"}

    return spoil


def _flag(flag: str, make: Callable[[Study], Path], *commands: str) -> Spoil:
    """A flag with a path."""

    def spoil(study: Study) -> None:
        path = make(study)
        for command in commands:
            study.flags.setdefault(command, []).extend([flag, str(path)])

    return spoil


def _folder(flag: str, make: Callable[[Path], object]) -> Spoil:
    """Something else as one of the input's folders."""

    def spoil(study: Study) -> None:
        path = study.place / "given"
        make(path)
        study.folders[flag] = path

    return spoil


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


def _file(path: Path) -> Path:
    path.write_text("a file\n")
    return path


def _mounted(study: Study, where: str, *options: str) -> None:
    """Mount at a folder of the copy until the case has ended; unmounted before it is removed."""
    place = study.place / where
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(place)], check=True, capture_output=True)
    study.undo.append(lambda: subprocess.run(["umount", str(place)], check=True))


def _can_mount() -> bool:
    """Mounting needs rights that containers often lack."""
    place = Path("/tmp") / f"nocigram-mount-{os.getpid()}"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode == 0:
        subprocess.run(["umount", str(place)], check=True)
    place.rmdir()
    return done.returncode == 0


def _full(kib: int, what: str) -> Spoil:
    """The outputs, or the cache, on a disk with so much room."""

    def spoil(study: Study) -> None:
        _mounted(study, "small", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs")
        if what == "outputs":
            study.out = study.place / "small"
        else:
            study.cache = study.place / "small"

    return spoil


def _read_only(what: str) -> Spoil:
    """Folders that can't be written, for root either."""

    def spoil(study: Study) -> None:
        if what == "input":
            _mounted(study, "study", "--bind", "-o", "ro", str(study.folder))
            return
        _mounted(study, "small", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs")
        if what == "outputs":
            study.out = study.place / "small"
        else:
            study.cache = study.place / "small"

    return spoil


def _largest_file(n_bytes: int) -> Spoil:
    """No file may become larger, as under a quota."""

    @contextlib.contextmanager
    def limited() -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def spoil(study: Study) -> None:
        study.cache = study.place / "cache"
        study.around = limited

    return spoil


def _as_nobody(change: Callable[[Study], object]) -> Spoil:
    """Without the rights of root, for whom nothing is read-only."""

    @contextlib.contextmanager
    def nobody() -> Iterator[None]:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    def spoil(study: Study) -> None:
        for path in (study.place, study.place.parent, study.place.parent.parent):
            path.chmod(0o755)
        study.out.mkdir(exist_ok=True)
        study.cache = study.place / "cache"
        study.cache.mkdir()
        for path in (study.out, study.cache):
            path.chmod(0o777)
        change(study)
        study.around = nobody

    return spoil


def _same(name: str, spoil: Spoil, **more: object) -> Case:
    """No fault: everything is as in the healthy study."""
    return Case(kind="place", name=name, spoil=spoil, **more)


def _refused(name: str, spoil: Spoil, *says: str, by: tuple[str, ...] = COMMANDS) -> Case:
    """These commands refuse it."""
    lost = ALL_TRIALS if "check" in by else frozenset()
    return Case(kind="place", name=name, spoil=spoil, runs=by, refused=by, lost=lost, says=says)


_LONG = "m" * 200
_NAMES = {
    "with blanks": "shortened mouse 3 (left)",
    "with an umlaut": "shortened_M\u00fcller",
    "with an umlaut of two signs": unicodedata.normalize("NFD", "shortened_M\u00fcller"),
    "in Japanese": "shortened_\u30de\u30a6\u30b9",
    "with a picture sign": "shortened_\U0001f401",
    "with quotes": "shortened_'it''s'\"x\"",
    "with a percent sign": "shortened_50%_{0}_$HOME",
    "with a backslash": "shortened_a\\b",
    "with dots": "shortened.2023.05",
    "with DeepLabCut's mark": "shortenedDLC2",
    "with _labeled within": "shortened_labeled_not",
    "that begins with a dash": "-shortened",
    "with a line end": "shortened\nx",
    "of 200 signs": "shortened_" + "m" * 150,
    "of 70 Japanese signs": "s" + "\u30de" * 50,
    "like a prediction's": "prediction_1.mp4_1",
}
_WORDS = r"expected .*, got .*\. [A-Z]"
LEFT_OUT: list[str] = []
"""Kinds of cases that can't be tried here, and why."""
_DISKS: list[Case] = []
if not _can_mount():
    LEFT_OUT.append("disks that are full or read-only, since nothing can be mounted here")
else:
    _DISKS = [
        *(
            Case(
                kind="disk",
                name=f"outputs on a disk of {kib} KiB",
                spoil=_full(kib, "outputs"),
                runs=("train", "predict", "evaluate"),
                is_open=True,
            )
            for kib in (4, 16, 64, 256, 1024)
        ),
        *(
            _refused(f"a cache on a disk of {kib} KiB", _full(kib, "cache"), "--cache_dir", by=("train", "evaluate"))
            for kib in (4, 64, 512, 2048)
        ),
        _refused(
            "outputs on a disk that is read-only",
            _read_only("outputs"),
            "small.*[Rr]ead-only",
            by=("train", "predict", "evaluate"),
        ),
        _refused("a cache on a disk that is read-only", _read_only("cache"), "--cache_dir", by=("train", "evaluate")),
        _same("the input on a disk that is read-only", _read_only("input")),
    ]
_RIGHTS: list[Case] = []
if os.geteuid() != 0:
    LEFT_OUT.append("folders without permission, since only root can become another user")
else:
    _RIGHTS = [
        _same("an input that may only be read", _as_nobody(lambda study: None)),
        *(
            _refused(
                f"outputs in a folder that may not be written, {command}",
                _as_nobody(lambda study: study.out.chmod(0o555)),
                "out",
                by=(command,),
            )
            for command in ("train", "predict", "evaluate")
        ),
        _refused(
            "a cache that may not be written",
            _as_nobody(lambda study: study.cache.chmod(0o555)),
            "--cache_dir",
            by=("train", "evaluate"),
        ),
        _refused(
            "videos that may not be listed",
            _as_nobody(lambda study: study.folders["videos"].chmod(0o000)),
            "Videos",
            by=COMMANDS,
        ),
        _refused(
            "labels that may not be listed",
            _as_nobody(lambda study: study.folders["annotations"].chmod(0o000)),
            "Annotations",
            by=_FOLDERS,
        ),
        Case(
            kind="place",
            name="a video that may not be read",
            spoil=_as_nobody(lambda study: study.video("a").chmod(0o000)),
            lost=trials_of("a"),
            unpredicted=frozenset("a"),
            says=(r"_tracking\.mp4: expected a video, got 'Permission denied'",),
        ),
        Case(
            kind="place",
            name="a pose file that may not be read",
            spoil=_as_nobody(lambda study: study.pose("a").chmod(0o000)),
            lost=trials_of("a"),
            unpredicted=frozenset("a"),
            says=(r"\.csv: expected .*Permission denied",),
        ),
        Case(
            kind="place",
            name="labels that may not be read",
            spoil=_as_nobody(lambda study: study.annotation("a", 1).chmod(0o000)),
            lost=frozenset({"a1"}),
            runs=_FOLDERS,
            says=(r"_1\.csv: expected .*Permission denied",),
        ),
        _refused(
            "a recordings.csv that may not be read",
            _as_nobody(lambda study: study.table.chmod(0o000)),
            r"recordings\.csv: expected .*Permission denied",
            by=_FOLDERS,
        ),
        _refused(
            "a checkpoint that may not be read",
            _as_nobody(lambda study: study.checkpoint.chmod(0o000)),
            r"best_model_multitask\.pt",
            by=("predict", "evaluate"),
        ),
    ]

CASES = [
    *(_same(f"a name {how}", _renamed(name), trains_otherwise=True) for how, name in _NAMES.items()),
    Case(kind="place", name="a name in Latin-1", spoil=_renamed(_LATIN_1), trains_otherwise=True, is_open=True),
    *(
        _same(f"a folder {how}", _moved(name))
        for how, name in {
            "with blanks": "my mice (3)",
            "with an umlaut": "M\u00e4use",
            "in Japanese": "\u30de\u30a6\u30b9",
            "with quotes": 'it\'s "x"',
            "with a percent sign": "50% {x}",
            "that begins with a dash": "-f",
            "of 200 signs": _LONG,
            "with a star": "a*[b]?",
        }.items()
    ),
    Case(kind="place", name="a folder in Latin-1", spoil=_moved(_LATIN_1), is_open=True),
    _same("a path of 3000 signs", _moved(*[_LONG] * 14), is_open=True),
    _same("a loop of links among the videos", lambda study: (study.folder / "Videos/again").symlink_to("..")),
    _same(
        "a loop of links among the labels",
        lambda study: (study.folder / "Annotations/again.csv").symlink_to("again.csv"),
    ),
    _same(
        "folders that are links",
        lambda study: (study.folder.rename(study.place / "real"), study.folder.symlink_to(study.place / "real")),
    ),
    *(
        _refused(
            f"videos: {how}",
            _folder("videos", make),
            r"given: expected .*a folder of videos, got (none|nothing there)\. Correct the path",
        )
        for how, make in {"a link to itself": _loop, "nothing": lambda path: None}.items()
    ),
    _refused(
        "videos: a file",
        _folder("videos", _file),
        r"given: expected a folder of videos, got none\. Correct the path",
        by=_FOLDERS,
    ),
    Case(
        kind="place",
        name="videos: a file, to predict",
        spoil=_folder("videos", _file),
        runs=("predict",),
        unpredicted=frozenset(ANIMALS),
        says=("given: expected a video, got ",),
    ),
    *(
        _refused(
            f"annotations: {how}",
            _folder("annotations", make),
            r"given: expected a folder of annotations, got none\. Correct --annotations",
            by=_FOLDERS,
        )
        for how, make in {"a link to itself": _loop, "a file": _file, "nothing": lambda path: None}.items()
    ),
    *(
        _refused(f"poses: {how}", _folder("poses", make), r"given: expected a folder of pose files, got none\. Correct")
        for how, make in {"a link to itself": _loop, "a file": _file, "nothing": lambda path: None}.items()
    ),
    _refused("videos: an empty folder", _folder("videos", Path.mkdir), f"no video named .* in .*given|{_WORDS}"),
    _refused("annotations: an empty folder", _folder("annotations", Path.mkdir), by=_FOLDERS),
    *(
        _refused(
            f"recordings: {how}",
            _flag("--recordings", lambda study, make=make: make(study.place / "given"), *_FOLDERS),
            "--recordings: expected a csv file, got nothing at",
            by=_FOLDERS,
        )
        for how, make in {"a link to itself": _loop, "nothing": lambda path: path}.items()
    ),
    *(
        _refused(
            f"out: {how}",
            _flag("--out", lambda study, make=make: make(study.place / "given"), "train", "predict", "evaluate"),
            rf"given.*: {_WORDS}",
            by=("train", "predict", "evaluate"),
        )
        for how, make in {
            "a link to itself": _loop,
            "a file": _file,
            "a name of 300 signs": lambda path: path / ("x" * 300),
            "within a file": lambda path: _file(path) / "out",
        }.items()
    ),
    *(
        _refused(
            f"cache_dir: {how}",
            _flag("--cache_dir", lambda study, make=make: make(study.place / "given"), "train", "evaluate"),
            "given.*--cache_dir",
            by=("train", "evaluate"),
        )
        for how, make in {
            "a link to itself": _loop,
            "a file": _file,
            "within a file": lambda path: _file(path) / "cache",
        }.items()
    ),
    *(
        Case(
            kind="disk",
            name=f"files of at most {n} bytes",
            spoil=_largest_file(n),
            runs=("train", "predict", "evaluate"),
            is_open=True,
        )
        for n in (0, 100, 5000, 50_000, 500_000)
    ),
    *_RIGHTS,
    *_DISKS,
]
