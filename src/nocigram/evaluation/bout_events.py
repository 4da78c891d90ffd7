"""Every labelled and predicted bout of a trial, whether it found its partner, and how far off the partner is.

T frames, N labelled bouts, M predicted ones.

Bouts are those of `segments`: unscored frames end the bouts of the labels and of the prediction alike. A bout that was
cut so, or by an end of the trial, counts as a bout, but nobody saw it begin (or end), so it has no onset (or offset)
error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from nocigram.core.errors import InputError
from nocigram.evaluation.onsets import pairs_at_onset
from nocigram.evaluation.segments import BOUT_IOU, pairs_by_overlap, spans_of_both
from nocigram.evaluation.timing import Timing
from nocigram.evaluation.trial_prediction import TrialPrediction

Side = Literal["labels", "model"]
SIDES: tuple[Side, Side] = ("labels", "model")


@dataclass(frozen=True, kw_only=True)
class BoutEvent:
    """One labelled or predicted bout."""

    recording: str
    trial: int
    animal: str
    action: str
    by: Side
    """Whose bout it is."""
    start: int
    """First frame of the recording."""
    stop: int
    """One past the last."""
    start_s: float
    """From the recording's first frame."""
    duration_s: float
    is_matched: bool
    """It has a partner that begins within the tolerance."""
    is_overlapped: bool
    """It has a partner at an overlap of 0.3 or more."""
    onset_error_ms: float
    """Of the partner by onset, model less labels: above 0 the model is late. NaN without one, or unless both are seen
    to begin."""
    offset_error_ms: float
    """The same of the ends."""


def known_timing(trial: TrialPrediction) -> Timing:
    """When a trial was filmed.

    Raises:
        InputError: nobody knows.
    """
    if trial.timing is None:
        raise InputError(f"{trial.name}: expected its frame rate, got none. Predict it again.")
    return trial.timing


def bout_events(trial: TrialPrediction, *, classes: Sequence[str], tolerance_s: float) -> list[BoutEvent]:
    """The bouts of a trial, in order of action, and of each action the labelled ones first.

    Args:
        trial: with its timing.
        classes: names of the columns of the probabilities.
        tolerance_s: partners may begin so far apart.

    Raises:
        InputError: the trial has no timing.
    """
    timing = known_timing(trial)
    cut = _cuts(trial.scored)
    events = []
    for action, spans in enumerate(spans_of_both(trial.labels, trial.predicted, n_actions=len(classes))):
        pairs = pairs_at_onset(spans[0][:, 0], spans[1][:, 0], within=timing.frames_within(tolerance_s))
        overlapped = pairs_by_overlap(*spans, min_iou=float(BOUT_IOU))
        errors_ms = _errors(spans[0][pairs[0]], spans[1][pairs[1]], cut=cut) * 1000 / timing.fps
        for side, by in enumerate(SIDES):
            rows = _Rows(own=spans[side], pairs=pairs[side], errors_ms=errors_ms, overlapped=overlapped[side])
            events += rows.events(trial, timing, action=classes[action], by=by)
    return events


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """One side's bouts of one action in one trial."""

    own: Int[np.ndarray, "N 2"]
    """[start, stop) in frames of the trial."""
    pairs: Int[np.ndarray, " P"]
    """Positions of those that have a partner by onset."""
    errors_ms: Float[np.ndarray, "P 2"]
    """Onset and offset error of each pair."""
    overlapped: Int[np.ndarray, " Q"]
    """Positions of those that have a partner by overlap."""

    def events(self, trial: TrialPrediction, timing: Timing, *, action: str, by: Side) -> list[BoutEvent]:
        """The bouts in words and seconds."""
        errors_ms = np.full((len(self.own), 2), np.nan)
        errors_ms[self.pairs] = self.errors_ms
        is_matched, is_overlapped = (np.isin(np.arange(len(self.own)), each) for each in (self.pairs, self.overlapped))
        return [
            BoutEvent(
                recording=trial.recording,
                trial=trial.trial,
                animal=trial.animal,
                action=action,
                by=by,
                start=int(start) + timing.start,
                stop=int(stop) + timing.start,
                start_s=float(start + timing.start) / timing.fps,
                duration_s=float(stop - start) / timing.fps,
                is_matched=bool(is_matched[index]),
                is_overlapped=bool(is_overlapped[index]),
                onset_error_ms=float(errors_ms[index, 0]),
                offset_error_ms=float(errors_ms[index, 1]),
            )
            for index, (start, stop) in enumerate(self.own)
        ]


def _cuts(scored: Bool[np.ndarray, " T"]) -> Int[np.ndarray, " E"]:
    """Edges of stretches of scored frames: a bout that begins or ends here was cut."""
    return np.flatnonzero(np.diff(scored.astype(np.int64), prepend=0, append=0))


def _errors(
    labelled: Int[np.ndarray, "P 2"], predicted: Int[np.ndarray, "P 2"], *, cut: Int[np.ndarray, " E"]
) -> Float[np.ndarray, "P 2"]:
    """Onset and offset errors of pairs in frames; NaN where a cut hides either."""
    is_hidden = np.isin(labelled, cut) | np.isin(predicted, cut)
    return np.where(is_hidden, np.nan, predicted - labelled)
