"""What the labels of each action rest on, which actions can be assessed at all, and the scores of each animal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nocigram.core.bouts import bouts_of
from nocigram.evaluation.scores import Scores, score_trials
from nocigram.evaluation.trial_prediction import TrialPrediction

MIN_BOUTS = 5
"""With fewer labelled bouts, a single one moves the recall of bouts by more than 0.2, and a score says little more than
which way that one went."""
MIN_ANIMALS = 2
"""An action of one animal alone is trained on or tested on, never both, so no model scored on it has seen it. No
more is asked, since in a study of five animals a rare action is often seen in two or three."""


@dataclass(frozen=True, kw_only=True)
class ActionSupport:
    """How much of an action was labelled."""

    n_frames: int
    """Labelled frames."""
    n_bouts: int
    """Labelled bouts."""
    n_animals: int
    """Animals with a labelled frame of it."""


def action_support(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> dict[str, ActionSupport]:
    """The support of each action, by name.

    Args:
        trials: each trial of a recording once; of several seeds, those of one.
        classes: names of the columns of the probabilities.
    """
    n_frames, n_bouts = np.zeros((2, len(classes)), dtype=np.int64)
    animals: list[set[str]] = [set() for _ in classes]
    for trial in trials:
        n_frames += np.bincount(trial.labels[trial.scored], minlength=len(classes))
        for bout in bouts_of(trial.labels):
            n_bouts[bout.action] += 1
            animals[bout.action].add(trial.animal)
    return {
        name: ActionSupport(n_frames=int(n_frames[i]), n_bouts=int(n_bouts[i]), n_animals=len(animals[i]))
        for i, name in enumerate(classes)
    }


def not_assessable(
    support: Mapping[str, ActionSupport], *, min_bouts: int = MIN_BOUTS, min_animals: int = MIN_ANIMALS
) -> frozenset[str]:
    """Actions with too few bouts or animals for a score of their own. They get none, and enter no mean over actions."""
    return frozenset(
        name for name, action in support.items() if action.n_bouts < min_bouts or action.n_animals < min_animals
    )


def score_animals(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> dict[str, Scores]:
    """The scores of each animal's trials, by animal. An animal without a scored frame has none.

    Raises:
        InputError: as `score_trials`.
    """
    scored = sorted({trial.animal for trial in trials if trial.scored.any()})
    return {
        animal: score_trials([trial for trial in trials if trial.animal == animal], classes=classes)
        for animal in scored
    }
