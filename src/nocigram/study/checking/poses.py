"""Tests of poses: keypoints that are missing, unsure, off the picture, swapped, or faster than a mouse.

T frames, K keypoints.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from nocigram.config.data import DataOptions
from nocigram.core.findings import Finding, PoseKind
from nocigram.core.ranges import FrameRange
from nocigram.data.records import Recording
from nocigram.evaluation.wording import counted, percent
from nocigram.pose.leaps import leaps_of
from nocigram.pose.readers import read_pose
from nocigram.pose.skeleton import left_right_pairs
from nocigram.pose.swaps import Swap, side_of, swaps_of, usual_side
from nocigram.pose.tracks import select_keypoints, visible_keypoints

_MOST_UNSURE = 0.5
"""A keypoint that is seen in less than half of the frames is invented by interpolation more often than seen."""
_MOST_JUMPS = 0.05
"""Each jump is bridged; at one position in twenty there is one within every second at 20 Hz or more."""
_MOST_SWAPPED = 0.05
_LONG_SWAP_S = 1.0
"""A swap that lasts a second is no slip of the tracker that training bridges, but a spell with wrong labels."""
_MOST_OUTSIDE = 0.01
"""A network can't place a keypoint outside of the picture that it read."""
_ONE_SIDE = 0.8
"""Share of frames in which the left keypoint has to lie on one side for a recording to be said to have a side."""
_MOST_SPANS = 5


@dataclass(frozen=True, kw_only=True)
class CheckedPose:
    """The pose of a recording as its file has it, and what was measured of it."""

    recording: Recording
    xy_px: Float32[np.ndarray, "T K 2"]
    """0 where a coordinate is unknown."""
    likelihood: Float32[np.ndarray, "T K"]
    likely: Bool[np.ndarray, "T K"]
    """Likelihood above the threshold; jumps and swaps included."""
    missing: tuple[str, ...]
    """Keypoints that the file lacks."""
    swaps: list[Swap]
    sides: dict[tuple[int, int], int]
    """Left-right pair -> on which side of the axis the left one usually lies: +1, -1, or 0 where it can't be told."""

    @property
    def jump_share(self) -> float:
        """Share of the likely positions that are jumps."""
        return float((self.likely & ~self.recording.visible).sum() / max(1, self.likely.sum()))

    @property
    def swapped_share(self) -> float:
        """Share of the frames in which some pair is swapped."""
        swapped = np.zeros(len(self.likely), dtype=bool)
        for swap in self.swaps:
            swapped[swap.span.start : swap.span.stop] = True
        return float(swapped.mean()) if len(swapped) else 0.0


def read_checked(recording: Recording, options: DataOptions) -> CheckedPose | None:
    """Read a recording's pose file again, likelihoods and all; None where there is none."""
    if recording.pose_file is None:
        return None
    track = read_pose(recording.pose_file, individual=options.individual)
    skeleton = recording.skeleton
    xy_px, likelihood, names = select_keypoints(track, skeleton.names, warn=lambda _: None)
    xy_px, likely = visible_keypoints(xy_px, likelihood, likelihood_thr=options.kp_likelihood_thr)
    sides = {}
    for pair in left_right_pairs(skeleton.names):
        offsets = side_of(xy_px, likely, pair=pair, skeleton=skeleton)
        known = offsets[np.isfinite(offsets)]
        usual = usual_side(offsets)
        sides[pair] = usual if len(known) and np.mean(np.sign(known) == usual) >= _ONE_SIDE else 0
    return CheckedPose(
        recording=recording,
        xy_px=xy_px,
        likelihood=likelihood,
        likely=likely,
        missing=tuple(name for name, found in zip(skeleton.names, names, strict=True) if found is None),
        swaps=swaps_of(xy_px, likely, skeleton=skeleton, fps=recording.fps),
        sides=sides,
    )


