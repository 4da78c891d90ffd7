"""Events on disk: events.csv, bouts.csv, trials.csv, and the keys of metrics.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nocigram.core.numbers import without_nan
from nocigram.data.csv_table import write_csv_table
from nocigram.evaluation.events import MEASURES, Events, plain_agreement, plain_events
from nocigram.evaluation.trial_events import TrialEvents
from nocigram.report import draw_bland_altman

EVENT_FILES = ("events.csv", "bouts.csv", "trials.csv", "bland_altman.png")


def events_as_dict(events: Events) -> dict[str, Any]:
    """The keys of metrics.json about events; None for a number that does not exist."""
    actions = {
        name: without_nan(plain_events(action))
        | {
            "animals": {
                animal: {measure: without_nan(plain_agreement(agreed)) for measure, agreed in measures.items()}
                for animal, measures in action.animals.items()
            }
        }
        for name, action in events.actions.items()
    }
    return {"onset_tolerance_s": events.onset_tolerance_s, "events": actions}


def write_events(out: Path, events: Events, *, colours: Mapping[str, str], stamp: str | None = None) -> None:
    """Write the tables and the figure; a stamp is a column of each table."""
    table = pd.DataFrame([{"action": name, **plain_events(action)} for name, action in events.actions.items()])
    tables = {
        "events.csv": table.assign(onset_tolerance_s=events.onset_tolerance_s),
        "bouts.csv": pd.DataFrame([vars(bout) for bout in events.bouts]),
        "trials.csv": pd.DataFrame([_trial_row(trial) for trial in events.trials]),
    }
    for name, rows in tables.items():
        write_csv_table(out / name, rows if stamp is None else rows.assign(stamp=stamp), n_decimals=4)
    draw_bland_altman(events, colours=colours, path=out / "bland_altman.png", stamp=stamp)


def _trial_row(trial: TrialEvents) -> dict[str, Any]:
    """One action of one trial."""
    return {
        "recording": trial.recording,
        "trial": trial.trial,
        "animal": trial.animal,
        "action": trial.action,
        "scored_s": trial.scored_s,
        "latency_from": "stim_frame" if trial.has_stimulus else "start of trial",
        "followed_s": trial.followed_s,
        **{
            f"{measure}_{by}": getattr(getattr(trial, by), measure)
            for measure in MEASURES
            for by in ("labels", "model")
        },
    }
