"""Run a command of nocigram in this process, as a shell would see it."""

import contextlib
import io
import signal
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nocigram.cli.main import main


class HangError(BaseException):
    """A command took too long. No `Exception`, so that nothing that catches those takes it for its own."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended."""

    status: int
    """Exit status; -1 where it raised, -2 where it hung."""
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.out + self.err


def run(arguments: Sequence[str], *, timeout_s: int = 300) -> Ran:
    """Run a command to its end."""
    started = time.perf_counter()
    with _captured() as (out, err), _timed(timeout_s):
        try:
            status = main(list(arguments))
        except HangError:
            status = -2
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException:  # noqa: BLE001 - whatever a command raises, its user would see a traceback
            status = -1
            traceback.print_exc()
    return Ran(status=status, out=_text(out), err=_text(err), seconds=time.perf_counter() - started)


@contextlib.contextmanager
def _captured() -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    """Streams that encode as a terminal's do: names that are no text can't be printed to the first one."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with warnings.catch_warnings(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        warnings.simplefilter("always")
        yield out, err


def _text(stream: io.TextIOWrapper) -> str:
    """What was written."""
    stream.flush()
    buffer: io.BytesIO = stream.buffer  # type: ignore[assignment]
    return buffer.getvalue().decode()


@contextlib.contextmanager
def _timed(timeout_s: int) -> Iterator[None]:
    """Raise `HangError` in the main thread after so many seconds."""

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(timeout_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
