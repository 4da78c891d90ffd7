"""Commands in forked children of a process that has imported everything, so that each starts at once and can be killed.

The parent itself computes nothing: a process that has threads can't be forked safely.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import nocigram.prediction
import nocigram.study.compare
import nocigram.study.evaluate
import nocigram.training  # noqa: F401 - with the three above: all that the commands import late
from nocigram.cli.main import main
from nocigram.study import local_jobs

_LOOK_S = 0.01
_GONE_S = 10.0


def started(work: Callable[[], int], *, log: Path) -> int:
    """Start work in a child that leads a process group of its own; returns its number."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        torch.set_num_threads(1)
        status = work()
    except BaseException:  # noqa: BLE001 - a child must not return into its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def command(arguments: Sequence[str]) -> Callable[[], int]:
    """A command of nocigram. Its jobs are forked, since new processes would import everything anew."""
    forking = multiprocessing.get_context("fork")

    def work() -> int:
        local_jobs.multiprocessing.get_context = lambda _: forking  # type: ignore[assignment]
        return main(list(arguments))

    return work


def finished(child: int) -> int:
    """Wait for a child; returns its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(child: int, *, after_s: float) -> bool:
    """Kill a child and all that it started after a while; False where it had ended before."""
    deadline = time.monotonic() + after_s
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(_LOOK_S)
    with contextlib.suppress(ProcessLookupError):  # it has not called setsid yet
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    was_running = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    _wait_for_group(child)
    return was_running


def _wait_for_group(child: int) -> None:
    """Until the jobs that it started are gone, too."""
    deadline = time.monotonic() + _GONE_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(child, signal.SIGKILL)
            time.sleep(_LOOK_S)
