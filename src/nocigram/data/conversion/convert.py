"""`nocigram convert`: read, ask what isn't obvious, find the frames, write, tell what was made of each file."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from nocigram.config.convert import ConvertOptions, Link
from nocigram.core.actions import UNSCORED, ActionScheme
from nocigram.core.errors import InputError
from nocigram.core.files import staged
from nocigram.data.conversion.action_map import LEFT_OUT, ActionMap, codes_of, read_action_map
from nocigram.data.conversion.clock import Clock, clock_of_video, steady_clock
from nocigram.data.conversion.frames import frame_labels
from nocigram.data.conversion.gather import Gathered, LabelsOf, PoseOf, gather
from nocigram.data.conversion.keypoint_map import ask_for_keypoints, missing_keypoints, read_keypoint_map, renamed
from nocigram.data.conversion.matching import Target
from nocigram.data.conversion.summary import ConvertSummary, LabelRow, PoseRow
from nocigram.data.conversion.writer import (
    OUTPUTS,
    RecordingRow,
    place_video,
    write_annotation,
    write_pose,
    write_recordings,
    write_scheme,
)
from nocigram.data.formats import MOST_FRAMES, ForeignLabels, Skipped
from nocigram.data.scheme_file import read_scheme
from nocigram.pose.skeleton import MOUSE
from nocigram.pose.skeleton_file import read_skeleton
from nocigram.video.probe import probe

_LENGTH_TOLERANCE_S = 0.5
"""A video whose length differs by more from what the label file says may be another one."""


@dataclass(frozen=True, kw_only=True)
class _Labelled:
    """A recording with one action per frame."""

    target: Target
    codes: Int[np.ndarray, " T"]
    stim_frame: int | None
    row: LabelRow


def convert(options: ConvertOptions) -> ConvertSummary:
    """Convert files of other tools into Videos/, Annotations/, recordings.csv and actions.yaml, all of it or nothing.

    Raises:
        InputError: a file can't be used, a behaviour or keypoint needs an answer, or a choice is open.
    """
    scheme = read_scheme(options.actions)
    given = read_action_map(options.actions_map, scheme=scheme)
    found = gather(options)
    poses = _named(found, options)
    codes = codes_of((each.labels for each in found.labels), given=given, scheme=scheme)
    targets = _by_name([*(each.target for each in found.poses), *(each.target for each in found.labels)])
    _refuse_unknown_recordings(given, targets)
    clocks = {name: clock_of_video(probe(target.video)) for name, target in targets.items() if target.video}
    poses = [_to_the_end(each, clocks.get(each.target.name)) for each in poses]
    found.notes += [note for each in poses for note in _length_notes(each, clocks.get(each.target.name))]
    labelled = _labelled(found, clocks, options=options, codes=codes, given=given, scheme=scheme)
    if not labelled and not poses:
        reasons = "".join(f"\n{line}" for line in (*map(str, found.skipped), *found.notes))
        raise InputError(f"files: expected something to convert, got nothing that can be used.{reasons}")
    with staged(options.out, OUTPUTS) as stage:
        _write(stage, poses, labelled, scheme=scheme, link=options.link)
    return ConvertSummary(
        out=options.out,
        poses=[_pose_row(each, clocks.get(each.target.name)) for each in poses],
        labels=[each.row for each in labelled],
        skipped=found.skipped,
        notes=list(dict.fromkeys(found.notes)),
        mapping={name: _in_words(name, code, given, scheme) for name, code in codes.items()},
    )


def _named(found: Gathered, options: ConvertOptions) -> list[PoseOf]:
    """Poses with keypoints called as the user says; what is missing all the same is noted.

    Raises:
        InputError: a keypoint that the model needs is missing, and the user said nothing.
    """
    names = read_keypoint_map(options.keypoints_map)
    skeleton = read_skeleton(options.skeleton) if options.skeleton else MOUSE
    if names is None:
        ask_for_keypoints((each.track for each in found.poses), skeleton=skeleton)
        return found.poses
    poses = [replace(each, track=renamed(each.track, names)) for each in found.poses]
    for each in poses:
        if missing := missing_keypoints(each.track, skeleton=skeleton):
            found.notes.append(f"{each.track.path.name}: has no {', '.join(missing)}, which count as not visible")
    return poses


def _refuse_unknown_recordings(given: ActionMap, names: Collection[str]) -> None:
    """Raise where the user says what was looked at in a recording that isn't there."""
    if unknown := sorted(set(given.scored_s) - set(names)):
        raise InputError(
            f"--actions_map: scored: expected recordings among {', '.join(sorted(names))}, got {', '.join(unknown)}. "
            "Correct the names."
        )


