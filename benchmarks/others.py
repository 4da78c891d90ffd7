"""Approaches that need no video, beside what else a laboratory could take, on the same animals held out.

    python -m benchmarks.others --data FOLDER
    python -m benchmarks.others --data FOLDER --fps 20 --only pose_trees windowed_trees

FOLDER is laid out as in docs/data.md: Annotations, Videos (pose files are enough), and perhaps recordings.csv and
actions.yaml. One animal at a time is held out. lightning-action is left out where it is not installed; its dependency
nvidia-dali is for its video models alone:

    pip install --no-deps lightning-action==1.1.0 opencv-python-headless

The last line is JSON.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.references import lightning_action, windowed_trees
from nocigram.config.commands import FoldOptions, TrainOptions
from nocigram.config.launch import LaunchOptions
from nocigram.config.presets import approach_values
from nocigram.config.records import unflat
from nocigram.core.literals import Approach
from nocigram.core.tables import text_table
from nocigram.data.folds import Fold
from nocigram.data.records import Discovery
from nocigram.evaluation import TrialPrediction, action_support, measure, not_assessable
from nocigram.study.grid import Grid

OURS: tuple[Approach, ...] = ("pose_only", "pose_trees")
OTHERS: dict[str, Callable[..., list[TrialPrediction]]] = {
    "windowed_trees": windowed_trees,
    "lightning_action_mlp": partial(lightning_action, head="temporalmlp"),
    "lightning_action_tcn": partial(lightning_action, head="dtcn"),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an approach reaches on animals that it never saw."""

    name: str
    macro_f1: float
    """Of all frames together, over the actions that can be assessed."""
    f1: dict[str, float | None]
    """By action; None where it can't be assessed."""
    minutes: float
    """Of training, and for the others also of prediction, over all folds."""


def main() -> None:
    """Measure and print."""
    given = _arguments()
    rows = {name: _options_of(name, given) for name in OURS}
    grid = Grid.of(rows, folding=FoldOptions(), folder=given.out, val_share=rows["pose_only"].split.val_share)
    wanted = given.only or [*OURS, *OTHERS]
    print(grid.only(*(name for name in OURS if name in wanted)).as_text())
    results = []
    for name in wanted:
        if name.startswith("lightning_action") and importlib.util.find_spec("lightning_action") is None:
            print(f"[warn] {name}: left out, since lightning-action is not installed (python -m benchmarks.others -h)")
            continue
        run, minutes = _ours(name, grid) if name in OURS else _other(name, grid.found, grid.folds, seed=given.seed)
        results.append(_result(name, run, minutes, classes=grid.found.scheme.classes))
        print(f"[info] {name}: macro F1 {results[-1].macro_f1:.3f}, {minutes:.1f} minutes", flush=True)
    print(_table(results, grid.found.scheme.classes))
    print(json.dumps({"n_folds": len(grid.folds), "results": {result.name: vars(result) for result in results}}))


def _arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="Annotations, Videos, tables")
    parser.add_argument("--fps", type=float, help="frames per second of recordings without a video")
    parser.add_argument("--only", nargs="+", choices=(*OURS, *OTHERS), metavar="NAME", help=f"of {(*OURS, *OTHERS)}")
    parser.add_argument("--seed", type=int, default=0, help="of every training")
    parser.add_argument("--out", type=Path, default=Path(".nocigram/others"), help="folder of our trainings")
    return parser.parse_args()


def _options_of(approach: Approach, given: argparse.Namespace) -> TrainOptions:
    """An approach at its defaults."""
    actions = given.data / "actions.yaml"
    values: dict[str, Any] = {
        **approach_values(approach),
        "approach": approach,
        "annotations": given.data / "Annotations",
        "videos": given.data / "Videos",
        "actions": actions if actions.is_file() else None,
        "cache_dir": given.out / "cache",
        "fps": given.fps,
        "seed": given.seed,
        "accelerator": "cpu",
    }
    return unflat(TrainOptions, values)


def _ours(name: str, grid: Grid) -> tuple[list[TrialPrediction], float]:
    """An approach through the engine of `nocigram crossval`."""
    grid.only(name).run(LaunchOptions())
    return grid.runs(name)[0], sum(outcome.training_minutes for outcome in grid.outcomes(name))


def _other(name: str, found: Discovery, folds: list[Fold], *, seed: int) -> tuple[list[TrialPrediction], float]:
    """Something else on the same folds."""
    started = time.perf_counter()
    run = [prediction for fold in folds for prediction in OTHERS[name](found, fold, seed=seed)]
    return run, (time.perf_counter() - started) / 60


def _result(name: str, run: list[TrialPrediction], minutes: float, *, classes: tuple[str, ...]) -> Result:
    """Scores of all folds together."""
    ignored = not_assessable(action_support(run, classes=classes))
    measured = measure([run], classes=classes, not_assessable=ignored, n_resamples=1)
    f1 = {action: None if action in ignored else measured[f"per_action/{action}/f1"].value for action in classes}
    return Result(name=name, macro_f1=measured["macro_f1"].value, f1=f1, minutes=minutes)


def _table(results: list[Result], classes: tuple[str, ...]) -> str:
    """For people."""
    rows = [
        (each.name, *(_text(score) for score in (each.macro_f1, *each.f1.values())), f"{each.minutes:.1f}")
        for each in results
    ]
    return text_table(("approach", "macro F1", *(f"F1 {action}" for action in classes), "minutes"), rows)


def _text(score: float | None) -> str:
    """A score in a cell."""
    return "-" if score is None else f"{score:.3f}"


if __name__ == "__main__":
    main()
