"""Large arrays kept on disk: written once, as a whole or not at all, then read as memory maps by any process."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Read once per process unless the file changes."""
    status = path.stat()
    return _content_hash(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _content_hash(path: Path, _size: int, _mtime_ns: int) -> str:
    """The hash; size and time of change only tell a changed file from the one that was read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_key(settings: Mapping[str, Any]) -> str:
    """A short name for content and settings; equal settings give an equal name, whatever their order."""
    return hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class ArrayCache:
    """A folder of `.npy` files, each named by its key.

    Several processes may build the same array at once: each writes under a name of its own and renames it when whole;
    the last one wins and changes nothing, since equal keys mean equal arrays.
    """

    folder: Path

    def path_of(self, key: str) -> Path:
        """Where the array lies, or would lie."""
        return self.folder / f"{key}.npy"

    def get(self, key: str) -> Shaped[np.ndarray, "_ ..."] | None:
        """The array as a read-only memory map; None if it is absent or its file is damaged."""
        path = self.path_of(key)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (FileNotFoundError, ValueError, EOFError):  # cut short, or no npy header
            return None
        is_whole = isinstance(array, np.memmap) and array.offset + array.nbytes == path.stat().st_size
        return array if is_whole else None

    def put(
        self,
        key: str,
        blocks: Iterable[Shaped[np.ndarray, "_ ..."]],
        *,
        row_shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> Shaped[np.ndarray, "_ ..."]:
        """Write an array block by block, so that it never has to fit into memory, and return its memory map.

        Args:
            key: its name.
            blocks: arrays (any number of rows, *row_shape), in order.
            row_shape: shape of one row.
            dtype: of the stored array; blocks are converted.

        Raises:
            Whatever `blocks` raises; nothing is left behind then.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{key[-40:]}.", suffix=".partial", dir=self.folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                _write_npy(file, blocks, row_shape=row_shape, dtype=dtype)
            temporary.chmod(0o644)
            _rename(temporary, self.path_of(key))
        finally:
            temporary.unlink(missing_ok=True)
        array = self.get(key)
        if array is None:
            raise OSError(f"{self.path_of(key)}: expected the array that was just written, got a damaged file")
        return array


def _write_npy(
    file: Any, blocks: Iterable[Shaped[np.ndarray, "_ ..."]], *, row_shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Stream blocks into an npy file; its header leaves room for the number of rows, which is filled in last."""
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False}
    npy.write_array_header_1_0(file, {**header, "shape": (0, *row_shape)})
    header_end, n_rows = file.tell(), 0
    for block in blocks:
        if block.shape[1:] != row_shape:
            raise ValueError(f"ArrayCache: expected rows of shape {row_shape}, got {block.shape[1:]}")
        file.write(np.ascontiguousarray(block, dtype=dtype).data)
        n_rows += len(block)
    file.seek(0)
    npy.write_array_header_1_0(file, {**header, "shape": (n_rows, *row_shape)})
    if file.tell() != header_end:
        raise OSError(f"{file.name}: expected a header of {header_end} bytes, got {file.tell()}")


def _rename(temporary: Path, path: Path) -> None:
    """Put a whole file in its place."""
    try:
        os.replace(temporary, path)
    except PermissionError:
        # Windows refuses to replace a file that another process has mapped; that file holds the same array.
        if not path.exists():
            raise
