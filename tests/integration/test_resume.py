"""Runs with one seed are equal, and so is a run that was stopped and continued."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from nocigram.cli.main import main
from nocigram.training.module import ActionModule
from nocigram.training.validation import Validation

SCRIPT = Path(__file__).with_name("stopped_training.py")


@pytest.fixture
def impatient(monkeypatch):
    """A plateau scheduler that halves at once, here and in processes started from here."""
    monkeypatch.setattr("nocigram.training.schedule.PLATEAU_PATIENCE", 0)
    monkeypatch.setenv("PLATEAU_PATIENCE", "0")


@pytest.fixture
def stopped(study):
    """Train in a process that a signal stops; gives the process when it has ended."""

    def run(out, *flags, by, epoch, batch):
        command = [SCRIPT, by.name, str(epoch), str(batch), *study.train_command(out, *flags)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, env=environment, check=False, timeout=120
        )

    return run


def results_of(out):
    """The best model and the point at the start of the last epoch, without what names the run's folder or its past."""
    best = torch.load(out / "best_model_multitask.pt")
    # a resumed run has a score of the run before it on another device than its own
    last = torch.load(out / "training" / "resume.ckpt", map_location="cpu")
    for name in ("out", "resume"):
        del best["args"][name]
    last.pop("loops")  # Lightning's counters of this process
    return {"best": best, "last": last}


def history_of(out):
    """Every number that was logged, run after run."""
    logs = sorted((out / "training" / "logs").glob("version_*/metrics.csv"))
    return pd.concat([pd.read_csv(path) for path in logs]).groupby("epoch").last()


def test_two_runs_with_one_seed_are_equal_and_with_another_are_not(study, tmp_path, differences):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        study.train(tmp_path / name, "--seed", seed, "--epochs", "2", "--aug_hflip")
    first, again, other = (results_of(tmp_path / name) for name in ("a", "b", "c"))

    assert differences(first, again) == []
    pd.testing.assert_frame_equal(history_of(tmp_path / "a"), history_of(tmp_path / "b"))
    assert [name for name in differences(first, other) if "model_state_dict" in name]


def test_no_step_of_an_epoch_is_asked_for_numbers(study, tmp_path, monkeypatch):
    end = Validation.on_train_batch_end
    steps = []

    def watched(*arguments):
        with monkeypatch.context() as within:
            for ask in ("__float__", "item", "tolist", "cpu"):
                within.setattr(torch.Tensor, ask, lambda self: pytest.fail("a GPU would be waited for"))
            end(*arguments)
        steps.append(arguments)

    monkeypatch.setattr(Validation, "on_train_batch_end", watched)
    study.train(tmp_path, "--streams", "pose", "--epochs", "1")
    assert steps


@pytest.mark.parametrize("epoch", [0, 2])
def test_what_cannot_be_deterministic_is_said_and_the_run_ends_like_one_without_it(
    study, tmp_path, differences, monkeypatch, capsys, epoch
):
    flags = ("--use_ema", "--streams", "pose", "--scheduler", "plateau")
    study.train(tmp_path / "whole", *flags)
    assert "is not deterministic" not in capsys.readouterr().out
    assert torch.is_deterministic_algorithms_warn_only_enabled(), "what comes after a training is not refused"
    backward = ActionModule.backward

    def refusing(module, loss):
        if module.current_epoch == epoch and not torch.is_deterministic_algorithms_warn_only_enabled():
            raise RuntimeError("max_pool3d_backward_cuda does not have a deterministic implementation, but you set")
        backward(module, loss)

    monkeypatch.setattr(ActionModule, "backward", refusing)
    study.train(tmp_path / "refused", *flags)
    line = "[info] max_pool3d_backward_cuda is not deterministic: runs with one seed may differ in their last digits"
    assert capsys.readouterr().out.count(line) == 1

    assert differences(results_of(tmp_path / "whole"), results_of(tmp_path / "refused")) == []
    pd.testing.assert_frame_equal(history_of(tmp_path / "whole"), history_of(tmp_path / "refused"), check_like=True)


