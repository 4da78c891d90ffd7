"""Outputs that are whole or absent: written under a temporary name, then renamed."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nocigram.core.errors import InputError


def real_path(path: Path) -> Path:
    """Where a path leads, its links followed; unlike `Path.resolve`, a link to itself leads to itself."""
    return Path(os.path.realpath(path))


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it on success, remove it on any error.

    The temporary name keeps the suffix, since writers of videos and figures choose their format by it. An error of the
    operating system that names no file, such as that of a full disk, names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:80]}.", suffix=f".partial{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o666 & ~_umask())
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged(out: Path, names: Sequence[str]) -> Iterator[Path]:
    """A hidden folder within `out` whose contents move into `out` on success and vanish on any error.

    Args:
        out: folder, made if it is not there.
        names: what may be made in the hidden folder.

    Raises:
        InputError: `out` already holds one of them.
    """
    for name in names:
        if (out / name).exists():
            raise InputError(
                f"{out}: expected a folder without {name}, got one that has it. "
                f"Give another folder, or remove {out / name} first."
            )
    was_there = out.exists()
    out.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".unfinished.", dir=out))
    try:
        yield stage
        for name in names:
            if (stage / name).exists():
                (stage / name).rename(out / name)
    finally:
        shutil.rmtree(stage)
        if not was_there and not any(out.iterdir()):
            out.rmdir()


def write_json(path: Path, content: object) -> None:
    """Write plain values as JSON, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
