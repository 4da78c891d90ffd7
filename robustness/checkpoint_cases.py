"""Checkpoints that are damaged, of another version, of another model, or made to run code; points to resume from."""

import math
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robustness.cases import Case, Spoil
from robustness.running import run
from robustness.study import Study

_READERS = ("predict", "evaluate")
_MODEL = r"best_model_multitask\.pt: expected "
Change = Callable[[dict[str, Any]], object]


class Evil:
    """Makes a file, or what stands for any other code, when it is unpickled."""

    def __init__(self, canary: Path, how: str = "system") -> None:
        self.canary, self.how = canary, how

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return {
            "system": (os.system, (f"touch '{self.canary}'",)),
            "exec": (exec, (f"open({str(self.canary)!r}, 'w').close()",)),
            "eval": (eval, (f"open({str(self.canary)!r}, 'w').close()",)),
            "copy": (shutil.copy, (os.devnull, str(self.canary))),
            "mkdir": (os.makedirs, (str(self.canary),)),
        }[self.how]


def canary_of(study: Study) -> Path:
    """What code that runs would make."""
    return study.place / "CANARY"


def _bytes(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the checkpoint."""
    return lambda study: study.checkpoint.write_bytes(change(study.checkpoint.read_bytes()))


def _content(change: Change) -> Spoil:
    """Change what the checkpoint holds."""

    def spoil(study: Study) -> None:
        content = torch.load(study.checkpoint, weights_only=True)
        change(content)
        torch.save(content, study.checkpoint)

    return spoil


def _put(*path: str, value: Any = ...) -> Spoil:
    """Another value at a place in the checkpoint; none: without it."""

    def change(content: dict[str, Any]) -> None:
        for name in path[:-1]:
            content = content[name]
        if value is ...:
            del content[path[-1]]
        else:
            content[path[-1]] = value

    return _content(change)


def _evil(write: Callable[[Path, Evil], object], how: str = "system") -> Spoil:
    """A checkpoint that runs code where a plain unpickler reads it."""
    return lambda study: write(study.checkpoint, Evil(canary_of(study), how))


def _within(*path: str) -> Callable[[Path, Evil], object]:
    """A good checkpoint with something evil at one place."""

    def write(file: Path, evil: Evil) -> None:
        content = torch.load(file, weights_only=True)
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = evil
        torch.save(content, file)

    return write


def _of_trees(change: Callable[[str], str]) -> Spoil:
    """The model of trees, with its text changed."""

    def spoil(study: Study) -> None:
        content = torch.load(study.trees, weights_only=True)
        weights = content["model_state_dict"]
        name = next(name for name, value in weights.items() if isinstance(value, str))
        weights[name] = change(weights[name])
        torch.save(content, study.checkpoint)

    return spoil


def _weights(change: Callable[[dict[str, Any]], object]) -> Spoil:
    return _content(lambda content: change(content["model_state_dict"]))


def _some_weight(weights: dict[str, Any]) -> str:
    return next(name for name, tensor in weights.items() if tensor.is_floating_point() and tensor.ndim == 2)


def _refused(name: str, spoil: Spoil, *says: str) -> Case:
    """Neither `predict` nor `evaluate` takes it, and both name the file."""
    return Case(kind="checkpoint", name=name, spoil=spoil, runs=_READERS, refused=_READERS, says=says or (_MODEL,))


def _resumed(name: str, change: Callable[[Path, Study], object], *says: str, harmless: bool = False) -> Case:
    """A training that is continued from a folder with a fault."""

    def spoil(study: Study) -> None:
        ran = run(study.arguments("train"))
        assert ran.status == 0, ran.text
        change(study.out / "train/training", study)
        study.flags["train"] = ["--resume"]

    refused = () if harmless else ("train",)
    return Case(kind="resume", name=name, spoil=spoil, runs=("train",), refused=refused, says=says)


def _cached(name: str, change: Callable[[Path, Study], object]) -> Case:
    """Files of the cache are damaged: they are made anew, and the result is the same."""

    def spoil(study: Study) -> None:
        shutil.copytree(study.cache, study.place / "cache")
        study.cache = study.place / "cache"
        for path in study.cache.rglob("*.npy"):
            change(path, study)

    return Case(kind="cache", name=name, spoil=spoil, runs=("train", "evaluate"))


def _pickled_npy(path: Path, study: Study) -> None:
    np.save(path, np.array([Evil(canary_of(study))], dtype=object), allow_pickle=True)


def _npy_of_version(version: tuple[int, int]) -> Callable[[Path, Study], object]:
    def write(path: Path, _: Study) -> None:
        array = np.load(path)
        with path.open("wb") as file:
            np.lib.format.write_array(file, array, version=version)

    return write


_CUTS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.999)
_FIELDS = (
    *("model_state_dict", "classes", "orig_classes", "col_map", "merge_idxs", "best_thresholds", "kp_names"),
    *("val_metrics", "args", "approach", "model", "backbone", "scheme", "split", "seen", "format_version"),
)
_EVIL_FILES: dict[str, Callable[[Path, Evil], object]] = {
    "a plain pickle": lambda path, evil: path.write_bytes(pickle.dumps(evil)),
    "a pickle of protocol 0": lambda path, evil: path.write_bytes(pickle.dumps(evil, protocol=0)),
    "a pickle within a list": lambda path, evil: path.write_bytes(pickle.dumps([1, {"a": evil}])),
    "as torch saves": lambda path, evil: torch.save(evil, path),
    "as torch saved of old": lambda path, evil: torch.save(evil, path, _use_new_zipfile_serialization=False),
    "beside good weights": _within("extra", "more"),
    "as weights": _within("model_state_dict"),
    "as one weight": _within("model_state_dict", "evil"),
    "as the options": _within("args"),
    "as the version": _within("format_version"),
    "as an array of objects": lambda path, evil: torch.save({"a": np.array([evil], dtype=object)}, path),
}

CASES = [
    *(
        _refused(f"cut after {share:.1%}", _bytes(lambda content, share=share: content[: int(share * len(content))]))
        for share in _CUTS
    ),
    *(
        _refused(name, _bytes(lambda _, content=content: content))
        for name, content in {
            "a sentence": b"the model is on the server\n",
            "a zip of nothing": b"PK\5\6" + bytes(18),
            "zeros": bytes(5000),
            "noise": np.random.default_rng(1).bytes(5000),
            "a web page": b"<!DOCTYPE html><html></html>",
        }.items()
    ),
    _refused("some bytes are others", _bytes(lambda content: content[:2000] + bytes(400) + content[2400:])),
    *(
        _refused(name, lambda study, make=make: (study.checkpoint.unlink(), make(study.checkpoint)))
        for name, make in {
            "a folder": Path.mkdir,
            "a pipe": os.mkfifo,
            "a link to itself": lambda path: path.symlink_to(path),
            "a link to nothing": lambda path: path.symlink_to("gone.pt"),
        }.items()
    ),
    _refused("removed", lambda study: study.checkpoint.unlink(), _MODEL + "a checkpoint file, got none"),
    *(
        _refused(f"format version {version!r}", _put("format_version", value=version), _MODEL + "format version")
        for version in (2, 99, 0, -1, "1", None, [1])
    ),
    *(_refused(f"without {name}", _put(name), _MODEL + f".* without {name}") for name in _FIELDS),
    *(_refused(f"{name} is a number", _put(name, value=7)) for name in _FIELDS[:-1]),
    _refused("a list", lambda study: torch.save([1, 2], study.checkpoint)),
    _refused("a tensor", lambda study: torch.save(torch.zeros(3), study.checkpoint)),
    _refused(
        "weights alone", lambda study: torch.save(torch.load(study.checkpoint)["model_state_dict"], study.checkpoint)
    ),
    *(
        _refused(f"approach {name!r}", _put("approach", value=name))
        for name in ("pose_only", "pose_trees", "video_only", "gone")
    ),
    *(
        _refused(f"model: {name} {value!r}", _put("model", name, value=value))
        for name, value in (
            ("hidden_dim", 32),
            ("hidden_dim", 0),
            ("hidden_dim", "16"),
            ("hidden_dim", 10**7),
            ("n_actions", 5),
            ("n_actions", 1),
            ("encoder_name", "gone_vit"),
            ("encoder_name", 3),
            ("backbone_type", "gone"),
            ("temporal_head", "gone"),
            ("streams", "sound"),
            ("features", ["sound"]),
            ("skeleton", {}),
            ("skeleton", {"names": ["a"]}),
            ("img_size", -1),
            ("surprise", 1),
        )
    ),
    _refused("model: without n_actions", _put("model", "n_actions")),
    _refused("a weight less", _weights(lambda weights: weights.pop(_some_weight(weights)))),
    _refused("a weight more", _weights(lambda weights: weights.update(more=torch.zeros(2)))),
    _refused(
        "a weight of another shape",
        _weights(lambda weights: weights.update({_some_weight(weights): torch.zeros(2, 2)})),
    ),
    _refused("a weight that is NaN", _weights(lambda weights: weights[_some_weight(weights)].fill_(math.nan))),
    _refused("a weight that is infinite", _weights(lambda weights: weights[_some_weight(weights)][0].fill_(math.inf))),
    _refused("a weight that is text", _weights(lambda weights: weights.update({_some_weight(weights): "0.1"}))),
    *(
        _refused(f"classes {value!r}", _put("classes", value=value))
        for value in ([], ["rest"], [1, 2, 3, 4, 5, 6], ["a"] * 6)
    ),
    *(
        _refused(f"args: {name} {value!r}", _put("args", name, value=value))
        for name, value in (
            ("val_T", "x"),
            ("val_T", 0),
            ("val_T", -5),
            ("val_T", None),
            ("img_size", 0),
            ("img_size", "large"),
            ("crop", "round"),
            ("kp_likelihood_thr", "high"),
            ("precision", "64"),
        )
    ),
    *(
        _refused(f"args: without {name}", _put("args", name))
        for name in ("val_T", "img_size", "crop", "kp_likelihood_thr", "precision")
    ),
    *(
        _refused(f"extra: {name} {value!r}", _put("extra", name, value=value))
        for name, value in (
            ("fps", "x"),
            ("fps", 0.0),
            ("fps", math.nan),
            ("decoder", None),
            ("decoder", {}),
            ("decoder", {"kind": "gone", "bouts": None, "window_n_frames": 1, "weight": 1.0, "prior_power": 0.0}),
            (
                "decoder",
                {
                    "kind": "viterbi",
                    "bouts": {"shortest_n_frames": [1], "share": [1.0], "leave": [0.1], "transitions": [[1.0]]},
                    "window_n_frames": 1,
                    "weight": 1.0,
                    "prior_power": 0.0,
                },
            ),
        )
    ),
    *(_refused(f"extra: without {name}", _put("extra", name)) for name in ("fps", "decoder")),
    _refused("scheme: other actions", _put("scheme", value={"names": ["a", "b"], "merges": {}, "ignore": []})),
    _refused("scheme: no names", _put("scheme", value={})),
    _refused("split: a list", _put("split", value=[])),
    _refused("seen: words", _put("seen", value=["a", "b"])),
    _refused("seen: other records", _put("seen", value=[{"recording": "a"}])),
    *(
        _refused(f"trees: {name}", _of_trees(change), _MODEL)
        for name, change in {
            "cut off": lambda text: text[: len(text) // 2],
            "none": lambda text: "",
            "of nothing": lambda text: "{}",
            "a word": lambda text: "trees",
            "a list": lambda text: "[1, 2]",
        }.items()
    ),
    *(_refused(f"code: {name}", _evil(write)) for name, write in _EVIL_FILES.items()),
    *(
        _refused(f"code: by {how}", _evil(_EVIL_FILES["as torch saves"], how))
        for how in ("exec", "eval", "copy", "mkdir")
    ),
    _resumed("healthy", lambda folder, study: None, harmless=True),
    *(
        _resumed(
            f"point cut after {share:.0%}",
            lambda folder, study, share=share: os.truncate(
                folder / "resume.ckpt", int(share * (folder / "resume.ckpt").stat().st_size)
            ),
            r"resume\.ckpt: expected .*Leave --resume out",
        )
        for share in (0.0, 0.5, 0.95)
    ),
    *(
        _resumed(
            f"point with code: {name}",
            lambda folder, study, name=name: _EVIL_FILES[name](folder / "resume.ckpt", Evil(canary_of(study))),
            r"resume\.ckpt: expected .*Leave --resume out",
        )
        for name in ("a plain pickle", "as torch saves", "as torch saved of old")
    ),
    _resumed(
        "point of something else",
        lambda folder, study: torch.save({"a": 1}, folder / "resume.ckpt"),
        r"resume\.ckpt: expected .*Leave --resume out",
    ),
    _resumed("point removed", lambda folder, study: (folder / "resume.ckpt").unlink(), "expected a stopped run"),
    *(
        _resumed(
            f"options: {name}",
            lambda folder, study, content=content: (folder / "options.json").write_bytes(content),
            r"options\.json: expected .*Leave --resume out",
        )
        for name, content in {
            "zero bytes": b"",
            "cut off": b'{"epochs": ',
            "a list": b"[1]",
            "noise": bytes(range(128, 200)),
        }.items()
    ),
    _resumed("split damaged", lambda folder, study: (folder / "split.json").write_text("{"), r"split\.json: expected"),
    _cached("healthy", lambda path, study: None),
    *(
        _cached(
            f"files cut after {share:.0%}",
            lambda path, study, share=share: os.truncate(path, int(share * path.stat().st_size)),
        )
        for share in (0.0, 0.001, 0.5, 0.99)
    ),
    _cached("files that are longer", lambda path, study: path.open("ab").write(b"\0" * 7)),
    _cached("files that are text", lambda path, study: path.write_text("frames\n")),
    _cached("files with code", _pickled_npy),
    _cached(
        "files that are plain pickles with code",
        lambda path, study: path.write_bytes(pickle.dumps(Evil(canary_of(study)))),
    ),
    *(_cached(f"files of npy's version {version[0]}", _npy_of_version(version)) for version in ((2, 0), (3, 0))),
]
