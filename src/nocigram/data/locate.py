"""Find the animal in the picture of a recording that has no pose file.

The background is the temporal median of frames spread over the recording. Where the animal moves about, it is what
differs from that background. Where it stays, the background contains it; it is then the largest coherent structure
that stands out from its surroundings, looked for first where anything changes, and it is painted over in the
background, so that one way of looking serves all frames. Thresholds are multiples of robust scales measured in the
recording (median absolute deviations), lengths are parts of the picture or of the animal; nothing is fitted to a
camera. Dirt never differs from the background, and a time stamp is smaller than the animal.

The body is what is left of the animal's silhouette after a morphological opening with half the radius of the largest
disc inside of it, which takes off the tail. Its length follows from its area, which a curled and a stretched animal
share, and from the proportions of a mouse.

H height and W width of the reduced picture, N sampled frames.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import ndimage

from nocigram.data.view import BODY_LENGTHS_PER_SIDE, View, following_view, full_view
from nocigram.video.decode import decode
from nocigram.video.probe import VideoInfo

LOCATE_VERSION = 1
"""Raised when the same video gives another view, so that old ones are not used."""
_REDUCED_PX = 160
"""The reduced picture's longer side at most."""
_N_SAMPLES = 64
"""At least half as many frames make the background of a longer recording, at most twice as many."""
_N_SIGMAS = 6.0
"""What differs by more than this many robust standard deviations is no noise."""
_SMALLEST_SIGMA = 0.5
"""Grey levels: a noise-free video is still rounded."""
_SMALLEST_RADIUS = 0.02
"""Of the longer side: a structure without a disc of this radius inside is no animal."""
_GAP_PX = 2.0
"""Of the reduced picture: parts of an animal closer than twice this are joined, as paws with the dark body."""
_LENGTH_PER_WIDTH = 2.5
"""Of a mouse's body seen along the vertical, without its tail."""
_SIDE_LIMITS = (0.125, 1.0)
"""Sides of the square in parts of the frame's longer side."""
_IS_IN_BACKGROUND = 0.5
"""The animal is in the background if its place stands out there at least so much as in the frame."""
_SHARE_MOVING, _SHARE_SEEN = 0.5, 0.25
"""Share of the samples in which an animal that isn't in the background is seen; the second one suffices where nothing
stands in the background."""

_NOTHING = "nothing of an animal's size moves about or stands out"

Picture = Float32[np.ndarray, "H W"]
Mask = Bool[np.ndarray, "H W"]


@dataclass(frozen=True, kw_only=True)
class LocatedView:
    """What the backbone shall see of a recording without pose."""

    view: View
    """One square per frame around the animal; the whole frame where none was found."""
    is_found: bool
    how: str
    """How the animal was found, or why it was not."""

    @property
    def sentence(self) -> str:
        """What is done, for the user."""
        done = "the square follows the animal as found in the picture" if self.is_found else "the whole frame is shown"
        return f"{done} ({self.how})"


@dataclass(frozen=True, kw_only=True)
class _Body:
    """An animal in one reduced picture, without its tail."""

    silhouette: Mask
    """With the tail."""
    core: Mask
    radius: float
    """Of the largest disc inside, in px of the reduced picture."""

    def centre(self) -> Float[np.ndarray, " 2"]:
        """x, y in the reduced picture."""
        return np.array([points.mean() for points in reversed(np.nonzero(self.core))])

    def length(self) -> float:
        """Long axis of an ellipse of the body's area, as long as a mouse is for its width; in px as above."""
        return float(np.sqrt(4 / np.pi * _LENGTH_PER_WIDTH * self.core.sum()))


@dataclass(frozen=True, kw_only=True)
class _Background:
    """A recording's picture without the animal."""

    picture: Picture
    threshold: float | Picture
    """Grey levels by which the animal differs from it at least."""
    how: str


