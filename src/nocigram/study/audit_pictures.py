"""Strips of pictures of spans of frames, for a person to judge labels by.

S side of a picture, K keypoints.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from nocigram.core.ranges import FrameRange
from nocigram.data.progress import progress_bar
from nocigram.data.records import Discovery, Recording
from nocigram.data.sources import view_of
from nocigram.data.view import View, render_many, to_view
from nocigram.evaluation.improbable import Improbable
from nocigram.report.strips import Strip, Tile, draw_strip_page
from nocigram.video.decode import decode

N_WITHIN = 5
"""Pictures of the span itself; one before it and one after it stand beside them."""
_AROUND_S = 0.3
_SIDE_PX = 200
_STRIPS_PER_PAGE = 8
_BODY_LENGTHS_PER_SIDE = 2.0
"""Wider than what a backbone sees, so that the paws of a stretched animal are in the picture."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in its recording a span of a trial lies."""

    span: FrameRange
    """Frames of the recording."""
    start_s: float
    stop_s: float
    """Time of the frame after the last one, or of the last one where the recording ends."""

    @classmethod
    def of(cls, span: FrameRange, times_s: Sequence[float]) -> "Place":
        """A span of a recording whose frames have these times."""
        last = len(times_s) - 1
        return cls(span=span, start_s=times_s[min(span.start, last)], stop_s=times_s[min(span.stop, last)])


@dataclass(frozen=True, kw_only=True)
class _Shot:
    """A frame to show."""

    row: int
    frame: int
    is_inside: bool


def draw_strips(
    rows: Sequence[Improbable], places: Sequence[Place], *, found: Discovery, classes: Sequence[str], folder: Path
) -> None:
    """Write pages of strips, one strip for each row, in place of those of an earlier run.

    Args:
        rows: in the order of the strips.
        places: of the rows.
        found: the recordings.
        classes: names of the actions.
        folder: gets page_01.png and so on.

    Raises:
        InputError: a video can't be decoded.
    """
    for old in folder.glob("page_*.png"):
        old.unlink()
    shots: dict[str, list[_Shot]] = defaultdict(list)
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        shots[row.recording] += _shots(number, place.span, found.recordings[row.recording])
    tiles: dict[int, list[Tile]] = defaultdict(list)
    with progress_bar("Pictures", total=sum(map(len, shots.values())), unit="frames") as advance:
        for name, wanted in sorted(shots.items()):
            for shot, tile in _tiles(found.recordings[name], wanted):
                tiles[shot.row].append(tile)
                advance(1)
    strips = [
        Strip(caption=f"{number + 1}.  {_caption(row, place, classes)}", tiles=tiles[number])
        for number, (row, place) in enumerate(zip(rows, places, strict=True))
    ]
    for page, start in enumerate(range(0, len(strips), _STRIPS_PER_PAGE), start=1):
        path = folder / f"page_{page:02d}.png"
        shown, body = strips[start : start + _STRIPS_PER_PAGE], found.skeleton
        draw_strip_page(shown, names=body.names, edges=body.edges, path=path)


def _shots(number: int, span: FrameRange, recording: Recording) -> list[_Shot]:
    """Frames before, within and after a span, in order."""
    around = max(1, round(_AROUND_S * recording.fps))
    within = np.unique(np.linspace(span.start, span.stop - 1, N_WITHIN).round().astype(int)).tolist()
    last = recording.n_frames - 1
    frames = [max(0, span.start - around), *within, min(last, span.stop - 1 + around)]
    return [_Shot(row=number, frame=frame, is_inside=0 < place < len(frames) - 1) for place, frame in enumerate(frames)]


def _tiles(recording: Recording, shots: Sequence[_Shot]) -> Iterator[tuple[_Shot, Tile]]:
    """The pictures, in order of time: one pass over the video, which ends with the last frame that is shown."""
    view = _wide_view(recording)
    by_frame: dict[int, list[_Shot]] = defaultdict(list)
    for shot in shots:
        by_frame[shot.frame].append(shot)
    if recording.info is None:
        pictures: Iterator[tuple[int, np.ndarray | None]] = ((frame, None) for frame in sorted(by_frame))
    else:
        pictures = _pictures(recording, view, frames=set(by_frame))
    for frame, picture in pictures:
        for shot in by_frame[frame]:
            yield shot, _tile(recording, view, shot, picture)


def _pictures(
    recording: Recording, view: View, *, frames: set[int]
) -> Iterator[tuple[int, UInt8[np.ndarray, "C S S"]]]:
    """Rendered frames."""
    last = max(frames)
    for frame in decode(recording.video.path, grey=recording.video.is_grey):
        if frame.index in frames:
            boxes = view.boxes_of(frame.index, frame.index + 1)
            yield frame.index, render_many([frame.pixels], boxes, _SIDE_PX)[0]
        if frame.index >= last:
            return


def _wide_view(recording: Recording) -> View:
    """A square around the animal where it is tracked, else the whole frame."""
    if not recording.can_be_followed:
        return view_of(recording, crop="full")
    close = view_of(recording, crop="mouse").boxes
    side = max(int(close[0, 2]), round(recording.body_length_px * _BODY_LENGTHS_PER_SIDE))
    return View(_widened(close, side))


def _widened(boxes: Int[np.ndarray, "T 3"], side: int) -> Int[np.ndarray, "T 3"]:
    """Squares of another side about the same centres."""
    corners = boxes[:, :2] + boxes[:, 2:] // 2 - side // 2
    return np.concatenate((corners, np.full((len(boxes), 1), side)), axis=1).astype(boxes.dtype)


def _tile(recording: Recording, view: View, shot: _Shot, picture: np.ndarray | None) -> Tile:
    """A picture with its keypoints in its own pixels."""
    xy_px, visible = recording.pose_of(FrameRange(shot.frame, shot.frame + 1))
    xy = to_view(xy_px, view.boxes_of(shot.frame, shot.frame + 1))[0] * _SIDE_PX
    return Tile(
        picture=picture,
        side_px=_SIDE_PX,
        xy=np.where(visible[0][:, None], xy, np.nan).astype(np.float32),
        text=f"{shot.frame}",
        is_inside=shot.is_inside,
    )


def _caption(row: Improbable, place: Place, classes: Sequence[str]) -> str:
    """One line above a strip."""
    shift = f" ({row.shift_n_frames:+d} frames)" if row.kind == "edge" else ""
    return (
        f"{row.recording}, trial {row.trial}, {place.start_s:.2f} to {place.stop_s:.2f} s, frames {place.span}.  "
        f"{row.kind}{shift}.  label {classes[row.label]} {row.label_probability:.2f}, "
        f"model {classes[row.other]} {row.other_probability:.2f}"
    )
