"""The human ceiling from a folder of annotations to human.csv and the key `human` of metrics.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nocigram.config.scoring import EventOptions
from nocigram.core.numbers import without_nan
from nocigram.data.csv_table import write_csv_table
from nocigram.data.records import Discovery, Trial
from nocigram.data.second_annotations import SecondLabels, second_labels
from nocigram.evaluation import HumanCeiling, TrialPrediction, human_as_text, human_ceiling

HUMAN_FILE = "human.csv"
_PAIRS = ("people", "model_a", "model_b")


def second_of(found: Discovery, trials: Sequence[Trial], *, options: EventOptions) -> SecondLabels | None:
    """The second person's labels of trials; None where nobody gave any. Before anything long, since they may be wrong.

    Raises:
        InputError: they can't be used.
    """
    return None if options.annotations_b is None else second_labels(found, trials, options.annotations_b)


def ceiling_of(
    predictions: Sequence[TrialPrediction],
    second: SecondLabels | None,
    *,
    classes: Sequence[str],
    options: EventOptions,
) -> HumanCeiling | None:
    """Compare two people and a model, and print; None where there is no second person."""
    if second is None:
        return None
    human = human_ceiling(predictions, second, classes=classes, onset_tolerance_s=options.onset_tolerance_s)
    print(f"\n{human_as_text(human)}")
    return human


def human_as_dict(human: HumanCeiling | None) -> dict[str, Any]:
    """The key `human` of metrics.json: each pair's numbers, None for one that does not exist; no key without B."""
    if human is None:
        return {}
    pairs = {name: getattr(human, name) for name in _PAIRS}
    content = {
        "n_frames": human.n_frames,
        "n_trials": human.n_trials,
        "n_trials_of_a": human.n_trials_of_a,
        **{
            name: without_nan(vars(pair.overall))
            | without_nan({"accuracy": pair.accuracy, "edit": pair.edit})
            | {"per_action": {action: without_nan(vars(each)) for action, each in pair.actions.items()}}
            for name, pair in pairs.items()
        },
    }
    return {"human": content}


def write_human(out: Path, human: HumanCeiling | None, *, stamp: str | None = None) -> None:
    """human.csv: a row for each action, and one for all. Without a second person there is none, nor an earlier one.

    A stamp is a column of its own.
    """
    if human is None:
        (out / HUMAN_FILE).unlink(missing_ok=True)
        return
    rows = [{"action": name, **_row(human, name)} for name in human.n_bouts]
    table = pd.DataFrame([*rows, {"action": "all", **_row(human, None)}])
    write_csv_table(out / HUMAN_FILE, table if stamp is None else table.assign(stamp=stamp), n_decimals=4)


def _row(human: HumanCeiling, action: str | None) -> dict[str, Any]:
    """One action, or all where it is None: each measure of each pair."""
    pairs = {name: getattr(human, name) for name in _PAIRS}
    of_action = {name: pair.overall if action is None else pair.actions[action] for name, pair in pairs.items()}
    row = {
        f"{measure}_{name}": getattr(of_action[name], measure)
        for measure in ("kappa", "f1", "segment_f1", "event_f1")
        for name in _PAIRS
    }
    row |= {f"edit_{name}": pair.edit if action is None else None for name, pair in pairs.items()}
    n_bouts = [*human.n_bouts.values()] if action is None else [human.n_bouts[action]]
    return row | {"n_bouts_a": sum(a for a, _ in n_bouts), "n_bouts_b": sum(b for _, b in n_bouts)}
