"""Simulating a study."""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Measured, Setting, frames_per_s
from nocigram.simulation import simulate
from nocigram.video.encode import VideoWriter

SIZE_PX = 320


def simulate_study(setting: Setting) -> Measured:
    """Simulate, draw and encode, against a camera that films at 30 frames per second."""
    return Measured(
        name="simulate_study",
        frames_per_s=frames_per_s(lambda: _simulate(setting.n_trials), n_repeats=setting.n_repeats),
        baseline="filming",
        baseline_frames_per_s=30.0,
        limit="encoding alone",
        limit_frames_per_s=frames_per_s(lambda: _encode(setting.n_trials * 360), n_repeats=setting.n_repeats),
    )


def _simulate(n_trials: int) -> int:
    """One animal."""
    with tempfile.TemporaryDirectory() as folder:
        return simulate(Path(folder) / "study", n_animals=1, n_trials=n_trials, seed=1, size_px=SIZE_PX).n_frames


def _encode(n_frames: int) -> int:
    """Noise on a ramp that moves, as hard to encode as a noisy camera's picture."""
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(SIZE_PX), np.arange(SIZE_PX)) // 4
    pictures = [(ramp + 2 * rng.normal(size=ramp.shape) + step).clip(0, 255).astype(np.uint8) for step in range(8)]
    with (
        tempfile.TemporaryDirectory() as folder,
        VideoWriter(Path(folder) / "video.mp4", width_px=SIZE_PX, height_px=SIZE_PX, fps=30.0) as video,
    ):
        for number in range(n_frames):
            video.write(pictures[number % len(pictures)])
    return n_frames
