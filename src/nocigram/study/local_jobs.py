"""Jobs on this machine, one after another, each in a process of its own.

One after another, since each may use the whole machine. In a process of its own, so that a job which crashes (out of
memory, a fault in a driver) ends alone and leaves neither memory nor threads behind. The processes are new ones
(spawn), since a forked copy of a process that has used a GPU can't use it.
"""

import multiprocessing
import os
import sys
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path

from nocigram.study.jobs import Answer, Ending, Job

_STOP_S = 10


def run_here(jobs: Sequence[Job], *, logs: Path) -> Generator[Ending, None, None]:
    """Run jobs in order; the job that is running ends with this generator."""
    logs.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    for number, job in enumerate(jobs):
        log = logs / f"{job.file_name}.log"
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(job, log, sender), name=job.name)
        process.start()
        sender.close()
        try:
            wait([receiver, process.sentinel])
            answer = _answer_of(receiver)
            process.join()
        finally:
            if process.is_alive():
                process.terminate()
                process.join(_STOP_S)
                process.kill()
            receiver.close()
        crash = Answer(error=f"a process that ended with exit code {process.exitcode}")
        yield Ending(number=number, answer=answer or crash, log=log)


def _work(job: Job, log: Path, sender: Connection) -> None:
    """In the job's process: print to the log, run, send the answer."""
    output = log.open("w", buffering=1, encoding="utf-8")
    for descriptor in (1, 2):  # for libraries that don't print through Python
        os.dup2(output.fileno(), descriptor)
    sys.stdout = sys.stderr = output
    sender.send(job.run())


def _answer_of(receiver: Connection) -> Answer | None:
    """What the job's process sent; None where it ended without a word."""
    if not receiver.poll():  # nothing will come, though a worker that the job left behind may still hold the pipe
        return None
    try:
        answer: Answer = receiver.recv()
    except EOFError:
        return None
    return answer