def pose_findings(pose: CheckedPose, *, trials: Sequence[FrameRange]) -> list[Finding]:
    """Everything that one pose file says about itself.

    Args:
        pose: of a recording.
        trials: the recording's, if it has any.
    """
    return [
        *_missing(pose),
        *_unsure(pose),
        *_blind(pose),
        *_jumps(pose),
        *_leaps(pose, trials),
        *_outside(pose),
        *_swaps(pose),
    ]


def _of(pose: CheckedPose, kind: PoseKind, **said: object) -> Finding:
    """A finding about a recording's pose; suspicious if nothing else is said."""
    recording, frames = pose.recording, said.get("frames")
    time_s = frames.start / recording.fps if isinstance(frames, FrameRange) else None
    filled = {"severity": "suspicious", "where": recording.name, "recording": recording.name, "time_s": time_s}
    return Finding(kind=kind, **{**filled, **said})  # type: ignore[arg-type]


def _missing(pose: CheckedPose) -> Iterator[Finding]:
    """Keypoints that the file lacks."""
    if pose.missing:
        yield _of(
            pose,
            "keypoint_missing",
            expected=f"the keypoints {', '.join(pose.recording.skeleton.names)}",
            got=f"no {', '.join(pose.missing)}",
            fix="Name the file's keypoints with --kp_names or --skeleton.",
        )


def _unsure(pose: CheckedPose) -> Iterator[Finding]:
    """Keypoints that are seldom visible."""
    names = pose.recording.skeleton.names
    shares = {name: float(share) for name, share in zip(names, pose.likely.mean(axis=0), strict=True)}
    unsure = {name: share for name, share in shares.items() if share < 1 - _MOST_UNSURE and name not in pose.missing}
    if unsure:
        yield _of(
            pose,
            "low_likelihood",
            expected=f"each keypoint to be visible in at least {percent(1 - _MOST_UNSURE)} of the frames",
            got=", ".join(f"{name} in {percent(share)}" for name, share in unsure.items()),
            fix="Look at the contact sheet: label more frames for the tracker, or lower --kp_likelihood_thr.",
        )


def _blind(pose: CheckedPose) -> Iterator[Finding]:
    """Likelihoods that are all the same, and so say nothing."""
    known = pose.likelihood[:, [name not in pose.missing for name in pose.recording.skeleton.names]]
    if known.size and (known == known[0, 0]).all():
        yield _of(
            pose,
            "likelihood_constant",
            severity="note",
            expected="likelihoods that tell sure from unsure positions",
            got=f"{known[0, 0]:g} throughout",
            fix="Nobody can tell which positions are guesses.",
        )


def _jumps(pose: CheckedPose) -> Iterator[Finding]:
    """Positions that a keypoint leaves for and comes back from."""
    if pose.jump_share > _MOST_JUMPS:
        yield _of(
            pose,
            "jumps",
            expected=f"at most {percent(_MOST_JUMPS)} of the visible positions to be elsewhere for up to three frames",
            got=percent(pose.jump_share),
            fix="Filter the pose (deeplabcut.filterpredictions), or label more frames for the tracker.",
        )


def _leaps(pose: CheckedPose, trials: Sequence[FrameRange]) -> Iterator[Finding]:
    """Moments at which the whole body is elsewhere; where trials begin, recordings are often joined from pieces."""
    frames = [int(at) for at in leaps_of(pose.xy_px, pose.likely, body_length_px=pose.recording.body_length_px)]
    within = [frame for frame in frames if not trials or any(trial.start < frame < trial.stop for trial in trials)]
    between = [frame for frame in frames if frame not in within]
    if within:
        yield _of(
            pose,
            "body_leaps",
            frames=FrameRange(within[0], within[0] + 1),
            expected="the body to move on from where it was a frame before",
            got=f"{counted(len(within), 'frame')} at which it starts and stops at once: {_frames(within)}",
            fix="Look there: frames were dropped, or the video was cut.",
        )
    if between:
        yield _of(
            pose,
            "body_leaps",
            severity="note",
            frames=FrameRange(between[0], between[0] + 1),
            expected="one piece of film",
            got=f"cuts between trials, at {_frames(between)}",
            fix="Motion over the seconds before such a cut says nothing of the frames after it.",
        )