def test_another_error_of_a_step_is_not_taken_for_a_refusal(study, tmp_path, monkeypatch):
    def broken(module, loss):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(ActionModule, "backward", broken)
    with pytest.raises(RuntimeError, match="an illegal memory access"):
        study.train(tmp_path, "--streams", "pose", "--epochs", "1")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_missing_is_said_before_anything_is_read(study, tmp_path, capsys):
    assert main(study.train_command(tmp_path, "--accelerator", "gpu")) == 2
    said = capsys.readouterr()
    assert "--accelerator gpu: expected such a device, got none. Use auto or cpu." in said.err
    assert said.out == ""
    assert not (tmp_path / "training").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(("--scheduler", "cosine"), id="cosine, plain"),
        pytest.param(("--scheduler", "plateau", "--use_ema", "--ema_decay", "0.9"), id="plateau, ema"),
        pytest.param(
            ("--scheduler", "cosine", "--use_ema", "--ema_decay", "0.9", "--finetune", "lora"),
            id="cosine, ema of adapters",
        ),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_run_killed_in_its_second_epoch_and_continued_ends_like_one_never_stopped(
    study, tmp_path, differences, stopped, flags
):
    study.train(tmp_path / "whole", *flags)
    killed = stopped(tmp_path / "cut", *flags, by=signal.SIGKILL, epoch=1, batch=1)
    assert killed.returncode == -signal.SIGKILL
    assert (killed.stdout.count("Val loss"), killed.stdout.count("Epoch ")) == (1, 2), killed.stdout
    study.train(tmp_path / "cut", *flags, "--resume")

    assert differences(results_of(tmp_path / "whole"), results_of(tmp_path / "cut")) == []
    whole, cut = history_of(tmp_path / "whole"), history_of(tmp_path / "cut")
    pd.testing.assert_frame_equal(whole, cut, check_like=True)
    assert len(whole) == 4


@pytest.mark.slow
def test_ctrl_c_leaves_a_point_to_resume_from_and_twice_is_as_good_as_once(study, tmp_path, differences, stopped):
    flags = ("--use_ema", "--freeze_backbone_epochs", "9", "--streams", "pixels+pose")
    study.train(tmp_path / "whole", *flags)
    for epoch, more in ((0, ()), (2, ("--resume",))):
        interrupted = stopped(tmp_path / "cut", *flags, *more, by=signal.SIGINT, epoch=epoch, batch=1)
        assert interrupted.returncode == 130, interrupted.stderr
        assert "[info] Stopped. The same command with --resume continues at the start of this epoch." in (
            interrupted.stdout
        )
        assert "Traceback" not in interrupted.stderr
    study.train(tmp_path / "cut", *flags, "--resume")

    assert differences(results_of(tmp_path / "whole"), results_of(tmp_path / "cut")) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(
            ("--lr", "1e-4", "--hidden_dim", "8"),
            "--resume: expected the options of the stopped run, got --hidden_dim 8 (was 16), --lr 0.0001 (was 0.003). "
            "Give them as they were.",
            id="two other options",
        ),
        pytest.param(("--seed", "9"), "--seed 9 (was 0)", id="another seed"),
    ],
)
def test_a_run_is_not_continued_with_other_options(study, tmp_path, capsys, flags, message):
    study.train(tmp_path, "--epochs", "1", "--streams", "pose")
    before = (tmp_path / "training" / "resume.ckpt").read_bytes()

    assert main(study.train_command(tmp_path, "--epochs", "1", "--streams", "pose", "--resume", *flags)) == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "training" / "resume.ckpt").read_bytes() == before


def test_nothing_to_resume_is_said(study, tmp_path, capsys):
    assert main(study.train_command(tmp_path, "--resume")) == 2
    assert f"--resume: expected a stopped run in {tmp_path / 'training'}, got none" in capsys.readouterr().err


def test_a_finished_run_that_is_resumed_ends_as_before(study, tmp_path, differences):
    flags = (
        "--streams",
        "pose",
        "--early_stop_patience",
        "1",
        "--epochs",
        "12",
        "--lr",
        "1e-6",
        "--warmup_epochs",
        "0",
    )
    study.train(tmp_path, *flags)
    before = results_of(tmp_path)
    assert before["last"]["epoch"] < 11
    study.train(tmp_path, *flags, "--resume")

    assert differences(before, results_of(tmp_path)) == []


def test_a_new_run_forgets_the_point_of_an_older_one_before_anything_is_decoded(study, tmp_path, monkeypatch):
    study.train(tmp_path, "--streams", "pose", "--epochs", "1")

    def fail(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nocigram.training.run.with_sources", fail)
    assert main(study.train_command(tmp_path, "--streams", "pose", "--epochs", "2")) == 130
    assert not (tmp_path / "training" / "resume.ckpt").exists()
