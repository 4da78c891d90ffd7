"""Named builders: a decorator that registers one, and the record of what was registered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from nocigram.core.errors import InputError

BuilderT = TypeVar("BuilderT", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[BuilderT]):
    """One registered builder."""

    name: str
    summary: str
    """One sentence for tables and errors."""
    source: str
    """Paper or library that it follows."""
    build: BuilderT


class Registry(Generic[BuilderT]):
    """The builders of one kind, by name, in the order of their registration."""

    def __init__(self, flag: str) -> None:
        self._flag = flag
        self._entries: dict[str, Entry[BuilderT]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Every registered name."""
        return tuple(self._entries)

    def register(self, name: str, *, summary: str, source: str) -> Callable[[BuilderT], BuilderT]:
        """Decorator: make a builder known under `name`."""

        def add(build: BuilderT) -> BuilderT:
            if name in self._entries:
                raise ValueError(f"{self._flag}: expected {name!r} to be registered once, got it twice")
            self._entries[name] = Entry(name=name, summary=summary, source=source, build=build)
            return build

        return add

    def __getitem__(self, name: str) -> Entry[BuilderT]:
        """The entry of that name; `InputError` with the known names if there is none."""
        if name not in self._entries:
            known = ", ".join(self.names)
            raise InputError(f"{self._flag}: expected one of {known}, got {name!r}. Correct its spelling.")
        return self._entries[name]