def _outside(pose: CheckedPose) -> Iterator[Finding]:
    """Visible keypoints beyond the picture's edge."""
    info = pose.recording.info
    if info is None or not pose.likely.any():
        return
    beyond = (pose.xy_px < 0).any(axis=-1) | (pose.xy_px > (info.width_px, info.height_px)).any(axis=-1)
    share = float((beyond & pose.likely).sum() / pose.likely.sum())
    if share > _MOST_OUTSIDE:
        largest = pose.xy_px[pose.likely].max(axis=0)
        yield _of(
            pose,
            "outside_picture",
            expected=f"keypoints within the picture of {info.width_px}x{info.height_px} px",
            got=f"{percent(share)} of the visible positions outside, up to x={largest[0]:.0f} y={largest[1]:.0f}",
            fix="The pose was made of a video of another size or crop: analyse this one.",
        )


def _swaps(pose: CheckedPose) -> Iterator[Finding]:
    """Left and right in each other's place for some time."""
    names, fps = pose.recording.skeleton.names, pose.recording.fps
    by_pair: dict[tuple[int, int], list[Swap]] = {}
    for swap in pose.swaps:
        by_pair.setdefault((swap.left, swap.right), []).append(swap)
    for (left, right), swaps in by_pair.items():
        n_frames = sum(len(swap.span) for swap in swaps)
        longest = max(swaps, key=lambda swap: len(swap.span)).span
        is_bad = n_frames > _MOST_SWAPPED * len(pose.likely) or len(longest) > _LONG_SWAP_S * fps
        spans = ", ".join(str(swap.span) for swap in swaps[:_MOST_SPANS])
        more = f" and {len(swaps) - _MOST_SPANS} more" if len(swaps) > _MOST_SPANS else ""
        yield _of(
            pose,
            "left_right_swapped",
            severity="suspicious" if is_bad else "note",
            frames=longest,
            expected=f"{names[left]} and {names[right]} to keep their names",
            got=f"swapped in {n_frames} frames: {spans}{more}",
            fix="Exchange them in the pose file there, or label such frames for the tracker.",
        )


def side_findings(poses: Mapping[str, CheckedPose]) -> Iterator[Finding]:
    """Pairs that have their left keypoint on the other side of the body than most pairs and recordings have."""
    sides = [(pose, pair, side) for pose in poses.values() for pair, side in pose.sides.items() if side]
    votes = Counter(side for _, _, side in sides)
    if len(votes) < 2:
        return
    (usual, n_usual), (_, n_other) = votes.most_common()
    is_tie = n_usual == n_other
    for pose, pair, side in sides:
        if side == usual and not is_tie:
            continue
        left = pose.recording.skeleton.names[pair[0]]
        yield _of(
            pose,
            "sides_exchanged",
            expected=f"{left} on the same side of the body as left keypoints elsewhere",
            got=f"the other side, throughout ({n_other} of {n_usual + n_other} pairs)",
            fix="The picture is mirrored or filmed from the other side, or left and right bear each other's names.",
        )


def row_findings(pose: CheckedPose, *, n_frames: int, is_decoded: bool, where_it_lies: str) -> Iterator[Finding]:
    """Another number of rows than of frames.

    Args:
        pose: of a recording with a video.
        n_frames: of the video.
        is_decoded: they were counted; else the header says so, and may be off by one.
        where_it_lies: what the pixels say about where rows are missing or too many.
    """
    n_rows = len(pose.likely)
    if n_rows != n_frames:
        yield _of(
            pose,
            "pose_rows",
            expected=f"a row for each of the {n_frames} frames" + ("" if is_decoded else " of the header"),
            got=f"{n_rows} rows; {where_it_lies}",
            fix="Analyse this very file with DeepLabCut again, so that row t shows frame t.",
        )


def _frames(frames: Sequence[int]) -> str:
    """The first frames, and that there are more."""
    shown = ", ".join(map(str, frames[:_MOST_SPANS]))
    return shown + (", ..." if len(frames) > _MOST_SPANS else "")