def _to_the_end(pose: PoseOf, clock: Clock | None) -> PoseOf:
    """The pose with rows up to the end of its video, where its file leaves out frames without an animal."""
    track = pose.track
    n_missing = 0 if clock is None or pose.has_every_frame else max(0, clock.n_frames - track.n_frames)
    xy_px = np.pad(track.xy_px, ((0, n_missing), (0, 0), (0, 0)), constant_values=np.nan)
    likelihood = np.pad(track.likelihood, ((0, n_missing), (0, 0)))
    return replace(pose, track=replace(track, xy_px=xy_px, likelihood=likelihood))


def _length_notes(pose: PoseOf, clock: Clock | None) -> list[str]:
    """Rows that are not the frames of the video."""
    if clock is None or pose.track.n_frames == clock.n_frames:
        return []
    return [f"{pose.track.path.name}: {pose.track.n_frames} rows, {clock.n_frames} frames in the video"]


def _labelled(
    found: Gathered,
    clocks: dict[str, Clock],
    *,
    options: ConvertOptions,
    codes: dict[str, int],
    given: ActionMap,
    scheme: ActionScheme,
) -> list[_Labelled]:
    """One action per frame of each recording; labels that don't fit their video are skipped with the reason."""
    labelled = []
    for each in found.labels:
        name = each.target.name
        try:
            clock = clocks[name] if name in clocks else _clock_without_video(each, found, options)
            _refuse_other_length(each.labels, clock)
            result = frame_labels(
                each.labels, clock=clock, codes=codes, given=given, recording=name, n_actions=len(scheme.names)
            )
        except InputError as error:
            found.skipped.append(Skipped(what=each.labels.path.name, reason=str(error)))
            continue
        found.notes += _notes_of(each, clock, has_video=name in clocks)
        row = LabelRow(
            file=each.labels.path.name,
            format=each.format,
            recording=name,
            n_frames=clock.n_frames,
            n_scored=int((result.codes != UNSCORED).sum()),
            n_clashes=result.n_clashes,
            n_silent=result.n_silent,
            bouts=result.n_bouts(scheme),
            clock=_clock_in_words(each.labels, clock, has_video=name in clocks),
        )
        stim_frames = _stim_frames(each.labels, clock, given)
        if given.stimulus is not None and len(stim_frames) != 1:
            found.notes.append(
                f"{each.labels.path.name}: {len(stim_frames)} times '{given.stimulus}', and a trial has one stimulus. "
                "Fill in stim_frame in recordings.csv"
            )
        stim_frame = stim_frames[0] if len(stim_frames) == 1 else None
        labelled.append(_Labelled(target=each.target, codes=result.codes, stim_frame=stim_frame, row=row))
    return labelled


def _stim_frames(labels: ForeignLabels, clock: Clock, given: ActionMap) -> list[int]:
    """Frames in which the stimulus was noted to begin."""
    starts = [event.start for event in labels.events if given.is_stimulus(event.name)]
    return [clock.frame_at(start) if labels.unit == "s" else int(start) for start in starts]


def _clock_without_video(each: LabelsOf, found: Gathered, options: ConvertOptions) -> Clock:
    """Frames at a steady rate: as many as the file or the pose has rows, or fill the length that the file knows.

    Raises:
        InputError: nobody says the rate, or how long the recording is.
    """
    labels, name = each.labels, each.target.name
    fps = options.fps or labels.fps
    rows = [pose.track.n_frames for pose in found.poses if pose.target.name == name]
    if labels.unit == "s" and fps is None:
        raise InputError(f"{name}: expected its video or --fps, got neither. Give --videos, whose time stamps count.")
    n_frames = labels.n_frames or (rows[0] if rows else None)
    if n_frames is None and labels.length_s and fps:
        n_frames = round(min(labels.length_s * fps, MOST_FRAMES + 1))
    if n_frames is None or not 0 < n_frames <= MOST_FRAMES:
        raise InputError(f"{name}: expected its video, got no other word of its length. Give --videos.")
    return steady_clock(n_frames=n_frames, fps=fps or 1.0)


