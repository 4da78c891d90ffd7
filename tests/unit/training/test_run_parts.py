"""The parts of a run: averaging, the run's name, the smoke test, cached features, validation's lines, preparation."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from window_batches import batch_of

from nocigram.config.commands import TrainOptions
from nocigram.config.data import DataOptions, SplitOptions, WindowOptions
from nocigram.config.learning import (
    AugmentOptions,
    LossOptions,
    MachineOptions,
    MonitorOptions,
    OptimiserOptions,
)
from nocigram.config.model import ModelOptions
from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import near_edges
from nocigram.core.errors import InputError, MissingExtraError, NoSamplesError
from nocigram.data.sources import sources_of
from nocigram.evaluation import TrialPrediction, score_trials
from nocigram.models.approaches import build_model
from nocigram.models.backbones import build_backbone
from nocigram.training.augment import Augmentation
from nocigram.training.averaging import MovingAverage
from nocigram.training.features import with_cached_features
from nocigram.training.loggers import make_loggers, run_name
from nocigram.training.losses import MultitaskLoss
from nocigram.training.module import ActionModule, Freeze
from nocigram.training.preparation import prepare, with_sources
from nocigram.training.schedule import Schedule
from nocigram.training.smoke import smoke_test
from nocigram.training.validation import _train_line, validation_lines


def options_for(annotations="A", videos="V", **groups):
    return TrainOptions(data=DataOptions(annotations=Path(annotations), videos=Path(videos), min_frames=20), **groups)


@pytest.mark.parametrize(
    ("groups", "name"),
    [
        pytest.param({}, "vit_small_b2_lr5e-5_g2.5_ls0.1_wd5e-2", id="the guide's defaults"),
        pytest.param(
            {
                "model": ModelOptions(encoder_name="MCG-NJU/videomae-base"),
                "optimiser": OptimiserOptions(batch_size=16, lr=1.25e-3, weight_decay=0.0),
                "loss": LossOptions(focal_gamma=0.0, label_smoothing=0.05),
            },
            "videomae-base_b16_lr1.25e-3_g0_ls0.05_wd0",
            id="a hub name, a zero, a longer number",
        ),
        pytest.param(
            {"model": ModelOptions(encoder_name="embedded")}, "embedded_b2_lr5e-5_g2.5_ls0.1_wd5e-2", id="one word"
        ),
    ],
)
def test_run_name_is_the_guides(groups, name):
    assert run_name(options_for(**groups)) == name


@pytest.mark.parametrize("package", ["wandb", "tensorboard"])
def test_a_logger_that_is_not_installed_names_its_extra(package, monkeypatch, tmp_path):
    monkeypatch.setattr("nocigram.training.loggers.find_spec", lambda name: None)
    monitor = MonitorOptions(**{f"use_{package}": True})

    with pytest.raises(MissingExtraError, match=rf"--use_{package}: .*pip install 'nocigram\[{package}\]'"):
        make_loggers(options_for(monitor=monitor), tmp_path)


def test_averages_rise_to_their_decay_and_counters_are_taken_as_they_are():
    average = MovingAverage(decay=0.5)
    one, two = torch.zeros(3), torch.ones(3)

    assert average._averaged(one, two, 1).tolist() == pytest.approx([1 - 2 / 11] * 3)
    assert average._averaged(one, two, torch.tensor(1000)).tolist() == pytest.approx([0.5] * 3)
    assert average._averaged(torch.tensor(3), torch.tensor(7), 1000).item() == 7


def test_the_average_holds_buffers_too():
    model = torch.nn.BatchNorm1d(2)
    average = torch.optim.swa_utils.AveragedModel(model, use_buffers=True, avg_fn=MovingAverage(decay=0.5)._averaged)
    average.update_parameters(model)
    model.running_mean.fill_(1.0)
    model.num_batches_tracked.fill_(9)
    average.update_parameters(model)

    assert 0 < average.module.running_mean[0] < 1
    assert average.module.num_batches_tracked == 9


def module_of(**model):
    torch.manual_seed(0)
    return ActionModule(
        build_model(
            n_actions=4, hidden_dim=8, encoder_name="test_vit", encoder_weights="none", img_size=32, **model
        ).model,
        loss=MultitaskLoss(
            class_weights=torch.ones(4), focal_gamma=2.5, label_smoothing=0.1, lambda_kp=1.0, lambda_smooth=1e-3
        ),
        augmentation=Augmentation(
            brightness=0.0,
            contrast=0.0,
            temporal_drop=0.0,
            kp_jitter_std=0.0,
            pose_drop=0.0,
            pixel_drop=0.0,
            mirrored=tuple(range(6)),
        ),
        schedule=Schedule(
            lr=1e-3, weight_decay=0.0, backbone_lr_factor=0.1, scheduler="cosine", n_warmup_steps=0, n_steps=1
        ),
        freeze=Freeze(n_epochs=0, last_blocks=None),
        seed=0,
    )


def test_the_smoke_test_prints_the_guides_shapes(capsys):
    batch = batch_of(n_windows=1, pixels=torch.zeros(1, 12, 1, 32, 32, dtype=torch.uint8))
    batch.actions[0, 3] = -1
    smoke_test(module_of(), batch, n_actions=4, device=torch.device("cpu"))

    assert capsys.readouterr().out.splitlines() == [
        "[info] Running smoke test...",
        "  Video shape: torch.Size([12, 3, 32, 32])",
        "  Actions shape: torch.Size([12, 5])",
        "  Keypoints shape: torch.Size([12, 12])",
        "  Visibility shape: torch.Size([12, 6])",
        "  Action mask: 1.0",
        "  ✓ Smoke test passed",
    ]


def test_the_smoke_test_changes_nothing_that_is_learnt_or_gathered():
    module = module_of()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    batch = batch_of(n_windows=1, pixels=torch.zeros(1, 12, 1, 32, 32, dtype=torch.uint8))
    smoke_test(module, batch, n_actions=4, device=torch.device("cpu"))

    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert module.training


def test_the_smoke_test_stops_a_model_that_predicts_nan():
    module = module_of(streams="pose")
    module.model.action_head.linear.bias.data.fill_(torch.nan)

    with pytest.raises(InputError, match="smoke test: expected finite predictions, got NaN or infinity"):
        smoke_test(module, batch_of(n_windows=1, pixels=None), n_actions=4, device=torch.device("cpu"))


def test_each_step_of_each_epoch_has_random_numbers_of_its_own():
    module = module_of(streams="pose")
    seeds = [module._seed_of(epoch, step) for epoch in range(40) for step in range(200)]

    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


# ---- validation


def prediction_of(labels, named, *, n_classes=3):
    return TrialPrediction(
        recording="r",
        trial=1,
        animal="a",
        labels=np.array(labels),
        probabilities=np.eye(n_classes)[named] * 0.9 + 0.1 / n_classes,
    )


def test_the_lines_of_an_epoch_are_the_guides():
    scores = score_trials([prediction_of([0, 0, 1, 1, 2], [0, 0, 1, 2, 2])], classes=("rest", "walk", "active"))

    assert validation_lines(scores, loss=2.12344) == (
        "Val loss: 2.1234\nVal macro F1: 0.7778\nVal macro Acc: 0.8333\nVal segment F1@0.3: 1.0000\n"
        "Per-class F1:\n  rest: 1.0000\n  walk: 0.6667\n  active: 0.6667"
    )


def test_the_line_of_the_training_loss_is_the_guides():
    terms = [
        {"loss": 2.0, "action": 1.5, "smooth": 0.1, "kp": 0.4},
        {"loss": 3.0, "action": 2.5, "smooth": 0.1, "kp": 0.2},
    ]

    as_tensors = [{name: torch.tensor(value) for name, value in each.items()} for each in terms]
    assert _train_line(as_tensors) == "Train loss: 2.5000 (action: 2.0000, kp: 0.3000)"
    del as_tensors[0]["kp"]
    assert _train_line(as_tensors[:1]) == "Train loss: 2.0000 (action: 1.5000)"


# ---- preparation


@pytest.fixture
def two_animals(laboratory):
    """Two labelled recordings of 40 frames, one with pose and no annotation, one with neither label nor pose."""
    for name in ("a", "b", "c", "d"):
        laboratory.video(f"{name}.mp4")
        if name != "d":
            laboratory.pose(name)
    for name in ("a", "b"):
        laboratory.annotation(1, video=f"{name}.mp4")
    return laboratory


def prepared_of(laboratory, **groups):
    options = options_for(laboratory.annotations, laboratory.videos, **groups)
    return prepare(options), options


def test_preparation_prints_the_guides_phases_in_order(two_animals, capsys):
    prepared_of(two_animals, windows=WindowOptions(train_T=20, val_T=20))
    out = capsys.readouterr().out
    phases = [
        f"[info] Discovering videos in {two_animals.videos}...",
        "[info] Found 2 (video, trial) pairs",
        "[info] split by animal: validation on ",
        "[info] train samples before boosting: 1",
        "[info] val samples: 1",
        "[info] 1 recordings without annotation train the keypoint head alone: c",
        "Class Distribution BEFORE boosting",
        "[info] Boosting rare classes (share < 0.03)...",
        "[info] train samples after boosting: 4",
        "Class Distribution AFTER boosting",
    ]
    places = [out.find(phase) for phase in phases]

    assert -1 not in places, out
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        pytest.param({}, ["c"], id="with pose and without annotation"),
        pytest.param({"split": SplitOptions(labelled_only=True)}, [], id="left out by --labelled_only"),
        pytest.param({"model": ModelOptions(model_type="action_only")}, [], id="no keypoint head"),
    ],
)
def test_recordings_without_annotation_train_the_keypoint_head_alone(two_animals, groups, names):
    prepared, options = prepared_of(two_animals, windows=WindowOptions(train_T=20, val_T=20), **groups)

    assert [recording.name for recording in prepared.extra] == names
    assert [each.recording for each in prepared.planner.spans if each.actions is None] == names
    assert not {trial.recording for trial in prepared.val_trials} & set(names)
    sources = with_sources(prepared, options).sources
    assert sorted(sources) == ["a", "b", *names]


def test_recordings_without_annotation_of_validation_animals_are_kept_out(two_animals, capsys):
    judge = prepared_of(two_animals)[0].val_trials[0].animal
    two_animals.table(("a", "a"), ("b", "b"), ("c", judge), header="recording,animal")
    prepared, _ = prepared_of(two_animals)

    assert [trial.animal for trial in prepared.val_trials] == [judge]
    assert prepared.extra == []
    assert "[info] not used, since their animals judge the model: c" in capsys.readouterr().out


def test_trials_without_visible_keypoints_are_skipped_where_pose_is_needed(two_animals, capsys):
    two_animals.annotation(1, video="d.mp4")
    prepared, _ = prepared_of(two_animals, model=ModelOptions(streams="pose"))

    assert {trial.recording for trial in prepared.found.trials} == {"a", "b"}
    reason = "expected a frame with two visible keypoints in its recording, got none"
    assert reason in capsys.readouterr().out


def test_a_leak_is_said(two_animals, capsys):
    two_animals.annotation(2, start=0, n_rows=20, video="a.mp4")
    (two_animals.annotations / "prediction_b.mp4_1.csv").unlink()
    two_animals.annotation(1, start=0, n_rows=20, video="a.mp4")
    prepared_of(two_animals, split=SplitOptions(split_by="trial", val_share=0.5))

    assert "[warn] LEAK: a are on more than one side" in capsys.readouterr().out


def test_no_usable_trial_is_the_guides_error_with_the_table_of_reasons(laboratory):
    laboratory.video("a.mp4", n_frames=10)
    laboratory.annotation(1, n_rows=10, video="a.mp4")

    with pytest.raises(NoSamplesError, match=r"(?s)No samples found!\n.*prediction_a.mp4_1.csv.*See nocigram check"):
        prepared_of(laboratory)


def test_warnings_are_printed_even_where_no_trial_can_be_used(laboratory, capsys):
    laboratory.video("a.mp4", n_frames=10)
    laboratory.pose("a", n_frames=9)

    with pytest.raises(NoSamplesError):
        prepared_of(laboratory)
    assert "[warn] a.mp4: 10 frames in the video, 9 rows in" in capsys.readouterr().out


def test_a_split_of_other_data_is_refused(two_animals):
    split = two_animals.folder / "split.json"
    split.write_text('{"split_by": "trial", "train": ["x#1"], "val": ["y#1"]}')

    with pytest.raises(InputError, match="--split: expected its trials in the folder, got 0 for training and 0 for"):
        prepared_of(two_animals, split=SplitOptions(split=split))


# ---- cached features


@pytest.fixture
def sources(two_animals, tmp_path):
    prepared, _ = prepared_of(two_animals)
    recordings = [prepared.found.recordings["a"]]
    return sources_of(recordings, crop="full", img_size=32, cache_dir=tmp_path / "cache", say=lambda line: None)


def encoder(seed=0):
    torch.manual_seed(seed)
    built = build_backbone("vit_2d", encoder_name="test_vit", encoder_weights="none", img_size=32)
    return built.backbone.eval()


def cached(sources, tmp_path, *, backbone=None, mirrors=False, settings=None, precision="32"):
    return with_cached_features(
        sources,
        backbone=backbone or encoder(),
        device=torch.device("cpu"),
        precision=precision,
        window_T=20,
        mirrors=mirrors,
        cache_dir=tmp_path / "cache",
        settings=settings or {},
    )["a"].features


def test_cached_features_are_the_backbones_of_each_frame_and_of_its_mirror_image(sources, tmp_path):
    plain, mirror = cached(sources, tmp_path, mirrors=True)
    pixels = torch.from_numpy(sources["a"].frames[:].copy())[None]
    with torch.no_grad():
        expected, expected_mirror = encoder()(pixels)[0], encoder()(pixels.flip(-1))[0]

    np.testing.assert_allclose(plain, expected, atol=5e-3)
    np.testing.assert_allclose(mirror, expected_mirror, atol=5e-3)
    assert np.abs(np.asarray(plain, dtype=float) - mirror).max() > 0.05


def test_features_are_computed_once_for_a_backbone_and_anew_for_another(sources, tmp_path, capsys):
    first, again = cached(sources, tmp_path), cached(sources, tmp_path)
    assert capsys.readouterr().out.count("[info] Computing features of the frozen backbone: 40 frames, 0 MB") == 1
    assert np.array_equal(first[0], again[0])

    cached(sources, tmp_path, settings={"clip_T": 8})
    assert "[info] Computing features" in capsys.readouterr().out
    other = cached(sources, tmp_path, backbone=encoder(seed=1))
    assert not np.allclose(first[0], other[0], atol=1e-2)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_features_of_auto_are_those_of_the_precision_that_the_device_computes(
    sources, tmp_path, monkeypatch, capsys, precision
):
    monkeypatch.setattr("nocigram.models.precision.computes_bf16", lambda device: precision == "bf16")
    cached(sources, tmp_path, precision="auto")
    assert "[info] Computing features" in capsys.readouterr().out
    cached(sources, tmp_path, precision=precision)
    assert "[info] Computing features" not in capsys.readouterr().out
    cached(sources, tmp_path, precision="32" if precision == "bf16" else "bf16")
    assert "[info] Computing features" in capsys.readouterr().out


def test_options_that_a_run_keeps_are_plain_values():
    flat = options_for(machine=MachineOptions(out=Path("o")), augment=AugmentOptions(aug_hflip=True)).flat()

    assert (flat["out"], flat["aug_hflip"], flat["annotations"]) == ("o", True, "A")


def test_animals_that_are_kept_out_neither_train_nor_choose(two_animals, capsys):
    two_animals.video("e.mp4")
    two_animals.pose("e")
    two_animals.annotation(1, video="e.mp4")
    two_animals.table(("a", "a"), ("b", "b"), ("c", "E"), ("e", "E"), header="recording,animal")
    prepared, _ = prepared_of(two_animals, split=SplitOptions(test_animals="E"))

    assert prepared.split.test == ("e#1",)
    assert sorted(trial.animal for trial in (*prepared.train_trials, *prepared.val_trials)) == ["a", "b"]
    assert prepared.extra == [], "c is of the same animal"
    said = "[info] kept out for good: E (1 trials); score them with evaluate --split test"
    assert said in capsys.readouterr().out


def test_a_split_that_trains_on_an_animal_to_keep_out_is_refused(two_animals, tmp_path):
    prepared, _ = prepared_of(two_animals)
    prepared.split.save(tmp_path / "split.json")

    with pytest.raises(InputError, match="--test_animals: expected animals that --split neither trains nor chooses"):
        prepared_of(two_animals, split=SplitOptions(test_animals="a", split=tmp_path / "split.json"))


def test_labels_beside_a_change_of_action_do_not_count_in_the_loss(two_animals, capsys):
    tolerant, options = prepared_of(two_animals, loss=LossOptions(loss_boundary_tolerance=1))
    said = re.search(r"--loss_boundary_tolerance 1: (\d+) of (\d+) labelled frames", capsys.readouterr().out)
    span = next(span for span in tolerant.planner.spans if span.actions is not None)
    labels = tolerant.found.labels_of(tolerant.train_trials[0])

    left_out = (labels != UNSCORED) & (span.actions == UNSCORED)
    assert int(said[1]) == left_out.sum() > 0
    assert int(said[2]) == (labels != UNSCORED).sum()
    np.testing.assert_array_equal(left_out, near_edges(labels, 1))
    ready = with_sources(tolerant, options)
    shown = ready.windows_of(ready.train_trials, window_T=40, boundary_tolerance=1).dataset().windows[0]
    np.testing.assert_array_equal(shown.actions, span.actions)
