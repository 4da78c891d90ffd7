"""The cells of a study: rows by folds by seeds, run as jobs, gathered by row.

R rows (approaches or ablations), F folds, S seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from nocigram.config.commands import FoldOptions, TrainOptions
from nocigram.config.launch import LaunchOptions
from nocigram.core.needs import Needs
from nocigram.core.tables import text_table
from nocigram.data.discover import discover_from
from nocigram.data.fingerprint import fingerprint
from nocigram.data.folds import Fold, inner_split, make_folds
from nocigram.data.inventory import require_trials, tell_skips, tell_warnings
from nocigram.data.records import Discovery
from nocigram.data.scheme_file import read_scheme
from nocigram.data.split import Split, require_animals
from nocigram.data.trial_windows import timing_of
from nocigram.evaluation import TrialPrediction
from nocigram.study.cells import Cell, Outcome, run_cell
from nocigram.study.evaluate import with_tolerance
from nocigram.study.jobs import Job
from nocigram.study.launch import launch


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A study before it runs."""

    found: Discovery
    """The data that every row can use."""
    folds: list[Fold]
    cells: dict[str, list[Cell]]
    """By row: its folds, each with its seeds."""
    folder: Path
    boundary_tolerance: int
    """Frames beside a change of action that count in no score of frames."""

    @classmethod
    def of(cls, rows: Mapping[str, TrainOptions], *, folding: FoldOptions, folder: Path, val_share: float) -> "Grid":
        """Make folds of animals, and a cell of every row, fold and seed.

        All rows have the same folds, the same animals to choose by and the same trials: those that every row can use.

        Args:
            rows: by name; all of the same data, with the same animals kept out of every fold.
            folding: how many folds and seeds.
            folder: of the study.
            val_share: share of a training side that chooses, about.

        Raises:
            InputError: there are too few animals, or the folders can't be used.
        """
        kept_out = next(iter(rows.values())).split.test_animal_names
        found = _common_data(rows, kept_out)
        folds = make_folds(found, folding.folds, seed=folding.fold_seed)
        splits = {fold.number: _split_of(found, fold, val_share=val_share, seed=folding.fold_seed) for fold in folds}
        prints = _fingerprints(rows, found, kept_out)
        cells = {
            row: [
                Cell(
                    row=row,
                    fold=number,
                    options=replace(options, machine=replace(options.machine, seed=seed)),
                    split=split,
                    data=prints[row],
                    study=folder / "cells",
                )
                for number, split in splits.items()
                for seed in range(options.machine.seed, options.machine.seed + folding.seeds)
            ]
            for row, options in rows.items()
        }
        tolerance = folding.boundary_tolerance
        return cls(found=found, folds=folds, cells=cells, folder=folder, boundary_tolerance=tolerance)

    def only(self, *rows: str) -> "Grid":
        """The same study with some of its rows; folds and trials stay."""
        return replace(self, cells={row: self.cells[row] for row in rows})

    def as_text(self) -> str:
        """The folds with their animals, and how much there is to do."""
        rows = [(fold.number, ", ".join(fold.test_animals), len(fold.test_trials(self.found))) for fold in self.folds]
        cells = [cell for row in self.cells.values() for cell in row]
        n_done = sum(cell.is_finished for cell in cells)
        return (
            f"{text_table(('fold', 'animals held out', 'trials'), rows)}\n"
            f"[info] {len(cells)} trainings, {n_done} of them finished before"
        )

    def run(self, options: LaunchOptions, *, results: tuple[str, ...] = ()) -> None:
        """Run what is not finished yet.

        Args:
            options: where.
            results: patterns of files in the study's folder that are made of all cells. They are removed first, since
                those that lie there may be of other options or data.

        Raises:
            FailedJobsError: a cell failed; the others ran, and running the study again goes on from there.
        """
        for pattern in results:
            for path in self.folder.glob(pattern):
                path.unlink()
        todo = [cell for row in self.cells.values() for cell in row if not cell.is_finished]
        if todo:
            jobs = [Job(name=cell.name, function=run_cell, arguments=cell.arguments()) for cell in todo]
            launch(jobs, options=options, logs=self.folder / "logs")

    def runs(self, row: str) -> dict[int, list[TrialPrediction]]:
        """For each seed, in order, the predictions of all folds together, to be scored: each trial once."""
        timings = {(trial.recording, trial.number): timing_of(self.found, trial) for trial in self.found.trials}
        by_seed: dict[int, list[TrialPrediction]] = {}
        for cell in self.cells[row]:
            own = by_seed.setdefault(cell.options.machine.seed, [])
            own += [replace(each, timing=timings[each.recording, each.trial]) for each in cell.predictions()]
        in_order = {seed: sorted(by_seed[seed], key=lambda t: (t.recording, t.trial)) for seed in sorted(by_seed)}
        return {seed: with_tolerance(run, self.boundary_tolerance) for seed, run in in_order.items()}

    def outcomes(self, row: str) -> list[Outcome]:
        """What each cell of a row found besides."""
        return [cell.outcome() for cell in self.cells[row]]


def _common_needs(rows: Mapping[str, TrainOptions]) -> Needs:
    """What all rows together have to be given."""
    asked = [options.model.needs for options in rows.values()]
    return Needs(**{each.name: any(getattr(needs, each.name) for needs in asked) for each in fields(Needs)})


def _common_data(rows: Mapping[str, TrainOptions], kept_out: Sequence[str]) -> Discovery:
    """The data as the most demanding row sees them, without the animals that are kept out; said are warnings and skips.

    Raises:
        InputError: the folders can't be used, or an animal to keep out is not in them.
    """
    needs = _common_needs(rows)
    whole = _discovered(next(iter(rows.values())), needs)
    tell_warnings(whole)
    require_trials(whole)
    require_animals(whole, kept_out)
    found = whole.without_animals(kept_out)
    if kept_out:
        n_trials = len(whole.trials) - len(found.trials)
        print(f"[info] --test_animals: {', '.join(kept_out)} ({n_trials} trials) are in no fold")
    if needs.only_with_pose:
        found = found.with_pose()
    tell_skips(found)
    if all(trial.animal == trial.recording for trial in found.trials):
        print(
            "[info] Every recording counts as an animal of its own. Name those that were recorded more than once in "
            "recordings.csv, else they train the model that they judge."
        )
    return found


def _split_of(found: Discovery, fold: Fold, *, val_share: float, seed: int) -> Split:
    """All three sides of a fold."""
    inner = inner_split(found, fold, val_share=val_share, seed=seed)
    return replace(inner, test=tuple(trial.name for trial in fold.test_trials(found)))


def _fingerprints(rows: Mapping[str, TrainOptions], common: Discovery, kept_out: Sequence[str]) -> dict[str, str]:
    """Of each row, the content of what it reads: the trials of all rows, and recordings that it may learn from."""
    trials, needs = {trial.name for trial in common.trials}, _common_needs(rows)
    seen = {(needs.pixels, needs.pose): common}
    prints = {}
    for row, options in rows.items():
        needs = options.model.needs
        key = (needs.pixels, needs.pose)
        if key not in seen:
            seen[key] = _discovered(options, needs).without_animals(kept_out)
        prints[row] = fingerprint(seen[key], trials=trials, needs=needs, with_unlabelled=options.learns_from_unlabelled)
    return prints


def _discovered(options: TrainOptions, needs: Needs) -> Discovery:
    """The folders."""
    return discover_from(options.data, scheme=read_scheme(options.data.actions), needs=needs)
