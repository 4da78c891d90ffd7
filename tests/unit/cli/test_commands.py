"""The `nocigram` command: help, flags and their defaults, YAML, presets, errors of users."""

import errno
import io
import os
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import torch
import yaml

from nocigram.cli.flags import _field_docs
from nocigram.cli.main import main
from nocigram.config.commands import EvaluateOptions, PredictOptions, SimulateOptions, TrainOptions
from nocigram.config.data import DataOptions
from nocigram.config.presets import approach_values
from nocigram.config.records import flat
from nocigram.config.scoring import EventOptions

COMMANDS = ("simulate", "convert", "check", "train", "evaluate", "crossval", "compare", "audit", "predict")
SHIM = Path(__file__).resolve().parents[3] / "train_multitask.py"
FOLDERS = ["--annotations", "data/Annotations", "--videos", "data/Videos"]
MOUSE_267M = "shortened_2023-10-25_CFA_010_267M_tracking"

GUIDE_DEFAULTS = """
model_type: multitask
epochs: 30
batch_size: 2
backbone_type: vit_2d
encoder_name: vit_small_patch14_dinov2.lvd142m
hidden_dim: 256
tcn_layers: 3
dropout: 0.3
min_frames: 345
train_T: 345
val_T: 345
clip_T: 16
img_size: 224
kp_names: mouth,tail_base,L_frontpaw,R_frontpaw,L_hindpaw,R_hindpaw
lr: 0.00005
weight_decay: 0.05
warmup_epochs: 3
freeze_backbone_epochs: 3
scheduler: cosine
early_stop_patience: 20
focal_gamma: 2.5
label_smoothing: 0.1
lambda_kp: 1.0
lambda_smooth: 0.001
rare_threshold_share: 0.03
rare_boost_cap: 30.0
aug_brightness: 0.2
aug_contrast: 0.2
aug_temporal_drop: 0.1
kp_jitter_std: 0.02
use_wandb: false
use_ema: false
ema_decay: 0.999
"""
"""The guide's tables of flags, but for the two required ones and W&B's entity and project."""


def run(*arguments, code="from nocigram.cli.main import run; run()"):
    """A process of its own."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def received(monkeypatch):
    """The options that a command's handler is called with, in place of running it."""
    options = []
    for name in COMMANDS:
        monkeypatch.setattr(f"nocigram.cli.{name}.handle", lambda given: options.append(given) or 0)
    return options


