"""What the backbone sees of a frame: a square of the video, resized.

T frames, N frames of a batch, K keypoints, C channels, H and W of the video, S side of the rendered frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int32, UInt8
from scipy import ndimage
from torch.nn.functional import interpolate

from nocigram.core.errors import InputError

RENDER_VERSION = 1
"""Raised when the same frame and box give other pixels, so that caches of old renderings are not used."""
BODY_LENGTHS_PER_SIDE = 1.7
"""Side of the mouse view. In real bottom-view recordings 1.6 cut off up to 0.13% of the visible keypoints and
1.7 at most 0.02%; a paw reaches further than its keypoint."""
_MEDIAN_N_FRAMES = 9
_SIGMA_N_FRAMES = 4.0
_SMALLEST_SIDE_PX = 16


@dataclass(frozen=True)
class View:
    """One square per frame of a recording."""

    boxes: Int32[np.ndarray, "T 3"]
    """x0_px, y0_px, side_px in the video; a square may pass the video's border and is black there."""

    def __post_init__(self) -> None:
        if self.boxes.ndim != 2 or self.boxes.shape[1:] != (3,) or not len(self.boxes):
            raise ValueError(f"View: expected boxes (T, 3) with T > 0, got {self.boxes.shape}")
        if (self.boxes[:, 2] <= 0).any():
            raise ValueError(f"View: expected sides above 0 px, got {int(self.boxes[:, 2].min())}")

    def boxes_of(self, start: int, stop: int) -> Int32[np.ndarray, "N 3"]:
        """The squares of frames `[start, stop)`; beyond the last one it stays where it was.

        A pose file may be shorter than its video; the animal is then looked for where it was last seen.
        """
        return self.boxes[np.arange(start, stop).clip(max=len(self.boxes) - 1)]

    def to_bytes(self) -> bytes:
        """The same bytes for views that show the same of every frame: repeats of the last square don't count."""
        differs = np.flatnonzero((self.boxes != self.boxes[-1]).any(axis=-1))
        return self.boxes[: differs[-1] + 2 if differs.size else 1].astype("<i4").tobytes()


def full_view(width_px: int, height_px: int, n_frames: int = 1) -> View:
    """The whole frame in a centred square with black bars, the same in every frame."""
    side = max(width_px, height_px)
    box = np.array([(width_px - side) // 2, (height_px - side) // 2, side], dtype=np.int32)
    return View(np.tile(box, (n_frames, 1)))


def mouse_view(
    xy_px: Float[np.ndarray, "T K 2"],
    visible: Bool[np.ndarray, "T K"],
    body_length_px: float,
    *,
    recording: str,
    body_lengths_per_side: float = BODY_LENGTHS_PER_SIDE,
) -> View:
    """A square of constant side that follows the animal.

    Its centre is the median of the visible keypoints, which no left-right swap moves and no single jump moves far;
    frames with fewer than two are bridged, then a median and a Gaussian filter over time take out what is left.

    Args:
        xy_px: finite keypoints in the video.
        visible: which of them can be believed.
        body_length_px: fixes the side, so that paws have one size in all recordings.
        recording: names the recording in the error.
        body_lengths_per_side: side of the square in body lengths.

    Raises:
        InputError: no frame has two visible keypoints.
    """
    seen = visible.sum(axis=-1) >= 2
    if not seen.any():
        raise InputError(
            f"{recording}: expected visible keypoints for --crop mouse, got none in {len(xy_px)} frames. "
            "Lower --kp_likelihood_thr or use --crop full."
        )
    centres = np.nanmedian(np.where(visible[seen][..., None], xy_px[seen], np.nan), axis=1)
    return following_view(
        centres, np.flatnonzero(seen), n_frames=len(xy_px), side_px=round(body_length_px * body_lengths_per_side)
    )


def following_view(
    centres_px: Float[np.ndarray, "N 2"], seen: Int[np.ndarray, " N"], *, n_frames: int, side_px: int
) -> View:
    """A square of constant side along a path: holes are bridged, then a median and a Gaussian filter smooth it.

    Args:
        centres_px: where the animal is in the frames in which it was seen, at least one.
        seen: those frames, ascending.
        n_frames: of the recording.
        side_px: of the square; never below 16 px.
    """
    frames = np.arange(n_frames)
    path = np.stack([np.interp(frames, seen, centres_px[:, axis]) for axis in (0, 1)], axis=-1)
    path = ndimage.median_filter(path, size=(_MEDIAN_N_FRAMES, 1), mode="nearest")
    path = ndimage.gaussian_filter1d(path, sigma=_SIGMA_N_FRAMES, axis=0, mode="nearest")
    side = max(_SMALLEST_SIDE_PX, side_px)
    corners = np.round(path - side / 2)
    return View(np.concatenate((corners, np.full((len(corners), 1), side)), axis=-1).astype(np.int32))


def to_view(xy_px: Float[np.ndarray, "T K 2"], boxes: Int[np.ndarray, "T 3"]) -> Float[np.ndarray, "T K 2"]:
    """Pixels of the video -> parts of the view's side, 0 to 1 inside of it."""
    return ((xy_px - boxes[:, None, :2]) / boxes[:, None, 2:]).astype(xy_px.dtype)


def from_view(xy: Float[np.ndarray, "T K 2"], boxes: Int[np.ndarray, "T 3"]) -> Float[np.ndarray, "T K 2"]:
    """Parts of the view's side -> pixels of the video; undoes `to_view`."""
    return (xy * boxes[:, None, 2:] + boxes[:, None, :2]).astype(xy.dtype)


def render(pixels: UInt8[np.ndarray, "C H W"], box: Int[np.ndarray, " 3"], img_size: int) -> UInt8[np.ndarray, "C S S"]:
    """What the backbone sees of one frame."""
    return render_many([pixels], box[None], img_size)[0]


def render_many(
    frames: Sequence[UInt8[np.ndarray, "C H W"]], boxes: Int[np.ndarray, "N 3"], img_size: int
) -> UInt8[np.ndarray, "N C S S"]:
    """Cut the square out of each frame and resize all of them, antialiased."""
    rendered = np.empty((len(frames), frames[0].shape[0], img_size, img_size), dtype=np.uint8)
    for side in np.unique(boxes[:, 2]):
        members = np.flatnonzero(boxes[:, 2] == side)
        squares = np.stack([_square_of(frames[int(member)], boxes[member]) for member in members])
        rendered[members] = _resized(squares, img_size)
    return rendered


def _square_of(pixels: UInt8[np.ndarray, "C H W"], box: Int[np.ndarray, " 3"]) -> UInt8[np.ndarray, "C side side"]:
    """The part of a frame inside of a square; black where the square passes the border."""
    x0, y0, side = (int(value) for value in box)
    n_channels, height, width = pixels.shape
    left, right = min(max(x0, 0), width), min(max(x0 + side, 0), width)
    top, bottom = min(max(y0, 0), height), min(max(y0 + side, 0), height)
    square = np.zeros((n_channels, side, side), dtype=np.uint8)
    square[:, top - y0 : bottom - y0, left - x0 : right - x0] = pixels[:, top:bottom, left:right]
    return square


def _resized(squares: UInt8[np.ndarray, "N C side side"], img_size: int) -> UInt8[np.ndarray, "N C S S"]:
    """Bilinear with antialiasing, the image's borders kept at 0 and 1."""
    size = (img_size, img_size)
    resized = interpolate(torch.from_numpy(squares), size=size, mode="bilinear", antialias=True, align_corners=False)
    return resized.numpy()
