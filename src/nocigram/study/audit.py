"""`nocigram audit`: labels that models which never saw them find improbable."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from nocigram.config.audit import AuditOptions
from nocigram.core.errors import InputError
from nocigram.core.tables import text_table
from nocigram.data.csv_table import write_csv_table
from nocigram.data.records import Discovery, Trial
from nocigram.data.times import times_s_of
from nocigram.evaluation import TrialPrediction
from nocigram.evaluation.improbable import Improbable, improbable_labels
from nocigram.prediction import Predictor
from nocigram.study.audit_pictures import Place, draw_strips
from nocigram.study.cells import PREDICTIONS, RECORD
from nocigram.study.chosen_trials import sides_of
from nocigram.study.evaluate import discover_for, predict_trials, sources_for
from nocigram.study.predictions_file import load_predictions

_TABLE = "audit.csv"
_N_PRINTED = 10


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found."""

    rows: list[Improbable]
    """Bouts first, then edges, each the most improbable first."""
    found: Discovery
    classes: tuple[str, ...]
    seen: frozenset[str]
    """Recordings that trained the model which judges them; only with --allow_seen."""

    @cached_property
    def places(self) -> list[Place]:
        """Where in its recording each row lies."""
        trials = {(trial.recording, trial.number): trial for trial in self.found.trials}
        times_s = {name: times_s_of(self.found.recordings[name]) for name in {row.recording for row in self.rows}}
        return [
            Place.of(row.span.shifted(trials[row.recording, row.trial].start), times_s[row.recording])
            for row in self.rows
        ]

    def table(self) -> pd.DataFrame:
        """The rows of audit.csv."""
        rows = [self._row(rank, *each) for rank, each in enumerate(zip(self.rows, self.places, strict=True), start=1)]
        return pd.DataFrame(rows, columns=_COLUMNS)

    def _row(self, rank: int, row: Improbable, place: Place) -> dict[str, object]:
        """One row of audit.csv."""
        return {
            "rank": rank,
            "recording": row.recording,
            "trial": row.trial,
            "start_frame": place.span.start,
            "stop_frame": place.span.stop,
            "start_s": round(place.start_s, 3),
            "stop_s": round(place.stop_s, 3),
            "label": self.classes[row.label],
            "model_says": self.classes[row.other],
            "p_label": round(row.label_probability, 4),
            "p_model": round(row.other_probability, 4),
            "kind": row.kind,
            "shift_frames": row.shift_n_frames or "",
            "score": round(row.score, 4),
            "seen_in_training": "yes" if row.recording in self.seen else "no",
            "decision": "",
            "note": "",
        }


_COLUMNS = [
    *("rank", "recording", "trial", "start_frame", "stop_frame", "start_s", "stop_s", "label", "model_says"),
    *("p_label", "p_model", "kind", "shift_frames", "score", "seen_in_training", "decision", "note"),
]


def audit(options: AuditOptions) -> Audit:
    """Find, rank, print, write.

    Raises:
        NoSamplesError: no usable trial.
        InputError: the study or the model can't be used, has seen every recording, or a table that a person has worked
            in would be replaced.
    """
    _refuse_worked_in(options.folder / _TABLE)
    predictor, judged, found, seen = _judged(options)
    fps = [found.recordings[trial.recording].fps for trial in judged]
    result = Audit(
        rows=improbable_labels(judged, fps=fps), found=found, classes=predictor.classes, seen=frozenset(seen)
    )
    print(_summary(result, judged))
    write_csv_table(options.folder / _TABLE, result.table())
    draw_strips(
        result.rows[: options.pictures],
        result.places[: options.pictures],
        found=found,
        classes=predictor.classes,
        folder=options.folder,
    )
    print(f"[info] Results: {options.folder}")
    return result


def _refuse_worked_in(path: Path) -> None:
    """A table with somebody's decisions is never replaced.

    Raises:
        InputError: there is one.
    """
    if not path.is_file():
        return
    there = pd.read_csv(path, dtype=str, keep_default_na=False)
    n_decided = int((there.reindex(columns=["decision", "note"], fill_value="") != "").any(axis=1).sum())
    if n_decided:
        raise InputError(
            f"{path}: expected no decisions in a table that is to be replaced, got {n_decided}. "
            "Choose another --out, or move the table."
        )