@pytest.fixture
def printed_config(capsys):
    """What `nocigram train ... --print_config` prints."""

    def print_it(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["train", *arguments, "--print_config"])
        assert stopped.value.code == 0
        return capsys.readouterr().out

    return print_it


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=["nocigram", *COMMANDS])
def test_help_imports_no_torch(command):
    code = """
import sys
from nocigram.cli.main import main
try:
    main()
except SystemExit as stopped:
    heavy = {"torch", "lightning", "timm", "transformers", "matplotlib"} & set(sys.modules)
    sys.exit(f"imported {heavy}" if heavy else stopped.code)
"""
    done = run(*command, "--help", code=code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: nocigram")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    page = capsys.readouterr().out
    assert all(f"\n    {name} " in page for name in COMMANDS)


@pytest.mark.parametrize(
    "kind",
    [
        SimulateOptions,
        DataOptions,
        EvaluateOptions,
        EventOptions,
        PredictOptions,
        *(g.type for g in fields(TrainOptions)),
    ],
)
def test_every_flag_has_a_help_text(kind):
    flags = [entry.name for entry in fields(kind) if not is_dataclass(entry.type)]
    assert all(_field_docs(kind)[name] for name in flags)


@pytest.mark.parametrize(("flag", "default"), list(yaml.safe_load(GUIDE_DEFAULTS).items()))
def test_a_flag_of_the_guide_has_the_guides_default(flag, default, received):
    assert main(["train", *FOLDERS]) == 0
    assert received[0].flat()[flag] == default
    assert type(received[0].flat()[flag]) is type(default)


def test_nocigram_train_has_no_wandb_account(received):
    main(["train", *FOLDERS])
    assert received[0].monitor.wandb_entity is None
    assert received[0].monitor.wandb_project is None


def test_the_script_of_the_guide_has_all_its_defaults():
    done = subprocess.run(
        [sys.executable, str(SHIM), *FOLDERS, "--print_config"], capture_output=True, text=True, check=True
    )
    printed = yaml.safe_load(done.stdout)
    expected = yaml.safe_load(GUIDE_DEFAULTS) | {"wandb_entity": "grassknoted", "wandb_project": "prj_mouse_pain"}
    assert {flag: printed[flag] for flag in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--use_wandb"], {"use_wandb": True}, id="a bare switch"),
        pytest.param(
            ["--use_wandb", "--use_ema", "--epochs", "2"], {"use_ema": True, "epochs": 2}, id="switches, then a value"
        ),
        pytest.param(["--no_use_wandb"], {"use_wandb": False}, id="a switch turned off"),
        pytest.param(["--lr", "1e-3", "--weight_decay=5e-2"], {"lr": 1e-3, "weight_decay": 5e-2}, id="powers of ten"),
        pytest.param(["--encoder_weights", "none"], {"encoder_weights": "none"}, id="none is a word here"),
        pytest.param(
            ["--individual", "1", "--wandb_entity", "007"],
            {"individual": "1", "wandb_entity": "007"},
            id="names that look like numbers",
        ),
        pytest.param(
            ["--kp_names", "nose,left_ear,right_ear,neck,back,tail_tip"],
            {"kp_names": "nose,left_ear,right_ear,neck,back,tail_tip"},
            id="the guide's own keypoints",
        ),
        pytest.param(["--cache_dir", "a b/c"], {"cache_dir": "a b/c"}, id="a path with a blank"),
        pytest.param(["--model_type", "action_only"], {"model_type": "action_only"}, id="a choice"),
    ],
)
def test_flags_are_written_as_in_the_guide(arguments, expected, received):
    assert main(["train", *FOLDERS, *arguments]) == 0
    values = received[0].flat()
    assert {name: values[name] for name in expected} == expected


