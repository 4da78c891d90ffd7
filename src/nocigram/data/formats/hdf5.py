"""HDF5 files of other tools. PyTables, which reads DeepLabCut's, knows no texts of variable length; h5py does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nocigram.core.errors import InputError

if TYPE_CHECKING:
    import h5py


@contextmanager
def opened_hdf5(path: Path) -> "Iterator[h5py.File]":
    """Open a file for reading.

    Raises:
        InputError: it can't be opened, or what is read of it within the block is broken or not there.
    """
    import h5py

    try:
        with h5py.File(path, "r") as content:
            yield content
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["nothing"])[0].rstrip(".")
        raise InputError(
            f"{path.name}: expected an HDF5 file that is whole, got '{reason}'. Copy or export it again."
        ) from error


def array_in(group: "h5py.Group", name: str) -> np.ndarray:
    """A data set, read whole.

    Raises:
        InputError: there is none of this name.
    """
    import h5py

    node = group.get(name)
    if not isinstance(node, h5py.Dataset):
        where = Path(group.file.filename).name
        raise InputError(f"{where}: expected a data set '{name}' in '{group.name}', got none. Export the file again.")
    return np.asarray(node[()])


def text_of(value: Any) -> str:
    """A text as h5py gives it: bytes, numpy bytes, an array of one, or a text."""
    value = value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def texts_of(values: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text_of(value) for value in np.asarray(values).ravel())
