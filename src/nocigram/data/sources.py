"""What windows are cut from: a recording with its view and, where needed, its decoded frames or cached features."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float16, Float32, UInt8

from nocigram.core.errors import InputError
from nocigram.core.files import real_path
from nocigram.core.literals import Crop
from nocigram.core.needs import EVERYTHING, Needs
from nocigram.data.array_cache import ArrayCache, cache_key, content_hash
from nocigram.data.frame_cache import cache_size_bytes, cached_frames, cached_light, is_cached, is_light_cached
from nocigram.data.kinematics import cached_kinematics
from nocigram.data.locate import LOCATE_VERSION, located_view
from nocigram.data.progress import progress_bar
from nocigram.data.records import Recording
from nocigram.data.view import View, full_view, mouse_view
from nocigram.pose.light import N_MEASURED, LightMeter, normalised_light, paw_grey
from nocigram.video.decode import DECODER_VERSION


@dataclass(frozen=True, kw_only=True)
class Source:
    """A recording, ready to be cut into windows."""

    recording: Recording
    view: View
    frames: UInt8[np.ndarray, "N C S S"] | None = None
    """Memory map; None where pixels aren't needed."""
    frames_key: str | None = None
    """Name of the frames in the cache: equal keys mean equal pixels."""
    light: Float32[np.ndarray, "N K L"] | None = None
    """Normalised light at the keypoints; None where it isn't needed or can't be measured."""
    paw_grey: float | None = None
    """Median grey level at the paws, before light was made relative to it; None where there is no light."""
    kinematics: tuple[Float16[np.ndarray, "N F"], ...] = ()
    """Posture and motion over several spans of time, of the animal and of its mirror image; empty if not needed."""
    features: tuple[Float16[np.ndarray, "N D"], ...] = ()
    """Backbone features: of the frames, then (where they were made) of the mirrored frames."""

    @property
    def n_frames(self) -> int:
        """Frames that were decoded, or, where nothing was, frames of the recording by its files."""
        decoded = self.light if self.frames is None else self.frames
        return self.recording.n_frames if decoded is None else len(decoded)

    def with_features(self, features: tuple[Float16[np.ndarray, "N D"], ...]) -> "Source":
        """The same recording with backbone features in place of its pixels."""
        return replace(self, features=features)


def default_cache_dir(videos: Path) -> Path:
    """`.nocigram` beside the videos' folder."""
    return real_path(videos).parent / ".nocigram"


def view_of(recording: Recording, *, crop: Crop, cache_dir: Path | None = None) -> View:
    """The square of each frame that the backbone sees.

    With `--crop mouse` it follows the keypoints, or, where there are none, the animal that the picture shows.

    Args:
        recording: with a video or with keypoints.
        crop: what to see.
        cache_dir: where squares that were found in the picture are kept; None: they are looked for.

    Raises:
        InputError: the video can't be decoded, or there is neither a video nor a frame with two visible keypoints.
    """
    if recording.info is None or (crop == "mouse" and recording.can_be_followed):
        return mouse_view(recording.xy_px, recording.visible, recording.body_length_px, recording=recording.name)
    if crop == "full":
        return full_view(recording.info.width_px, recording.info.height_px)
    return _found_view(recording, cache_dir)


def _found_view(recording: Recording, cache_dir: Path | None) -> View:
    """The square around the animal that the picture shows."""
    info = recording.video
    if cache_dir is None:
        return located_view(info.path, info=info).view
    cache = ArrayCache(cache_dir / "views")
    settings = {"video": content_hash(info.path), "decoder": DECODER_VERSION, "locate": LOCATE_VERSION}
    boxes = cache.get(cache_key(settings))
    if boxes is None:
        found = located_view(info.path, info=info).view
        boxes = cache.put(cache_key(settings), [found.boxes], row_shape=(3,), dtype=found.boxes.dtype)
    return View(np.array(boxes))


