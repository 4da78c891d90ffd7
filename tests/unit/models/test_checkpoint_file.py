import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.errors import InputError
from nocigram.models.approaches import build_model
from nocigram.models.checkpoint import FORMAT_VERSION, Checkpoint, load_checkpoint, restore_model, save_checkpoint
from nocigram.training.files import check_point

GUIDE_KEYS = {
    "model_state_dict",
    "classes",
    "orig_classes",
    "col_map",
    "merge_idxs",
    "best_thresholds",
    "kp_names",
    "val_metrics",
    "args",
}
CLIP_SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def checkpoint_of(built, **changes):
    scheme = DEFAULT_SCHEME
    content = Checkpoint(
        model_state_dict=built.model.state_dict(),
        classes=list(scheme.classes),
        orig_classes=list(scheme.names),
        col_map=scheme.col_map,
        merge_idxs=scheme.merge_idxs,
        best_thresholds=[0.5] * 6,
        kp_names=["mouth"],
        val_metrics={"macro_f1": 0.5, "per_action": {"rest": {"f1": 1.0}}},
        args={"epochs": 2},
        approach=built.approach,
        model=built.options,
        backbone=None,
        scheme={"names": list(scheme.names), "merges": dict(scheme.merges), "ignore": []},
        split={"train": ["a"], "val": ["b"]},
        seen=[{"recording": "a", "sides": ["train"]}],
    )
    return replace(content, **changes)


@pytest.fixture
def built():
    torch.manual_seed(0)
    return build_model(n_actions=6, hidden_dim=8, streams="pose")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best_model_multitask.pt"


def test_a_bare_torch_load_reads_the_guides_keys(built, path):
    save_checkpoint(path, checkpoint_of(built))
    found = torch.load(path)

    assert set(found) >= GUIDE_KEYS
    assert "ema_state_dict" not in found
    assert found["classes"] == ["rest", "paw_withdraw", "paw_lick", "paw_shake", "walk", "active"]
    assert found["col_map"] == {0: 0, 1: 1, 2: 2, 3: 1, 4: 3, 5: 1, 6: 4, 7: 5}
    assert found["merge_idxs"] == [1, 3, 5]
    assert found["args"] == {"epochs": 2}
    assert found["format_version"] == FORMAT_VERSION


def test_what_was_saved_is_read_again(built, path):
    written = checkpoint_of(built, ema_state_dict=built.model.state_dict(), extra={"crop": "mouse"})
    save_checkpoint(path, written)
    found = load_checkpoint(path)

    for name in ("classes", "col_map", "val_metrics", "args", "model", "scheme", "split", "seen", "extra"):
        assert getattr(found, name) == getattr(written, name), name
    torch.testing.assert_close(dict(found.ema_state_dict), dict(written.ema_state_dict))


def test_values_become_plain_ones(built, path):
    args = {
        "videos": Path("Videos"),
        "lr": np.float64(0.5),
        "names": ("a", "b"),
        "ignore": frozenset({"b", "a"}),
        "use_ema": True,
        "file": None,
    }
    save_checkpoint(path, checkpoint_of(built, args=args))

    assert torch.load(path)["args"] == {
        "videos": "Videos",
        "lr": 0.5,
        "names": ["a", "b"],
        "ignore": ["a", "b"],
        "use_ema": True,
        "file": None,
    }


def test_a_value_that_is_not_plain_is_refused_with_its_place_and_nothing_is_written(built, path):
    with pytest.raises(TypeError, match=r"got Linear in args.layers\[1\]"):
        save_checkpoint(path, checkpoint_of(built, args={"layers": [1, torch.nn.Linear(1, 1)]}))
    assert not list(path.parent.iterdir())


def test_a_view_brings_only_its_own_numbers(built, path):
    save_checkpoint(path, checkpoint_of(built, extra={"row": torch.zeros(2_000_000)[:3]}))

    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"streams": "pose"}, id="pose alone"),
        pytest.param({"encoder_name": "test_vit", "img_size": 32}, id="2D"),
        pytest.param({"encoder_name": "embedded", "img_size": 32}, id="the embedded encoder"),
        pytest.param(
            {"backbone_type": "videomae2_3d", "encoder_config": CLIP_SIZES, "img_size": 32, "clip_T": 8}, id="3D"
        ),
    ],
)
def test_a_model_is_restored_without_any_weights_but_its_own(options, path, monkeypatch):
    torch.manual_seed(4)
    pretrained = "pretrained" if options.get("encoder_name") == "embedded" else "none"
    built = build_model(n_actions=6, hidden_dim=8, **options, encoder_weights=pretrained)
    batch = {
        "xy_px": torch.rand(1, 9, 6, 2),
        "visible": torch.ones(1, 9, 6, dtype=torch.bool),
        "body_length_px": torch.ones(1),
    }
    if options.get("streams") != "pose":
        batch["frames"] = torch.randint(0, 256, (1, 9, 1, 32, 32), dtype=torch.uint8)
    built.model.train()(**batch)  # so that buffers are no longer those of a new model
    save_checkpoint(path, checkpoint_of(built))
    monkeypatch.setattr("nocigram.models.backbones.vit_2d.read_embedded_file", lambda: pytest.fail("read weights"))

    restored = restore_model(load_checkpoint(path))

    assert not any(module.training for module in restored.modules())
    with torch.inference_mode():
        torch.testing.assert_close(restored(**batch).action_logits, built.model.eval()(**batch).action_logits)


