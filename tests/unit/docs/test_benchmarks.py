"""The benchmarks run, and say what they compare."""

import importlib.util
import json
import subprocess
import sys

import pytest
from doc_blocks import ROOT

from nocigram.simulation import simulate


def run(*arguments, module="benchmarks.run"):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_benchmark_ends_with_ratios_as_json(tmp_path):
    done = run("--quick", "--inputs", str(tmp_path))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])["results"]
    assert list(results) == ["cache_frames", "simulate_study", "frozen_epoch"]
    for result in results.values():
        assert result["ratio"] == pytest.approx(result["frames_per_s"] / result["baseline_frames_per_s"])
        assert result["ratio"] > 0


@pytest.mark.slow
def test_an_unknown_name_is_refused_with_the_known_ones():
    done = run("decoding")
    assert done.returncode == 2
    assert "expected names among cache_frames, simulate_study, frozen_epoch, got decoding" in done.stderr


@pytest.mark.slow
def test_other_tools_are_scored_on_animals_held_out_and_one_that_is_not_installed_is_told(tmp_path):
    pytest.importorskip("xgboost")
    simulate(tmp_path / "study", n_animals=3, n_trials=1, seed=0, size_px=96)
    names = ["windowed_trees", "lightning_action_mlp"]
    where = ["--data", str(tmp_path / "study"), "--out", str(tmp_path / "out")]
    done = run(*where, "--only", *names, module="benchmarks.others")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    is_there = importlib.util.find_spec("lightning_action") is not None
    assert found["n_folds"] == 3
    assert list(found["results"]) == (names if is_there else names[:1])
    assert ("lightning_action_mlp: left out, since lightning-action is not installed" in done.stdout) != is_there
    trees = found["results"]["windowed_trees"]
    assert 0.3 < trees["macro_f1"] <= 1
    assert set(trees["f1"]) >= {"rest", "paw_withdraw"}
