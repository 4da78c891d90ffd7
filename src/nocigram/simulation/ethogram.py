"""Which action when: the plan of an animal's trials.

A trial is a chain of rest, walk and active bouts (semi-Markov), into which pain-related events are set: the response
to the stimulus at `stim_frame`, and a few spontaneous ones. The numbers aim at the shares of frames that the guide
prints (rest 54%, withdraw 1%, lick 1.5%, shake 2.5%, walk 10%, active 30%).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.simulation.traits import Animal, Group

TRIAL_N_FRAMES = 360
CODES = {name: code for code, name in enumerate(DEFAULT_SCHEME.names)}
_RARE_KINDS = ("paw_withdraw", "paw_lick", "paw_shake")
_BACKGROUND = ("rest", "walk", "active")
_NEXT = {"rest": (0.0, 0.2, 0.8), "walk": (0.4, 0.0, 0.6), "active": (0.65, 0.35, 0.0)}
_MEAN_N_FRAMES = {"rest": 75, "walk": 24, "active": 38}
_ACTIVE_KINDS = {"sniff": 0.3, "face_groom": 0.22, "flank_groom": 0.16, "rear": 0.12, "turn": 0.2}
_P_WEIGHT_SHIFT = 0.28
_LIMITS_N_FRAMES = {
    "paw_withdraw": (3, 12),
    "paw_lick": (12, 42),
    "paw_guard": (18, 48),
    "paw_shake": (9, 27),
    "flinch": (2, 5),
    "weight_shift": (6, 14),
}
_P_RESPONSE: dict[Group, float] = {"CFA": 0.82, "control": 0.14}
_AFTER_WITHDRAW: dict[Group, dict[str, float]] = {
    "CFA": {"paw_shake": 0.6, "paw_lick": 0.22, "paw_guard": 0.14},
    "control": {"paw_shake": 0.3, "paw_lick": 0.1},
}
_SPONTANEOUS: dict[Group, dict[str, float]] = {
    "CFA": {"paw_shake": 0.22, "paw_lick": 0.05, "paw_guard": 0.05, "flinch": 0.14, "paw_withdraw": 0.1},
    "control": {"paw_shake": 0.12, "paw_lick": 0.03, "flinch": 0.04, "paw_withdraw": 0.06},
}
_MIN_REST_OF_TRIAL = 12


@dataclass(frozen=True, kw_only=True)
class PlannedBout:
    """One stretch of one movement."""

    kind: str
    """The action's name, or for `active` what the animal does."""
    n_frames: int
    side: int
    """Which hind paw it concerns: +1 left, -1 right."""

    @property
    def action(self) -> int:
        """Original code of the action."""
        return CODES.get(self.kind, CODES["active"])


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """What the animal does in one trial."""

    bouts: tuple[PlannedBout, ...]
    stim_frame: int
    """Frame of the trial at which the paw is stimulated."""
    has_response: bool
    """Whether a withdraw follows the stimulus."""

    @property
    def actions(self) -> Int[np.ndarray, " T"]:
        """Original code of every frame."""
        return np.repeat([bout.action for bout in self.bouts], [bout.n_frames for bout in self.bouts])


@dataclass(frozen=True, kw_only=True)
class _Event:
    """A chain of bouts at a fixed place of its trial."""

    start: int
    bouts: tuple[PlannedBout, ...]

    @property
    def stop(self) -> int:
        return self.start + sum(bout.n_frames for bout in self.bouts)


def plan_trials(rng: np.random.Generator, *, animal: Animal, n_trials: int) -> list[TrialPlan]:
    """Plans of all trials of an animal.

    From three trials on, every action of the merged scheme occurs: what chance left out happens spontaneously.
    """
    stims = [int(frame) for frame in rng.integers(70, 170, n_trials)]
    responses = [bool(rng.random() < _P_RESPONSE[animal.group]) for _ in range(n_trials)]
    events = [
        _draw_events(rng, animal=animal, stim_frame=stim, responds=responds)
        for stim, responds in zip(stims, responses, strict=True)
    ]
    if n_trials >= 3:
        _add_missing(rng, events, animal=animal)
    while True:
        filled = [_fill(rng, trial_events, animal=animal) for trial_events in events]
        kinds = {CODES.get(bout.kind, CODES["active"]) for bouts in filled for bout in bouts}
        if n_trials < 3 or {CODES[name] for name in _BACKGROUND} <= kinds:
            break
    return [
        TrialPlan(bouts=tuple(bouts), stim_frame=stim, has_response=responds)
        for bouts, stim, responds in zip(filled, stims, responses, strict=True)
    ]


