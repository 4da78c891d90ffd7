"""What a recording looks like, in numbers: how bright, how large, how well tracked, how it moves.

Measured in one way for the recordings that a model is trained on and for those that it is asked about.

P rows of the pose file, K keypoints, N frames, C channels, S side of the rendered frame, F pose features.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from nocigram.core.needs import Needs
from nocigram.data.quantities import QUANTILES, feature_names
from nocigram.data.records import Recording
from nocigram.data.sources import Source
from nocigram.data.view import View
from nocigram.pose.features import pose_features
from nocigram.pose.skeleton import left_right_pairs

_N_PICTURES = 200
"""Frames of a recording whose pixels are measured, evenly spread."""
_MOST_ROWS = 20_000
"""Rows of a pose file from which its pose features are taken, evenly spread."""
_FEWEST = 10
"""Fewer frames than this say nothing of a distribution."""
_SPEED_LAG_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One recording."""

    recording: str
    """Its name."""
    values: Mapping[str, float]
    """By name of the quantity; NaN where it can't be measured."""

    def as_plain(self) -> dict[str, Any]:
        """Plain containers, for the checkpoint."""
        return {"recording": self.recording, "values": dict(self.values)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Appearance":
        """The opposite of `as_plain`."""
        return cls(recording=str(plain["recording"]), values={k: float(v) for k, v in plain["values"].items()})


@dataclass
class PictureMeter:
    """Measures rendered frames as they pass by: every so many of them, so that it costs next to nothing."""

    n_frames: int
    """Of the recording, by its header."""
    brightness: list[float] = field(default_factory=list)
    contrast: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Frames from one that is measured to the next."""
        return max(1, self.n_frames // _N_PICTURES)

    def see(self, first: int, frames: UInt8[np.ndarray, "N C S S"]) -> None:
        """Measure those of consecutive frames whose turn it is.

        Args:
            first: number of the first of them in the recording.
            frames: as the backbone sees them.
        """
        for pixels in frames[-first % self.step :: self.step]:
            grey = pixels.mean(axis=0, dtype=np.float32)
            spread = float(grey.std())
            steps = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
            self.brightness.append(float(grey.mean()))
            self.contrast.append(spread)
            self.sharpness.append(float(steps) / max(spread, 1.0))

    def values(self) -> dict[str, float]:
        """Medians over the frames that were measured, in grey levels; sharpness as a share of the contrast."""
        lists = {"brightness": self.brightness, "contrast": self.contrast, "sharpness": self.sharpness}
        return {name: float(np.median(numbers)) for name, numbers in lists.items() if numbers}


def appearance_of(
    recording: Recording,
    *,
    needs: Needs,
    likelihood_thr: float,
    view: View,
    img_size: int,
    picture: PictureMeter | None = None,
    paw_grey: float | None = None,
) -> Appearance:
    """Measure a recording.

    Args:
        recording: with pose where the model needs it.
        needs: of the model: what it isn't given is not measured.
        likelihood_thr: from where on a keypoint is believed.
        view: the square that the backbone sees.
        img_size: pixels of its side as the backbone sees it.
        picture: has seen the frames; None where none were decoded.
        paw_grey: median grey level at the paws; None where it wasn't measured.
    """
    values = {"frame rate": recording.fps}
    if needs.pixels and recording.info is not None:
        info = recording.info
        values |= {"width": info.width_px, "height": info.height_px, "colour (1) or grey (0)": float(not info.is_grey)}
        values |= {} if picture is None else picture.values()
        if recording.can_be_followed:
            side_px = float(np.median(view.boxes[:, 2]))
            values["body length as the model sees it"] = recording.body_length_px / side_px * img_size
    if paw_grey is not None:
        values["grey level at the paws"] = paw_grey
    if needs.pose:
        values |= _tracking(recording, likelihood_thr=likelihood_thr)
        if recording.can_be_followed:
            values |= {**_sides(recording), **_posture(recording), **_motion(recording)}
    return Appearance(recording=recording.name, values={name: float(value) for name, value in values.items()})


def appearance_of_source(source: Source, *, needs: Needs, likelihood_thr: float, img_size: int) -> Appearance:
    """Measure a recording whose frames lie in the cache."""
    picture = None
    if source.frames is not None:
        picture = PictureMeter(source.recording.n_frames)
        for index in range(0, source.n_frames, picture.step):
            picture.see(index, source.frames[index : index + 1])
    return appearance_of(
        source.recording,
        needs=needs,
        likelihood_thr=likelihood_thr,
        view=source.view,
        img_size=img_size,
        picture=picture,
        paw_grey=source.paw_grey,
    )


def _tracking(recording: Recording, *, likelihood_thr: float) -> dict[str, float]:
    """Size of the animal, and how sure its keypoints are."""
    n_posed = int((recording.visible.sum(axis=1) >= 2).sum())
    values = {"frames without pose": 1 - min(1.0, n_posed / max(1, recording.n_frames))}
    if recording.can_be_followed:
        values |= {"body length": recording.body_length_px, "trembling": _trembling(recording)}
    if recording.likelihood is None or not len(recording.likelihood):
        return values
    likely = recording.likelihood >= np.float32(likelihood_thr)
    for position, name in enumerate(recording.skeleton.names):
        values[f"likelihood of {name}, mean"] = float(recording.likelihood[:, position].mean())
        values[f"{name} below the threshold"] = 1 - float(likely[:, position].mean())
    values["jumps"] = float((likely & ~recording.visible).sum() / max(1, likely.sum()))
    return values


def _sides(recording: Recording) -> dict[str, float]:
    """In which share of frames the left paws lie left of the right ones, seen along the body; a mirror exchanges it."""
    skeleton, xy, seen = recording.skeleton, recording.xy_px, recording.visible
    axis = xy[:, skeleton.front] - xy[:, skeleton.back]
    votes = []
    for left, right in left_right_pairs(skeleton.names):
        across = xy[:, left] - xy[:, right]
        # x right, y down: what lies to the left of the way ahead has a negative cross product
        is_left = axis[:, 0] * across[:, 1] - axis[:, 1] * across[:, 0] < 0
        votes.append(is_left[seen[:, [skeleton.front, skeleton.back, left, right]].all(axis=1)])
    shown = np.concatenate([*votes, np.zeros(0, dtype=bool)])
    return {"left paws lie left": float(shown.mean())} if len(shown) >= _FEWEST else {}


def _posture(recording: Recording) -> dict[str, float]:
    """Quantiles of each pose feature over the frames in which it is known."""
    rows = slice(None, None, max(1, len(recording.xy_px) // _MOST_ROWS))
    numbers, known = pose_features(
        torch.from_numpy(recording.xy_px[rows]),
        torch.from_numpy(recording.visible[rows]),
        body_length_px=torch.tensor(recording.body_length_px, dtype=torch.float32),
        skeleton=recording.skeleton,
    )
    values = {}
    for position, feature in enumerate(feature_names(recording.skeleton)):
        shown = numbers[:, position][known[:, position]].numpy()
        for which, share in QUANTILES.items():
            values[f"{feature}, {which}"] = float(np.quantile(shown, share)) if len(shown) >= _FEWEST else math.nan
    return values


def _motion(recording: Recording) -> dict[str, float]:
    """Speeds over a tenth of a second: of the body, its keypoints' median, and of single keypoints."""
    lag = max(1, round(_SPEED_LAG_S * recording.fps))
    moved, seen = _differences(recording, lag=lag)
    speed = np.where(seen, np.linalg.norm(moved, axis=-1), np.nan) * recording.fps / lag
    whole = seen.sum(axis=1) * 2 > seen.shape[1]
    if whole.sum() < _FEWEST:
        return {}
    found = {"body": np.nanmedian(speed[whole], axis=1), "keypoints": speed[seen]}
    return {
        f"speed of the {part}, {which}": float(np.quantile(speeds, QUANTILES[which]))
        for part, speeds in found.items()
        for which in ("median", "high end")
    }


def _trembling(recording: Recording) -> float:
    """Noise of the tracking: the median second difference of positions, in body lengths."""
    moved, seen = _differences(recording, lag=1)
    both = seen[1:] & seen[:-1]
    if both.sum() < _FEWEST:
        return math.nan
    return float(np.median(np.linalg.norm(moved[1:] - moved[:-1], axis=-1)[both]))


def _differences(recording: Recording, *, lag: int) -> tuple[Float[np.ndarray, "N K 2"], Bool[np.ndarray, "N K"]]:
    """How far each keypoint came within `lag` frames, in body lengths, and where it was visible at both ends."""
    moved = (recording.xy_px[lag:] - recording.xy_px[:-lag]) / recording.body_length_px
    return moved, recording.visible[lag:] & recording.visible[:-lag]
