"""What all benchmarks share: their input, the clock, the result."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nocigram.simulation import simulate


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How large a benchmark is."""

    inputs: Path
    """Folder of generated inputs, kept between runs."""
    n_trials: int
    """Of 360 frames each."""
    img_size: int
    n_repeats: int

    def study(self) -> Path:
        """A simulated recording, made once for its parameters."""
        folder = self.inputs / f"study-trials{self.n_trials}-seed1"
        if not (folder / "recordings.csv").is_file():
            simulate(folder, n_animals=1, n_trials=self.n_trials, seed=1)
        return folder


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Frames per second of what is measured, of what it is compared with, and of what can't be exceeded."""

    name: str
    frames_per_s: float
    baseline: str
    """What it is compared with."""
    baseline_frames_per_s: float
    limit: str
    """The part of the work that can't be left out."""
    limit_frames_per_s: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the baseline."""
        return self.frames_per_s / self.baseline_frames_per_s

    @property
    def share_of_limit(self) -> float:
        """1: as fast as the limit."""
        return self.frames_per_s / self.limit_frames_per_s

    def as_text(self) -> str:
        """For people."""
        return (
            f"{self.name}: {self.frames_per_s:.0f} frames/s\n"
            f"  {self.ratio:.1f} times {self.baseline} ({self.baseline_frames_per_s:.0f} frames/s)\n"
            f"  {self.share_of_limit:.0%} of {self.limit} ({self.limit_frames_per_s:.0f} frames/s)"
        )


def frames_per_s(run: Callable[[], int], *, n_repeats: int) -> float:
    """Median rate of several runs after one to warm up; `run` returns the number of frames that it dealt with."""
    run()
    rates = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        n_frames = run()
        rates.append(n_frames / (time.perf_counter() - start))
    return statistics.median(rates)