def test_a_run_is_read_from_yaml_and_flags_override_it(received, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("annotations: A\nvideos: V\nepochs: 7\nlr: 1e-3\ncrop: mouse\n")
    assert main(["train", "--config", str(path), "--epochs", "9"]) == 0
    values = received[0].flat()
    assert (values["annotations"], values["epochs"], values["lr"], values["crop"]) == ("A", 9, 1e-3, "mouse")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="defaults"),
        pytest.param(
            ["--use_wandb", "--lr", "1e-3", "--poses", "P", "--individual", "1", "--crop", "mouse"], id="flags"
        ),
        pytest.param(["--preset", "cpu", "--epochs", "2"], id="a preset"),
    ],
)
def test_a_printed_config_gives_the_same_run(arguments, printed_config, received, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(printed_config(*FOLDERS, *arguments))
    assert printed_config("--config", str(path)) == path.read_text()
    assert main(["train", *FOLDERS, *arguments]) == 0
    assert main(["train", "--config", str(path)]) == 0
    assert received[0] == received[1]


def test_a_preset_is_printed_and_flags_override_it(received, capsys):
    assert main(["train", *FOLDERS, "--preset", "cpu", "--img_size", "96", "--no_use_ema"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("[info] --preset cpu: encoder_name=embedded, img_size=")
    values = received[0].flat()
    assert (values["encoder_name"], values["crop"]) == ("embedded", "mouse")
    assert (values["img_size"], values["use_ema"]) == (96, False)


@pytest.mark.parametrize("where", ["before", "after", "joined"])
def test_a_preset_may_stand_anywhere(where, received):
    words = {
        "before": ["--preset", "cpu", "--lr", "0.5", *FOLDERS],
        "after": ["--lr", "0.5", *FOLDERS, "--preset", "cpu"],
        "joined": ["--lr", "0.5", *FOLDERS, "--preset=cpu"],
    }[where]
    assert main(["train", *words]) == 0
    assert (received[0].optimiser.lr, received[0].model.encoder_name) == (0.5, "embedded")


def test_a_preset_in_yaml_is_used(received, capsys, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("preset: cpu\nlr: 0.5\n")
    assert main(["train", *FOLDERS, "--config", str(path)]) == 0
    assert capsys.readouterr().out.startswith("[info] --preset cpu: ")
    assert (received[0].optimiser.lr, received[0].view.crop) == (0.5, "mouse")


@pytest.mark.parametrize("command", ["train", "crossval"])
def test_an_approach_brings_its_defaults_and_flags_override_them(command, received, capsys):
    assert main([command, *FOLDERS, "--approach", "pose_only", "--epochs", "3"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("[info] --approach pose_only: features=pose, crop=mouse, ")
    (options,) = received
    expected = approach_values("pose_only")
    found = flat(options)
    assert found["epochs"] == 3 != expected.pop("epochs")
    assert {name: found[name] for name in expected} == expected


def test_a_preset_is_stronger_than_an_approach_and_both_are_said(received, capsys):
    assert main(["train", *FOLDERS, "--preset", "cpu", "--approach", "video_only"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["[info] --approach video_only", "[info] --preset cpu"]
    values = received[0].flat()
    assert (values["cnn_size"], values["epochs"], values["crop"]) == ("light", 8, "mouse")
    assert approach_values("video_only")["epochs"] == 60


def test_an_approach_in_yaml_brings_its_defaults_too(received, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("approach: video_only\npreset: cpu\nbatch_size: 5\n")
    assert main(["train", *FOLDERS, "--config", str(path)]) == 0
    values = received[0].flat()
    assert (values["approach"], values["cnn_size"], values["weight_decay"]) == ("video_only", "light", 0.0)
    assert (values["batch_size"], values["lr"]) == (5, 1e-3)


def test_the_later_of_two_approaches_counts(received, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("approach: video_only\n")
    assert main(["train", *FOLDERS, "--approach", "pose_only", "--config", str(path)]) == 0
    assert main(["train", *FOLDERS, "--config", str(path), "--approach", "pose_only"]) == 0
    assert [options.model.approach for options in received] == ["video_only", "pose_only"]
    assert [options.optimiser.lr for options in received] == [1e-3, 3e-3]


def test_a_multitask_run_has_the_guides_defaults_and_nothing_is_said(received, capsys):
    assert main(["train", *FOLDERS, "--approach", "multitask"]) == 0
    assert main(["train", *FOLDERS]) == 0
    assert capsys.readouterr().out == ""
    assert received[0] == received[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], 'expected "command" to be one of {simulate,convert,check,train,', id="no command"),
        pytest.param(["learn"], "invalid choice: 'learn'", id="an unknown command"),
        pytest.param(
            ["evaluate", "m.pt", *FOLDERS, "--boundary_tolerance", "-1"],
            "--boundary_tolerance: expected at least 0, got -1",
            id="a tolerance below nothing",
        ),
        pytest.param(["train"], "required: --annotations, --videos. See nocigram train --help.", id="flags missing"),
        pytest.param(
            ["check", "--annotations", "A"], "are required: --videos. See nocigram check --help.", id="one missing"
        ),
        pytest.param(["predict", "model.pt"], "are required: videos. See nocigram predict --help.", id="no video"),
        pytest.param(
            ["train", *FOLDERS, "--epoch_count", "3"], "unrecognized arguments: --epoch_count 3", id="a misspelt flag"
        ),
        pytest.param(
            ["train", *FOLDERS, "--epochs", "few"], "--epochs: Expected a int. Got value: few", id="a word for a number"
        ),
        pytest.param(["train", *FOLDERS, "--epochs"], "--epochs: expected one argument", id="no value"),
        pytest.param(
            ["train", *FOLDERS, "--crop", "rat"],
            "--crop: Expected one of ['full', 'mouse']. Got value: rat",
            id="no such choice",
        ),
        pytest.param(
            ["train", *FOLDERS, "--lr", "-1"],
            "--lr: expected at least 0, got -1.0. Correct the flag.",
            id="out of range",
        ),
        pytest.param(
            ["train", *FOLDERS, "--kp_names", "a,b"],
            "--kp_names: expected 6 different names, got 2.",
            id="two keypoints",
        ),
        pytest.param(
            ["train", *FOLDERS, "--preset", "gpu"], "--preset: expected one of ['cpu'], got 'gpu'.", id="no such preset"
        ),
        pytest.param(
            ["train", *FOLDERS, "--approach", "guess", "--preset", "cpu"],
            "--approach: Expected one of",
            id="no such approach",
        ),
        pytest.param(
            ["train", *FOLDERS, "--config", "no/train.yaml"],
            "no/train.yaml'. See nocigram train",
            id="no such YAML",
        ),
        pytest.param(
            ["check", "--annotations", "nowhere", "--videos", "."],
            "nowhere: expected a folder of annotations, got none.",
            id="no such folder",
        ),
        pytest.param(["simulate", "x", "--animals", "0"], "--animals: expected at least 1, got 0.", id="no animals"),
    ],
)
def test_a_users_error_is_one_line_and_status_2(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert captured.out == ""


def test_a_misspelt_key_in_yaml_is_an_error(capsys, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("epoks: 3\n")
    assert main(["train", *FOLDERS, "--config", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not accept option 'epoks'" in line


def test_the_console_command_passes_the_status_on_and_debug_shows_the_traceback(tmp_path):
    arguments = ["check", "--annotations", str(tmp_path / "no"), "--videos", str(tmp_path)]
    done = run(*arguments)
    message = f"{tmp_path / 'no'}: expected a folder of annotations, got none. Correct --annotations."
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message}\n")
    debugged = run(*arguments, "--debug")
    assert debugged.returncode != 0
    assert debugged.stderr.startswith("Traceback (most recent call last):")
    assert debugged.stderr.endswith(f"InputError: {message}\n")


def test_a_name_that_is_no_text_is_printed(monkeypatch):
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", printed)
    monkeypatch.setattr("nocigram.cli.check.handle", lambda _: print(os.fsdecode(b"M\xfc")) or 0)
    assert main(["check", *FOLDERS]) == 0
    printed.flush()
    assert printed.buffer.getvalue() == b"M\\udcfc\n"


def test_too_little_memory_of_a_gpu_is_one_line_with_what_helps(monkeypatch, capsys):
    def fail(_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB free.")

    monkeypatch.setattr("nocigram.cli.check.handle", fail)
    assert main(["check", *FOLDERS]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the GPU: expected room for the model, got 'CUDA out of memory. Tried to allocate")
    assert "--batch_size 1" in error
    assert error.count("\n") == 1


def test_another_error_of_torch_is_shown_with_its_traceback(monkeypatch):
    def fail(_):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr("nocigram.cli.check.handle", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        main(["check", *FOLDERS])


def test_ctrl_c_ends_with_130_and_no_traceback(monkeypatch, capsys):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nocigram.cli.check.handle", stop)
    assert main(["check", *FOLDERS]) == 130
    assert capsys.readouterr().err == "\nstopped\n"


def test_no_usable_trial_is_the_guides_error_with_the_reasons(laboratory, capsys):
    laboratory.video()
    laboratory.pose()
    path = laboratory.annotation(1)
    folders = [word for flag, folder in laboratory.folders.items() for word in (f"--{flag}", str(folder))]
    assert main(["train", *folders]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ValueError: No samples found!\n")
    assert f"{path.name}  expected at least 345 rows, got 40." in error
    assert "Traceback" not in error


def test_check_prints_the_page_and_says_whether_there_is_a_trial(laboratory, capsys):
    laboratory.video()
    laboratory.annotation(1)
    folders = [word for flag, folder in laboratory.folders.items() for word in (f"--{flag}", str(folder))]
    assert main(["check", *folders]) == 1
    assert "expected at least 345 rows, got 40" in capsys.readouterr().out
    assert main(["check", *folders, "--min_frames", "40"]) == 0
    page = capsys.readouterr().out
    assert "rec: placed by the rule 'trials follow each other by their own lengths'" in page
    assert "[0, 40)" in page


def test_check_lists_recordings_without_a_video_where_their_rate_is_given(laboratory, capsys):
    laboratory.pose()
    laboratory.annotation(1)
    folders = [word for flag, folder in laboratory.folders.items() for word in (f"--{flag}", str(folder))]
    assert main(["check", *folders, "--min_frames", "40"]) == 1
    assert f"no video named rec.mp4 in {laboratory.videos}" in capsys.readouterr().out
    assert main(["check", *folders, "--min_frames", "40", "--fps", "30"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "rec rec 40 30 no video 40 rows, 9" in page
    assert "Nothing was skipped." in page


def test_check_finds_three_trials_in_a_recording_of_the_laboratory(laboratory, shared_data, capsys):
    real = shared_data("mouse_267M")
    laboratory.video(f"{MOUSE_267M}.mp4", n_frames=1080)
    for path in real.iterdir():
        if MOUSE_267M in path.name:
            folder = laboratory.annotations if path.name.startswith("prediction") else laboratory.videos
            (folder / path.name).write_bytes(path.read_bytes())
    folders = [word for flag, folder in laboratory.folders.items() for word in (f"--{flag}", str(folder))]
    assert main(["check", *folders]) == 0
    page = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for number, span in enumerate(("[0, 360)", "[360, 720)", "[720, 1080)"), start=1):
        assert f"{MOUSE_267M} {number} {span} 360" in page
    assert "Nothing was skipped." in page
    assert any(line.startswith(f"{MOUSE_267M}: placed by the rule 'trial n begins at (n-1)*360") for line in page)


def test_simulate_check_and_the_guides_layout_meet(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "study"), "--animals", "1", "--trials", "1", "--seed", "3"]) == 0
    folders = ["--annotations", str(tmp_path / "study/Annotations"), "--videos", str(tmp_path / "study/Videos")]
    capsys.readouterr()
    assert main(["check", *folders]) == 0
    assert "Nothing was skipped." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["simulate", "x", "--animals", "2"], {"folder": Path("x"), "animals": 2, "trials": 3}, id="simulate"
        ),
        pytest.param(
            ["predict", "m.pt", "a.mp4", "Videos"],
            {"checkpoint": Path("m.pt"), "videos": [Path("a.mp4"), Path("Videos")]},
            id="predict",
        ),
        pytest.param(["predict", "m.pt", "a.mp4", "--overwrite"], {"overwrite": True}, id="predict again"),
        pytest.param(["evaluate", "m.pt", *FOLDERS], {"checkpoint": Path("m.pt"), "split": "auto"}, id="evaluate"),
        pytest.param(
            ["evaluate", "m.pt", *FOLDERS, "--split", "val", "--out", "o"],
            {"split": "val", "out": Path("o")},
            id="evaluate a side",
        ),
    ],
)
def test_values_given_by_place_reach_the_handler(arguments, expected, received):
    assert main(arguments) == 0
    assert {name: getattr(received[0], name) for name in expected} == expected


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("nocigram ")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        pytest.param(
            errno.ENOSPC, "got 'No space left on device'. Make room on the disk, or choose another", id="full"
        ),
        pytest.param(errno.EROFS, "got 'Read-only file system'. Choose another folder, or change its", id="read-only"),
        pytest.param(errno.EIO, "got 'Input/output error'. Check the path and the disk.", id="broken"),
    ],
)
def test_an_error_of_the_disk_says_where_and_what_to_do(number, message, monkeypatch, capsys):
    def fail(_):
        raise OSError(number, os.strerror(number), "out/metrics.json")

    monkeypatch.setattr("nocigram.cli.check.handle", fail)
    assert main(["check", *FOLDERS]) == 2
    assert capsys.readouterr().err.startswith(f"error: out/metrics.json: expected to read or write it, {message}")
