"""Keep h5 files from running code.

pandas and PyTables keep the names of rows and columns as pickles within an h5 file, and read them with a loader that
calls whatever a pickle names. Here it is given one that knows no more than such names need.
"""

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

_KNOWN = frozenset(
    {
        ("_codecs", "encode"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"pandas.core.indexes.{room}", "FrozenList") for room in ("frozen", "base")),
    }
)


class CodeFoundError(pickle.UnpicklingError):
    """A pickle names something that is no plain value."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what plain tables need."""
        if (module, name) not in _KNOWN:
            raise CodeFoundError(f"{module}.{name}")
        return super().find_class(module, name)


@contextmanager
def plain_pickles() -> Iterator[None]:
    """While this lasts, PyTables unpickles plain values only.

    Raises:
        CodeFoundError: in the end, if something else was met.
    """
    refused: list[CodeFoundError] = []

    def loads(data: bytes, **how: Any) -> Any:
        try:
            return _PlainUnpickler(io.BytesIO(data), **how).load()
        except CodeFoundError as error:
            refused.append(error)  # PyTables would take the pickle for text and go on
            raise

    plain = SimpleNamespace(loads=loads, dumps=pickle.dumps, HIGHEST_PROTOCOL=pickle.HIGHEST_PROTOCOL)
    modules: list[Any] = [import_module(f"tables.{name}") for name in ("attributeset", "atom")]
    for module in modules:
        module.pickle = plain
    try:
        yield
    finally:
        for module in modules:
            module.pickle = pickle
        if refused:
            raise refused[0]
