"""What a set of trials must be like to be scored."""

from collections.abc import Sequence

from nocigram.core.errors import Fault, InputError, raise_faults
from nocigram.evaluation.trial_prediction import TrialPrediction


def require_scorable(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> None:
    """Raise one `InputError` with every reason why these trials can't be scored; do nothing when they can.

    Args:
        trials: each trial of a recording once.
        classes: names of the columns of the probabilities.
    """
    if not trials:
        raise InputError("evaluation: expected at least 1 trial, got 0. Give labelled trials, or another --split.")
    raise_faults(_trial_faults(trials, classes=classes) + _frame_faults(trials))


def _trial_faults(trials: Sequence[TrialPrediction], *, classes: Sequence[str]) -> list[Fault]:
    """Trials that come twice, and trials with other actions than `classes`."""
    faults: list[Fault] = []
    seen: set[tuple[str, int]] = set()
    for trial in trials:
        if (n_columns := trial.probabilities.shape[1]) != len(classes):
            expected = f"{len(classes)} columns of probabilities ({', '.join(classes)})"
            fix = "Use the actions that the model was trained on."
            faults.append(Fault(where=trial.name, expected=expected, got=str(n_columns), fix=fix))
        if (trial.recording, trial.trial) in seen:
            faults.append(Fault(where=trial.name, expected="each trial once", got="it twice", fix="Drop the double."))
        seen.add((trial.recording, trial.trial))
    return faults


def _frame_faults(trials: Sequence[TrialPrediction]) -> list[Fault]:
    """Trials without a single scored frame among them."""
    if any(trial.scored.any() for trial in trials):
        return []
    got = f"{sum(len(trial.labels) for trial in trials)} unscored frames in {len(trials)} trials"
    fix = "Label some frames, or ignore fewer actions in --actions."
    return [Fault(where="evaluation", expected="at least 1 scored frame", got=got, fix=fix)]
