import os
import re
import signal
import sys
import threading
import time

import launched
import pytest

from nocigram.config.launch import LaunchOptions
from nocigram.core.errors import InputError, MissingExtraError
from nocigram.study.jobs import Job
from nocigram.study.launch import FailedJobsError, launch

LOCAL, SLURM = LaunchOptions(), LaunchOptions(launcher="slurm")


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def ended(tmp_path, capsys):
    """Four jobs, of which one raises and one crashes: the error, what was printed, and the folder of logs."""
    jobs = [
        Job(name="two", function=launched.squared, arguments={"number": 2}),
        Job(name="fold 1, seed 0", function=launched.refused, arguments={"reason": "no frames.\nNone at all."}),
        Job(name="crash", function=launched.killed),
        Job(name="three", function=launched.squared, arguments={"number": 3}),
    ]
    with pytest.raises(FailedJobsError) as raised:
        launch(jobs, options=LOCAL, logs=tmp_path / "logs")
    return raised.value, capsys.readouterr().out, tmp_path / "logs"


@pytest.mark.slow
def test_a_job_that_fails_takes_no_other_with_it(ended):
    error, printed, logs = ended
    assert error.values == {"two": {"number": 2, "squared": 4}, "three": {"number": 3, "squared": 9}}
    assert str(error).splitlines() == [
        "fold 1, seed 0: expected a job that ends well, got ValueError: no frames. "
        f"Its log says more: {logs / 'fold_1_seed_0.log'}.",
        "crash: expected a job that ends well, got a process that ended with exit code -9. "
        f"Its log says more: {logs / 'crash.log'}.",
    ]
    assert printed.splitlines() == [
        f"[info] Running 4 jobs (--launcher local), logs in {logs}",
        "[info] two: done (1 of 4)",
        "[warn] fold 1, seed 0: failed (2 of 4)",
        "[warn] crash: failed (3 of 4)",
        "[info] three: done (4 of 4)",
    ]
    assert (logs / "two.log").read_text(encoding="utf-8") == "the number is 2\n"
    assert "in refused" in (logs / "fold_1_seed_0.log").read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_interruption_ends_the_job_that_runs_and_starts_no_other(tmp_path):
    pids = [tmp_path / "first", tmp_path / "second"]
    jobs = [Job(name=path.name, function=launched.endless, arguments={"pid_file": path}) for path in pids]

    def interrupt():
        while not pids[0].exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        launch(jobs, options=LOCAL, logs=tmp_path / "logs")
    assert not is_running(int(pids[0].read_text(encoding="utf-8")))
    assert not pids[1].exists()


def test_no_jobs_are_no_work(tmp_path):
    assert launch([], options=LOCAL, logs=tmp_path) == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(["a", "b", "a"], "a: expected another name than other jobs', got it twice. Name", id="one name"),
        pytest.param(["a 1", "a_1"], "a_1: expected another name than other jobs', got it twice. Name", id="one file"),
    ],
)
def test_jobs_that_would_share_a_log_are_refused(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        launch([Job(name=name, function=launched.killed) for name in names], options=LOCAL, logs=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"cpus": 0}, "--cpus: expected at least 1, got 0. Correct the flag.", id="no processor"),
        pytest.param({"gpus": -1}, "--gpus: expected at least 0, got -1. Correct the flag.", id="fewer than no GPU"),
        pytest.param({"mem_gb": 0.0}, "--mem_gb: expected at least 0.1, got 0.0. Correct", id="no memory"),
        pytest.param({"timeout_minutes": 0}, "--timeout_minutes: expected at least 1, got 0. Correct", id="no time"),
        pytest.param(
            {"partition": "gpu"},
            "--partition: expected --launcher slurm with it, got --launcher local. Add --launcher slurm, or leave",
            id="a partition of no cluster",
        ),
    ],
)
def test_options_that_cannot_be_right_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        launch([], options=LaunchOptions(**options), logs=tmp_path)


def test_slurm_without_submitit_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    message = (
        "--launcher slurm: expected the package 'submitit', got none. Install it with: pip install 'nocigram[slurm]'."
    )
    with pytest.raises(MissingExtraError, match=re.escape(message)):
        launch([Job(name="a", function=launched.killed)], options=SLURM, logs=tmp_path)


def test_slurm_on_a_machine_without_it_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "--launcher slurm: expected the commands of Slurm here, got no srun. Start this on a login node, or use"
    with pytest.raises(InputError, match=message):
        launch([Job(name="a", function=launched.killed)], options=SLURM, logs=tmp_path)
