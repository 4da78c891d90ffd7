"""Jobs on a Slurm cluster, through submitit: one array of jobs, whose queue is Slurm's own."""

import shutil
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from nocigram.config.launch import LaunchOptions
from nocigram.core.errors import InputError, MissingExtraError
from nocigram.study.jobs import Answer, Ending, Job

_LOOK_S = 2.0
_QUEUE_LOOK_S = 20.0
"""Between two looks at the queue; rare, since everybody's jobs share the controller."""


def run_on_slurm(jobs: Sequence[Job], *, options: LaunchOptions, logs: Path) -> Generator[Ending, None, None]:
    """Submit jobs, and give each as it ends; the jobs that have not ended are cancelled with this generator.

    Args:
        jobs: run at once as far as the cluster has room.
        options: what each job may use.
        logs: of the jobs; a folder that this machine and the cluster's nodes see alike.

    Raises:
        MissingExtraError: submitit is not installed.
        InputError: there is no Slurm here, or it refuses the jobs.
    """
    submitted = _submit(jobs, options=options, logs=logs)
    waiting = dict(enumerate(submitted))
    try:
        absent: set[int] = set()
        next_look_s = time.monotonic() + _QUEUE_LOOK_S
        while waiting:
            files = set(logs.iterdir())  # a listing makes network file systems look anew
            ended = {number for number, each in waiting.items() if each.paths.result_pickle in files}
            if time.monotonic() >= next_look_s:
                gone = _not_in_queue(waiting) - ended
                ended |= absent & gone  # at two looks without a result, which may come late
                absent, next_look_s = gone, time.monotonic() + _QUEUE_LOOK_S
            for number in sorted(ended):
                each = waiting.pop(number)
                yield Ending(number=number, answer=_answer_of(each), log=each.paths.stdout)
            if not ended:
                time.sleep(_LOOK_S)
    finally:
        for each in waiting.values():
            each.cancel(check=False)


def _submit(jobs: Sequence[Job], *, options: LaunchOptions, logs: Path) -> list[Any]:
    """Hand the jobs to Slurm, in order."""
    try:
        import submitit
    except ImportError as error:
        raise MissingExtraError("--launcher slurm", package="submitit", extra="slurm") from error
    if shutil.which("srun") is None:
        raise InputError(
            "--launcher slurm: expected the commands of Slurm here, got no srun. "
            "Start this on a login node, or use --launcher local."
        )
    executor = submitit.AutoExecutor(folder=logs, cluster="slurm")
    executor.update_parameters(
        name="nocigram",
        timeout_min=options.timeout_minutes,
        cpus_per_task=options.cpus,
        mem_gb=options.mem_gb,
        slurm_stderr_to_stdout=True,
        **({"slurm_partition": options.partition} if options.partition else {}),
        **({"gpus_per_node": options.gpus} if options.gpus else {}),
    )
    try:
        with executor.batch():
            return [executor.submit(job.run) for job in jobs]
    except submitit.core.utils.FailedJobError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("sbatch: error: ")
        raise InputError(
            f"--launcher slurm: expected Slurm to take the jobs, got: {reason}. Correct the flags."
        ) from error


def _not_in_queue(waiting: dict[int, Any]) -> set[int]:
    """Jobs that neither wait nor run; none where the controller does not answer."""
    command = ["squeue", "--me", "--array", "--noheader", "--format=%i"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        return set()
    queued = {line.strip() for line in answer.stdout.splitlines()}
    return {number for number, each in waiting.items() if each.job_id not in queued}


def _answer_of(submitted: Any) -> Answer:
    """What a job that has ended gave back."""
    if not submitted.paths.result_pickle.exists():
        return Answer(error="a job that left the queue without a result")
    answer: Answer = submitted.result()
    return answer
