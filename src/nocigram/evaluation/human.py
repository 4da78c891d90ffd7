"""The human ceiling: how well two people agree about the same frames, beside the model and either of them.

C actions. A is the first person, whose labels the model is scored on, B the second.

Unscored frames of either person count nowhere, so all three comparisons are of the same frames.
Cohen's kappa is the agreement beyond chance: 1 is perfect, 0 what two would reach who name actions as often as they
do, but blindly (Cohen 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement
20). Of two people neither is the truth. An F1 of frames or events is the same whichever is taken for it; precision and
recall would change places, so they are not given. Segment F1 takes A for it, as for the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int
from sklearn.metrics import cohen_kappa_score

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import InputError
from nocigram.evaluation._checks import require_scorable
from nocigram.evaluation.counts import Counts, count_trials
from nocigram.evaluation.frame_scores import score_confusion, share_of
from nocigram.evaluation.onsets import ONSET_TOLERANCE_S
from nocigram.evaluation.segments import BOUT_IOU, IOU_THRESHOLDS
from nocigram.evaluation.trial_prediction import TrialPrediction

_IOU = IOU_THRESHOLDS.index(BOUT_IOU)


@dataclass(frozen=True, kw_only=True)
class PairAction:
    """How well two agree about one action, or about all. NaN where a number does not exist."""

    kappa: float
    """Cohen's, of the action against all others; of all actions at once. NaN where both say one and the same thing
    throughout."""
    f1: float
    """Of frames; of all actions the mean over those that the first of the two uses. NaN for an action that it never
    uses."""
    segment_f1: float
    """Of bouts that overlap by 0.3 or more, of all actions counted together."""
    event_f1: float
    """Of bouts that begin together, of all actions counted together."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How well two agree."""

    overall: PairAction
    accuracy: float
    """Share of frames about which both say the same."""
    edit: float
    """Likeness of the order of bouts, mean over trials, 0 to 100."""
    actions: Mapping[str, PairAction]
    """By name, in the order of the classes."""


@dataclass(frozen=True, kw_only=True)
class HumanCeiling:
    """Two people and a model about the same frames."""

    people: Pair
    """A and B."""
    model_a: Pair
    model_b: Pair
    n_frames: int
    """Frames that both people scored."""
    n_trials: int
    """Trials with such a frame."""
    n_trials_of_a: int
    """Trials with a scored frame of A; those without one of B are left out."""
    n_bouts: Mapping[str, tuple[int, int]]
    """Action -> labelled bouts of A, and of B."""


def human_ceiling(
    trials: Sequence[TrialPrediction],
    second: Mapping[tuple[str, int], Int[np.ndarray, " T"]],
    *,
    classes: Sequence[str],
    onset_tolerance_s: float = ONSET_TOLERANCE_S,
) -> HumanCeiling:
    """Compare two people and a model.

    Args:
        trials: labelled by A, with the model's prediction.
        second: B's merged actions, UNSCORED allowed, by recording and number of the trial.
        classes: names of the columns of the probabilities.
        onset_tolerance_s: bouts may begin so far apart and still be one and the same.

    Raises:
        InputError: no frame is scored by both.
    """
    of_a = [trial for trial in trials if trial.scored.any()]
    model_a, model_b = [], []
    for trial in of_a:
        labels_b = second.get((trial.recording, trial.trial), np.full_like(trial.labels, UNSCORED))
        by_both = trial.scored & (labels_b != UNSCORED)
        if by_both.any():
            model_a.append(replace(trial, labels=np.where(by_both, trial.labels, UNSCORED)))
            model_b.append(replace(trial, labels=np.where(by_both, labels_b, UNSCORED)))
    if not model_a:
        raise InputError("--annotations_b: expected a frame that both people scored, got none. Give another folder.")
    people = [replace(a, decoded=np.maximum(b.labels, 0)) for a, b in zip(model_a, model_b, strict=True)]
    counts = count_trials(people, n_actions=len(classes))
    bouts = zip(counts.n_true_bouts.tolist(), counts.n_called_bouts.tolist(), strict=True)
    return HumanCeiling(
        people=compare_pair(people, classes=classes, onset_tolerance_s=onset_tolerance_s),
        model_a=compare_pair(model_a, classes=classes, onset_tolerance_s=onset_tolerance_s),
        model_b=compare_pair(model_b, classes=classes, onset_tolerance_s=onset_tolerance_s),
        n_frames=sum(int(trial.scored.sum()) for trial in people),
        n_trials=len(people),
        n_trials_of_a=len(of_a),
        n_bouts=dict(zip(classes, bouts, strict=True)),
    )


def compare_pair(
    trials: Sequence[TrialPrediction], *, classes: Sequence[str], onset_tolerance_s: float = ONSET_TOLERANCE_S
) -> Pair:
    """How well the labels of trials and what was said of them agree.

    Args:
        trials: each trial of a recording once; the prediction is the second one's.
        classes: names of the columns of the probabilities.
        onset_tolerance_s: bouts may begin so far apart and still be one and the same.

    Raises:
        InputError: as `score_trials`.
    """
    require_scorable(trials, classes=classes)
    counts = count_trials(trials, n_actions=len(classes), onset_tolerance_s=onset_tolerance_s)
    frames = score_confusion(counts.confusion)
    first = np.concatenate([trial.labels[trial.counted] for trial in trials])
    other = np.concatenate([trial.predicted[trial.counted] for trial in trials])
    segment_f1 = share_of(2 * counts.n_matched_bouts[_IOU], counts.n_true_bouts + counts.n_called_bouts)
    return Pair(
        overall=PairAction(
            kappa=_kappa(first, other),
            f1=float(frames.macro_f1),
            segment_f1=float(counts.segment_f1[_IOU]),
            event_f1=_event_f1(counts),
        ),
        accuracy=float(frames.accuracy),
        edit=float(counts.edit),
        actions={
            name: PairAction(
                kappa=_kappa(first == action, other == action),
                f1=float(frames.f1[action]),
                segment_f1=float(segment_f1[action]),
                event_f1=float(counts.onset_f1[action]),
            )
            for action, name in enumerate(classes)
        },
    )


def _kappa(first: np.ndarray, other: np.ndarray) -> float:
    """Cohen's kappa of two people's names for the same frames; NaN where chance alone would agree, too."""
    if (first == first[0]).all() and (other == first[0]).all():
        return float("nan")
    return float(cohen_kappa_score(first, other))


def _event_f1(counts: Counts) -> float:
    """F1 of the bouts of all actions by their onsets."""
    n_bouts = counts.n_true_bouts.sum() + counts.n_called_bouts.sum()
    return float(share_of(2 * counts.n_onset_bouts.sum(), n_bouts))
