"""Independent jobs, and how each ended."""

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def as_file_name(name: str) -> str:
    """A name without what a file's can't have."""
    return re.sub(r"[^\w.-]+", "_", name)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A call of a function that needs nothing of other jobs and writes its own files."""

    name: str
    """Differs from the other jobs'; messages and logs bear it."""
    function: Callable[..., Any]
    """Importable by its name, since another process calls it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """By keyword; plain values."""

    @property
    def file_name(self) -> str:
        """The name as a file's."""
        return as_file_name(self.name)

    def run(self) -> "Answer":
        """Call the function here. What it raises becomes its answer; the traceback goes to stderr, which is the log."""
        try:
            return Answer(value=self.function(**self.arguments))
        except Exception as error:  # noqa: BLE001 - whatever a job raises is how it ended, and no other job's concern
            traceback.print_exc()
            return Answer(error=f"{type(error).__name__}: {error}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a job gave back."""

    value: Any = None
    """What the function returned; plain values."""
    error: str | None = None
    """Why it ended badly, in words; None where it ended well."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended."""

    number: int
    """Its place among the jobs, from 0."""
    answer: Answer
    log: Path
    """What it printed."""
