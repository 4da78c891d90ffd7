"""Tables of the documentation against the code that they describe."""

import ast
import re
import runpy
import sys
import tomllib
from dataclasses import fields

import numpy as np
import pytest
from doc_blocks import PAGES, ROOT

from nocigram.cli.main import _COMMANDS, main
from nocigram.evaluation import Timing, TrialPrediction, score_events
from nocigram.models.checkpoint import Checkpoint
from nocigram.pose.skeleton import FEATURE_NAMES
from nocigram.study.event_files import write_events

FLAG_TABLES = runpy.run_path(str(ROOT / "scripts/flag_tables.py"))
COMMANDS = [module.__name__.split(".")[-1] for module in _COMMANDS]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def keys_of(text):
    """The names in backticks in the first column of tables."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def section(page, heading):
    """The text below a headline."""
    return text_of(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_tables_made_from_the_code_are_up_to_date(page):
    text = page.read_text(encoding="utf-8")
    assert FLAG_TABLES["rewritten"](text) == text, "run: make docs"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_every_flag_of_its_command(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    flags = set(re.findall(r"^  --(\w+)", capsys.readouterr().out, re.MULTILINE))
    common = {"config", "print_config", "debug", "preset"}
    documented = {name.removeprefix("--") for name in keys_of(section(f"docs/{command}.md", "Flags")) if name[0] == "-"}
    assert documented - common == flags - common
    assert all(f"--{name}" in text_of("docs/train.md") for name in common)


def test_the_page_on_training_has_every_key_of_a_checkpoint():
    assert keys_of(section("docs/train.md", "The checkpoint")) == [entry.name for entry in fields(Checkpoint)]


def test_the_page_on_evaluation_has_every_key_of_the_metrics(documented_folder):
    import torch

    metrics = torch.load(documented_folder / "best_model_multitask.pt")["val_metrics"]
    table = section("docs/evaluate.md", "What each number is")
    of_an_evaluation = ["temperature", "boundary_tolerance", "seen_in_training"]
    assert keys_of(table) == [*metrics, *of_an_evaluation]
    row = next(line for line in table.splitlines() if line.startswith("| `per_action`"))
    assert re.findall(r"`(\w+)`", row)[1:] == list(metrics["per_action"]["rest"])
    for overlap in metrics["segment_f1"]:
        assert overlap in table


def test_the_page_on_evaluation_has_every_column_of_the_tables_of_events(tmp_path):
    trial = TrialPrediction(
        recording="a",
        trial=1,
        animal="a",
        labels=np.array([0, 1]),
        probabilities=np.eye(2),
        timing=Timing(fps=30.0, start=0, stim_frame=None),
    )
    write_events(tmp_path, score_events([trial], classes=("rest", "walk")), colours={"rest": "grey", "walk": "blue"})
    tables = [tmp_path / f"{name}.csv" for name in ("events", "bouts", "trials")]
    columns = [name for path in tables for name in path.read_text(encoding="utf-8").splitlines()[0].split(",")]
    assert keys_of(section("docs/evaluate.md", "Events")) == columns


def test_files_of_a_training_are_those_of_the_page(documented_folder):
    documented = {name for name in keys_of(section("docs/train.md", "Files")) if not name.endswith("/")}
    written = {path for path in documented if (documented_folder / path).is_file()}
    assert written == documented
    found = {str(path.relative_to(documented_folder)) for path in (documented_folder / "training").rglob("*.*")}
    assert {path for path in found if (documented_folder / path).is_file()} <= documented


def test_architecture_lists_the_rooms_that_are_there():
    rooms = {path.parent.name for path in (ROOT / "src/nocigram").glob("*/__init__.py")}
    assert {name.rstrip("/") for name in keys_of(section("docs/architecture.md", "Rooms"))} == rooms
    floors = section("docs/architecture.md", "Floors").split("```")[1].removeprefix("text")
    assert set(re.findall(r"\w+", floors)) == rooms


def test_architecture_lists_the_pose_features():
    listed = section("docs/architecture.md", "Pose features").split("```text\n")[1].split("```")[0]
    assert tuple(listed.splitlines()) == FEATURE_NAMES


def test_every_dependency_has_a_reason():
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    needed = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[<>=!~ ]", name)[0].lower() for name in needed}
    assert sorted(keys_of(section("CONTRIBUTING.md", "Dependencies"))) == sorted(names)
    imported = {name.replace("_", "-") for path in (ROOT / "src").rglob("*.py") for name in _imports_of(path)}
    known = {*names, "nocigram"} | {"av", "scikit-learn", "pyyaml"}
    renamed = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
    assert {renamed.get(name, name) for name in imported} <= known


def _imports_of(path):
    """Packages outside of the standard library that a module imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in modules} - sys.stdlib_module_names


def test_constraints_pin_every_direct_dependency():
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in text_of("constraints.txt").splitlines()}
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(name for each in extras if each != "wandb" for name in extras[each])]
    here = [name for name in needed if "== 'Darwin'" not in name]
    assert {re.split(r"[\[<>=!~; ]", name)[0].lower() for name in here} <= pinned
    assert not re.search(r"^-e|file:|@", text_of("constraints.txt"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
