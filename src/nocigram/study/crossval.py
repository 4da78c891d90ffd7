"""`nocigram crossval`: one approach, every animal judged by models that never saw it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from nocigram.config.commands import CrossvalOptions
from nocigram.core.actions import ActionScheme
from nocigram.core.files import write_json
from nocigram.core.numbers import none_for_nan
from nocigram.core.tables import text_table
from nocigram.data.csv_table import write_csv_table
from nocigram.evaluation import (
    ActionSupport,
    Events,
    HumanCeiling,
    Measured,
    TrialPrediction,
    action_support,
    events_as_text,
    measure,
    not_assessable,
    score_events,
    score_trials,
)
from nocigram.evaluation.onsets import ONSET_TOLERANCE_S
from nocigram.study.event_files import EVENT_FILES, events_as_dict, write_events
from nocigram.study.figures import FIGURES, draw_figures
from nocigram.study.grid import Grid
from nocigram.study.human_files import HUMAN_FILE, ceiling_of, human_as_dict, second_of, write_human

_RESULTS = ("metrics.json", "out_of_fold_seed*.csv", *FIGURES, *EVENT_FILES, HUMAN_FILE)


@dataclass(frozen=True, kw_only=True)
class Crossvalidation:
    """What came out: predictions of animals that were held out, and scores of all of them together."""

    classes: tuple[str, ...]
    by_seed: dict[int, list[TrialPrediction]]
    """Every trial once, for each seed."""
    measured: dict[str, Measured]
    """By path in metrics.json."""
    before: dict[str, Measured] | None
    """The same without the decoder of bouts; None where there is none."""
    support: dict[str, ActionSupport]
    ignored: frozenset[str]
    """Actions that can't be assessed."""
    events: Events
    """Of the first seed."""

    @classmethod
    def of(
        cls,
        by_seed: dict[int, list[TrialPrediction]],
        *,
        classes: tuple[str, ...],
        onset_tolerance_s: float = ONSET_TOLERANCE_S,
    ) -> "Crossvalidation":
        """Score the predictions of each seed; their trials have a timing."""
        runs = [*by_seed.values()]
        score = partial(measure, classes=classes, onset_tolerance_s=onset_tolerance_s)
        support = action_support(runs[0], classes=classes)
        ignored = not_assessable(support)
        plain = [[trial.undecoded() for trial in run] for run in runs]
        is_decoded = any(trial.decoded is not None for run in runs for trial in run)
        return cls(
            classes=classes,
            by_seed=by_seed,
            measured=score(runs, not_assessable=ignored),
            before=score(plain, not_assessable=ignored) if is_decoded else None,
            support=support,
            ignored=ignored,
            events=score_events(runs[0], classes=classes, onset_tolerance_s=onset_tolerance_s),
        )

    @property
    def runs(self) -> list[list[TrialPrediction]]:
        """The predictions of each seed."""
        return [*self.by_seed.values()]

    def as_dict(self) -> dict[str, Any]:
        """The content of metrics.json: the keys of `nocigram evaluate`, then what only folds can tell."""
        scores = [score_trials(run, classes=self.classes) for run in self.runs]
        pooled = {**scores[0].as_dict(), "ece": fmean(each.ece for each in scores)}
        nested = _nested(self.measured)
        for name, action in self.support.items():
            is_assessable = name not in self.ignored
            precision = fmean(each.per_action[name].average_precision for each in scores)
            nested["per_action"][name] |= {
                "average_precision": none_for_nan(precision) if is_assessable else None,
                **asdict(action),
                "is_assessable": is_assessable,
            }
        events = events_as_dict(self.events)
        for name, of_action in nested["events"].items():
            events["events"][name] |= of_action
        return {
            **{key: nested.get(key, pooled[key]) for key in pooled},
            "intervals": {path: [each.low, each.high] for path, each in self.measured.items()},
            "per_animal": self._per_animal(),
            "boundary_tolerance": self.runs[0][0].boundary_tolerance,
            "seeds": [*self.by_seed],
            "before_smoothing": None if self.before is None else _nested(self.before),
            **events,
        }

    def as_text(self) -> str:
        """The main scores with their intervals, then each action with what it rests on."""
        main = {"macro F1": "macro_f1", "segment F1@0.3": "segment_f1/0.3", "edit": "edit", "accuracy": "accuracy"}
        rows = [(name, interval_text(self.measured[path])) for name, path in main.items()]
        if self.before is not None:
            rows.append(("macro F1 before smoothing", interval_text(self.before["macro_f1"])))
        actions = [
            (
                name,
                interval_text(self.measured[f"per_action/{name}/f1"]) if name not in self.ignored else "not assessable",
                action.n_frames,
                action.n_bouts,
                action.n_animals,
            )
            for name, action in self.support.items()
        ]
        scores = text_table(("score", "value [95% over animals]"), rows)
        table = text_table(("action", "F1 [95% over animals]", "frames", "bouts", "animals"), actions)
        return f"{scores}\n\n{table}\n\n{events_as_text(self.events)}"

    def _per_animal(self) -> dict[str, Any]:
        """Scores of each animal with a scored frame."""
        animals: dict[str, Any] = {}
        for animal in sorted({trial.animal for trial in self.runs[0] if trial.scored.any()}):
            own = [[trial for trial in run if trial.animal == animal] for run in self.runs]
            measured = measure(own, classes=self.classes, not_assessable=self.ignored, n_resamples=1)
            animals[animal] = {**_nested(measured), "n_frames": int(sum(trial.scored.sum() for trial in own[0]))}
        return animals


