"""Folds of cross-validation: whole animals, each tested once by a model that never saw it.

A animals, F folds, C actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from nocigram.core.errors import InputError
from nocigram.data.records import Discovery, Trial
from nocigram.data.split import Split, make_split

_N_DEALINGS = 50


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One round of cross-validation."""

    number: int
    """From 1."""
    test_animals: tuple[str, ...]
    """Animals that judge the model of this fold, in order of their names; all others may train it."""

    def test_trials(self, found: Discovery) -> list[Trial]:
        """Trials of the test animals."""
        return [trial for trial in found.trials if trial.animal in self.test_animals]

    def training_side(self, found: Discovery) -> Discovery:
        """The data without the test animals: neither their trials nor their recordings, labelled or not."""
        return found.without_animals(self.test_animals)


def make_folds(found: Discovery, n_folds: int | None, *, seed: int) -> list[Fold]:
    """Deal the animals to folds of equal size, give or take one, so that each action is tested in many folds.

    The rarest action first: its animals are dealt in random order, each to the fold with the fewest frames of it, then
    to the one with the fewest animals; then the next action (the iterative stratification of Sechidis et al. 2011, "On
    the Stratification of Multi-Label Data", ECML PKDD, with animals in the place of samples). Of many such dealings
    the best is taken: each action in as many folds as it can be, then its frames spread evenly.
    An animal without a scored frame is tested in no fold.

    Args:
        found: recordings and trials.
        n_folds: number of folds; None leaves one animal out at a time.
        seed: of the dealings; leaving one animal out at a time doesn't depend on it.

    Raises:
        InputError: there are fewer than two animals with scored frames, fewer than two folds, or fewer animals than
            folds.
    """
    counts = _counts_of_animals(found)
    n_folds = len(counts) if n_folds is None else n_folds
    if len(counts) < 2 or n_folds < 2 or n_folds > len(counts):
        raise _unfit(n_folds, animals=list(counts))
    if n_folds == len(counts):
        return [Fold(number=number, test_animals=(animal,)) for number, animal in enumerate(counts, start=1)]
    fold_of = _best_dealing(np.stack(list(counts.values())), n_folds=n_folds, rng=np.random.default_rng(seed))
    tested: list[list[str]] = [[] for _ in range(n_folds)]
    for animal, fold in zip(counts, fold_of.tolist(), strict=True):
        tested[fold].append(animal)
    return [Fold(number=number, test_animals=tuple(animals)) for number, animals in enumerate(tested, start=1)]


def inner_split(found: Discovery, fold: Fold, *, val_share: float, seed: int) -> Split:
    """Divide the animals of a fold's training side: some train the model, the others choose its best epoch.

    With two animals left, one trains and one validates. Animals without a scored frame are not counted.

    Raises:
        InputError: a single animal is left, so that nobody could validate.
    """
    training_side = fold.training_side(found)
    animals = _counts_of_animals(training_side)
    if len(animals) < 2:
        raise InputError(
            f"fold {fold.number}: expected at least 2 animals besides the tested {', '.join(fold.test_animals)}, "
            f"got {', '.join(animals) or 'none'}. Test fewer animals at a time with more folds, or label more."
        )
    return make_split(training_side, split_by="animal", val_share=val_share, seed=seed)


def _unfit(n_folds: int, *, animals: Sequence[str]) -> InputError:
    """Why so many folds can't be made of these animals."""
    if len(animals) < 2:
        got = f"{len(animals)} ({', '.join(animals)})" if animals else "0"
        return InputError(
            f"folds: expected at least 2 animals with scored frames, got {got}. "
            "Name the animals in recordings.csv, or label more of them."
        )
    fix = "Give another number, or none to leave out one animal at a time."
    return InputError(f"folds: expected from 2 to {len(animals)} folds of {len(animals)} animals, got {n_folds}. {fix}")


def _counts_of_animals(found: Discovery) -> dict[str, Int[np.ndarray, " C"]]:
    """Scored frames of each action, by animal in order of the names; animals without any are left out."""
    counts = {
        animal: np.zeros(len(found.scheme.classes), dtype=np.int64)
        for animal in sorted({trial.animal for trial in found.trials})
    }
    for trial in found.trials:
        labels = found.labels_of(trial)
        counts[trial.animal] += np.bincount(labels[labels >= 0], minlength=len(found.scheme.classes))
    return {animal: count for animal, count in counts.items() if count.any()}


def _best_dealing(counts: Int[np.ndarray, "A C"], *, n_folds: int, rng: np.random.Generator) -> Int[np.ndarray, " A"]:
    """The fold of each animal, from 0, in the best of many dealings."""
    dealings = [_dealt(counts, n_folds=n_folds, rng=rng) for _ in range(_N_DEALINGS)]
    shares = counts / np.maximum(counts.sum(axis=0), 1)

    def badness(fold_of: Int[np.ndarray, " A"]) -> tuple[int, float]:
        """Folds that lack an action, over all actions; then how unevenly the frames of each are spread."""
        share_of_fold = np.stack([shares[fold_of == fold].sum(axis=0) for fold in range(n_folds)])
        return int((share_of_fold == 0).sum()), float(share_of_fold.std(axis=0).sum())

    return min(dealings, key=badness)


def _dealt(counts: Int[np.ndarray, "A C"], *, n_folds: int, rng: np.random.Generator) -> Int[np.ndarray, " A"]:
    """The fold of each animal, from 0, in one dealing of the rarest actions first."""
    n_animals = len(counts)
    fold_of = np.full(n_animals, -1)
    turn = rng.permutation(n_animals)
    frames = np.zeros((n_folds, counts.shape[1]), dtype=np.int64)
    n_in_fold = np.zeros(n_folds, dtype=np.int64)
    while (left := fold_of < 0).any():
        n_showing = ((counts > 0) & left[:, None]).sum(axis=0)
        rarest = int(np.where(n_showing > 0, n_showing, n_animals + 1).argmin())
        holders = np.flatnonzero(left & (counts[:, rarest] > 0))
        animal = holders[turn[holders].argmin()]
        is_full = n_in_fold >= _room(n_in_fold, n_animals=n_animals)
        order = np.lexsort((rng.random(n_folds), n_in_fold, frames[:, rarest], is_full))
        fold_of[animal] = order[0]
        frames[order[0]] += counts[animal]
        n_in_fold[order[0]] += 1
    return fold_of


def _room(n_in_fold: Int[np.ndarray, " F"], *, n_animals: int) -> int:
    """Animals that a fold may hold: the equal share, and one more while fewer folds than the remainder have that."""
    share, n_larger = divmod(n_animals, len(n_in_fold))
    return share + int((n_in_fold > share).sum() < n_larger)
