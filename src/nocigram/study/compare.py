"""`nocigram compare`: approaches, and one of them without its parts, on the same folds through the same engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, get_args

import yaml

from nocigram.config.commands import ABLATED, CompareOptions, TrainOptions
from nocigram.config.presets import approach_values, preset_values
from nocigram.config.records import flat, typed, types_of, unflat
from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.core.files import write_json
from nocigram.core.literals import Approach
from nocigram.evaluation import PairedTest, paired_test
from nocigram.report import ComparedRow, write_comparison
from nocigram.study.crossval import Crossvalidation
from nocigram.study.grid import Grid
from nocigram.study.jobs import as_file_name

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
"""Rows of `--ablate`: the multitask approach with these flags. A row that would change nothing is left out."""
_OWN = ("approach", "split", "split_by", "resume")
"""Flags of training that compare decides."""
_RESULTS = ("comparison.*", "metrics/*.json")


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
    grid.run(options.launch, results=_RESULTS)
    classes = grid.found.scheme.classes
    results = {row: Crossvalidation.of(grid.runs(row), classes=classes) for row in rows}
    tests = _tests(results, classes=classes)
    compared = [_row(name, result, grid, test=tests.get(name)) for name, result in results.items()]
    table = [*compared, *(ComparedRow(name=name) for name in get_args(Approach) if name not in rows)]
    least_p = max((test.least_p for test in tests.values()), default=None)
    for name, result in results.items():
        write_json(options.folder / "metrics" / f"{as_file_name(name)}.json", result.as_dict())
    print(write_comparison(table, classes=classes, folder=options.folder, least_p=least_p))
    print(f"[info] Results: {options.folder}")
    return Comparison(rows=table, results=results)


def rows_of(options: CompareOptions) -> dict[str, TrainOptions]:
    """Options of training for each row: the approach's defaults, the preset, the overrides, the ablation.

    Raises:
        InputError: the preset or the overrides can't be used.
    """
    overrides = {} if options.overrides is None else _read_overrides(options.overrides, options)
    rows: dict[str, TrainOptions] = {
        approach: _options_of(approach, options, overrides) for approach in options.approach_names
    }
    if options.ablate:
        whole = rows[ABLATED].flat()
        missing = [name for name, flags in ABLATIONS.items() if all(whole[flag] == flags[flag] for flag in flags)]
        if missing:
            print(f"[info] --ablate: {ABLATED} has no such part here, so without a row: {', '.join(missing)}")
        for name, flags in ABLATIONS.items():
            if name not in missing:
                rows[f"{ABLATED}, {name}"] = _options_of(ABLATED, options, overrides, flags)
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
        "test_animals": options.test_animals,
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


def _read_overrides(path: Path, options: CompareOptions) -> dict[str, dict[str, Any]]:
    """The file of `--overrides`: approach -> flags.

    Raises:
        InputError: it is no YAML, or names an approach or a flag that there is not, or a flag that all rows share.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--overrides {path}: expected a YAML file, got {reason}. Correct the file.") from error
    if not isinstance(content, dict) or not all(isinstance(flags, dict) for flags in content.values()):
        raise InputError(f"--overrides {path}: expected approach: flags, got {content!r}. See docs/compare.md.")
    raise_faults(_name_faults(path, content, options))
    overrides, faults = {}, []
    for approach, flags in content.items():
        overrides[approach], found = typed(TrainOptions, flags, where=f"--overrides {path}, {approach}")
        faults += found
    raise_faults(faults)
    return overrides


def _name_faults(path: Path, content: Mapping[Any, Mapping[Any, Any]], options: CompareOptions) -> list[Fault]:
    """Names in an overrides file that there are not, or that don't belong there."""
    where, known, flags = f"--overrides {path}", {*get_args(Approach), "all"}, set(types_of(TrainOptions))
    shared = flags & {*flat(options), *_OWN}
    given = {flag for values in content.values() for flag in values}
    reasons = [
        (set(content) - known, f"approaches among {', '.join(sorted(known))}", "Correct the names."),
        (given - flags, "flags of nocigram train", "Correct their spelling."),
        (given & shared, "flags in which approaches may differ", "All rows share these; leave them out of the file."),
    ]
    return [
        Fault(where=where, expected=expected, got=", ".join(sorted(map(str, wrong))), fix=fix)
        for wrong, expected, fix in reasons
        if wrong
    ]


def _row(name: str, result: Crossvalidation, grid: Grid, *, test: PairedTest | None) -> ComparedRow:
    """A row of the table."""
    outcomes = grid.outcomes(name)
    return ComparedRow(
        name=name,
        scores=result.measured,
        n_parameters=round(mean(outcome.n_parameters for outcome in outcomes)),
        training_minutes=mean(outcome.training_minutes for outcome in outcomes),
        frames_per_s=mean(outcome.frames_per_s for outcome in outcomes),
        p=None if test is None else test.p,
    )


def _tests(results: Mapping[str, Crossvalidation], *, classes: Sequence[str]) -> dict[str, PairedTest]:
    """Each row tested against the best by macro F1, which has no test."""
    best = max(results, key=lambda name: results[name].measured["macro_f1"].value)
    return {
        name: paired_test(results[best].runs, result.runs, classes=classes, not_assessable=results[best].ignored)
        for name, result in results.items()
        if name != best
    }
