"""From the probabilities of frames to actions whose bouts are like labelled ones.

T frames, C actions, S states of the hidden semi-Markov model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.core.literals import Smooth
from nocigram.evaluation.frame_scores import count_frames, score_confusion
from nocigram.evaluation.segments import BOUT_IOU, BoutCounts, count_bouts
from nocigram.evaluation.trial_prediction import TrialPrediction
from nocigram.models.bout_statistics import PLAUSIBLE_N_FRAMES, BoutStatistics, learn_bouts

_LEAST_PROBABILITY = 1e-6
"""A network's smaller probabilities say no more, and a log of 0 would overrule everything."""
_CONFIDENT = 0.95
"""A bout of `PLAUSIBLE_N_FRAMES` frames of this probability, in the midst of the commonest action, has to survive."""
_WINDOWS_N_FRAMES = (3, 5, 7, 11, 15, 21, 31)
_WEIGHTS = (8.0, 4.0, 2.0, 1.0)
"""Multiples of the least weight, those that trust the frames most first."""
_PRIOR_POWERS = (0.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class BoutDecoder:
    """How probabilities become actions. Plain numbers, to be kept in a checkpoint.

    `none`: the likeliest action of each frame.

    `median`: the likeliest actions through a majority filter, which for two actions is the median filter. A window of
    n frames erases runs of up to n // 2 frames. A run that is at least as long as its action's shortest labelled bouts
    is put back where it was, so that a long window erases flicker of actions that last, and leaves short actions alone.

    `viterbi`: the likeliest course of bouts under a hidden semi-Markov model. A bout lasts its action's minimum
    duration, then ends with each frame with the same probability; the first and the last bout may be cut by the
    recording's edges and have no minimum. A frame counts as weight * (log p - prior_power * log share). An action that
    was never labelled is never decoded, since the network can't have learnt it.

    Source: Viterbi 1967; Rabiner 1989 (hidden Markov models, scaled likelihoods); Yu 2010 (explicit durations; here by
    one state per elapsed frame of the minimum).
    """

    kind: Smooth
    bouts: BoutStatistics | None = None
    """What training labels tell of bouts; None for `none`."""
    window_n_frames: int = 1
    """Odd window of `median`."""
    weight: float = 1.0
    """Of `viterbi`: how much the frames count against durations and transitions."""
    prior_power: float = 0.0
    """Of `viterbi`: 0 takes probabilities as they are, 1 divides them by the actions' shares."""

    def __post_init__(self) -> None:
        if (self.kind == "none") != (self.bouts is None):
            raise ValueError(f"BoutDecoder: expected statistics of bouts unless kind is none, got kind {self.kind!r}")
        if self.window_n_frames < 1 or self.window_n_frames % 2 == 0:
            raise ValueError(f"BoutDecoder: expected an odd window, got {self.window_n_frames} frames")

    def decode(self, probabilities: Float[np.ndarray, "T C"]) -> Int[np.ndarray, " T"]:
        """The action of each frame of one recording or trial.

        Args:
            probabilities: of consecutive frames, none of them NaN.
        """
        if self.bouts is None or not len(probabilities):
            return probabilities.argmax(axis=1)
        if probabilities.shape[1] != self.bouts.n_actions:
            raise ValueError(f"decode: expected {self.bouts.n_actions} actions, got {probabilities.shape[1]}")
        if self.kind == "median":
            return _filtered(
                probabilities.argmax(axis=1),
                window_n_frames=self.window_n_frames,
                shortest_n_frames=self.bouts.shortest_n_frames,
            )
        emission = _emission(probabilities, self.bouts, weight=self.weight, prior_power=self.prior_power)
        return _likeliest_course(emission, self.bouts)

    def decoded(self, trial: TrialPrediction) -> TrialPrediction:
        """The prediction of a trial with its actions decoded."""
        return replace(trial, decoded=None if self.kind == "none" else self.decode(trial.probabilities))

    def as_plain(self) -> dict[str, Any]:
        """Containers, numbers and strings that `from_plain` reads."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "BoutDecoder":
        """The decoder that was written by `as_plain`, its tuples maybe turned to lists by a file."""
        bouts = plain["bouts"]
        return cls(
            kind=plain["kind"],
            bouts=None
            if bouts is None
            else BoutStatistics(
                shortest_n_frames=tuple(bouts["shortest_n_frames"]),
                share=tuple(bouts["share"]),
                leave=tuple(bouts["leave"]),
                transitions=tuple(tuple(row) for row in bouts["transitions"]),
            ),
            window_n_frames=plain["window_n_frames"],
            weight=plain["weight"],
            prior_power=plain["prior_power"],
        )


def fit_decoder(
    kind: Smooth,
    labels: Sequence[Int[np.ndarray, " _"]],
    validation: Sequence[tuple[Int[np.ndarray, " _"], Float[np.ndarray, "_ C"]]],
    *,
    n_actions: int,
) -> BoutDecoder:
    """Learn how to decode.

    Among few candidates the one with the best sum of macro F1 and segment F1 on validation is taken. The first of them
    is `none`, so what comes back can be `none` whatever was asked for, and is never worse on validation than that.

    Args:
        kind: what to fit.
        labels: actions of each training trial's frames, UNSCORED allowed; durations and transitions come from them.
        validation: labels and probabilities of trials that the network wasn't trained on; they choose the strength.
        n_actions: C.
    """
    best = BoutDecoder(kind="none")
    if not any((truth != UNSCORED).any() for truth, _ in validation):
        return best
    best_score = _score(best, validation, n_actions=n_actions)
    for candidate in _candidates(kind, learn_bouts(labels, n_actions=n_actions)):
        score = _score(candidate, validation, n_actions=n_actions)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _candidates(kind: Smooth, bouts: BoutStatistics) -> Iterator[BoutDecoder]:
    """Decoders to choose from, the gentlest first."""
    if kind == "median":
        plain = BoutDecoder(kind=kind, bouts=bouts)
        yield from (replace(plain, window_n_frames=window_n_frames) for window_n_frames in _WINDOWS_N_FRAMES)
    if kind == "viterbi":
        for prior_power in _PRIOR_POWERS:
            least = _least_weight(bouts, prior_power=prior_power)
            if least is not None:
                plain = BoutDecoder(kind=kind, bouts=bouts, prior_power=prior_power)
                yield from (replace(plain, weight=least * multiple) for multiple in _WEIGHTS)


def _least_weight(bouts: BoutStatistics, *, prior_power: float) -> float | None:
    """The weight from which on a confident short bout in the midst of the commonest action survives, of any action.

    There it is worth more than its two transitions; dividing by shares only helps it, since all others are rarer. None
    where fewer than two actions are known.
    """
    share, leave, follow = np.array(bouts.share), np.array(bouts.leave), np.array(bouts.transitions)
    around = int(share.argmax())
    short = np.flatnonzero((share > 0) & (np.arange(bouts.n_actions) != around))
    if not len(short):
        return None
    gain = np.log(_CONFIDENT / (1 - _CONFIDENT)) - prior_power * np.log(share[short] / share[around])
    there, back = leave[around] * follow[around, short], leave[short] * follow[short, around]
    n_stays = PLAUSIBLE_N_FRAMES - bouts.min_n_frames[short]
    cost = -np.log(there * back) - n_stays * np.log1p(-leave[short])
    return float((cost / gain).max()) / PLAUSIBLE_N_FRAMES


def _score(
    decoder: BoutDecoder,
    validation: Sequence[tuple[Int[np.ndarray, " _"], Float[np.ndarray, "_ C"]]],
    *,
    n_actions: int,
) -> float:
    """Macro F1 of frames plus F1 of bouts, 0 to 2, over all trials."""
    truths = [truth for truth, _ in validation]
    decoded = [decoder.decode(probabilities) for _, probabilities in validation]
    truth, said = np.concatenate(truths), np.concatenate(decoded)
    scored = truth != UNSCORED
    counts = [
        count_bouts(one, other, n_actions=n_actions, min_iou=float(BOUT_IOU))
        for one, other in zip(truths, decoded, strict=True)
    ]
    nothing = np.zeros(n_actions, dtype=np.int64)
    total = sum(counts, start=BoutCounts(n_true=nothing, n_predicted=nothing, n_matched=nothing))
    return float(score_confusion(count_frames(truth[scored], said[scored], n_actions=n_actions)).macro_f1) + total.f1


def _filtered(
    actions: Int[np.ndarray, " T"], *, window_n_frames: int, shortest_n_frames: Sequence[int]
) -> Int[np.ndarray, " T"]:
    """Majority of the frames around each, without the runs that are to survive being lost.

    Where two actions are as frequent, a frame keeps its own, or gets the first of them. At the edges the window is cut.
    """
    half = window_n_frames // 2
    votes = np.eye(len(shortest_n_frames))[actions]
    before = np.pad(votes.cumsum(axis=0), ((1, 0), (0, 0)))
    frame = np.arange(len(actions))
    in_window = before[np.minimum(frame + half + 1, len(actions))] - before[np.maximum(frame - half, 0)]
    majority = (in_window + 0.5 * votes).argmax(axis=1)
    for bout in bouts_of(actions):
        if shortest_n_frames[bout.action] <= len(bout.span) <= half:
            majority[bout.span.start : bout.span.stop] = bout.action
    return majority


def _emission(
    probabilities: Float[np.ndarray, "T C"], bouts: BoutStatistics, *, weight: float, prior_power: float
) -> Float[np.ndarray, "T C"]:
    """What each frame says for each action. Those that were never labelled are shut out by `_states`."""
    share = np.array(bouts.share)
    log_p = np.log(np.maximum(probabilities, _LEAST_PROBABILITY))
    return weight * (log_p - prior_power * np.log(np.where(share > 0, share, 1.0)))


def _likeliest_course(emission: Float[np.ndarray, "T C"], bouts: BoutStatistics) -> Int[np.ndarray, " T"]:
    """Viterbi's algorithm over states of action and elapsed frames up to the minimum, exact."""
    action_of_state, start, step = _states(bouts)
    said = emission[:, action_of_state]
    n_frames, n_states = said.shape
    origin = np.zeros((n_frames, n_states), dtype=np.int64)
    every = np.arange(n_states)
    score = start + said[0]
    for frame in range(1, n_frames):
        reached = step + score  # row: to, column: from
        origin[frame] = reached.argmax(axis=1)
        score = reached[every, origin[frame]] + said[frame]
    course = np.empty(n_frames, dtype=np.int64)
    course[-1] = score.argmax()
    for frame in range(n_frames - 1, 0, -1):
        course[frame - 1] = origin[frame, course[frame]]
    return action_of_state[course]


def _states(
    bouts: BoutStatistics,
) -> tuple[Int[np.ndarray, " S"], Float[np.ndarray, " S"], Float[np.ndarray, "S S"]]:
    """States in the order of actions and elapsed frames.

    Returns:
        The action of each state, the log probability of beginning in it, and that of coming to it (row) from another
        (column). A recording may begin within a bout of any age, so it begins in an action's last state, which is the
        one that may be left. No state of an action that was never labelled can be reached.
    """
    n_of_action = bouts.min_n_frames
    action_of_state = np.repeat(np.arange(bouts.n_actions), n_of_action)
    last = n_of_action.cumsum() - 1
    first = last - n_of_action + 1
    with np.errstate(divide="ignore"):
        share, leave, follow = np.log(bouts.share), np.log(bouts.leave), np.log(bouts.transitions)
        stay = np.log1p(-np.array(bouts.leave))
    start = np.full(len(action_of_state), -np.inf)
    start[last] = share
    step = np.full((len(start), len(start)), -np.inf)
    within = np.setdiff1d(np.arange(len(start)), last)
    step[within + 1, within] = 0.0
    step[np.ix_(first, last)] = (leave[:, None] + follow).T
    step[last, last] = stay  # after the line above, which has written -inf there for minima of one frame
    return action_of_state, start, step
