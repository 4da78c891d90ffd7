"""What a data folder holds, as text: the page of `nocigram check`, and what training prints of skips."""

import numpy as np

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import bouts_of
from nocigram.core.errors import NoSamplesError
from nocigram.core.tables import text_table
from nocigram.data.records import Discovery, Skip, Trial


def inventory(found: Discovery) -> str:
    """Recordings, trials with their frames and rules, actions, warnings and skips."""
    parts = [
        _section("Recordings", _recordings_table(found)),
        _section("Trials, frames [start, stop) of the recording", _trials_table(found)),
    ]
    parts += [f"{name}: placed by the rule '{rule}'" for name, rule in found.rules.items()]
    if found.trials:
        parts.append(_section("Actions", actions_table(found, found.trials)))
    if found.unlabelled:
        names = ", ".join(recording.name for recording in found.unlabelled)
        parts.append(f"{len(found.unlabelled)} recordings with pose and no annotation: {names}")
    parts += found.warnings
    parts.append(skips_table(found))
    return "\n".join(parts)


def require_trials(found: Discovery) -> None:
    """Raise if there is nothing to train on or to score.

    Raises:
        NoSamplesError: with every file that is not used and its reason.
    """
    if not found.trials:
        raise NoSamplesError(
            f"No samples found!\n{skips_table(found)}\nSee nocigram check for all that is in the folders."
        )


def tell_warnings(found: Discovery) -> None:
    """Print what to know about files that are used all the same."""
    for warning in found.warnings:
        print(warning)


def tell_skips(found: Discovery) -> None:
    """Print the files that are not used, if there are any."""
    if found.skipped:
        print(skips_table(found))


def skips_table(found: Discovery) -> str:
    """Every file that is not used, with its reason."""
    if not found.skipped:
        return "Nothing was skipped."
    rows = [(skip.path.name, "; ".join(_beside_name(skip))) for skip in found.skipped]
    return _section(f"Skipped: {len(rows)}", text_table(("file", "reason"), rows))


def _beside_name(skip: Skip) -> list[str]:
    """Its faults as they read beside the file's name."""
    return [str(fault).removeprefix(f"{skip.path.name}: ") for fault in skip.faults]


def actions_table(found: Discovery, trials: list[Trial]) -> str:
    """Frames, share, bouts and animals of each action."""
    labels = [found.labels_of(trial) for trial in trials]
    n_scored = sum(int((actions != UNSCORED).sum()) for actions in labels)
    rows = []
    for index, name in enumerate(found.scheme.classes):
        n_frames = sum(int((actions == index).sum()) for actions in labels)
        n_bouts = sum(bout.action == index for actions in labels for bout in bouts_of(actions))
        animals = {trial.animal for trial, actions in zip(trials, labels, strict=True) if (actions == index).any()}
        rows.append((name, n_frames, f"{n_frames / max(n_scored, 1):7.2%}", n_bouts, len(animals)))
    n_unscored = sum(int((actions == UNSCORED).sum()) for actions in labels)
    return text_table(("action", "frames", "share", "bouts", "animals"), rows) + f"\nunscored frames: {n_unscored}"


def _recordings_table(found: Discovery) -> str:
    """One row a recording: its video, its pose, how much of the pose can be believed."""
    rows = []
    for name, recording in found.recordings.items():
        visible = f"{np.mean(recording.visible):.0%} visible" if len(recording.visible) else ""
        pose = f"{len(recording.xy_px)} rows, {visible}" if recording.pose_file else "none"
        size = "no video"
        if (info := recording.info) is not None:
            size = f"{info.width_px}x{info.height_px} {'grey' if info.is_grey else 'colour'}"
        rows.append(
            (name, recording.animal, recording.group or "", recording.n_frames, f"{recording.fps:g}", size, pose)
        )
    return text_table(("recording", "animal", "group", "frames", "frames/s", "size", "pose"), rows)


def _trials_table(found: Discovery) -> str:
    """One row a trial."""
    rows = [
        (
            trial.recording,
            trial.number,
            str(trial.span),
            len(trial.span),
            "" if trial.stim_frame is None else trial.stim_frame,
        )
        for trial in found.trials
    ]
    return text_table(("recording", "trial", "frames", "rows", "stim_frame"), rows)


def _section(title: str, text: str) -> str:
    """A headline over a table."""
    return f"\n{title}\n{text}"
