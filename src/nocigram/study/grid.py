"""The cells of a study: rows by folds by seeds, run as jobs, gathered by row.

R rows (approaches or ablations), F folds, S seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nocigram.config.commands import FoldOptions, TrainOptions
from nocigram.config.launch import LaunchOptions
from nocigram.core.needs import EVERYTHING, Needs
from nocigram.core.tables import text_table
from nocigram.data.discover import discover_from
from nocigram.data.folds import Fold, inner_split, make_folds
from nocigram.data.inventory import skips_table
from nocigram.data.records import Discovery
from nocigram.data.scheme_file import read_scheme
from nocigram.evaluation import TrialPrediction
from nocigram.study.cells import Cell, Outcome, run_cell
from nocigram.study.jobs import Job
from nocigram.study.launch import launch


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A study before it runs."""

    found: Discovery
    folds: list[Fold]
    cells: dict[str, list[Cell]]
    """By row: its folds, each with its seeds."""
    folder: Path

    @classmethod
    def of(cls, rows: Mapping[str, TrainOptions], *, folding: FoldOptions, folder: Path, val_share: float) -> "Grid":
        """Make folds of animals, and a cell of every row, fold and seed.

        All rows have the same folds, the same animals to choose by and the same trials: those that every row can use.

        Args:
            rows: by name; all of the same data.
            folding: how many folds and seeds.
            folder: of the study.
            val_share: share of a training side that chooses, about.

        Raises:
            InputError: there are too few animals, or the folders can't be used.
        """
        found = _common_data(list(rows.values()))
        folds = make_folds(found, folding.folds, seed=folding.fold_seed)
        splits = {
            fold.number: replace(
                inner_split(found, fold, val_share=val_share, seed=folding.fold_seed),
                test=tuple(trial.name for trial in fold.test_trials(found)),
            )
            for fold in folds
        }
        cells = {
            row: [
                Cell(
                    row=row,
                    fold=fold.number,
                    options=replace(options, machine=replace(options.machine, seed=seed)),
                    split=splits[fold.number],
                    folder=folder / "cells" / f"{row} fold {fold.number} seed {seed}".replace(" ", "_"),
                )
                for fold in folds
                for seed in range(options.machine.seed, options.machine.seed + folding.seeds)
            ]
            for row, options in rows.items()
        }
        return cls(found=found, folds=folds, cells=cells, folder=folder)

    def as_text(self) -> str:
        """The folds with their animals, and how much there is to do."""
        rows = [(fold.number, ", ".join(fold.test_animals), len(fold.test_trials(self.found))) for fold in self.folds]
        cells = [cell for row in self.cells.values() for cell in row]
        n_done = sum(cell.is_finished for cell in cells)
        return (
            f"{text_table(('fold', 'animals held out', 'trials'), rows)}\n"
            f"[info] {len(cells)} trainings, {n_done} of them finished before"
        )

    def run(self, options: LaunchOptions) -> None:
        """Run what is not finished yet.

        Raises:
            FailedJobsError: a cell failed; the others ran, and running the study again goes on from there.
        """
        todo = [cell for row in self.cells.values() for cell in row if not cell.is_finished]
        if todo:
            jobs = [Job(name=cell.name, function=run_cell, arguments=cell.arguments()) for cell in todo]
            launch(jobs, options=options, logs=self.folder / "logs")

    def runs(self, row: str) -> list[list[TrialPrediction]]:
        """For each seed, in order, the predictions of all folds together: each trial once."""
        by_seed: dict[int, list[TrialPrediction]] = {}
        for cell in self.cells[row]:
            by_seed.setdefault(cell.options.machine.seed, []).extend(cell.predictions())
        return [sorted(by_seed[seed], key=lambda trial: (trial.recording, trial.trial)) for seed in sorted(by_seed)]

    def outcomes(self, row: str) -> list[Outcome]:
        """What each cell of a row found besides."""
        return [cell.outcome() for cell in self.cells[row]]


def _common_data(rows: Sequence[TrainOptions]) -> Discovery:
    """The data as the most demanding row sees them; said are warnings and skips."""
    asked = [options.model.needs for options in rows]
    needs = Needs(
        pixels=any(need.pixels for need in asked),
        pose=any(need.pose for need in asked),
        light=EVERYTHING.light,
        kinematics=False,
        only_with_pose=any(need.only_with_pose for need in asked),
    )
    data = rows[0].data
    found = discover_from(data, scheme=read_scheme(data.actions), needs=needs)
    if needs.only_with_pose:
        found = found.with_pose()
    for warning in found.warnings:
        print(warning)
    if found.skipped:
        print(skips_table(found))
    return found
