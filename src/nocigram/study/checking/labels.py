"""Tests of labels: what each action rests on, trials that get into each other's way, the split."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.core.errors import InputError
from nocigram.core.findings import Finding, from_fault
from nocigram.data.placement import CONSECUTIVE_RULE, CONTEXT_N_FRAMES, NOMINAL_N_FRAMES
from nocigram.data.records import Discovery, Trial
from nocigram.data.split import leaks, read_split
from nocigram.evaluation.support import MIN_ANIMALS, MIN_BOUTS, ActionSupport, not_assessable
from nocigram.evaluation.wording import counted


def supports_of(found: Discovery) -> dict[str, ActionSupport]:
    """Frames, bouts and animals of each action, by name."""
    n_frames = dict.fromkeys(found.scheme.classes, 0)
    n_bouts = dict.fromkeys(found.scheme.classes, 0)
    animals: dict[str, set[str]] = {name: set() for name in found.scheme.classes}
    for trial in found.trials:
        for bout in bouts_of(found.labels_of(trial)):
            name = found.scheme.classes[bout.action]
            n_frames[name] += len(bout.span)
            n_bouts[name] += 1
            animals[name].add(trial.animal)
    return {
        name: ActionSupport(n_frames=n_frames[name], n_bouts=n_bouts[name], n_animals=len(animals[name]))
        for name in found.scheme.classes
    }


def label_findings(found: Discovery, *, split: Path | None) -> list[Finding]:
    """Everything about labels of trials that can be used."""
    findings = [*_rare_actions(found), *_overlaps(found), *_stimuli(found), *_doubtful_places(found)]
    return [*findings, *_split_findings(found, split)] if split is not None else findings


def _rare_actions(found: Discovery) -> Iterator[Finding]:
    """Actions that no score can be given for."""
    supports = supports_of(found)
    for name in found.scheme.classes if found.trials else ():
        if name not in not_assessable(supports):
            continue
        support = supports[name]
        yield Finding(
            severity="note",
            kind="rare_action",
            where=name,
            expected=f"at least {MIN_BOUTS} bouts and {MIN_ANIMALS} animals, to give it a score of its own",
            got=f"{counted(support.n_bouts, 'bout')} of {counted(support.n_animals, 'animal')}",
            fix="Label more of it, or merge it with another action (--actions).",
        )


def _overlaps(found: Discovery) -> Iterator[Finding]:
    """Trials of a recording that label the same frames."""
    trials = sorted(found.trials, key=lambda trial: (trial.recording, trial.start))
    for first, second in pairwise(trials):
        if first.recording == second.recording and second.start < first.stop:
            yield Finding(
                severity="suspicious",
                kind="trials_overlap",
                where=second.name,
                recording=second.recording,
                frames=second.span,
                expected=f"frames after those of trial {first.number}, {first.span}",
                got=str(second.span),
                fix="Correct the starts in recordings.csv.",
            )


def _stimuli(found: Discovery) -> Iterator[Finding]:
    """Stimuli outside of their trial; a file without its first frames may have it in these."""
    for trial in found.trials:
        if trial.stim_frame is None or trial.start - CONTEXT_N_FRAMES <= trial.stim_frame < trial.stop:
            continue
        yield Finding(
            severity="suspicious",
            kind="stimulus_outside",
            where=trial.name,
            recording=trial.recording,
            expected=f"a stimulus within the trial's frames {trial.span}",
            got=f"frame {trial.stim_frame}",
            fix="Correct stim_frame in recordings.csv; it counts from the recording's first frame.",
        )


def _doubtful_places(found: Discovery) -> Iterator[Finding]:
    """Trials of the nominal length that lie elsewhere than nominal ones, since others have another length."""
    for trial in found.trials:
        is_nominal = len(trial.span) in (NOMINAL_N_FRAMES, NOMINAL_N_FRAMES - CONTEXT_N_FRAMES)
        is_consecutive = CONSECUTIVE_RULE in found.rules.get(trial.recording, "")
        if is_nominal and is_consecutive and trial.number > 1 and trial.stop != trial.number * NOMINAL_N_FRAMES:
            yield _doubtful_place(trial)


def _doubtful_place(trial: Trial) -> Finding:
    """A trial whose place rests on the lengths of others."""
    return Finding(
        severity="suspicious",
        kind="doubtful_place",
        where=trial.name,
        recording=trial.recording,
        frames=trial.span,
        expected=f"a trial of {len(trial.span)} rows to end at frame {trial.number * NOMINAL_N_FRAMES}",
        got=f"{trial.span}, since other trials of the recording have other lengths",
        fix="Give the starts of its trials in recordings.csv.",
    )


def _split_findings(found: Discovery, path: Path) -> Iterator[Finding]:
    """A split that can't be read, that names other trials, or has an animal on two sides."""
    try:
        split = read_split(path)
    except InputError as error:
        for fault in error.faults(where=path.name):
            yield from_fault(fault, severity="unusable", kind="split_unusable")
        return
    names = {trial.name for trial in found.trials}
    sides = [*split.train, *split.val, *split.test]
    if strange := sorted(set(sides) - names):
        yield Finding(
            severity="suspicious",
            kind="split_names_other_trials",
            where=path.name,
            expected="trials of this folder that can be used",
            got=_listed(strange),
            fix="Give the split that was made of this folder, or mend these trials.",
        )
    if left_out := sorted(names - set(sides)):
        yield Finding(
            severity="note",
            kind="split_leaves_out",
            where=path.name,
            expected="every trial on a side",
            got=f"none for {_listed(left_out)}",
            fix="They are neither trained on nor scored.",
        )
    for animal in leaks(found, split):
        yield Finding(
            severity="suspicious",
            kind="animal_on_both_sides",
            where=path.name,
            expected=f"animal {animal} on one side",
            got="trials of it on two",
            fix="Split by animal: what is learnt of an animal's looks is no skill on others.",
        )


def _listed(names: list[str], *, most: int = 5) -> str:
    """The first names, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def n_unscored(found: Discovery) -> int:
    """Frames of trials that nobody scored."""
    return sum(int((found.labels_of(trial) == UNSCORED).sum()) for trial in found.trials)
