"""Whether commands did with a spoilt study what they have to do."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nocigram.core.errors import InputError
from nocigram.data import discover
from nocigram.data.records import Discovery
from robustness.cases import ALL_TRIALS, Case
from robustness.running import Ran, run
from robustness.study import Study
from robustness.whole import broken_files, digests

_MESSAGE = re.compile(r"^(error|ValueError): .+", re.DOTALL)
_WARNING = re.compile(
    r"^.*\b(?:Runtime|Dtype|Future|Deprecation|Parser|Encoding|Performance)Warning\b.*$", re.MULTILINE
)
"""Warnings of libraries about our code say nothing to a user."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the commands make of the healthy study."""

    found: Discovery
    weights: dict[str, Any]
    predictions: dict[str, bytes]
    """Short name of a recording -> its csv."""
    metrics: bytes

    @classmethod
    def of(cls, study: Study) -> "Truth":
        """Run every command on a healthy copy."""
        found = discover(**study.folders)
        for command in ("check", "train", "predict", "evaluate"):
            ran = run(study.arguments(command))
            if ran.status != 0:
                raise RuntimeError(f"robustness: {command} refuses the healthy study:\n{ran.text}")
        return cls(
            found=found,
            weights=weights_of(study),
            predictions={short: prediction_of(study, short).read_bytes() for short in study.names},
            metrics=(study.out / "evaluate/metrics.json").read_bytes(),
        )


def weights_of(study: Study) -> dict[str, Any]:
    """The model that `train` wrote."""
    found: dict[str, Any] = torch.load(study.out / "train/best_model_multitask.pt", weights_only=True)
    return found["model_state_dict"]


def prediction_of(study: Study, short: str) -> Path:
    """Where `predict` writes."""
    return study.out / "predict" / f"{study.names[short]}.csv"


def failures_of(case: Case, study: Study, truth: Truth, *, healthy_names: dict[str, str]) -> list[str]:
    """Spoil the study, run the case's commands, and say what is wrong with what they did."""
    case.spoil(study)
    before, written_before = digests(study.folder), digests(study.out)
    os.chdir(study.place)
    failures = []
    if "check" in case.runs and "check" not in case.refused:
        with study.around():
            failures += [f"alignment: {fault}" for fault in _alignment(case, study, truth, healthy_names)]
    for command in case.runs:
        with study.around():
            ran = run(study.arguments(command))
        failures += [f"{command}: {fault}" for fault in _ending(case, command, ran, study)]
        if command not in case.refused and not case.is_open and ran.status >= 0:
            failures += [f"{command}: {fault}" for fault in _result(case, command, study, truth)]
    failures += _outputs(case, study, written_before)
    if digests(study.folder) != before:
        failures.append("the input was changed")
    return failures


def _outputs(case: Case, study: Study, written_before: dict[str, str]) -> Iterator[str]:
    """Files that look finished and are not; results of commands that refused; signs that code of a file was run."""
    new = digests(study.out).items() - written_before.items()
    yield from broken_files(
        study.out, but={study.out / name for name in written_before} - {study.out / n for n, _ in new}
    )
    for command in case.refused:
        for name in sorted(name for name, _ in new if name.startswith(f"{command}/")):
            if Path(name).name in ("metrics.json", f"{study.names['a']}.csv") or "best_model" in name:
                yield f"{command} was refused, and wrote {name}"
    if list(study.place.rglob("CANARY*")):
        yield "code of a file was run"


