"""The benchmarks run, and say what they compare."""

import json
import subprocess
import sys

import pytest
from doc_blocks import ROOT


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_benchmark_ends_with_ratios_as_json(tmp_path):
    done = run("--quick", "--inputs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])["results"]
    assert list(results) == ["cache_frames", "simulate_study", "frozen_epoch"]
    for result in results.values():
        assert result["ratio"] == pytest.approx(result["frames_per_s"] / result["baseline_frames_per_s"])
        assert result["ratio"] > 1


@pytest.mark.slow
def test_an_unknown_name_is_refused_with_the_known_ones():
    done = run("decoding")
    assert done.returncode == 2
    assert "expected names among cache_frames, simulate_study, frozen_epoch, got decoding" in done.stderr