def test_averaged_weights_are_preferred(built, path):
    averaged = {name: tensor + 1 for name, tensor in built.model.state_dict().items()}
    save_checkpoint(path, checkpoint_of(built, ema_state_dict=averaged))

    torch.testing.assert_close(dict(restore_model(load_checkpoint(path)).state_dict()), averaged)


def test_weights_of_another_architecture_are_refused(built, path):
    save_checkpoint(path, checkpoint_of(built, model=built.options | {"hidden_dim": 16}))

    with pytest.raises(InputError, match="checkpoint: expected the weights of its model"):
        restore_model(load_checkpoint(path))


def save(path, **changes):
    """A checkpoint with other entries; `...` leaves a key out."""
    save_checkpoint(path, checkpoint_of(build_model(n_actions=6, hidden_dim=8, streams="pose")))
    found = torch.load(path) | changes
    torch.save({name: value for name, value in found.items() if value is not ...}, path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda path: None, "expected a checkpoint file, got none. Check the path", id="no file"),
        pytest.param(lambda path: path.mkdir(), "expected a checkpoint file, got none", id="a folder"),
        pytest.param(lambda path: path.write_bytes(b""), "got a damaged or foreign file. Copy it again", id="empty"),
        pytest.param(lambda path: path.write_text("x,y\n1,2\n"), "got a damaged or foreign file", id="a table"),
        pytest.param(
            lambda path: path.write_text("the model is on the server\n"), "damaged or foreign", id="a sentence"
        ),
        pytest.param(
            lambda path: (save(path), path.write_bytes(path.read_bytes()[:-3000])),
            "got a damaged or foreign file",
            id="cut off",
        ),
        pytest.param(
            lambda path: save(path, format_version=FORMAT_VERSION + 1, nocigram_version="9.1"),
            rf"format version {FORMAT_VERSION} or older, got {FORMAT_VERSION + 1} .written by nocigram 9.1.. Update",
            id="of a newer format",
        ),
        pytest.param(
            lambda path: save(path, format_version="1"),
            r"format version 1 or older, got 1 .written",
            id="text as version",
        ),
        pytest.param(
            lambda path: save(path, classes=["a"] * 6, seen=["a"], split=[]),
            "as nocigram train writes it, got something else as classes, scheme, split, seen. Train it again",
            id="other content",
        ),
        pytest.param(
            lambda path: save(path, approach="gone", model={"n_actions": 5}),
            "something else as approach, model",
            id="another model",
        ),
        pytest.param(
            lambda path: save(path, kp_names=..., split=...), "one without kp_names, split. Give", id="without keys"
        ),
        pytest.param(lambda path: torch.save([1, 2], path), "one without model_state_dict, classes", id="a list"),
        pytest.param(
            lambda path: torch.save(torch.nn.Linear(1, 1), path),
            "got pickled classes, which could run code",
            id="a class",
        ),
    ],
)
def test_what_is_no_checkpoint_is_refused(spoil, message, path):
    spoil(path)

    with pytest.raises(InputError, match=rf"best_model_multitask.pt: .*{message}"):
        load_checkpoint(path)


def test_weights_that_are_no_numbers_are_refused(built, path):
    next(built.model.parameters()).data.view(-1)[0] = torch.nan
    save_checkpoint(path, checkpoint_of(built))
    with pytest.raises(InputError, match=r"checkpoint: expected finite weights, got NaN or infinity in .*\. Train it"):
        restore_model(load_checkpoint(path))


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch '{self.canary}'",)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda evil, path: path.write_bytes(pickle.dumps(evil)), id="a plain pickle"),
        pytest.param(lambda evil, path: path.write_bytes(pickle.dumps(evil, protocol=0)), id="an old pickle"),
        pytest.param(lambda evil, path: torch.save(evil, path), id="as torch saves"),
        pytest.param(
            lambda evil, path: torch.save(evil, path, _use_new_zipfile_serialization=False), id="as torch saved of old"
        ),
        pytest.param(lambda evil, path: save(path, extra={"more": evil}), id="in a good checkpoint"),
        pytest.param(
            lambda evil, path: save(path, val_metrics={"a": np.array([evil], dtype=object)}), id="in an array"
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_checkpoint_from_a_stranger_cant_run_code(write, path, tmp_path):
    canary = tmp_path / "canary"
    write(Evil(canary), path)
    with pytest.raises(InputError, match=r"best_model_multitask\.pt: expected"):
        load_checkpoint(path)
    assert not canary.exists()
    with pytest.raises(InputError, match="expected the point at which training stopped, got a damaged or foreign file"):
        check_point(path)
    assert not canary.exists()