def _refuse_other_length(labels: ForeignLabels, clock: Clock) -> None:
    """Raise where the file has a row for a frame that the recording lacks."""
    if labels.unit == "frames" and (labels.n_frames or 0) > clock.n_frames:
        raise InputError(
            f"{labels.path.name}: expected at most the {clock.n_frames} frames of the recording, "
            f"got {labels.n_frames}. Check that it is the right video."
        )


def _notes_of(each: LabelsOf, clock: Clock, *, has_video: bool) -> list[str]:
    """What may be wrong though it can be used."""
    labels, notes = each.labels, []
    if labels.length_s is not None and abs(labels.length_s - clock.end_s) > _LENGTH_TOLERANCE_S:
        notes.append(
            f"{labels.length_s:g} s long by {each.format}, {clock.end_s:.3f} s here. Check that it is the video"
        )
    if labels.n_frames is not None and labels.n_frames < clock.n_frames:
        notes.append(f"labels {labels.n_frames} frames of {clock.n_frames}; the others are unscored")
    if labels.unit == "s" and not has_video:
        notes.append("times became frames at a steady rate, since the video is not there")
    return [f"{labels.path.name}: {note}" for note in notes]


def _clock_in_words(labels: ForeignLabels, clock: Clock, *, has_video: bool) -> str:
    """By what an event's moment became a frame."""
    if labels.unit == "frames":
        return "rows"
    return "time stamps" if has_video else f"{1 / clock.interval_s:g} fps"


def _write(stage: Path, poses: list[PoseOf], labelled: list[_Labelled], *, scheme: ActionScheme, link: Link) -> None:
    """Everything into a folder."""
    for name in ("Videos", "Annotations"):
        (stage / name).mkdir()
    for pose in poses:
        write_pose(stage / "Videos", pose.target.name, pose.track)
    for each in labelled:
        write_annotation(stage / "Annotations", each.target.file_name, each.codes)
    for target in _by_name([*(each.target for each in poses), *(each.target for each in labelled)]).values():
        if target.video is not None:
            place_video(target.video, stage / "Videos", how=link)
    animals = {pose.target.name: pose.animal for pose in poses}
    lengths = {each.target.name: len(each.codes) for each in labelled}
    stim_frames = {each.target.name: each.stim_frame for each in labelled}
    rows = [
        RecordingRow(
            recording=name,
            trial=1 if name in lengths else None,
            start=0 if name in lengths else None,
            stop=lengths.get(name),
            stim_frame=stim_frames.get(name),
            animal=animals.get(name),
        )
        for name in sorted({*animals, *lengths})
    ]
    write_recordings(stage / "recordings.csv", rows)
    write_scheme(stage / "actions.yaml", scheme)


def _by_name(targets: list[Target]) -> dict[str, Target]:
    """Recordings, each once."""
    return {target.name: target for target in targets}


def _pose_row(pose: PoseOf, clock: Clock | None) -> PoseRow:
    """What was made of a pose file."""
    return PoseRow(
        file=pose.track.path.name,
        format=pose.format,
        recording=pose.target.name,
        n_frames=pose.track.n_frames,
        n_video_frames=None if clock is None else clock.n_frames,
        n_keypoints=len(pose.track.names),
    )


def _in_words(name: str, code: int, given: ActionMap, scheme: ActionScheme) -> str:
    """What a behaviour became."""
    is_stimulus = given.is_stimulus(name)
    if is_stimulus and code == LEFT_OUT:
        return "stimulus"
    word = {UNSCORED: "unscored", LEFT_OUT: "left out"}.get(code) or scheme.names[code]
    return f"{word} and stimulus" if is_stimulus else word
