"""`nocigram compare`: approaches, and one of them without its parts, on the same folds through the same engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any, get_args

import yaml

from nocigram.config.commands import CompareOptions, TrainOptions
from nocigram.config.presets import approach_values, preset_values
from nocigram.config.records import flat, unflat
from nocigram.core.errors import InputError, raise_faults
from nocigram.core.files import write_json
from nocigram.core.literals import Approach
from nocigram.evaluation import paired_test
from nocigram.report import ComparedRow, comparison_as_markdown, write_comparison
from nocigram.study.crossval import Crossvalidation
from nocigram.study.grid import Grid

ABLATIONS: dict[str, dict[str, Any]] = {
    "no pose": {"streams": "pixels"},
    "no pixels": {"streams": "pose"},
    "no keypoint head": {"model_type": "action_only"},
    "cross-entropy": {"focal_gamma": 0.0},
    "no rare boosting": {"rare_boost_cap": 1.0},
    "no crop": {"crop": "full"},
    "no EMA": {"use_ema": False},
    "no paw light": {"features": "pose"},
}
"""Rows of `--ablate`: the multitask approach with these flags."""
_ABLATED: Approach = "multitask"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The rows in the order of the table, and what each rests on."""

    rows: list[ComparedRow]
    results: dict[str, Crossvalidation]


def compare(options: CompareOptions) -> Comparison:
    """Run every cell that is not finished, score the rows, write the table.

    Raises:
        InputError: too few animals, data or overrides that can't be used, or trainings that failed.
    """
    rows = rows_of(options)
    grid = Grid.of(rows, folding=options.folding, folder=options.folder, val_share=options.val_share)
    print(grid.as_text())
    grid.run(options.launch)
    classes = grid.found.scheme.classes
    results = {row: Crossvalidation.of(grid.runs(row), classes=classes) for row in rows}
    compared = _with_tests([_row(name, result, grid) for name, result in results.items()], results, classes=classes)
    not_run = [ComparedRow(name=name) for name in get_args(Approach) if name not in rows]
    table = [*compared, *not_run]
    write_comparison(table, classes=classes, folder=options.folder)
    for name, result in results.items():
        write_json(options.folder / "metrics" / f"{name.replace(' ', '_')}.json", result.as_dict())
    print(comparison_as_markdown(table, actions=classes))
    print(f"[info] Results: {options.folder}")
    return Comparison(rows=table, results=results)


def rows_of(options: CompareOptions) -> dict[str, TrainOptions]:
    """Options of training for each row: the approach's defaults, the preset, the overrides, the ablation.

    Raises:
        InputError: the preset or the overrides can't be used.
    """
    overrides = _read_overrides(options.overrides)
    rows: dict[str, TrainOptions] = {
        approach: _options_of(approach, options, overrides) for approach in options.approach_names
    }
    if options.ablate:
        for name, flags in ABLATIONS.items():
            rows[f"{_ABLATED}, {name}"] = _options_of(_ABLATED, options, overrides, flags)
    return rows


def _options_of(
    approach: Approach,
    options: CompareOptions,
    overrides: Mapping[str, Mapping[str, Any]],
    ablation: Mapping[str, Any] | None = None,
) -> TrainOptions:
    """Options of training, checked."""
    preset = {} if options.preset is None else preset_values(options.preset, approach)
    values = {
        **flat(options.data),
        "cache_dir": options.cache_dir,
        "accelerator": options.accelerator,
        "val_share": options.val_share,
        "seed": options.seed,
        "approach": approach,
        **approach_values(approach),
        **preset,
        **overrides.get("all", {}),
        **overrides.get(approach, {}),
        **(ablation or {}),
    }
    built = unflat(TrainOptions, values)
    raise_faults(built.faults())
    return built


def _read_overrides(path: Path | None) -> dict[str, dict[str, Any]]:
    """The file of `--overrides`.

    Raises:
        InputError: it is no YAML, or names an approach or a flag that there is not.
    """
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--overrides {path}: expected a YAML file, got {reason}. Correct the file.") from error
    known = {*get_args(Approach), "all"}
    if not isinstance(content, dict) or not all(isinstance(flags, dict) for flags in content.values()):
        raise InputError(f"--overrides {path}: expected approach: flags, got {content!r}. See docs/compare.md.")
    if unknown := sorted(map(str, set(content) - known)):
        raise InputError(
            f"--overrides {path}: expected approaches among {', '.join(sorted(known))}, got {', '.join(unknown)}. "
            "Correct the names."
        )
    flags = set(flat(unflat(TrainOptions, {"annotations": Path(), "videos": Path()})))
    if wrong := sorted({str(flag) for values in content.values() for flag in values} - flags):
        raise InputError(
            f"--overrides {path}: expected flags of nocigram train, got {', '.join(wrong)}. Correct their spelling."
        )
    return content


def _row(name: str, result: Crossvalidation, grid: Grid) -> ComparedRow:
    """A row without its test."""
    outcomes = grid.outcomes(name)
    return ComparedRow(
        name=name,
        scores=result.measured,
        n_parameters=round(mean(outcome.n_parameters for outcome in outcomes)),
        training_minutes=mean(outcome.training_minutes for outcome in outcomes),
        frames_per_s=mean(outcome.frames_per_s for outcome in outcomes),
    )


def _with_tests(
    rows: Sequence[ComparedRow], results: Mapping[str, Crossvalidation], *, classes: Sequence[str]
) -> list[ComparedRow]:
    """Each row tested against the best by macro F1."""
    best = max(rows, key=lambda row: row.scores["macro_f1"].value)
    ignored = results[best.name].ignored
    return [
        row
        if row is best
        else replace(
            row,
            p=paired_test(results[best.name].runs, results[row.name].runs, classes=classes, not_assessable=ignored).p,
        )
        for row in rows
    ]
