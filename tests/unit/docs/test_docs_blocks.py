"""Every code block of the documentation: parsed, and run where it is short."""

import ast
import importlib
import runpy
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from doc_blocks import LANGUAGES, PAGES, ROOT, Block, blocks_in, blocks_of, commands_in, nocigram_arguments

from nocigram.cli.main import _COMMANDS, main
from nocigram.config.commands import CompareOptions
from nocigram.config.data import DataOptions
from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.literals import Approach
from nocigram.data.annotations import frame_faults, read_annotation
from nocigram.data.conversion.action_map import read_action_map
from nocigram.data.recordings_table import read_recordings_table
from nocigram.data.scheme_file import read_scheme
from nocigram.pose.skeleton_file import read_skeleton
from nocigram.study.compare import rows_of

LARGEST_SIMULATION = 2
COMMANDS = runpy.run_path(str(ROOT / "scripts/flag_tables.py"))["commands"]()


def by_place(blocks):
    return [pytest.param(block, id=block.name) for block in blocks]


def shell_commands():
    """Each command of each shell block, and of the demo."""
    demo = ROOT / "scripts/demo.sh"
    lines = [line.removeprefix("run ") for line in demo.read_text().splitlines() if line.startswith("run nocigram")]
    places = [*blocks_of("bash"), Block(demo, 1, "bash", "\n".join(lines))]
    return [(place, words) for place in places for words in commands_in(place.text)]


def is_short(place, words):
    """The command runs within seconds on the folder of the tests: no training, no large simulation, not the demo."""
    arguments = nocigram_arguments(words)
    if arguments is None or place.page.suffix != ".md":
        return False
    if arguments[0] == "simulate":
        return int(arguments[arguments.index("--animals") + 1]) <= LARGEST_SIMULATION
    if "./crossval" in arguments:  # the folder of a study
        return False
    return arguments[0] not in ("train", "crossval", "compare") or "--print_config" in arguments


def by_command(commands):
    return [pytest.param(words, id=f"{place.name} {' '.join(words)[:60]}") for place, words in commands]


def status_of(arguments):
    """The exit status of `nocigram`, which --print_config ends itself."""
    try:
        return main(arguments)
    except SystemExit as stopped:
        return stopped.code


@pytest.fixture
def received(monkeypatch):
    """What handlers are called with, in place of running them."""
    options = []
    for module in _COMMANDS:
        monkeypatch.setattr(module, "handle", lambda given: options.append(given) or 0)
    return options


@pytest.fixture
def in_folder(documented_folder, monkeypatch):
    monkeypatch.chdir(documented_folder)
    return documented_folder


def test_there_are_blocks_of_every_language():
    assert {block.language for block in blocks_of(*LANGUAGES)} == LANGUAGES
    assert len(shell_commands()) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_names_its_language(page):
    blocks = blocks_in(page)
    assert {block.language for block in blocks} <= LANGUAGES
    assert 2 * len(blocks) == page.read_text(encoding="utf-8").count("```")


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{m.__name__.split('.')[-1]}.md" for m in _COMMANDS)])
def test_a_command_has_a_page_with_an_example(page):
    commands = [
        words for block in blocks_in(ROOT / page) for words in commands_in(block.text) if block.language == "bash"
    ]
    name = page.removeprefix("docs/").removesuffix(".md")
    assert any(words[:2] == ["nocigram", name] for words in commands) or name == "README"
    assert commands


@pytest.mark.parametrize("words", by_command(shell_commands()))
def test_a_command_line_is_one_that_exists(words, received, tmp_path, monkeypatch):
    arguments = nocigram_arguments(words)
    if arguments is None:
        targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line]
        assert words == ["source", ".venv/bin/activate"] or (words[0] == "make" and words[1] in targets)
        return
    flags = {word.partition("=")[0] for word in arguments if word.startswith("--")}
    assert flags <= set(COMMANDS[arguments[0]].parser._option_string_actions)  # the parser would take a part of a name
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text("annotations: A\nvideos: V\n")
    assert main([word for word in arguments if word != "--print_config"]) == 0
    assert len(received) == 1


@pytest.mark.slow
@pytest.mark.parametrize("words", by_command(command for command in shell_commands() if is_short(*command)))
def test_a_short_command_runs(words, documented_folder, tmp_path, monkeypatch, capsys):
    arguments = nocigram_arguments(words)
    monkeypatch.chdir(tmp_path if arguments[0] == "simulate" else documented_folder)
    assert status_of(arguments) == 0
    assert capsys.readouterr().out


TINY = (
    "--epochs 1 --train_T 20 --val_T 60 --hidden_dim 8 --tcn_layers 1 --img_size 32 "
    "--cnn_size light --members 1 --trees 3"
)
NO_DOWNLOAD = "--encoder_name test_vit --encoder_weights none --accelerator cpu --precision 32"
TRAININGS = [
    command for command in shell_commands() if command[0].page.name == "approaches.md" and "train" in command[1]
]


def test_each_approach_has_a_training_on_its_page():
    named = {words[words.index("--approach") + 1] for _, words in TRAININGS}
    assert named == set(get_args(Approach))


@pytest.mark.slow
@pytest.mark.parametrize("words", by_command(TRAININGS))
def test_an_approach_trains_as_its_page_says(words, in_folder, tmp_path):
    if "pose_trees" in words:
        pytest.importorskip("xgboost")
    assert main([*words[1:], *TINY.split(), *NO_DOWNLOAD.split(), "--out", str(tmp_path)]) == 0
    assert (tmp_path / f"best_model_{words[words.index('--approach') + 1]}.pt").is_file()


@pytest.mark.parametrize("block", by_place(blocks_of("python")))
def test_the_imports_of_a_snippet_exist(block):
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, name.name) for name in node.names)


@pytest.mark.slow
@pytest.mark.parametrize("block", by_place(blocks_of("python")))
def test_a_snippet_runs(block, in_folder):
    exec(compile(block.text, block.name, "exec"), {})


@pytest.mark.parametrize("block", by_place(blocks_of("yaml")))
def test_a_yaml_file_is_understood(block, tmp_path, received):
    path = tmp_path / "file.yaml"
    path.write_text(block.text)
    content = yaml.safe_load(block.text)
    if "keypoints" in content:
        assert read_skeleton(path).names
    elif "names" in content:
        assert read_scheme(path).classes
    elif isinstance(content.get("actions"), dict):
        assert read_action_map(path, scheme=DEFAULT_SCHEME).background == 0
    elif "all" in content:
        data = DataOptions(annotations=Path("A"), videos=Path("V"))
        assert rows_of(CompareOptions(data=data, overrides=path))["pose_only"].model.members == 2
    else:
        assert main(["train", "--config", str(path)]) == 0


@pytest.mark.parametrize("block", by_place(blocks_of("csv")))
def test_a_csv_file_is_understood(block, tmp_path):
    if block.text.startswith("recording"):
        path = tmp_path / "recordings.csv"
        path.write_text(block.text)
        assert len(read_recordings_table(path, stems={}).animals) == 2
    else:
        path = tmp_path / "prediction_mouse1.mp4_1.csv"
        path.write_text(block.text)
        assert not frame_faults(read_annotation(path))


def test_the_scripts_of_the_demo_are_sound():
    subprocess.run(["bash", "-n", "scripts/demo.sh"], cwd=ROOT, check=True)
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "py_compile", "scripts/demo_summary.py"], cwd=ROOT, check=True)
