"""What `nocigram compare` trains in each row."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from nocigram.config.commands import CompareOptions, TrainOptions
from nocigram.config.data import DataOptions
from nocigram.config.presets import approach_values
from nocigram.config.records import types_of
from nocigram.core.errors import InputError
from nocigram.core.literals import Approach
from nocigram.study.compare import ABLATIONS, rows_of

DATA = DataOptions(annotations=Path("A"), videos=Path("V"), fps=20.0)
OPTIONS = CompareOptions(data=DATA, seed=3, val_share=0.3, accelerator="cpu")


@pytest.fixture
def overrides(tmp_path):
    """Options with an overrides file of some text."""

    def make(text, **more):
        path = tmp_path / "overrides.yaml"
        path.write_text(text, encoding="utf-8")
        return replace(OPTIONS, overrides=path, **more)

    return make


def test_every_approach_has_a_row_with_its_defaults_and_the_shared_flags():
    rows = rows_of(OPTIONS)
    assert list(rows) == list(get_args(Approach))
    for approach, options in rows.items():
        values = options.flat()
        assert {name: values[name] for name in approach_values(approach)} == approach_values(approach)
        assert (options.data, options.machine.seed, options.split.val_share) == (DATA, 3, 0.3)
        assert (options.model.approach, options.machine.accelerator) == (approach, "cpu")


@pytest.mark.parametrize(
    ("approaches", "ablate", "names"),
    [
        pytest.param("pose_trees, multitask", False, ["multitask", "pose_trees"], id="in the order of the table"),
        pytest.param("all,pose_only", False, list(get_args(Approach)), id="all and one of them"),
        pytest.param("pose_only", True, ["multitask", "pose_only"], id="what is ablated is a row itself"),
    ],
)
def test_rows_are_those_that_were_named(approaches, ablate, names):
    rows = rows_of(replace(OPTIONS, approaches=approaches, ablate=ablate))
    assert [name for name in rows if "," not in name] == names


def test_flags_come_from_the_approach_then_the_preset_then_the_overrides_then_the_ablation(overrides):
    text = "all: {lr: 3e-3, hidden_dim: 24, focal_gamma: 9}\nmultitask: {hidden_dim: 32, dropout: 0}\n"
    rows = rows_of(overrides(text, preset="cpu", ablate=True))
    multitask, pose_only, ablated = (
        rows[name].flat() for name in ("multitask", "pose_only", "multitask, cross-entropy")
    )
    assert pose_only["members"] == approach_values("pose_only")["members"]  # the approach's
    assert multitask["epochs"] == 9  # the preset's
    assert multitask["lr"] == pose_only["lr"] == 3e-3  # 'all', over the preset
    assert (multitask["hidden_dim"], pose_only["hidden_dim"]) == (32, 24)  # the approach, over 'all'
    assert (multitask["focal_gamma"], ablated["focal_gamma"]) == (9.0, 0.0)  # the ablation, over all
    assert type(multitask["dropout"]) is float
    assert multitask | {"focal_gamma": 0.0} == ablated


def test_ablations_name_flags_of_training():
    assert {flag for flags in ABLATIONS.values() for flag in flags} <= set(types_of(TrainOptions))


def test_each_ablation_changes_the_preset_in_its_own_flags_alone():
    rows = rows_of(replace(OPTIONS, preset="cpu", ablate=True))
    whole = rows["multitask"].flat()
    for name, flags in ABLATIONS.items():
        values = rows[f"multitask, {name}"].flat()
        assert {flag: value for flag, value in values.items() if value != whole[flag]} == flags, name


def test_an_ablation_of_what_is_not_there_has_no_row_and_is_told(capsys):
    rows = rows_of(replace(OPTIONS, approaches="multitask", ablate=True))
    assert "multitask, no EMA" not in rows
    assert capsys.readouterr().out == (
        "[info] --ablate: multitask has no such part here, so without a row: no crop, no EMA\n"
    )
    assert len(rows) == 1 + len(ABLATIONS) - 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("pose_only: [1", "expected a YAML file, got while parsing", id="no YAML"),
        pytest.param("- pose_only", "expected approach: flags, got ['pose_only']. See docs/compare.md.", id="a list"),
        pytest.param("pose_only: 3", "expected approach: flags, got {'pose_only': 3}.", id="a number for flags"),
        pytest.param(
            "pose: {lr: 1}",
            "expected approaches among all, multimodal, multitask, pose_only, pose_trees, video_only, got pose. "
            "Correct the names.",
            id="an approach that there is not",
        ),
        pytest.param(
            "all: {learning_rate: 1}",
            "expected flags of nocigram train, got learning_rate. Correct their spelling.",
            id="a flag that there is not",
        ),
        pytest.param(
            "pose_only: {seed: 1, min_frames: 9, approach: pose_trees, split: x}",
            "expected flags in which approaches may differ, got approach, min_frames, seed, split. "
            "All rows share these; leave them out of the file.",
            id="flags that all rows share",
        ),
        pytest.param(
            "pose_only: {epochs: three, use_ema: 2, smooth: much, lr: null}",
            ", pose_only --epochs: expected a whole number, got 'three'. Correct the value.\n"
            "{where}, pose_only --use_ema: expected true or false, got 2. Correct the value.\n"
            "{where}, pose_only --smooth: expected one of none, median, viterbi, got 'much'. Correct the value.\n"
            "{where}, pose_only --lr: expected a number, got None. Correct the value.",
            id="values of another type",
        ),
        pytest.param("pose_only: {epochs: 0}", "--epochs: expected at least 1, got 0.", id="a value out of range"),
    ],
)
def test_overrides_that_cannot_be_used_are_refused(overrides, text, message):
    options = overrides(text)
    with pytest.raises(InputError, match=re.escape(message.replace("{where}", f"--overrides {options.overrides}"))):
        rows_of(options)


def test_overrides_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a YAML file, got .*No such file"):
        rows_of(replace(OPTIONS, overrides=tmp_path / "absent.yaml"))


def test_an_empty_overrides_file_is_refused(overrides):
    with pytest.raises(InputError, match="expected approach: flags, got None"):
        rows_of(overrides(""))
