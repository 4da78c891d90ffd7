"""Launching independent jobs, here or on a cluster."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from nocigram.config.launch import LaunchOptions
from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.core.files import real_path
from nocigram.evaluation.wording import counted
from nocigram.study.jobs import Ending, Job
from nocigram.study.local_jobs import run_here
from nocigram.study.slurm_jobs import run_on_slurm


class FailedJobsError(InputError):
    """Some jobs ended badly; the message names each with its log."""

    def __init__(self, faults: Sequence[Fault], *, values: dict[str, Any]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.values = values
        """What the jobs that ended well returned, by name."""


def launch(jobs: Sequence[Job], *, options: LaunchOptions, logs: Path) -> dict[str, Any]:
    """Run independent jobs, wait for all, and say how each ended. An interruption (Ctrl-C) ends those still running.

    Args:
        jobs: each of another name.
        options: where they run.
        logs: folder for what the jobs print; made if it is missing.

    Returns:
        What each job returned, by name, in the order of the jobs.

    Raises:
        FailedJobsError: a job raised or crashed; the others ran to their end.
        MissingExtraError: the launcher's package is not installed.
        InputError: the options are wrong, two jobs have one name, or the cluster can't be had.
    """
    raise_faults([*options.faults(), *_name_faults(jobs)])
    logs = real_path(logs)
    logs.mkdir(parents=True, exist_ok=True)
    endings = _run(jobs, options=options, logs=logs)
    answers = {job.name: endings[number].answer for number, job in enumerate(jobs)}
    values = {name: answer.value for name, answer in answers.items() if answer.error is None}
    faults = [_fault_of(job, endings[number]) for number, job in enumerate(jobs) if job.name not in values]
    if faults:
        raise FailedJobsError(faults, values=values)
    return values


def _run(jobs: Sequence[Job], *, options: LaunchOptions, logs: Path) -> dict[int, Ending]:
    """Run jobs to their end, by number; print each that ends."""
    print(f"[info] Running {counted(len(jobs), 'job')} (--launcher {options.launcher}), logs in {logs}")
    endings: dict[int, Ending] = {}
    run = (
        run_on_slurm(jobs, options=options, logs=logs)
        if options.launcher == "slurm"
        else run_here(jobs, logs=logs, n_at_once=options.jobs)
    )
    with closing(run):
        for ending in run:
            endings[ending.number] = ending
            label, how = ("info", "done") if ending.answer.error is None else ("warn", "failed")
            print(f"[{label}] {jobs[ending.number].name}: {how} ({len(endings)} of {len(jobs)})", flush=True)
    return endings


def _name_faults(jobs: Sequence[Job]) -> list[Fault]:
    """Names that two jobs share, or would share as a file."""
    files = [job.file_name for job in jobs]
    return [
        Fault(where=job.name, expected="another name than other jobs'", got="it twice", fix="Name each job once.")
        for number, job in enumerate(jobs)
        if job.file_name in files[:number]
    ]


def _fault_of(job: Job, ending: Ending) -> Fault:
    """What is to be said of a job that ended badly."""
    first_line = str(ending.answer.error).splitlines()[0].rstrip(".")
    return Fault(
        where=job.name, expected="a job that ends well", got=first_line, fix=f"Its log says more: {ending.log}."
    )