def crossval(options: CrossvalOptions) -> Crossvalidation:
    """Train and test on every fold, pool, score, write.

    Raises:
        InputError: too few animals, data that can't be used, or trainings that failed.
    """
    row = options.train.model.approach
    grid = Grid.of(
        {row: options.train}, folding=options.folding, folder=options.out, val_share=options.train.split.val_share
    )
    second = second_of(grid.found, grid.found.trials, options=options.events)
    print(grid.as_text())
    grid.run(options.launch, results=_RESULTS)
    classes = grid.found.scheme.classes
    result = Crossvalidation.of(grid.runs(row), classes=classes, onset_tolerance_s=options.events.onset_tolerance_s)
    print(result.as_text())
    human = ceiling_of(result.runs[0], second, classes=classes, options=options.events)
    _write(options.out, result, human, scheme=grid.found.scheme)
    return result


def _write(out: Path, result: Crossvalidation, human: HumanCeiling | None, *, scheme: ActionScheme) -> None:
    """metrics.json, the probabilities of every frame, figures."""
    write_json(out / "metrics.json", result.as_dict() | human_as_dict(human))
    write_human(out, human)
    for seed, run in result.by_seed.items():
        _write_probabilities(out / f"out_of_fold_seed{seed}.csv", run, classes=result.classes)
    write_events(out, result.events, colours=scheme.colours)
    first = result.runs[0]
    draw_figures(out, first, scores=score_trials(first, classes=result.classes), scheme=scheme)
    print(f"[info] Results: {out}")


def _write_probabilities(path: Path, run: Sequence[TrialPrediction], *, classes: Sequence[str]) -> None:
    """One row for each frame of each trial: label, prediction and the probability of each action."""
    names = pd.array([*classes], dtype="str")
    tables = []
    for trial in run:
        table = pd.DataFrame(trial.probabilities, columns=[f"P_{name}" for name in classes])
        labels = pd.Series(names[trial.labels.clip(min=0)]).where(trial.scored)
        table = table.assign(Recording=trial.recording, Trial=trial.trial, Animal=trial.animal, Row=range(len(table)))
        tables.append(table.assign(Label=labels, Action=names[trial.predicted]))
    columns = ["Recording", "Trial", "Animal", "Row", "Label", "Action", *(f"P_{name}" for name in classes)]
    write_csv_table(path, pd.concat(tables)[columns], n_decimals=5)


def interval_text(measured: Measured) -> str:
    """`0.842 [0.80, 0.88]`."""
    if math.isnan(measured.value):
        return "-"
    interval = "" if measured.low is None or measured.high is None else f" [{measured.low:.3g}, {measured.high:.3g}]"
    return f"{measured.value:.4g}{interval}"


def _nested(measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Values by the keys of metrics.json."""
    nested: dict[str, Any] = {"per_action": {}, "segment_f1": {}, "events": {}}
    for path, each in measured.items():
        _put(nested, path, none_for_nan(each.value))
    return nested


def _put(nested: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a path such as `per_action/walk/f1`; an action's name may hold slashes itself."""
    first, _, rest = path.partition("/")
    if not rest:
        nested[first] = value
    elif first in ("per_action", "events"):
        action, _, measure_name = rest.rpartition("/")
        nested[first].setdefault(action, {})[measure_name] = value
    else:
        nested[first][rest] = value
