"""Tests of pictures: files that break off, counts and times of frames, poses that don't fit what is seen.

P samples, K keypoints, H height, W width.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from scipy import ndimage

from nocigram.core.findings import Finding, Severity, VideoKind, from_fault
from nocigram.core.ranges import FrameRange
from nocigram.data.locate import silhouettes
from nocigram.data.records import Discovery, Recording
from nocigram.evaluation.wording import percent
from nocigram.pose.alignment import PoseShift, pose_shift
from nocigram.study.checking.poses import CheckedPose
from nocigram.study.checking.watch import Watched
from nocigram.video.probe import VideoInfo
from nocigram.video.stamps import measured_fps, uneven_frames

_LEAST_ON_ANIMAL = 0.75
"""Of a pose that fits nearly all lie there; a quarter is left to silhouettes that miss a dark paw or a nose."""
_NEAR_BODY_LENGTHS = 0.1
"""A keypoint so near to the silhouette lies on it: paws and nose are at its edge."""
_FOLLOWED = 0.25
"""Where the picture's change follows the keypoints so well, they are on what moves, whatever the silhouettes say.
Simulated poses that fit reach 0.29 to 0.45; the same a third of a body length beside the animal 0.24 at most."""
_LEAST_N_SEEN = 12
"""Samples in which the animal has to be found for its place to be judged."""
_RATE_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class OnAnimal:
    """How the keypoints lie to what is seen of the animal."""

    share: float
    """Of the visible keypoints that lie on it."""
    by_chance: float
    """The same for keypoints of other moments."""


def video_findings(name: str, info: VideoInfo, watched: Watched) -> list[Finding]:
    """Everything about a video alone.

    Args:
        name: of its recording.
        info: what it says about itself.
        watched: what decoding it showed.
    """
    return [*_broken(name, info, watched), *_count(name, info, watched), *_times(name, info, watched)]


def _broken(name: str, info: VideoInfo, watched: Watched) -> Iterator[Finding]:
    """A file that doesn't decode to its end, or changes its size."""
    if watched.broken is not None:
        for fault in watched.broken.faults(where=info.path.name):
            yield from_fault(fault, severity="unusable", kind="video_breaks_off", recording=name)
    if watched.other_size is not None:
        frame, width, height = watched.other_size
        yield Finding(
            severity="unusable",
            kind="size_changes",
            where=info.path.name,
            recording=name,
            frames=FrameRange(frame, frame + 1),
            time_s=float(watched.times_s[-1]) if watched.n_frames else 0.0,
            expected=f"frames of {info.width_px}x{info.height_px} px throughout",
            got=f"{width}x{height} px from frame {frame}",
            fix=f"Write it again in one size: ffmpeg -i '{info.path.name}' repaired.mp4.",
        )


def _count(name: str, info: VideoInfo, watched: Watched) -> Iterator[Finding]:
    """Another number of frames than the header claims. Off by one is usual; a broken file is told of already."""
    claimed, counted = info.n_frames_header, watched.n_frames
    if claimed is None or claimed == counted or watched.broken or watched.other_size:
        return
    yield Finding(
        severity="note" if abs(claimed - counted) == 1 else "suspicious",
        kind="frame_count",
        where=info.path.name,
        recording=name,
        expected=f"{claimed} frames as its header says",
        got=f"{counted} that decode",
        fix="Write it again if frames are missing: ffmpeg -i in.mp4 repaired.mp4; then the pose, too.",
    )


def _times(name: str, info: VideoInfo, watched: Watched) -> Iterator[Finding]:
    """Uneven time stamps, or another rate than the header's."""
    times_s = watched.times_s
    uneven = uneven_frames(times_s)
    if len(uneven):
        first, intervals = int(uneven[0]), np.diff(times_s)
        yield Finding(
            severity="suspicious",
            kind="variable_frame_rate",
            where=info.path.name,
            recording=name,
            frames=FrameRange(first, first + 1),
            time_s=float(times_s[first]),
            expected=f"a frame every {1000 * float(np.median(intervals)):.1f} ms",
            got=f"{len(uneven)} of {len(intervals)} intervals from {1000 * intervals.min():.1f} ms to "
            f"{1000 * intervals.max():.1f} ms",
            fix="Frames still count right, but speeds and durations are wrong there. Record at a constant rate.",
        )
    measured = measured_fps(times_s)
    if not len(uneven) and measured and abs(measured / info.nominal_fps - 1) > _RATE_TOLERANCE:
        yield Finding(
            severity="suspicious",
            kind="frame_rate",
            where=info.path.name,
            recording=name,
            expected=f"{info.nominal_fps:g} frames a second as its header says",
            got=f"{measured:.2f} by the time stamps",
            fix="Find out which is right, and write the file again at that rate.",
        )


def past_the_end(found: Discovery, watched: Mapping[str, Watched]) -> Iterator[Finding]:
    """Trials that want frames that don't decode, though the header claims them."""
    for trial in found.trials:
        if trial.recording in watched and trial.stop > watched[trial.recording].n_frames:
            yield Finding(
                severity="unusable",
                kind="trial_past_the_end",
                where=trial.name,
                recording=trial.recording,
                frames=trial.span,
                expected=f"a video of at least {trial.stop} frames",
                got=f"{watched[trial.recording].n_frames} that decode",
                fix="Copy the video again, or remove the annotation.",
            )


def shift_of(pose: CheckedPose, watched: Watched) -> PoseShift | None:
    """By how many frames the pose is late, by the pixels; None where it can't be told."""
    recording = pose.recording
    if not len(watched.change):
        return None
    return pose_shift(
        watched.change,
        watched.change_frames,
        xy_px=recording.bridged_xy_px,
        visible=recording.visible,
        body_length_px=recording.body_length_px,
    )


