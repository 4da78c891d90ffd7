"""Jobs on this machine, each in a process of its own.

So that a job which crashes (out of memory, a fault in a driver) ends alone, and leaves neither memory nor threads
behind. The processes are new ones (spawn), since a forked copy of a process that has used a GPU can't use it. Jobs that
run at once share the processor's cores.
"""

import multiprocessing
import os
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from nocigram.study.jobs import Answer, Ending, Job

_STOP_S = 10
_THREADS = "OMP_NUM_THREADS"


def run_here(jobs: Sequence[Job], *, logs: Path, n_at_once: int = 1) -> Generator[Ending, None, None]:
    """Run jobs in order, so many at once; those that are running end with this generator."""
    logs.mkdir(parents=True, exist_ok=True)
    waiting = list(enumerate(jobs))
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < n_at_once:
                number, job = waiting.pop(0)
                running.append(_started(number, job, log=logs / f"{job.file_name}.log", n_at_once=n_at_once))
            wait([handle for each in running for handle in (each.receiver, each.process.sentinel)])
            for each in [each for each in running if each.receiver.poll() or not each.process.is_alive()]:
                running.remove(each)
                yield each.ended()
    finally:
        for each in running:
            each.stop()


@dataclass(frozen=True, kw_only=True)
class _Running:
    """A job and its process."""

    number: int
    process: BaseProcess
    receiver: Connection
    log: Path

    def ended(self) -> Ending:
        """Wait for the process and take what it says."""
        answer = self._answer()
        self.process.join()
        self.receiver.close()
        crash = Answer(error=f"a process that ended with exit code {self.process.exitcode}")
        return Ending(number=self.number, answer=answer or crash, log=self.log)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.join(_STOP_S)
        self.process.kill()
        self.receiver.close()

    def _answer(self) -> Answer | None:
        """What the process sent; None where it ended without a word."""
        if not self.receiver.poll():  # nothing will come, though a worker that the job left may still hold the pipe
            return None
        try:
            answer: Answer = self.receiver.recv()
        except EOFError:
            return None
        return answer


def _started(number: int, job: Job, *, log: Path, n_at_once: int) -> _Running:
    """Start a job's process; of several at once each gets its share of the cores, unless somebody said otherwise."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    n_threads = max(1, (os.cpu_count() or 1) // n_at_once) if n_at_once > 1 else None
    process = context.Process(target=_work, args=(job, log, sender, n_threads), name=job.name)
    process.start()
    sender.close()
    return _Running(number=number, process=process, receiver=receiver, log=log)


def _work(job: Job, log: Path, sender: Connection, n_threads: int | None) -> None:
    """In the job's process: print to the log, run, send the answer."""
    if n_threads is not None:
        import torch

        if _THREADS not in os.environ:
            torch.set_num_threads(n_threads)
    output = log.open("w", buffering=1, encoding="utf-8", errors="backslashreplace")
    for descriptor in (1, 2):  # for libraries that don't print through Python
        os.dup2(output.fileno(), descriptor)
    sys.stdout = sys.stderr = output
    sender.send(job.run())