def _judged(options: AuditOptions) -> tuple[Predictor, list[TrialPrediction], Discovery, set[str]]:
    """A model that says how data are read, the trials with their probabilities, the data, recordings that were seen."""
    if not options.source.is_dir():
        predictor = Predictor.load(options.source, accelerator=options.accelerator)
        return predictor, *_by_model(predictor, options)
    cells = sorted(path.parent for path in options.source.glob(f"cells/*/{RECORD}") if _has_all(path.parent))
    if not cells:
        raise InputError(
            f"{options.source}: expected the folder of a crossval or compare with finished trainings in cells/, got "
            "none. Give the study's --out, or a model."
        )
    predictor = _reader(cells, options)
    found = discover_for(predictor, options.labelled)
    return predictor, _by_study(cells, found), found, set()


def _has_all(cell: Path) -> bool:
    """A finished cell with its predictions and its model."""
    return (cell / PREDICTIONS).is_file() and any(cell.glob("best_model_*.pt"))


def _reader(cells: Sequence[Path], options: AuditOptions) -> Predictor:
    """The first model that reads keypoints, since the pictures show them; else the last."""
    for cell in cells:
        predictor = Predictor.load(min(cell.glob("best_model_*.pt")), accelerator=options.accelerator)
        if predictor.needs.pose:
            break
    return predictor


def _by_study(cells: Sequence[Path], found: Discovery) -> list[TrialPrediction]:
    """The mean answer to each trial of all models that were not trained on its animal, beside today's labels."""
    answers: dict[tuple[str, int], list[TrialPrediction]] = defaultdict(list)
    for cell in cells:
        for answer in load_predictions(cell / PREDICTIONS):
            answers[answer.recording, answer.trial].append(answer)
    judged, changed, unlike = [], 0, []
    for trial in found.trials:
        own = answers.pop((trial.recording, trial.number), [])
        if not own or any(len(each.labels) != len(trial.span) for each in own):
            unlike.append(trial.name)
            continue
        labels = found.labels_of(trial)
        changed += int((labels != own[0].labels).sum())
        mean = np.mean([each.probabilities for each in own], axis=0)
        judged.append(_beside(trial, labels, mean))
    if unlike:
        print(f"[warn] not audited, since the study has no answer of their length: {', '.join(unlike)}")
    if answers:
        print(f"[warn] not in the folders: {', '.join(f'{recording}#{n}' for recording, n in sorted(answers))}")
    if changed:
        print(f"[info] {changed} labels were changed since the study; the present ones are audited")
    if not judged:
        raise InputError("audit: expected trials that the study has judged, got none. Give the study's own folders.")
    n_models = len(cells)
    print(f"[info] {len(judged)} trials, judged by {n_models} models, each on animals that it never saw")
    return judged


def _beside(trial: Trial, labels: np.ndarray, probabilities: np.ndarray) -> TrialPrediction:
    """Labels beside probabilities."""
    return TrialPrediction(
        recording=trial.recording,
        trial=trial.number,
        animal=trial.animal,
        labels=labels,
        probabilities=probabilities,
    )


def _by_model(predictor: Predictor, options: AuditOptions) -> tuple[list[TrialPrediction], Discovery, set[str]]:
    """One model's answer to the trials that it was not trained on; with --allow_seen to all of them.

    Raises:
        InputError: it was trained on all of them.
    """
    found = discover_for(predictor, options.labelled)
    if predictor.needs.only_with_pose:
        found = found.with_pose()
    trained = {name for name, each in found.recordings.items() if "train" in sides_of(each, predictor.checkpoint)}
    seen = {trial.recording for trial in found.trials} & trained
    if seen and not options.allow_seen:
        print(f"[warn] not audited, since the model was trained on them: {', '.join(sorted(seen))}")
        found = replace(found, trials=[trial for trial in found.trials if trial.recording not in seen])
        seen = set()
    if not found.trials:
        raise InputError(
            f"{options.source.name}: expected recordings that the model was not trained on, got none. Audit the folder "
            "of a crossval, or add --allow_seen: a model has learnt the mistakes of its own labels, and shows fewer."
        )
    if seen:
        print(f"[warn] The model was trained on {', '.join(sorted(seen))}: it has learnt the mistakes there, too")
    sources = sources_for(predictor, found, found.trials, options.labelled)
    return predict_trials(predictor, found, found.trials, sources), found, seen


def _summary(result: Audit, judged: Sequence[TrialPrediction]) -> str:
    """How much was found, and the top of the table."""
    n_scored = sum(int(trial.scored.sum()) for trial in judged)
    kinds = [row.kind for row in result.rows]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("bout", "extra", "missed", "edge"))
    table = result.table().head(_N_PRINTED)
    columns = ["rank", "recording", "start_s", "stop_s", "label", "model_says", "p_label", "kind"]
    return (
        f"[info] {len(result.rows)} improbable spans in {n_scored} labelled frames: {counts}\n"
        f"{text_table(columns, table[columns].to_numpy().tolist())}"
    )
