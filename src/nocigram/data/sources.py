"""What windows are cut from: a recording with its view and, where needed, its decoded frames or cached features."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Float32, UInt8

from nocigram.core.errors import InputError
from nocigram.core.literals import Crop
from nocigram.data.frame_cache import cache_size_bytes, cached_frames, is_cached
from nocigram.data.progress import progress_bar
from nocigram.data.records import Recording
from nocigram.data.view import View, full_view, mouse_view
from nocigram.pose.light import LightMeter, normalised_light


@dataclass(frozen=True, kw_only=True)
class Source:
    """A recording, ready to be cut into windows."""

    recording: Recording
    view: View
    frames: UInt8[np.ndarray, "N C S S"] | None = None
    """Memory map; None where pixels aren't needed."""
    frames_key: str | None = None
    """Name of the frames in the cache: equal keys mean equal pixels."""
    light: Float32[np.ndarray, "N 6 L"] | None = None
    """Normalised light at the keypoints; None without pixels or without pose."""
    features: tuple[Float16[np.ndarray, "N D"], ...] = ()
    """Backbone features: of the frames, then (where they were made) of the mirrored frames."""

    @property
    def n_frames(self) -> int:
        """Frames that there are pixels of, or, without pixels, frames of the video by its container."""
        return self.recording.n_frames if self.frames is None else len(self.frames)

    def with_features(self, features: tuple[Float16[np.ndarray, "N D"], ...]) -> "Source":
        """The same recording with backbone features in place of its pixels."""
        return replace(self, features=features)


def default_cache_dir(videos: Path) -> Path:
    """`.nocigram` beside the videos' folder."""
    return videos.resolve().parent / ".nocigram"


def view_of(recording: Recording, *, crop: Crop) -> View:
    """The square of each frame that the backbone sees.

    Raises:
        InputError: the mouse is to be followed and there is no pose to follow it by.
    """
    if crop == "full":
        return full_view(recording.info.width_px, recording.info.height_px)
    return mouse_view(recording.xy_px, recording.visible, recording.body_length_px, recording=recording.name)


def pose_sources(recordings: Iterable[Recording], *, crop: Crop) -> dict[str, Source]:
    """Sources without pixels: nothing is decoded."""
    return {recording.name: Source(recording=recording, view=view_of(recording, crop=crop)) for recording in recordings}


def pixel_sources(
    recordings: Iterable[Recording], *, crop: Crop, img_size: int, cache_dir: Path, say: Callable[[str], None] = print
) -> dict[str, Source]:
    """Sources with pixels, decoded into the cache where they are not there yet, with a progress bar.

    Raises:
        InputError: a video can't be decoded, or the cache folder can't be written.
    """
    sources = pose_sources(recordings, crop=crop)
    try:
        todo = [
            source.recording
            for source in sources.values()
            if not is_cached(
                source.recording.video,
                view=source.view,
                img_size=img_size,
                cache_dir=cache_dir,
                info=source.recording.info,
                meter=meter_of(source.recording),
            )
        ]
        n_frames = sum(recording.n_frames for recording in todo)
        if todo:
            n_bytes = sum(cache_size_bytes(r.n_frames, img_size=img_size, grey=r.info.is_grey) for r in todo)
            say(f"[info] Decoding {len(todo)} videos into {cache_dir}: {n_frames} frames, {n_bytes / 1e6:.0f} MB")
        with progress_bar("Decoding", total=n_frames, unit="frames") as advance:
            return {
                name: _with_frames(source, img_size=img_size, cache_dir=cache_dir, on_frames=advance)
                for name, source in sources.items()
            }
    except OSError as error:
        raise InputError(
            f"{cache_dir}: expected a folder with room for decoded frames, got '{error.strerror or error}'. "
            "Free some space or choose another place with --cache_dir."
        ) from error


def _with_frames(source: Source, *, img_size: int, cache_dir: Path, on_frames: Callable[[int], None]) -> Source:
    """A source with its frames."""
    recording = source.recording
    store = cached_frames(
        recording.video,
        view=source.view,
        img_size=img_size,
        cache_dir=cache_dir,
        info=recording.info,
        meter=meter_of(recording),
        on_frames=on_frames,
    )
    light = None if store.light is None else normalised_light(store.light)
    return replace(source, frames=store.frames, frames_key=store.key, light=light)


def meter_of(recording: Recording) -> LightMeter | None:
    """What measures the light at a recording's keypoints; None without pose."""
    if not recording.has_pose:
        return None
    return LightMeter(recording.bridged_xy_px, recording.body_length_px)
