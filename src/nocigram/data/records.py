"""Recordings and trials: what discovery finds, and what everything after it works with."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from nocigram.core.actions import ActionScheme
from nocigram.core.errors import Fault, InputError
from nocigram.core.ranges import FrameRange
from nocigram.pose.bridge import bridged
from nocigram.pose.features import body_length_px
from nocigram.pose.skeleton import MOUSE, Skeleton
from nocigram.video.probe import VideoInfo


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One video with its pose file, or either alone."""

    name: str
    """Name of the video file without its suffix."""
    info: VideoInfo | None
    """The video; None for a pose file alone."""
    fps: float
    """Frames per second."""
    n_frames: int
    """Frames of the video, by its container; decoding may find fewer. Without a video, rows of the pose file."""
    pose_file: Path | None
    """None where there is no pose."""
    xy_px: Float32[np.ndarray, "P K 2"]
    """Keypoints as tracked; 0 where a coordinate is unknown. P is the pose file's number of rows, 0 without one."""
    visible: Bool[np.ndarray, "P K"]
    """Which keypoints can be believed."""
    animal: str
    group: str | None
    skeleton: Skeleton = MOUSE
    likelihood: Float32[np.ndarray, "P K"] | None = None
    """As tracked, 0 where a coordinate is unknown; None where there is no pose file."""

    @property
    def video(self) -> VideoInfo:
        """The video.

        Raises:
            InputError: there is none.
        """
        if self.info is None:
            raise InputError(
                f"{self.name}: expected a video, got a pose file alone. "
                "Put the video into --videos, or use --approach pose_only."
            )
        return self.info

    @property
    def has_pose(self) -> bool:
        """There is a pose file, and some keypoint is visible in it."""
        return bool(self.visible.any())

    @cached_property
    def can_be_followed(self) -> bool:
        """Some frame has two visible keypoints, so that a square can follow the animal."""
        return bool((self.visible.sum(axis=-1) >= 2).any())

    @cached_property
    def body_length_px(self) -> float:
        """Median distance from the body's front to its back."""
        return body_length_px(self.xy_px, self.visible, skeleton=self.skeleton)

    @cached_property
    def bridged_xy_px(self) -> Float32[np.ndarray, "P K 2"]:
        """Keypoints, with lines across the frames in which they are not visible."""
        return bridged(self.xy_px, self.visible)

    def pose_of(self, span: FrameRange) -> tuple[Float[np.ndarray, "T K 2"], Bool[np.ndarray, "T K"]]:
        """Bridged keypoints and visibility of a span; frames past the pose file's end are invisible."""
        n_keypoints = self.skeleton.n_keypoints
        xy = np.zeros((len(span), n_keypoints, 2), dtype=np.float32)
        visible = np.zeros((len(span), n_keypoints), dtype=bool)
        n_known = max(0, min(span.stop, len(self.xy_px)) - span.start)
        if len(self.xy_px):
            xy[n_known:] = self.bridged_xy_px[-1]
        xy[:n_known] = self.bridged_xy_px[span.start : span.start + n_known]
        visible[:n_known] = self.visible[span.start : span.start + n_known]
        return xy, visible


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A labelled span of a recording."""

    recording: str
    """Name of the video file without its suffix."""
    number: int
    """The n of prediction_<video name>_<n>.csv."""
    span: FrameRange
    """Frames of the recording."""
    actions: Int[np.ndarray, " T"]
    """Original codes; UNSCORED where nobody looked."""
    stim_frame: int | None
    """Frame of the recording at which the stimulus touched, or None."""
    animal: str
    group: str | None
    path: Path
    """The annotation file."""

    def __post_init__(self) -> None:
        if len(self.actions) != len(self.span):
            raise ValueError(f"Trial {self.name}: expected {len(self.span)} actions, got {len(self.actions)}")

    @property
    def start(self) -> int:
        """First frame of the recording."""
        return self.span.start

    @property
    def stop(self) -> int:
        """One past the last frame."""
        return self.span.stop

    @property
    def name(self) -> str:
        """Recording and number, for messages and split files."""
        return f"{self.recording}#{self.number}"


@dataclass(frozen=True)
class Skip:
    """A file that is not used, and why."""

    path: Path
    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        """Every fault in a line of its own."""
        return "\n".join(map(str, self.faults))


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """All that a data folder holds."""

    recordings: dict[str, Recording]
    """By name."""
    trials: list[Trial]
    """In the order of recording and number."""
    skipped: list[Skip]
    warnings: list[str]
    """Things to know about files that are used all the same."""
    rules: dict[str, str]
    """Recording -> how its trials were placed."""
    scheme: ActionScheme
    skeleton: Skeleton

    @property
    def kp_names(self) -> tuple[str, ...]:
        """Keypoints in their order."""
        return self.skeleton.names

    @property
    def unlabelled(self) -> list[Recording]:
        """Recordings with pose and without any annotation file; they can train the keypoint head."""
        return [r for name, r in self.recordings.items() if r.can_be_followed and name not in self.rules]

    def with_pose(self) -> "Discovery":
        """Without the trials of recordings that have no frame with two visible keypoints; they become skips."""
        sides: dict[bool, list[Trial]] = {True: [], False: []}
        for trial in self.trials:
            sides[self.recordings[trial.recording].can_be_followed].append(trial)
        skips = [Skip(trial.path, (_without_keypoints(trial),)) for trial in sides[False]]
        return replace(self, trials=sides[True], skipped=[*self.skipped, *skips])

    def without_animals(self, animals: Collection[str]) -> "Discovery":
        """Neither the trials nor the recordings, labelled or not, of these animals."""
        recordings = {name: each for name, each in self.recordings.items() if each.animal not in animals}
        trials = [trial for trial in self.trials if trial.animal not in animals]
        return replace(self, recordings=recordings, trials=trials)

    def labels_of(self, trial: Trial) -> Int[np.ndarray, " T"]:
        """Merged actions of a trial's frames."""
        return self.scheme.merged(trial.actions)


def _without_keypoints(trial: Trial) -> Fault:
    """Why a model that reads poses can't use a trial."""
    return Fault(
        where=trial.path.name,
        expected="a frame with two visible keypoints in its recording",
        got="none",
        fix="Correct its pose file, or lower --kp_likelihood_thr.",
    )
