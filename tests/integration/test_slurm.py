"""Jobs through a real Slurm, started for these tests."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slurm_node import slurm_node, why_not

from nocigram.cli.main import main
from nocigram.config.launch import LaunchOptions
from nocigram.core.errors import InputError
from nocigram.simulation import simulate
from nocigram.study import slurm_jobs
from nocigram.study.jobs import Job
from nocigram.study.launch import FailedJobsError, launch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "study"))
import launched

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
SLURM = LaunchOptions(launcher="slurm", cpus=1, mem_gb=0.5, timeout_minutes=5)


@pytest.fixture(scope="module")
def node():
    """Variables by which the commands find a cluster of one node; nothing of it stays behind."""
    pytest.importorskip("submitit")
    with slurm_node() as variables:
        yield variables


@pytest.fixture(autouse=True)
def cluster(node, monkeypatch):
    """The node as this process's cluster, looked at more often than is polite on a shared one."""
    for name, value in node.items():
        monkeypatch.setenv(name, value)
    here = [str(Path(launched.__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, here)))
    monkeypatch.setattr(slurm_jobs, "_LOOK_S", 0.3)
    monkeypatch.setattr(slurm_jobs, "_QUEUE_LOOK_S", 1.0)


def queue() -> list[str]:
    """Jobs that wait or run."""
    return subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True).stdout.splitlines()


def wait_until(is_so, *, most_s=20):
    end = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def is_running(pid):
    """A process that has ended and that nobody waited for is not running."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="utf-8")


def test_four_jobs_give_on_slurm_what_they_give_here(tmp_path):
    jobs = [Job(name=f"job {n}", function=launched.squared, arguments={"number": n}) for n in range(4)]
    here = launch(jobs, options=LaunchOptions(), logs=tmp_path / "local")
    there = launch(jobs, options=SLURM, logs=tmp_path / "slurm")
    assert there == here == {f"job {n}": {"number": n, "squared": n**2} for n in range(4)}
    assert list(there) == list(here)


def test_crossval_of_four_trainings_gives_on_slurm_the_figures_that_it_gives_here(tmp_path):
    study = tmp_path / "study"
    simulate(study, n_animals=4, n_trials=1, seed=0, size_px=96)
    places = ["--annotations", str(study / "Annotations"), "--videos", str(study / "Videos"), "--accelerator", "cpu"]
    tiny = [
        "--epochs",
        "2",
        "--min_windows",
        "1",
        "--members",
        "1",
        "--hidden_dim",
        "8",
        "--folds",
        "2",
        "--seeds",
        "2",
    ]
    command = ["crossval", *places, "--approach", "pose_only", *tiny]
    on_slurm = ["--launcher", "slurm", "--cpus", "1", "--mem_gb", "2", "--timeout_minutes", "5"]
    assert main([*command, "--out", str(tmp_path / "there"), *on_slurm]) == 0
    assert main([*command, "--out", str(tmp_path / "here")]) == 0
    there, here = (tmp_path / name / "metrics.json" for name in ("there", "here"))
    assert len(list((tmp_path / "there" / "cells").glob("*/cell.json"))) == 4
    assert there.read_text(encoding="utf-8") == here.read_text(encoding="utf-8")


def test_jobs_that_fail_are_named_with_the_log_and_lose_no_other(tmp_path):
    jobs = [
        Job(name="crash", function=launched.killed),
        Job(name="refused", function=launched.refused, arguments={"reason": "no frames"}),
        Job(name="two", function=launched.squared, arguments={"number": 2}),
    ]
    with pytest.raises(FailedJobsError) as raised:
        launch(jobs, options=SLURM, logs=tmp_path)
    crash, refused = str(raised.value).splitlines()
    assert raised.value.values == {"two": {"number": 2, "squared": 4}}
    assert crash.startswith("crash: expected a job that ends well, got a job that left the queue without a result. Its")
    assert refused.startswith("refused: expected a job that ends well, got ValueError: no frames. Its log says more: ")
    log = Path(refused.split("Its log says more: ")[1].removesuffix("."))
    assert "in refused" in log.read_text(encoding="utf-8")


def test_a_single_job_is_no_array_and_runs_all_the_same(tmp_path):
    jobs = [Job(name="three", function=launched.squared, arguments={"number": 3})]
    assert launch(jobs, options=SLURM, logs=tmp_path) == {"three": {"number": 3, "squared": 9}}


def test_an_interruption_cancels_the_jobs_that_were_started(tmp_path, monkeypatch):
    files = [tmp_path / f"pid{n}" for n in range(3)]
    jobs = [Job(name=file.name, function=launched.endless, arguments={"pid_file": file}) for file in files]

    def interrupted(seconds):
        if any(file.exists() for file in files):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(slurm_jobs.time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            launch(jobs, options=SLURM, logs=tmp_path / "logs")
    started = [int(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    assert started
    wait_until(lambda: not queue())
    assert not any(is_running(pid) for pid in started)


def test_a_partition_that_is_not_there_is_refused(tmp_path):
    options = LaunchOptions(launcher="slurm", partition="nowhere")
    with pytest.raises(
        InputError, match=r"^--launcher slurm: expected Slurm to take the jobs, got: .*nowhere|partition"
    ):
        launch([Job(name="a", function=launched.killed)], options=options, logs=tmp_path)