def _draw_bout(rng: np.random.Generator, kind: str, *, animal: Animal) -> PlannedBout:
    """A bout with a plausible length; most concern the affected paw."""
    p_affected = 0.5 if kind == "weight_shift" or animal.group == "control" else 0.85
    side = animal.affected_side if rng.random() < p_affected else -animal.affected_side
    low, high = _LIMITS_N_FRAMES[kind]
    return PlannedBout(kind=kind, n_frames=int(rng.integers(low, high + 1)), side=side)


def _draw_events(rng: np.random.Generator, *, animal: Animal, stim_frame: int, responds: bool) -> list[_Event]:
    """The response to the stimulus, if any, and the spontaneous events of one trial, in order."""
    events = []
    if responds:
        chain = [_draw_bout(rng, "paw_withdraw", animal=animal)]
        for kind, probability in _AFTER_WITHDRAW[animal.group].items():
            if rng.random() < probability:
                chain.append(_draw_bout(rng, kind, animal=animal))
        chain = [replace(bout, side=animal.affected_side) for bout in chain]
        events.append(_Event(start=stim_frame + int(rng.integers(4, 20)), bouts=tuple(chain)))
    for kind, probability in _SPONTANEOUS[animal.group].items():
        if rng.random() < probability:
            _add_spontaneous(rng, events, kind, animal=animal, stim_frame=stim_frame)
    return sorted(events, key=lambda event: event.start)


def _add_spontaneous(
    rng: np.random.Generator, events: list[_Event], kind: str, *, animal: Animal, stim_frame: int | None = None
) -> bool:
    """Set an event where there is room for it, away from the two seconds after the stimulus; False if there is none."""
    bout = _draw_bout(rng, kind, animal=animal)
    for _ in range(20):
        start = int(rng.integers(25, TRIAL_N_FRAMES - bout.n_frames - _MIN_REST_OF_TRIAL))
        event = _Event(start=start, bouts=(bout,))
        is_free = all(event.stop + 15 <= other.start or other.stop + 15 <= start for other in events)
        is_spontaneous = stim_frame is None or not stim_frame - bout.n_frames <= start < stim_frame + 60
        if is_free and is_spontaneous:
            events.append(event)
            return True
    return False


def _add_missing(rng: np.random.Generator, events: list[list[_Event]], *, animal: Animal) -> None:
    """Let each rare action that no trial has happen once, late in a trial."""
    seen = {bout.kind for trial_events in events for event in trial_events for bout in event.bouts}
    for kind in _RARE_KINDS:
        while kind not in seen:
            bout = _draw_bout(rng, kind, animal=animal)
            trial_events = events[int(rng.integers(len(events)))]
            start = int(rng.integers(240, TRIAL_N_FRAMES - bout.n_frames - _MIN_REST_OF_TRIAL))
            stop = start + bout.n_frames
            if all(stop + 15 <= other.start or other.stop + 15 <= start for other in trial_events):
                trial_events.append(_Event(start=start, bouts=(bout,)))
                trial_events.sort(key=lambda event: event.start)
                seen.add(kind)


def _fill(rng: np.random.Generator, events: Sequence[_Event], *, animal: Animal) -> list[PlannedBout]:
    """The whole trial: the events, and between them rest, walk and active."""
    bouts: list[PlannedBout] = []
    now = 0
    for event in events:
        bouts += [*_background(rng, event.start - now, animal=animal), *event.bouts]
        now = event.stop
    return bouts + _background(rng, TRIAL_N_FRAMES - now, animal=animal)


def _background(rng: np.random.Generator, n_frames: int, *, animal: Animal) -> list[PlannedBout]:
    """Rest, walk and active for exactly `n_frames`."""
    bouts: list[PlannedBout] = []
    action, left = str(rng.choice(_BACKGROUND, p=(0.5, 0.15, 0.35))), n_frames
    while left > 0:
        wanted = max(9, int(rng.gamma(3.0, _MEAN_N_FRAMES[action] / 3.0)))
        length = left if left - wanted < 9 else wanted
        bouts += _background_bouts(rng, action, length, animal=animal)
        left -= length
        action = str(rng.choice(_BACKGROUND, p=_NEXT[action]))
    return bouts


def _background_bouts(rng: np.random.Generator, action: str, n_frames: int, *, animal: Animal) -> list[PlannedBout]:
    """One action of the background; a rest may be broken by a short shift of weight."""
    side = 1 if rng.random() < 0.5 else -1
    if action == "active":
        action = str(rng.choice(list(_ACTIVE_KINDS), p=list(_ACTIVE_KINDS.values())))
    if action != "rest" or n_frames < 40 or rng.random() > _P_WEIGHT_SHIFT:
        return [PlannedBout(kind=action, n_frames=n_frames, side=side)]
    shift = _draw_bout(rng, "weight_shift", animal=animal)
    before = int(rng.integers(10, n_frames - shift.n_frames - 9))
    after = n_frames - before - shift.n_frames
    rest = PlannedBout(kind="rest", n_frames=before, side=side)
    return [rest, shift, replace(rest, n_frames=after)]