def _alignment(case: Case, study: Study, truth: Truth, healthy_names: dict[str, str]) -> Iterator[str]:
    """Trials that are used and shouldn't be, or the other way round; other labels, frames or keypoints."""
    shorts = {name: short for short, name in study.names.items()}
    more = {name.removeprefix("--"): text for name, text in zip(*[iter(study.flags.get("check", []))] * 2, strict=True)}
    try:
        found = discover(**study.folders, **more)
    except InputError:
        found = None
    except Exception as error:  # noqa: BLE001 - of any kind: who calls the function sees a traceback
        yield f"a traceback: {type(error).__name__}: {error}"
        return
    trials = {f"{shorts[trial.recording]}{trial.number}": trial for trial in (found.trials if found else [])}
    if not case.is_open and trials.keys() != ALL_TRIALS - case.lost:
        yield f"expected trials {sorted(ALL_TRIALS - case.lost)}, got {sorted(trials)}"
    expected = {f"{trial.recording}#{trial.number}": trial for trial in truth.found.trials}
    for name, trial in trials.items():
        right = expected[f"{healthy_names[name[0]]}#{name[1:]}"]
        is_labelled = trial.actions >= 0
        if trial.span != right.span or not (trial.actions == right.actions)[is_labelled].all():
            yield f"trial {name} has other frames or labels: {trial.span}, expected {right.span}"
        elif case.is_harmless and not is_labelled.all():
            yield f"trial {name} has lost labels"
    for name, recording in (found.recordings if found else {}).items():
        if name in shorts:
            fault = _pose_fault(recording, truth.found.recordings[healthy_names[shorts[name]]])
            if fault == "moved" or (fault and shorts[name] not in case.changed):
                yield f"keypoints of {shorts[name]} have {fault}"


def _pose_fault(recording: Any, right: Any) -> str | None:
    """Keypoints that are elsewhere than in the healthy study, or visible in other frames."""
    n_frames = min(len(recording.xy_px), len(right.xy_px))
    both = recording.visible[:n_frames] & right.visible[:n_frames]
    if not np.array_equal(recording.xy_px[:n_frames][both], right.xy_px[:n_frames][both]):
        return "moved"
    return None if np.array_equal(recording.visible, right.visible) else "another visibility"


def _ending(case: Case, command: str, ran: Ran, study: Study) -> Iterator[str]:
    """A traceback, a hang, another exit status, a message that says too little."""
    if ran.status < 0 or "Traceback (most recent call last)" in ran.text:
        yield "hangs" if ran.status == -2 else f"a traceback: {_last_lines(ran.text)}"
        return
    if warnings := _WARNING.findall(ran.text):
        yield f"a warning for programmers: {warnings[0]}"
    allowed = _statuses(case, command)
    if ran.status not in allowed:
        yield f"ended with {ran.status}, expected {sorted(allowed)}: {_last_lines(ran.text)}"
    if ran.status == 2 and not _MESSAGE.match(_without_hints(ran.err)):
        yield f"expected a message that begins with 'error:', got {ran.err[-300:]!r}"
    if ran.status == 2 and not ran.err.rstrip().endswith("."):
        yield f"expected a message that ends with a fix, got {ran.err[-200:]!r}"
    if command in case.told and (unsaid := case.unsaid(ran.text)):
        yield f"expected to be told {unsaid}, got: {_last_lines(ran.text)}"


def _statuses(case: Case, command: str) -> set[int]:
    """Exit statuses that are right."""
    if case.is_open:
        return {0, 1, 2}
    if command in case.refused:
        return {1, 2} if command == "check" else {2}
    if command == "check":
        return {0} if case.is_harmless else {0, 1}
    return {1} if command == "predict" and case.unpredicted else {0}


def _result(case: Case, command: str, study: Study, truth: Truth) -> Iterator[str]:
    """What was written against what the healthy study gives."""
    if command == "predict":
        for short, right in truth.predictions.items():
            path = prediction_of(study, short)
            if short in case.unpredicted | case.gone:
                if path.exists():
                    yield f"wrote a csv of {short}, which can't be predicted"
            elif not path.exists():
                yield f"wrote no csv of {short}"
            elif short not in case.changed and path.read_bytes() != right:
                yield f"other predictions for {short}"
    if command == "train" and case.is_harmless:
        found = weights_of(study) if (study.out / "train/best_model_multitask.pt").exists() else {}
        if found.keys() != truth.weights.keys() or any(not torch.equal(found[k], truth.weights[k]) for k in found):
            yield "another model"
    is_scored = command == "evaluate" and case.is_harmless
    if is_scored and (study.out / "evaluate/metrics.json").read_bytes() != truth.metrics:
        yield "other scores"


def _without_hints(text: str) -> str:
    """What was said to stderr, without Lightning's hints on the machine."""
    lines = [line for line in text.splitlines() if "site-packages" not in line and not line.startswith("  ")]
    return "\n".join(lines) + "\n"


def _last_lines(text: str) -> str:
    """The end of an output."""
    return " / ".join(line for line in text.strip().splitlines()[-3:])[-500:]
