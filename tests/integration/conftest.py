"""A small simulated study, and trainings of a tiny model on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from nocigram.cli.main import main
from nocigram.simulation import simulate

TINY = (
    *("--train_T", "60", "--val_T", "60", "--batch_size", "8", "--epochs", "4", "--warmup_epochs", "1"),
    *("--encoder_name", "test_vit", "--encoder_weights", "none", "--img_size", "32", "--hidden_dim", "16"),
    *("--lr", "3e-3", "--rare_boost_cap", "2", "--freeze_backbone_epochs", "1"),
    *("--accelerator", "cpu", "--precision", "32"),
)


@dataclass(frozen=True)
class Study:
    """A simulated folder, and a cache of its decoded frames that all trainings share."""

    folder: Path

    @property
    def annotations(self) -> Path:
        return self.folder / "Annotations"

    @property
    def videos(self) -> Path:
        return self.folder / "Videos"

    @property
    def folders(self) -> list[str]:
        """Flags of `check`, `train` and `evaluate`."""
        return ["--annotations", str(self.annotations), "--videos", str(self.videos)]

    def train_command(self, out: Path, *flags: str) -> list[str]:
        """Arguments of a tiny training; its last flags win."""
        cache = ["--cache_dir", str(self.folder / "cache")]
        return ["train", *self.folders, *cache, "--out", str(out), *TINY, *flags]

    def train(self, out: Path, *flags: str) -> Path:
        """Train in this process."""
        assert main(self.train_command(out, *flags)) == 0
        return out / "best_model_multitask.pt"


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Sums in one order, in this process and in those that it starts."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Study:
    """Three animals with a trial each, and a recording without annotation."""
    folder = tmp_path_factory.mktemp("study")
    simulate(folder, n_animals=3, n_trials=1, seed=0, size_px=96, n_unlabelled=1)
    return Study(folder)


@pytest.fixture(scope="session")
def differences() -> Callable[[Any, Any], list[str]]:
    """Names of what isn't exactly equal in two nested containers of tensors and plain values."""

    def compare(one: Any, other: Any, where: str = "") -> list[str]:
        if isinstance(one, torch.Tensor):
            return [] if torch.equal(one, other) else [where]
        if isinstance(one, dict):
            if set(one) != set(other):
                return [where]
            return [name for key in one for name in compare(one[key], other[key], f"{where}.{key}")]
        if isinstance(one, list | tuple):
            if len(one) != len(other):
                return [where]
            pairs = enumerate(zip(one, other, strict=True))
            return [name for index, pair in pairs for name in compare(*pair, f"{where}[{index}]")]
        return [] if one == other else [where]

    return compare
