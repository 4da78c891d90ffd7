"""Approaches or ablations side by side: a table as Markdown and as csv, and a figure.

A cell that was not run is empty. A score that is not assessable says so, and is never 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nocigram.core.errors import InputError
from nocigram.core.files import written_whole
from nocigram.evaluation import Measured
from nocigram.report.intervals import draw_intervals

NOT_ASSESSABLE = "not assessable"
SEGMENT_IOUS = ("0.5", "0.3")
"""Overlaps of the segment F1 that the table shows; the guide names 0.3."""
_NOTES = """\
**Bold**: best of its column. Brackets: 95% interval over animals. Segment F1@x: whole bouts, right at an overlap of x
or more. Edit: order of bouts, of 100. Frames/s: at prediction. p: paired permutation test of macro F1 against the best.
Not assessable: too few labelled bouts or animals. Empty: not run."""


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """One approach or ablation. What was not run is left out, never guessed."""

    name: str
    scores: Mapping[str, Measured] = field(default_factory=dict)
    """By path in metrics.json, as `measure` gives them; none where it was not run."""
    n_parameters: int | None = None
    training_minutes: float | None = None
    frames_per_s: float | None = None
    """At prediction."""
    p: float | None = None
    """Of the paired test of macro F1 against the best; None for the best itself."""


def write_comparison(
    rows: Sequence[ComparedRow],
    *,
    classes: Sequence[str],
    folder: Path,
    pain_sign: str = "paw_withdraw",
    least_p: float | None = None,
) -> str:
    """Write comparison.md, comparison.csv and comparison.png; returns the first one's text.

    Args:
        rows: in the order of the table.
        classes: names of the actions; a column each.
        folder: made if it is missing.
        pain_sign: the action whose column comes first and that has a panel of its own, if it is among the classes.
        least_p: no p can be smaller with so few animals; None where there is no p.

    Raises:
        InputError: there is no row, or a name comes twice.
    """
    names = [row.name for row in rows]
    if not rows or len(set(names)) < len(names):
        got = f"twice {sorted({name for name in names if names.count(name) > 1})}" if rows else "none"
        raise InputError(f"comparison: expected rows with a name each, got {got}. Name each approach once.")
    actions = sorted(classes, key=lambda name: name != pain_sign)
    markdown = comparison_as_markdown(rows, actions=actions, least_p=least_p)
    with written_whole(folder / "comparison.md") as temporary:
        temporary.write_text(markdown, encoding="utf-8")
    with written_whole(folder / "comparison.csv") as temporary:
        comparison_as_table(rows, actions=actions).to_csv(temporary, index=False, float_format="%.6g")
    panels = {"macro F1": "macro_f1"}
    if pain_sign in classes:
        panels[f"F1 of {pain_sign}"] = _f1_of(pain_sign)
    draw_intervals({row.name: row.scores for row in rows}, panels=panels, path=folder / "comparison.png")
    return markdown


def comparison_as_markdown(rows: Sequence[ComparedRow], *, actions: Sequence[str], least_p: float | None = None) -> str:
    """The table for people: values with intervals, the best of each score in bold, and what the cells mean."""
    paths = _score_columns(actions)
    others: dict[str, Callable[[ComparedRow], str]] = {
        "parameters": lambda row: _cell(row.n_parameters, _parameters),
        "training (min)": lambda row: _cell(row.training_minutes, "{:.1f}".format),
        "frames/s": lambda row: _cell(row.frames_per_s, "{:,.0f}".format),
        "p": lambda row: _cell(row.p, lambda p: "<0.001" if p < 0.001 else f"{p:.3f}"),
    }
    best = {path: _best(rows, path) for path in paths.values()}
    lines = [["approach", *paths, *others], ["---", *["---:"] * (len(paths) + len(others))]]
    for row in rows:
        scores = [_score_cell(row.scores.get(path), path=path, best=best[path]) for path in paths.values()]
        lines.append([row.name.replace("|", "\\|"), *scores, *(text_of(row) for text_of in others.values())])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    limit = (
        ""
        if least_p is None
        else f"\nWith so few animals no p can be below {least_p:.2g}, however large the difference."
    )
    return f"{table}\n\n{_NOTES}{limit}\n"


def comparison_as_table(rows: Sequence[ComparedRow], *, actions: Sequence[str]) -> pd.DataFrame:
    """The table for programs: one column per number, scores by their path in metrics.json with `/low` and `/high`."""
    best = _best(rows, "macro_f1")
    records: list[dict[str, object]] = []
    for row in rows:
        record: dict[str, object] = {"approach": row.name}
        for path in _score_columns(actions).values():
            score = row.scores.get(path)
            record[path] = score and (NOT_ASSESSABLE if math.isnan(score.value) else score.value)
            record |= {f"{path}/low": score and score.low, f"{path}/high": score and score.high}
        record |= {
            "n_parameters": row.n_parameters,
            "training_minutes": row.training_minutes,
            "frames_per_s": row.frames_per_s,
            "p": row.p,
            "is_best": "macro_f1" in row.scores and row.scores["macro_f1"].value == best,
        }
        records.append(record)
    return pd.DataFrame(records).astype({"n_parameters": "Int64"})


def _score_columns(actions: Sequence[str]) -> dict[str, str]:
    """Heading -> path of each score, in the order of the table."""
    return {
        "macro F1": "macro_f1",
        **{f"F1 {action}": _f1_of(action) for action in actions},
        **{f"segment F1@{iou}": f"segment_f1/{iou}" for iou in SEGMENT_IOUS},
        "edit": "edit",
        "accuracy": "accuracy",
    }


def _f1_of(action: str) -> str:
    """Path of an action's F1."""
    return f"per_action/{action}/f1"


def _best(rows: Sequence[ComparedRow], path: str) -> float | None:
    """The highest value of a score; None where there is none."""
    values = [row.scores[path].value for row in rows if path in row.scores]
    return max((value for value in values if not math.isnan(value)), default=None)


def _score_cell(score: Measured | None, *, path: str, best: float | None) -> str:
    """`0.842 [0.80, 0.88]`, with the value in bold if it is the best; empty where it was not run."""
    if score is None:
        return ""
    if math.isnan(score.value):
        return NOT_ASSESSABLE
    digits = 1 if path == "edit" else 3
    value = f"{score.value:.{digits}f}"
    if score.value == best:
        value = f"**{value}**"
    if score.low is None or score.high is None:
        return value
    digits = 0 if path == "edit" else 2
    return f"{value} [{score.low:.{digits}f}, {score.high:.{digits}f}]"


def _cell(number: float | int | None, text_of: Callable[[float | int], str]) -> str:
    """A number in words; empty where there is none."""
    return "" if number is None else text_of(number)


def _parameters(number: float | int) -> str:
    """`21.7 M`, `310 k`, `94`."""
    if number >= 1e6:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e3:.0f} k" if number >= 1e3 else str(number)
