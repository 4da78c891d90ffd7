"""How often, how long and how soon an action is shown in each trial, by the labels and by the model.

T frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from nocigram.evaluation.bout_events import known_timing
from nocigram.evaluation.segments import spans_of_both
from nocigram.evaluation.trial_prediction import TrialPrediction


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one side says of one action in one trial."""

    count: int
    """Bouts."""
    duration_s: float
    """All of them together."""
    mean_bout_s: float
    """NaN without a bout."""
    latency_s: float
    """To the first frame of the first bout that begins at the stimulus or later; NaN where none does before the trial
    ends, which says that the latency is longer than `followed_s`, not that it is 0."""


@dataclass(frozen=True, kw_only=True)
class TrialEvents:
    """One action in one trial."""

    recording: str
    trial: int
    animal: str
    action: str
    scored_s: float
    """Of the trial's scored frames."""
    has_stimulus: bool
    """Latencies are from `stim_frame`; else from the trial's first frame."""
    followed_s: float
    """From there to the last scored frame; NaN if that is not later, and then there are no latencies."""
    labels: Shown
    model: Shown


def trial_events(trial: TrialPrediction, *, classes: Sequence[str]) -> list[TrialEvents]:
    """Each action of a trial with a scored frame.

    Args:
        trial: with its timing.
        classes: names of the columns of the probabilities.

    Raises:
        InputError: the trial has no timing.
    """
    timing = known_timing(trial)
    origin = 0 if timing.stim_frame is None else timing.stim_frame - timing.start
    scored = np.flatnonzero(trial.scored)
    followed = int(scored[-1]) + 1 - origin
    both = spans_of_both(trial.labels, trial.predicted, n_actions=len(classes))
    return [
        TrialEvents(
            recording=trial.recording,
            trial=trial.trial,
            animal=trial.animal,
            action=name,
            scored_s=len(scored) / timing.fps,
            has_stimulus=timing.stim_frame is not None,
            followed_s=followed / timing.fps if followed > 0 else float("nan"),
            labels=_shown(labelled, origin=origin, fps=timing.fps),
            model=_shown(predicted, origin=origin, fps=timing.fps),
        )
        for name, (labelled, predicted) in zip(classes, both, strict=True)
    ]


def _shown(spans: Int[np.ndarray, "N 2"], *, origin: int, fps: float) -> Shown:
    """One side's bouts of an action, summed up."""
    n_frames = int(np.diff(spans).sum())
    later = spans[spans[:, 0] >= origin, 0]
    return Shown(
        count=len(spans),
        duration_s=n_frames / fps,
        mean_bout_s=n_frames / fps / len(spans) if len(spans) else float("nan"),
        latency_s=float(later[0] - origin) / fps if len(later) else float("nan"),
    )