def located_view(video: Path, *, info: VideoInfo) -> LocatedView:
    """A square of constant side that follows the animal, found without a pose.

    The video is decoded twice, once for the background and once to look at each frame, in the memory of some hundred
    reduced pictures. The same video gives the same view.

    Raises:
        InputError: the video can't be decoded.
    """
    samples = spread(reduced_frames(video, info=info), n=_N_SAMPLES)
    background = _background_of(samples)
    whole = full_view(info.width_px, info.height_px)
    if background is None:
        return LocatedView(view=whole, is_found=False, how=_NOTHING)
    seen, centres, lengths, n_frames = [], [], [], 0
    for index, picture in enumerate(reduced_frames(video, info=info)):
        n_frames = index + 1
        if (body := _body_in(picture, background)) is not None:
            seen.append(index)
            centres.append(body.centre())
            lengths.append(body.length())
    if not seen:
        return LocatedView(view=whole, is_found=False, how=_NOTHING)
    stride = stride_of(info)
    length_px = float(np.median(lengths)) * stride
    smallest_px, largest_px = (part * max(info.width_px, info.height_px) for part in _SIDE_LIMITS)
    side_px = round(min(max(BODY_LENGTHS_PER_SIDE * length_px, smallest_px), largest_px))
    centres_px = (np.array(centres) + 0.5) * stride
    return LocatedView(
        view=following_view(centres_px, np.array(seen), n_frames=n_frames, side_px=side_px),
        is_found=True,
        how=f"{background.how}, seen in {len(seen)} of {n_frames} frames, about {length_px:.0f} px long",
    )


def reduced_frames(video: Path, *, info: VideoInfo) -> Iterator[Picture]:
    """Every frame in grey, as means over square blocks of pixels; an incomplete block at the border is left out."""
    stride = stride_of(info)
    for frame in decode(video, grey=True):
        yield reduced(frame.pixels[0], stride=stride)


def reduced(pixels: UInt8[np.ndarray, "Y X"], *, stride: int) -> Picture:
    """A grey frame as means over square blocks of `stride` pixels; an incomplete block at the border is left out."""
    height, width = pixels.shape[0] // stride, pixels.shape[1] // stride
    blocks = pixels[: height * stride, : width * stride].reshape(height, stride, width, stride)
    return blocks.sum(axis=(1, 3), dtype=np.uint32).astype(np.float32) / stride**2


def silhouettes(samples: Float32[np.ndarray, "N H W"]) -> Bool[np.ndarray, "N H W"]:
    """Where the animal is in reduced pictures from all over a recording, with its tail; nowhere if it isn't found."""
    background = _background_of(samples)
    bodies = [None if background is None else _body_in(picture, background) for picture in samples]
    return np.stack([np.zeros(samples.shape[1:], bool) if body is None else body.silhouette for body in bodies])


def spread(pictures: Iterable[Picture], *, n: int) -> Float32[np.ndarray, "N H W"]:
    """Pictures at even distances over a stream of unknown length: all up to 2n, else n to 2n of them."""
    kept: list[Picture] = []
    step = 1
    for index, picture in enumerate(pictures):
        if index % step:
            continue
        kept.append(picture)
        if len(kept) > 2 * n:
            kept, step = kept[::2], 2 * step
    return np.stack(kept)


