"""What the scores are made of: counts that add up over trials and animals.

C actions, I overlaps (`IOU_THRESHOLDS`), *N any leading axes (animals, resamples, seeds),
A animals, *R mixtures of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from nocigram.evaluation.frame_scores import FrameScores, count_frames, score_confusion, share_of
from nocigram.evaluation.segments import IOU_THRESHOLDS, BoutCounts, count_bouts, edit_score
from nocigram.evaluation.trial_prediction import TrialPrediction


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Counts of one set of trials, or of as many sets as the leading axes say."""

    confusion: Int[np.ndarray, "*N C C"]
    """Scored frames; row = true action, column = predicted action."""
    n_true_bouts: Int[np.ndarray, "*N C"]
    """Labelled bouts."""
    n_called_bouts: Int[np.ndarray, "*N C"]
    """Predicted bouts."""
    n_matched_bouts: Int[np.ndarray, "*N I C"]
    """Pairs of one labelled and one predicted bout, at each overlap."""
    edit_sum: Float[np.ndarray, "*N"]
    """Edit scores of the trials, added."""
    n_trials: Int[np.ndarray, "*N"]
    """Trials with a scored frame."""

    @property
    def segment_f1(self) -> Float[np.ndarray, "*N I"]:
        """F1 of bouts over all actions at each overlap; NaN where there is no bout at all."""
        n_bouts = self.n_true_bouts.sum(axis=-1) + self.n_called_bouts.sum(axis=-1)
        return share_of(2 * self.n_matched_bouts.sum(axis=-1), n_bouts[..., None])

    @property
    def edit(self) -> Float[np.ndarray, "*N"]:
        """Edit score, mean over trials, 0 to 100; NaN without a trial."""
        return share_of(self.edit_sum, self.n_trials)

    def mixed(self, times: Int[np.ndarray, "*R A"]) -> "Counts":
        """Sums over the first axis, the animals, each of which counts as often as a row of `times` says."""
        return Counts(**{each.name: np.tensordot(times, getattr(self, each.name), axes=1) for each in fields(self)})


def count_trials(trials: Sequence[TrialPrediction], *, n_actions: int) -> Counts:
    """Counts over trials together; bouts are matched within each trial. Trials without a scored frame add nothing.

    Args:
        trials: at least one of them has a scored frame.
        n_actions: C.
    """
    used = [trial for trial in trials if trial.scored.any()]
    labels = np.concatenate([trial.labels[trial.counted] for trial in used])
    predicted = np.concatenate([trial.predicted[trial.counted] for trial in used])
    bouts = [_bouts_of_all(used, n_actions=n_actions, min_iou=float(iou)) for iou in IOU_THRESHOLDS]
    return Counts(
        confusion=count_frames(labels, predicted, n_actions=n_actions),
        n_true_bouts=bouts[0].n_true,
        n_called_bouts=bouts[0].n_predicted,
        n_matched_bouts=np.stack([each.n_matched for each in bouts]),
        edit_sum=np.array(sum(edit_score(trial.labels, trial.predicted) for trial in used)),
        n_trials=np.array(len(used)),
    )


def stacked(counts: Sequence[Counts]) -> Counts:
    """Counts side by side, along a new first axis."""
    return Counts(**{each.name: np.stack([getattr(one, each.name) for one in counts]) for each in fields(Counts)})


def joined(counts: Sequence[Counts]) -> Counts:
    """Counts one after another, along the first axis."""
    return Counts(**{each.name: np.concatenate([getattr(one, each.name) for one in counts]) for each in fields(Counts)})


def named_scores(
    counts: Counts, *, classes: Sequence[str], not_assessable: Collection[str] = ()
) -> dict[str, Float[np.ndarray, "*N"]]:
    """Every score of frames and bouts, by its path in metrics.json, such as `per_action/walk/f1` or `segment_f1/0.5`.

    Args:
        counts: counts of trials.
        classes: names of the actions, in the order of the counts.
        not_assessable: actions that get no score of their own (NaN) and enter no mean over actions. Their frames and
            bouts stay in accuracy, segment F1 and edit, and a frame taken for another action is that action's error.
    """
    is_assessable = np.array([name not in not_assessable for name in classes])
    frames = score_confusion(counts.confusion, averaged=is_assessable)
    named = {
        "macro_f1": frames.macro_f1,
        "accuracy": frames.accuracy,
        "balanced_accuracy": frames.balanced_accuracy,
        "edit": counts.edit,
    }
    named |= {f"segment_f1/{iou}": counts.segment_f1[..., index] for index, iou in enumerate(IOU_THRESHOLDS)}
    return named | _per_action(frames, classes=classes, is_assessable=is_assessable)


def action_of(path: str) -> str | None:
    """The action that a score is of, by the score's path; None where it is of all."""
    parts = path.split("/")
    return "/".join(parts[1:-1]) if parts[0] == "per_action" else None


def _per_action(
    frames: FrameScores, *, classes: Sequence[str], is_assessable: np.ndarray
) -> dict[str, Float[np.ndarray, "*N"]]:
    """F1, precision and recall of each action, by path."""
    measures = {"f1": frames.f1, "precision": frames.precision, "recall": frames.recall}
    return {
        f"per_action/{name}/{measure}": np.where(is_assessable[index], values[..., index], np.nan)
        for index, name in enumerate(classes)
        for measure, values in measures.items()
    }


def _bouts_of_all(trials: Sequence[TrialPrediction], *, n_actions: int, min_iou: float) -> BoutCounts:
    """Bout counts added over trials; every trial is matched on its own."""
    first, *rest = (count_bouts(t.labels, t.predicted, n_actions=n_actions, min_iou=min_iou) for t in trials)
    return sum(rest, start=first)