def sources_of(
    recordings: Iterable[Recording],
    *,
    needs: Needs = EVERYTHING,
    crop: Crop,
    img_size: int,
    cache_dir: Path,
    say: Callable[[str], None] = print,
) -> dict[str, Source]:
    """Recordings with what a model needs of them; decoded into the cache where it isn't there yet, with a bar.

    Raises:
        InputError: a video can't be decoded, or the cache folder can't be written.
    """
    try:
        sources = {r.name: Source(recording=r, view=view_of(r, crop=crop, cache_dir=cache_dir)) for r in recordings}
        if needs.kinematics:
            sources = {name: _with_kinematics(source, cache_dir) for name, source in sources.items()}
        if not (needs.pixels or needs.light):
            return sources
        decoder = _Decoder(needs=needs, img_size=img_size, cache_dir=cache_dir)
        todo = [source for source in sources.values() if not decoder.is_done(source)]
        n_frames = sum(source.recording.n_frames for source in todo)
        if todo:
            n_bytes = sum(map(decoder.size_bytes, todo))
            say(f"[info] Decoding {len(todo)} videos into {cache_dir}: {n_frames} frames, {n_bytes / 1e6:.0f} MB")
        with progress_bar("Decoding", total=n_frames, unit="frames") as advance:
            return {name: decoder.decoded(source, on_frames=advance) for name, source in sources.items()}
    except OSError as error:
        raise InputError(
            f"{cache_dir}: expected a folder with room for decoded frames, got '{error.strerror or error}'. "
            "Free some space or choose another place with --cache_dir."
        ) from error


def _with_kinematics(source: Source, cache_dir: Path) -> Source:
    """A source with the kinematics of the animal and of its mirror image."""
    kinematics = tuple(
        cached_kinematics(source.recording, cache_dir=cache_dir, is_mirrored=is_mirrored)
        for is_mirrored in (False, True)
    )
    return replace(source, kinematics=kinematics)


@dataclass(frozen=True, kw_only=True)
class _Decoder:
    """Brings what is needed of videos into the cache, and from there into sources."""

    needs: Needs
    img_size: int
    cache_dir: Path

    def is_done(self, source: Source) -> bool:
        """Nothing of this recording has to be decoded."""
        recording, meter = source.recording, self._meter(source.recording)
        if recording.info is None or not (self.needs.pixels or meter):
            return True
        if self.needs.pixels:
            return is_cached(
                recording.info.path, meter=meter, view=source.view, img_size=self.img_size, **self._how(recording)
            )
        return meter is None or is_light_cached(recording.info.path, meter=meter, **self._how(recording))

    def size_bytes(self, source: Source) -> int:
        """About so much is going to be written."""
        recording = source.recording
        if not self.needs.pixels:
            return 4 * N_MEASURED * recording.skeleton.n_keypoints * recording.n_frames
        return cache_size_bytes(recording.n_frames, img_size=self.img_size, grey=recording.video.is_grey)

    def decoded(self, source: Source, *, on_frames: Callable[[int], None]) -> Source:
        """The source with its frames and its light, as far as they are needed."""
        recording, meter = source.recording, self._meter(source.recording)
        light: np.ndarray | None = None
        if self.needs.pixels:
            store = cached_frames(
                recording.video.path,
                view=source.view,
                img_size=self.img_size,
                meter=meter,
                on_frames=on_frames,
                **self._how(recording),
            )
            source = replace(source, frames=store.frames, frames_key=store.key)
            light = store.light
        elif meter is not None:
            light = cached_light(recording.video.path, meter=meter, on_frames=on_frames, **self._how(recording))
        if light is None:
            return source
        paws = recording.skeleton.paws
        return replace(source, light=normalised_light(light, paws=paws), paw_grey=paw_grey(light, paws=paws))

    def _meter(self, recording: Recording) -> LightMeter | None:
        """What measures the light; None where it isn't needed."""
        return meter_of(recording) if self.needs.light else None

    def _how(self, recording: Recording) -> dict[str, Any]:
        """Arguments of the cache."""
        return {"cache_dir": self.cache_dir, "info": recording.info}


def meter_of(recording: Recording) -> LightMeter | None:
    """What measures the light at a recording's keypoints; None without a video, pose or paws."""
    if recording.info is None or not recording.has_pose or not recording.skeleton.paws:
        return None
    return LightMeter(recording.bridged_xy_px, recording.body_length_px)
