"""Scores in words, for the terminal."""

import math
from typing import TYPE_CHECKING

from nocigram.evaluation.wording import counted, percent

if TYPE_CHECKING:
    from nocigram.evaluation.scores import ActionScores, Scores

_HEADER = ("action", "F1", "recall", "precision", "frames", "bouts", "bouts found", "")


def scores_as_text(scores: "Scores", *, pain_sign: str) -> str:
    """A table of the actions, the scores over all of them, and what the numbers mean."""
    rows = [_row(name, action, is_pain_sign=name == pain_sign) for name, action in scores.per_action.items()]
    lines = [*_aligned([_HEADER, *rows]), "", *_overall_lines(scores), "", *_notes(scores)]
    if pain_sign in scores.per_action:
        lines += ["", pain_sign_sentence(pain_sign, scores.per_action[pain_sign])]
    return "\n".join(lines)


def pain_sign_sentence(name: str, action: "ActionScores") -> str:
    """What can be relied on about one action, in a sentence or two."""
    if not action.n_frames:
        return f"{name} (pain sign): not in these labels, so nothing can be said about it."
    found = (
        f"{name} (pain sign): finds {percent(action.recall)} of its frames and "
        f"{action.n_bouts_found} of its {counted(action.n_bouts, 'bout')}"
    )
    if not action.n_frames_predicted:
        return f"{found}; it is never called."
    n_made_up = action.n_bouts_predicted - action.n_bouts_found
    return (
        f"{found}; {percent(action.precision)} of the frames that it calls {name} are right, "
        f"and {n_made_up} of the {counted(action.n_bouts_predicted, 'bout')} that it calls so fit no labelled bout."
    )


def _row(name: str, action: "ActionScores", *, is_pain_sign: bool) -> tuple[str, ...]:
    """One action's line of the table."""
    return (
        name,
        _number(action.f1),
        _number(action.recall),
        _number(action.precision),
        f"{action.n_frames:,}",
        f"{action.n_bouts:,}",
        f"{action.n_bouts_found:,}",
        "← pain sign" if is_pain_sign else "",
    )


def _overall_lines(scores: "Scores") -> list[str]:
    """The scores over all actions, one a line, with what each says."""
    segments = "  ".join(f"@{iou} {_number(value)}" for iou, value in scores.segment_f1.items())
    lines = [
        f"macro F1           {_number(scores.macro_f1)}  mean of the F1 above; a rare action counts as much as rest",
        f"accuracy           {_number(scores.accuracy)}  share of frames that are right; mostly about frequent actions",
        f"balanced accuracy  {_number(scores.balanced_accuracy)}  mean of the recalls above",
        f"edit               {scores.edit:5.1f}  of 100: is the order of bouts right, whatever their timing",
        f"segment F1         {segments}  whole bouts, right at that overlap or more",
    ]
    if scores.keypoint_mae_px is not None and scores.keypoint_mae_norm is not None:
        lines.append(
            f"keypoint MAE       {scores.keypoint_mae_px:.2f} px, {scores.keypoint_mae_norm:.4f} of the view's side; "
            "mean error of x and of y"
        )
    return [*lines, f"measured on        {scores.measured_on}"]


def _notes(scores: "Scores") -> list[str]:
    """How to read the table, and what it could not measure."""
    notes = [
        "recall: share of the action's frames that the model finds.",
        "precision: share of the frames called by the action's name that truly are it.",
        "bouts found: labelled bouts that a predicted bout of the action overlaps by 0.3 or more.",
    ]
    absent = [name for name, action in scores.per_action.items() if not action.n_frames]
    for name in absent:
        called = scores.per_action[name].n_frames_predicted
        notes.append(
            f"{name} is not in these labels: left out of the means above; {counted(called, 'frame')} called so."
        )
    return notes


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """First and last column to the left, the numbers to the right, two blanks between, a rule below the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *numbers, last in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(numbers, widths[1:-1], strict=True)), last]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _number(value: float) -> str:
    """Three decimals, or a dash for a number that does not exist."""
    return "-".rjust(5) if math.isnan(value) else f"{value:.3f}"
