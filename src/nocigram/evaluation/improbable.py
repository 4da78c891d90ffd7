"""Labels that a model, which never saw them, finds improbable: where a person should look once more.

T frames, C actions.

**The rule.** Confident learning (Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in
dataset labels", JAIR 70) asks for each action how probable the model finds it, on average, where it is labelled: its
mean self-confidence. A frame is in doubt where another action is more probable than the labelled one and reaches the
other action's own mean self-confidence. So an action of which the model is never very sure is not held to the standard
of one that it knows well.

Frames are not independent, and a person corrects bouts. So doubtful frames grow into spans: all neighbouring frames
with the same label in which the same other action is more probable than the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import Bout, bouts_of
from nocigram.core.ranges import FrameRange
from nocigram.evaluation.trial_prediction import TrialPrediction

Kind = Literal["bout", "extra", "missed", "edge"]
"""`bout`: a labelled bout is another action. `extra`: a labelled bout isn't there, its action is that of a neighbour.
`missed`: a bout within the labelled one. `edge`: a bout begins or ends a few frames earlier or later."""

EDGE_S = 0.5
"""An edge that is off by more is a bout, or a part of one, of its own."""
BRIDGED_S = 0.1
"""Spans of one kind this close to each other are one."""
_DOUBTED_SHARE = 0.5
"""From this share of its frames on the whole of a labelled bout is in doubt."""
_SURE_S = 0.2
"""The score counts so much time of sure label beside each span, so that two wild frames don't come first."""


@dataclass(frozen=True, kw_only=True)
class Improbable:
    """A span of labelled frames that the model finds improbable."""

    recording: str
    trial: int
    """Number of the trial within its recording."""
    span: FrameRange
    """Frames of the trial."""
    label: int
    other: int
    """What the model says."""
    label_probability: float
    """Mean over the span."""
    other_probability: float
    kind: Kind
    shift_n_frames: int
    """Of an edge: how far it moves, negative to an earlier frame; else 0."""
    score: float
    """From 0 to 1: how improbable the label is, one less its mean probability, less for short spans."""


def self_confidence(trials: Sequence[TrialPrediction], *, n_actions: int) -> Float[np.ndarray, " C"]:
    """Mean probability of each action over the frames labelled so; 1 for one that is never labelled."""
    labels = np.concatenate([trial.labels for trial in trials])
    probabilities = np.concatenate([trial.probabilities for trial in trials])
    return np.array([probabilities[labels == c, c].mean() if (labels == c).any() else 1.0 for c in range(n_actions)])


def improbable_labels(trials: Sequence[TrialPrediction], *, fps: Sequence[float]) -> list[Improbable]:
    """Every span in doubt: bouts first, then edges, each the most improbable first.

    Args:
        trials: labels and probabilities of models that were not trained on them, at least one trial.
        fps: frame rate of each trial's recording.
    """
    confidence = self_confidence(trials, n_actions=trials[0].probabilities.shape[1])
    found = [
        each
        for trial, rate in zip(trials, fps, strict=True)
        for each in _of_trial(trial, confidence=confidence, fps=rate)
    ]
    return sorted(found, key=lambda each: (each.kind == "edge", -each.score))


def _of_trial(trial: TrialPrediction, *, confidence: Float[np.ndarray, " C"], fps: float) -> list[Improbable]:
    """The spans of one trial, in order of time. Two spans that put one labelled bout in doubt are one."""
    others = _more_probable(trial)
    bouts, found, whole = bouts_of(trial.labels), [], set()
    for place, bout in enumerate(bouts):
        for span, other in _spans(others, bout, n_bridged=round(BRIDGED_S * fps)):
            if not (trial.probabilities[span.start : span.stop, other] >= confidence[other]).any():
                continue
            neighbours = (_label_at(trial, bout.span.start - 1), _label_at(trial, bout.span.stop))
            kind, shift = _kind_of(span, other, bout, neighbours, edge_n_frames=round(EDGE_S * fps))
            if kind in ("bout", "extra"):
                span = bout.span
                if place in whole:
                    continue
                whole.add(place)
            found.append(_improbable(trial, span, bout.action, other, kind, shift, fps=fps))
    return found


def _more_probable(trial: TrialPrediction) -> Int[np.ndarray, " T"]:
    """The likeliest other action, where it is more probable than the label; UNSCORED elsewhere."""
    frames, scored = np.arange(len(trial.labels)), trial.scored
    labels = trial.labels.clip(min=0)
    rest = trial.probabilities.copy()
    rest[frames, labels] = -1.0
    other = rest.argmax(axis=1)
    is_doubted = scored & (rest.max(axis=1) > trial.probabilities[frames, labels])
    return np.where(is_doubted, other, UNSCORED)


def _spans(others: Int[np.ndarray, " T"], bout: Bout, *, n_bridged: int) -> list[tuple[FrameRange, int]]:
    """Spans of one other action within a labelled bout; short holes between two of the same action are filled."""
    spans: list[tuple[FrameRange, int]] = []
    for run in bouts_of(others[bout.span.start : bout.span.stop]):
        span = run.span.shifted(bout.span.start)
        if spans and spans[-1][1] == run.action and span.start - spans[-1][0].stop <= n_bridged:
            span = FrameRange(spans.pop()[0].start, span.stop)
        spans.append((span, run.action))
    return spans


def _kind_of(
    span: FrameRange, other: int, bout: Bout, neighbours: tuple[int, int], *, edge_n_frames: int
) -> tuple[Kind, int]:
    """What a span would change, and how far an edge moves.

    Args:
        span: within the labelled bout.
        other: what the model says there.
        bout: the labelled one.
        neighbours: labels just before and after it.
        edge_n_frames: the farthest that an edge moves.
    """
    if len(span) >= _DOUBTED_SHARE * len(bout.span):
        return ("extra" if other in neighbours else "bout"), 0
    if len(span) <= edge_n_frames:
        if span.start == bout.span.start and neighbours[0] == other:
            return "edge", len(span)
        if span.stop == bout.span.stop and neighbours[1] == other:
            return "edge", -len(span)
    return "missed", 0


def _label_at(trial: TrialPrediction, frame: int) -> int:
    """The label of a frame; UNSCORED beyond the trial."""
    return int(trial.labels[frame]) if 0 <= frame < len(trial.labels) else UNSCORED


def _improbable(
    trial: TrialPrediction, span: FrameRange, label: int, other: int, kind: Kind, shift: int, *, fps: float
) -> Improbable:
    """A span with its numbers."""
    inside = trial.probabilities[span.start : span.stop]
    return Improbable(
        recording=trial.recording,
        trial=trial.trial,
        span=span,
        label=label,
        other=other,
        label_probability=float(inside[:, label].mean()),
        other_probability=float(inside[:, other].mean()),
        kind=kind,
        shift_n_frames=shift,
        score=float((1 - inside[:, label]).sum()) / (len(span) + _SURE_S * fps),
    )
