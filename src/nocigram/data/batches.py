"""Windows as tensors, and batches of them.

B batch, T frames, K keypoints, C channels, S side of a frame in pixels, D feature width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from nocigram.core.actions import UNSCORED
from nocigram.core.errors import InputError
from nocigram.core.ranges import FrameRange
from nocigram.data.sources import Source
from nocigram.pose.light import N_LIGHT


@dataclass
class Batch:
    """Windows side by side; shorter ones are padded at their end, and `valid` says where."""

    pixels: UInt8[Tensor, "B T C S S"] | None
    features: Float[Tensor, "B T D"] | None
    """Backbone features in place of pixels, where the backbone is frozen."""
    light: Float[Tensor, "B T K L"]
    """Normalised light at the keypoints, about 1; 0 where it is unknown."""
    xy_px: Float[Tensor, "B T K 2"]
    """Keypoints in pixels of the video, bridged where not visible. The keypoint head learns the visible ones."""
    visible: Bool[Tensor, "B T K"]
    pose_xy_px: Float[Tensor, "B T K 2"]
    """Keypoints that the pose features are made of: `xy_px`, but for augmentation."""
    pose_visible: Bool[Tensor, "B T K"]
    has_pixels: Bool[Tensor, " B"]
    """False where augmentation hides the pixels from the model."""
    boxes: Float[Tensor, "B T 3"]
    """The view: x0_px, y0_px, side_px."""
    body_length_px: Float[Tensor, " B"]
    actions: Int[Tensor, "B T"]
    """Merged actions, UNSCORED for padding too."""
    valid: Bool[Tensor, "B T"]
    """False for padding, which counts nowhere."""
    action_mask: Float[Tensor, " B"]
    """1 where the recording is annotated, 0 where it trains the keypoint head alone."""
    is_mirrored: Bool[Tensor, " B"]
    """The window is to be seen in a mirror; cached features and kinematics are mirrored already, nothing else is."""
    index: Int[Tensor, " B"]
    """Position of the window in its data set."""
    kinematics: Float[Tensor, "B T F"] | None = None
    """Posture and motion over several spans of time; of the mirror image in windows that are to be seen in a mirror."""

    def inputs(self) -> dict[str, Tensor | None]:
        """Arguments of a model."""
        return {
            "frames": self.pixels if self.features is None else None,
            "features": self.features,
            "xy_px": self.pose_xy_px,
            "visible": self.pose_visible,
            "kinematics": self.kinematics,
            "light": self.light,
            "has_pixels": self.has_pixels,
            "body_length_px": self.body_length_px,
            "valid": self.valid,
        }

    def pin_memory(self) -> "Batch":
        """The same windows in memory that a GPU copies from while it computes.

        torch's loader looks for this method; a class without it is left as it is, and nothing is said.
        """
        tensors = {name: tensor for name, tensor in vars(self).items() if tensor is not None}
        return replace(self, **{name: tensor.pin_memory() for name, tensor in tensors.items()})

    def xy_in_view(self) -> Float[Tensor, "B T K 2"]:
        """Keypoints as parts of the view's side."""
        return (self.xy_px - self.boxes[..., None, :2]) / self.boxes[..., None, 2:]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which frames of which recording, and their labels."""

    recording: str
    span: FrameRange
    actions: Int[np.ndarray, " T"] | None
    """Merged actions; None where the recording is not annotated."""
    is_mirrored: bool = False


class Windows(Dataset[Batch]):
    """Windows of sources; each item is a batch of one, padded to `window_T`.

    Raises:
        InputError: fewer frames of a video decoded than its header claims, and a window would pass their end.
    """

    def __init__(self, windows: Sequence[Window], *, sources: dict[str, Source], window_T: int) -> None:
        for window in windows:
            if window.span.stop > (n_frames := sources[window.recording].n_frames):
                raise InputError(
                    f"{window.recording}: expected {window.span.stop} frames for its trials, got {n_frames} that "
                    "decode. Repair the video, or remove the trials that pass its end."
                )
        self.windows = windows
        self._sources = sources
        self._window_T = window_T

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Batch:
        window = self.windows[index]
        source, span = self._sources[window.recording], window.span
        xy_px, visible = source.recording.pose_of(span)
        actions = window.actions if window.actions is not None else np.full(len(span), UNSCORED)
        features, pixels = None, None
        if source.features:
            features = _padded(source.features[int(window.is_mirrored)][span.start : span.stop], self._window_T)
        elif source.frames is not None:
            pixels = _padded(source.frames[span.start : span.stop], self._window_T)
        return Batch(
            pixels=pixels,
            features=None if features is None else features.float(),
            kinematics=_kinematics_of(window, source, self._window_T),
            light=_padded(_light_of(source, span), self._window_T),
            xy_px=_padded(xy_px, self._window_T),
            visible=_padded(visible, self._window_T),
            pose_xy_px=_padded(xy_px, self._window_T),
            pose_visible=_padded(visible, self._window_T),
            has_pixels=torch.tensor([True]),
            boxes=_padded(source.view.boxes_of(span.start, span.stop), self._window_T, fill=1).float(),
            body_length_px=torch.tensor([source.recording.body_length_px], dtype=torch.float32),
            actions=_padded(actions, self._window_T, fill=UNSCORED),
            valid=_padded(np.ones(len(span), dtype=bool), self._window_T),
            action_mask=torch.tensor([float(window.actions is not None)]),
            is_mirrored=torch.tensor([window.is_mirrored]),
            index=torch.tensor([index]),
        )


def collate(items: Sequence[Batch]) -> Batch:
    """Batches of one to one batch. Where grey and colour videos meet, grey becomes three equal channels."""
    joined: dict[str, Any] = {
        name: torch.cat([getattr(item, name) for item in items])
        for name in Batch.__dataclass_fields__
        if name != "pixels" and getattr(items[0], name) is not None
    }
    pixels = [item.pixels for item in items if item.pixels is not None]
    n_channels = max((each.shape[2] for each in pixels), default=0)
    joined["pixels"] = torch.cat([each.expand(-1, -1, n_channels, -1, -1) for each in pixels]) if pixels else None
    return Batch(**{"features": None, "kinematics": None, **joined})


def _kinematics_of(window: Window, source: Source, window_T: int) -> Tensor | None:
    """Kinematics of a window; None where they are not needed."""
    if not source.kinematics:
        return None
    rows = source.kinematics[int(window.is_mirrored)][window.span.start : window.span.stop]
    return _padded(rows, window_T).float()


def _light_of(source: Source, span: FrameRange) -> np.ndarray:
    """Light of a span; 0 where there is none."""
    if source.light is None:
        return np.zeros((len(span), source.recording.skeleton.n_keypoints, N_LIGHT), dtype=np.float32)
    return source.light[span.start : span.stop]


def _padded(rows: np.ndarray, n_frames: int, *, fill: int = 0) -> Tensor:
    """Rows as a tensor (1, n_frames, ...), filled at the end."""
    padded = np.full((1, max(n_frames, len(rows)), *rows.shape[1:]), fill, dtype=rows.dtype)
    padded[0, : len(rows)] = rows
    return torch.from_numpy(padded)
