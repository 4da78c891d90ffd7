"""Errors that a user can mend, and the faults they are made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SENTENCE = re.compile(r"(?P<where>.*?): expected (?P<expected>.*?), got (?P<got>.*?)(?:\.(?: (?P<fix>[A-Z].*))?)?")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with an input, in the words of the person who can mend it."""

    where: str
    """File, trial or flag."""
    expected: str
    got: str
    fix: str
    """A sentence that ends with a full stop."""

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.got}. {self.fix}"


class InputError(ValueError):
    """Something that the user gave can't be used. The command line prints it as one line and exits with 2."""

    label = "error"
    """Word before the message on the command line."""

    def __init__(self, message: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self._faults = tuple(faults)

    def faults(self, *, where: str) -> list[Fault]:
        """The faults that the message is made of, one a line.

        Args:
            where: of a line that is written otherwise, which stands whole in `got`.
        """
        if self._faults:
            return list(self._faults)
        found = []
        for line in str(self).splitlines():
            match = _SENTENCE.fullmatch(line)
            words = match.groupdict() if match else {"where": where, "expected": "a file that can be used", "got": line}
            found.append(Fault(**{**words, "fix": words.get("fix") or ""}))
        return found


class NoSamplesError(InputError):
    """No usable trial was found; the message carries the table of reasons."""

    label = "ValueError"  # the guide documents this word, and people search for it


class MissingExtraError(InputError):
    """An optional dependency is needed and not installed."""

    def __init__(self, feature: str, *, package: str, extra: str) -> None:
        super().__init__(
            f"{feature}: expected the package '{package}', got none. Install it with: pip install 'nocigram[{extra}]'."
        )


def reason_in(error: Exception, *, line: int = 0) -> str:
    """One line of what a library's error says, without its full stop; its kind where it says nothing."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    lines = [text for text in said.splitlines() if text.strip()]
    return " ".join(lines[line].split()).rstrip(".") if lines else type(error).__name__


def raise_faults(faults: Sequence[Fault]) -> None:
    """Raise one `InputError` that names every fault; do nothing when there is none."""
    if faults:
        raise InputError("\n".join(map(str, faults)), faults=faults)