def on_animal(pose: CheckedPose, watched: Watched) -> OnAnimal | None:
    """Where the keypoints lie, against the animal as it is found in the picture; None where it isn't found."""
    recording = pose.recording
    if not recording.can_be_followed or not len(watched.samples):
        return None
    seen = silhouettes(watched.samples)
    is_known = seen.any(axis=(1, 2)) & (watched.sample_frames < len(pose.xy_px))
    if is_known.sum() < _LEAST_N_SEEN:
        return None
    frames, stride = watched.sample_frames[is_known], watched.sample_stride
    away = np.stack([ndimage.distance_transform_edt(~mask) for mask in seen[is_known]])
    near = away * stride <= _NEAR_BODY_LENGTHS * recording.body_length_px
    share = _share_on(near, pose, frames, stride=stride)
    if share is None:
        return None
    others = [_share_on(near, pose, np.roll(frames, len(frames) * part // 4), stride=stride) for part in (1, 2, 3)]
    return OnAnimal(share=share, by_chance=float(np.mean([other or 0.0 for other in others])))


def _share_on(
    near: Bool[np.ndarray, "P H W"], pose: CheckedPose, frames: Int[np.ndarray, " P"], *, stride: int
) -> float | None:
    """Share of the visible keypoints of some frames that lie where a mask is True; None without any."""
    likely = pose.recording.visible[frames]
    x, y = np.moveaxis(np.floor(pose.xy_px[frames] / stride).astype(np.int64), -1, 0)
    height, width = near.shape[1:]
    is_inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    on = is_inside & near[np.arange(len(near))[:, None], y.clip(0, height - 1), x.clip(0, width - 1)]
    return float(on[likely].mean()) if likely.any() else None


def fit_findings(pose: CheckedPose, shift: PoseShift | None, on: OnAnimal | None) -> Iterator[Finding]:
    """A pose that doesn't lie on the animal, or is of other frames."""
    name = pose.recording.name
    is_followed = shift is not None and shift.correlation >= _FOLLOWED
    is_off = on is not None and on.share < _LEAST_ON_ANIMAL and not is_followed
    if on is not None and is_off:
        yield Finding(
            severity="suspicious",
            kind="pose_off_animal",
            where=name,
            recording=name,
            expected=f"at least {percent(_LEAST_ON_ANIMAL)} of the visible keypoints on the animal in the picture",
            got=f"{percent(on.share)} (keypoints of other moments: {percent(on.by_chance)})",
            fix="See the contact sheet: the pose may be of another video, of another size or crop, or shifted.",
        )
    if shift is not None and not is_off and (shift.is_sure or shift.drifts):
        yield Finding(
            severity="suspicious",
            kind="pose_shifted",
            where=name,
            recording=name,
            expected="pose row t to show frame t",
            got=_shift_in_words(shift),
            fix="Analyse this very file with DeepLabCut again.",
        )


def _shift_in_words(shift: PoseShift) -> str:
    """What the pixels say."""
    if shift.drifts:
        return f"{_row(shift.at_start)} at the start and {_row(shift.at_end)} at the end: frames are lost in between"
    return (
        f"{_row(shift.n_frames)}: there movement of keypoints and pixels agree best "
        f"(correlation {shift.correlation:.2f}, unshifted {shift.correlation_unshifted:.2f})"
    )


def _row(n_late: int) -> str:
    """`row t shows frame t-2`."""
    return "row t shows frame t" + (f"{-n_late:+d}" if n_late else "")


def where_rows_differ(shift: PoseShift | None, *, is_decoded: bool) -> str:
    """Whether rows are missing, or too many, at the start, within, or at the end."""
    if not is_decoded:
        return "without --quick the pixels may tell at which end"
    if shift is None or (shift.n_frames and not shift.is_sure and not shift.drifts):
        return "the pixels don't tell where they differ"
    if shift.drifts:
        return "by the pixels they part in between"
    return "by the pixels they part at the start" if shift.n_frames else "by the pixels they part at the end"


def mixed_findings(recordings: Mapping[str, Recording]) -> list[Finding]:
    """Recordings that differ from most in rate, size or colour."""
    infos = {name: recording.info for name, recording in recordings.items() if recording.info is not None}
    rates = {name: f"{recording.fps:.4g} frames a second" for name, recording in recordings.items()}
    sizes = {name: f"{info.width_px}x{info.height_px} px" for name, info in infos.items()}
    colours = {name: "grey" if info.is_grey else "colour" for name, info in infos.items()}
    used = "They are used all the same; see that groups don't differ in it."
    counted = "A model counts frames, so an action looks slower or faster: write them at one rate."
    return [
        *_unusual(rates, severity="suspicious", kind="frame_rate_differs", fix=counted),
        *_unusual(sizes, severity="note", kind="size_differs", fix=used),
        *_unusual(colours, severity="note", kind="colour_differs", fix=used),
    ]


def _unusual(values: Mapping[str, str], *, severity: Severity, kind: VideoKind, fix: str) -> Iterator[Finding]:
    """Recordings whose value isn't the commonest."""
    counts = Counter(values.values())
    for name, value in values.items():
        usual, n_usual = counts.most_common(1)[0]
        if value != usual:
            yield Finding(
                severity=severity,
                kind=kind,
                where=name,
                recording=name,
                expected=f"{usual} as in {n_usual} of {len(values)} recordings",
                got=value,
                fix=fix,
            )
