"""Options: defaults of the guide, limits, one flat form and the way back."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args

import pytest

from nocigram.config.commands import SimulateOptions, TrainOptions
from nocigram.config.data import DataOptions
from nocigram.config.presets import approach_values, preset_names, preset_values
from nocigram.config.records import flat, unflat
from nocigram.core.errors import InputError
from nocigram.core.literals import Approach

FOLDERS = {"annotations": Path("data/Annotations"), "videos": Path("data/Videos")}


def train_options(**values):
    return unflat(TrainOptions, FOLDERS | values)


def test_flat_is_plain_values_that_give_the_options_back():
    options = train_options(lr=1e-3, cache_dir=Path("cache"), unfreeze_last_blocks=2)
    values = options.flat()
    assert values["annotations"] == "data/Annotations"
    assert values["cache_dir"] == "cache"
    assert {type(value) for value in values.values()} <= {str, int, float, bool, type(None)}
    paths = {name: Path(values[name]) for name in ("annotations", "videos", "cache_dir")}
    assert unflat(TrainOptions, values | paths) == options


def test_every_flag_has_a_name_of_its_own():
    names = [entry.name for group in fields(TrainOptions) for entry in fields(group.type) if is_dataclass(group.type)]
    assert len(names) == len(set(names)) == len(flat(train_options()))


def test_defaults_are_in_order():
    assert train_options().faults() == []
    assert SimulateOptions(folder=Path("x")).faults() == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"epochs": 0}, "--epochs: expected at least 1, got 0. Correct the flag.", id="no epochs"),
        pytest.param({"batch_size": 0}, "--batch_size: expected at least 1, got 0.", id="no batch"),
        pytest.param({"lr": -1e-3}, "--lr: expected at least 0, got -0.001.", id="a negative rate"),
        pytest.param({"lr": float("nan")}, "--lr: expected at least 0, got nan.", id="a rate that is no number"),
        pytest.param({"train_T": 1}, "--train_T: expected at least 2, got 1.", id="a window of one frame"),
        pytest.param({"val_T": 0}, "--val_T: expected at least 2, got 0.", id="no window"),
        pytest.param({"img_size": 8}, "--img_size: expected a number from 16 to 2048, got 8.", id="a tiny image"),
        pytest.param({"dropout": 1.0}, "--dropout: expected a number from 0 to 0.95, got 1.0.", id="all dropped"),
        pytest.param({"val_share": 1.0}, "--val_share: expected a number from 0.01 to 0.9, got 1.0.", id="all judged"),
        pytest.param({"ema_decay": 1.0}, "--ema_decay: expected a number from 0 to 0.999999", id="an average at rest"),
        pytest.param({"focal_gamma": -1.0}, "--focal_gamma: expected at least 0", id="a negative gamma"),
        pytest.param(
            {"label_smoothing": 1.0}, "--label_smoothing: expected a number from 0 to 0.99", id="all smoothed"
        ),
        pytest.param({"rare_boost_cap": 0.5}, "--rare_boost_cap: expected at least 1", id="a boost below one"),
        pytest.param(
            {"aug_temporal_drop": 1.0}, "--aug_temporal_drop: expected a number from 0 to 0.9", id="no frame left"
        ),
        pytest.param(
            {"kp_names": "a,b"}, "--kp_names: expected 6 different names, got 2. Name mouth", id="two keypoints"
        ),
        pytest.param({"seed": -1}, "--seed: expected a number from 0 to 4294967295, got -1.", id="a negative seed"),
        pytest.param(
            {"tcn_layers": -1}, "--tcn_layers: expected a number from 0 to 12, got -1.", id="layers below none"
        ),
    ],
)
def test_a_number_out_of_its_limits_is_a_fault(values, message):
    (fault,) = train_options(**values).faults()
    assert str(fault).startswith(message)


def test_faults_of_all_groups_are_gathered():
    faults = train_options(epochs=0, img_size=1, hidden_dim=0, devices=0).faults()
    assert {fault.where for fault in faults} == {"--epochs", "--img_size", "--hidden_dim", "--devices"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"lora_rank": 0}, "--lora_rank: expected at least 1, got 0.", id="adapters of no rank"),
        pytest.param(
            {"finetune": "frozen", "unfreeze_last_blocks": 2},
            "--unfreeze_last_blocks with --finetune frozen: expected no blocks to unfreeze, got 2. Leave it out",
            id="blocks of a frozen encoder",
        ),
        pytest.param(
            {"finetune": "lora", "unfreeze_last_blocks": 1},
            "--unfreeze_last_blocks with --finetune lora: expected no blocks to unfreeze, got 1. Leave it out",
            id="blocks beside adapters",
        ),
        pytest.param(
            {"finetune": "last_blocks", "epochs": 3},
            "--freeze_backbone_epochs with --finetune last_blocks: expected fewer than --epochs 3, got 3. Lower it",
            id="blocks that would never learn",
        ),
    ],
)
def test_flags_that_contradict_the_way_to_finetune_are_faults(values, message):
    (fault,) = train_options(**values).faults()
    assert str(fault).startswith(message)


@pytest.mark.parametrize(
    ("values", "is_cached", "n_frozen_epochs", "n_last_blocks"),
    [
        pytest.param({}, False, 3, None, id="full is the default"),
        pytest.param({"unfreeze_last_blocks": 4}, False, 3, 4, id="full, limited as in the guide"),
        pytest.param({"freeze_backbone_epochs": 30}, True, 30, None, id="full, frozen for all epochs"),
        pytest.param({"finetune": "frozen"}, True, 30, None, id="frozen"),
        pytest.param({"finetune": "frozen", "streams": "pose"}, False, 30, None, id="frozen, without pixels"),
        pytest.param(
            {"finetune": "frozen", "pool": "attention"}, False, 30, None, id="frozen under a pool that learns"
        ),
        pytest.param({"finetune": "frozen", "pool": "mean"}, True, 30, None, id="frozen under a pool that doesn't"),
        pytest.param({"finetune": "last_blocks"}, False, 3, 2, id="last blocks"),
        pytest.param({"finetune": "last_blocks", "unfreeze_last_blocks": 5}, False, 3, 5, id="so many last blocks"),
        pytest.param({"finetune": "lora"}, False, 30, None, id="lora"),
        pytest.param({"finetune": "lora", "freeze_backbone_epochs": 30}, False, 30, None, id="lora learns all along"),
    ],
)
def test_the_way_to_finetune_decides_what_learns_and_what_is_cached(values, is_cached, n_frozen_epochs, n_last_blocks):
    options = train_options(**values)
    assert options.faults() == []
    assert options.is_backbone_frozen == is_cached
    assert (options.optimiser.n_frozen_epochs, options.optimiser.n_last_blocks) == (n_frozen_epochs, n_last_blocks)


@pytest.mark.parametrize(
    ("epochs", "frozen", "streams", "expected"),
    [
        pytest.param(30, 3, "pixels+pose", False, id="frozen at first"),
        pytest.param(30, 30, "pixels+pose", True, id="frozen throughout"),
        pytest.param(2, 3, "pixels", True, id="frozen for longer than the run"),
        pytest.param(2, 3, "pose", False, id="no backbone"),
    ],
)
def test_a_backbone_that_stays_frozen_is_known(epochs, frozen, streams, expected):
    options = train_options(epochs=epochs, freeze_backbone_epochs=frozen, streams=streams)
    assert options.is_backbone_frozen == expected


def test_results_go_to_the_parent_of_the_annotations(tmp_path):
    assert train_options(annotations=tmp_path / "Annotations").out == tmp_path
    assert train_options(annotations=Path("Annotations")).out == Path.cwd()
    assert train_options(out=tmp_path / "run").out == tmp_path / "run"


def test_names_of_keypoints_are_split_at_commas():
    names = DataOptions(**FOLDERS, kp_names="nose, tail ,c,d,e,f").keypoint_names
    assert names == ("nose", "tail", "c", "d", "e", "f")


@pytest.mark.parametrize("approach", get_args(Approach))
@pytest.mark.parametrize("name", preset_names())
def test_approaches_and_presets_hold_flags_within_their_limits(name, approach):
    values = {**approach_values(approach), **preset_values(name, approach)}
    assert set(values) <= set(flat(train_options()))
    assert train_options(**values).faults() == []


def test_the_cpu_preset_trains_from_cached_features_of_the_embedded_encoder():
    options = train_options(**preset_values("cpu", "multitask"))
    assert options.model.encoder_name == "embedded"
    assert options.view.crop == "mouse"
    assert options.view.img_size < 224
    assert options.is_backbone_frozen


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match=r"^--preset: expected one of \['cpu'\], got 'gpu'. Choose one"):
        preset_values("gpu", "multitask")