def stride_of(info: VideoInfo) -> int:
    """Pixels of the video on each side of a pixel of the reduced picture."""
    return -(-max(info.width_px, info.height_px) // _REDUCED_PX)


def _background_of(samples: Float32[np.ndarray, "N H W"]) -> _Background | None:
    """The picture without the animal; None where there is no sign of one."""
    median = np.median(samples, axis=0)
    changes = np.stack([_difference(picture, median) for picture in samples])
    moving = _Background(
        picture=median, threshold=_N_SIGMAS * max(_SMALLEST_SIGMA, _robust_scale(changes)), how="by its movement"
    )
    share = float(np.mean([_is_only_in_frame(picture, moving) for picture in samples]))
    if share >= _SHARE_MOVING:
        return moving
    standing = _without_standing_animal(moving, activity=changes.mean(axis=0))
    return moving if standing is None and share >= _SHARE_SEEN else standing


def _is_only_in_frame(picture: Picture, background: _Background) -> bool:
    """An animal is seen, and its place is empty in the background."""
    body = _body_in(picture, background)
    if body is None:
        return False
    around = _grown(body.silhouette, 2 * body.radius)
    in_background, in_frame = (
        np.abs(shown - _painted_over(shown, around))[body.core].sum() for shown in (background.picture, picture)
    )
    return bool(in_background < _IS_IN_BACKGROUND * in_frame)


def _without_standing_animal(background: _Background, *, activity: Picture) -> _Background | None:
    """The background with its largest coherent structure painted over; None where nothing stands out.

    Structures count by what stands out in them times how much it changes, so that a breathing animal outweighs a
    bright reflection. What was painted is known only as well as the picture is smooth in space.
    """
    picture = background.picture
    size = max(picture.shape) // 3 | 1
    contrast = _smooth(np.abs(picture - ndimage.median_filter(picture, size=size, mode="nearest")))
    threshold = _N_SIGMAS * max(_SMALLEST_SIGMA, _robust_scale(contrast))
    animal = _body_of(_joined(contrast > threshold), contrast * activity)
    if animal is None:
        return None
    painted = _grown(animal.silhouette, animal.radius)
    return _Background(
        picture=_painted_over(picture, painted),
        threshold=np.where(painted, threshold, background.threshold).astype(np.float32),
        how="by what stands out where it stays",
    )


def _body_in(picture: Picture, background: _Background) -> _Body | None:
    """The animal in a picture, if there is one."""
    difference = _difference(picture, background.picture)
    return _body_of(_joined(difference > background.threshold), difference)


def _body_of(mask: Mask, weight: Picture) -> _Body | None:
    """The heaviest structure, pixels in its middle counting most, with its body; None if all are too small."""
    depth = _depth(mask)
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    if n == 0:
        return None
    silhouette = labels == 1 + int(np.argmax(ndimage.sum_labels(weight * depth, labels, np.arange(1, n + 1))))
    radius = float(depth[silhouette].max())
    if radius < _SMALLEST_RADIUS * max(mask.shape):
        return None
    core = _grown(silhouette & (depth > radius / 2), radius / 2) & silhouette
    labels, n = ndimage.label(core, np.ones((3, 3)))
    largest = 1 + int(np.argmax(ndimage.sum_labels(core, labels, np.arange(1, n + 1))))
    return _Body(silhouette=silhouette, core=labels == largest, radius=radius)


def _difference(picture: Picture, background: Picture) -> Picture:
    """Smoothed absolute difference, less what changes in the whole picture, such as the light."""
    difference = picture - background
    return np.abs(_smooth(difference - np.median(difference)))


def _smooth(picture: Picture) -> Picture:
    """Noise of single pixels taken out; unlike a Gaussian, a median lets nothing bright bloom."""
    return np.asarray(ndimage.median_filter(picture, size=3, mode="nearest"))


def _robust_scale(values: Float[np.ndarray, "*any"]) -> float:
    """Standard deviation of the normal distribution with the same median of absolute values."""
    return 1.4826 * float(np.median(values))


def _painted_over(picture: Picture, mask: Mask) -> Picture:
    """The masked part replaced by a weighted mean of what lies around it."""
    sigma = max(picture.shape) / 16
    weight = ndimage.gaussian_filter((~mask).astype(np.float32), sigma)
    around = ndimage.gaussian_filter(np.where(mask, 0, picture), sigma) / np.maximum(weight, 1e-6)
    return np.where(mask, around, picture).astype(np.float32)


def _depth(mask: Mask) -> Float[np.ndarray, "H W"]:
    """Distance from each pixel to the nearest one outside of the mask; beyond the border all is outside."""
    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1)))[1:-1, 1:-1]


def _grown(mask: Mask, radius: float) -> Mask:
    """The mask and all within a radius (in px)."""
    if not mask.any():
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask) <= radius)


def _joined(mask: Mask) -> Mask:
    """Morphological closing, then holes filled."""
    margin = int(np.ceil(_GAP_PX)) + 1
    grown = _grown(np.pad(mask, margin), _GAP_PX)
    closed = _depth(grown)[margin:-margin, margin:-margin] > _GAP_PX
    return np.asarray(ndimage.binary_fill_holes(closed | mask))
