"""A trained model, ready to name the action of every frame of a recording.

T frames, C actions, D width of a feature vector, S side of a rendered frame.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int
from torch import Tensor, nn

from nocigram.core.errors import InputError
from nocigram.core.literals import Accelerator, Crop, Precision
from nocigram.core.ranges import FrameRange
from nocigram.data.discover import PoseOptions, read_recording
from nocigram.data.locate import located_view
from nocigram.data.records import Recording
from nocigram.data.sources import meter_of, view_of
from nocigram.data.view import View, from_view, full_view, render_many
from nocigram.data.windows import Rows, stitch, stream_windows
from nocigram.models.approaches import MultitaskModel
from nocigram.models.backbones import Backbone
from nocigram.models.checkpoint import Checkpoint, load_checkpoint, restore_model
from nocigram.models.output import ModelOutput
from nocigram.models.precision import autocast, device_of
from nocigram.pose.light import normalised_light
from nocigram.video.decode import Frame, decode

_N_FRAMES_AT_ONCE = 64
"""Frames that are rendered, and run through a per-frame backbone, together."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of consecutive frames."""

    actions: Int[np.ndarray, " T"]
    """Position of the likeliest action in `classes`."""
    probabilities: Float[np.ndarray, "T C"]
    classes: tuple[str, ...]
    times_s: Float64[np.ndarray, " T"]
    """Seconds since the first frame, by the video's time stamps."""
    keypoints: Float[np.ndarray, "T 6 2"] | None
    """Predicted keypoints in pixels of the video; None without a keypoint head."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One frame as far as it has come: its time, and its features, its pixels, or neither."""

    time_s: float
    values: Tensor | None


class Predictor:
    """A checkpoint's model with everything that it needs to know about its input."""

    def __init__(self, checkpoint: Checkpoint, *, accelerator: Accelerator = "auto") -> None:
        self.checkpoint = checkpoint
        self.device = device_of(accelerator)
        self.model: nn.Module = restore_model(checkpoint).to(self.device)

    @classmethod
    def load(cls, path: Path | str, *, accelerator: Accelerator = "auto") -> "Predictor":
        """Load a checkpoint file.

        Raises:
            InputError: it is no checkpoint, is damaged or comes from a newer version.
        """
        return cls(load_checkpoint(Path(path)), accelerator=accelerator)

    @property
    def classes(self) -> tuple[str, ...]:
        """Actions, in the order of probabilities."""
        return tuple(self.checkpoint.classes)

    @property
    def crop(self) -> Crop:
        """What the model was trained to see of a frame."""
        crop: Crop = self.checkpoint.args["crop"]
        return crop

    @property
    def window_T(self) -> int:
        """Frames that the model is shown at once."""
        return int(self.checkpoint.args["val_T"])

    @property
    def img_size(self) -> int:
        """Side of the square that the backbone sees."""
        return int(self.checkpoint.args["img_size"])

    @property
    def precision(self) -> Precision:
        """As in training."""
        precision: Precision = self.checkpoint.args["precision"]
        return precision

    @property
    def heads_precision(self) -> Precision:
        """Of everything after the backbone: heads that were trained from cached features were trained in 32 bits."""
        return "32" if self.checkpoint.extra.get("is_backbone_frozen") else self.precision

    @cached_property
    def backbone(self) -> Backbone | None:
        """The model's backbone; None for a model that reads no pixels."""
        backbone = getattr(self.model, "backbone", None)
        return backbone if isinstance(backbone, Backbone) else None

    @property
    def needs_pose(self) -> bool:
        """The model reads nothing but pose."""
        return self.backbone is None

    def run(self, inputs: dict[str, Tensor]) -> ModelOutput:
        """One pass through the model, each part in the precision that it was trained in.

        Args:
            inputs: arguments of the model, on any device.
        """
        given = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        with torch.inference_mode():
            if "frames" in given and self.backbone is not None and self.heads_precision != self.precision:
                n_frames = given["valid"].sum(dim=1) if "valid" in given else None
                with autocast(self.device, self.precision):
                    given["features"] = self.backbone(given.pop("frames"), n_frames=n_frames).float()
            with autocast(self.device, self.heads_precision):
                output: ModelOutput = self.model(**given)
        return output

    def predict(
        self,
        video: Path | str,
        pose: Path | str | None = None,
        *,
        individual: str | None = None,
        warn: Callable[[str], None] = print,
    ) -> Prediction:
        """Name the action of every frame of a video.

        Args:
            video: a video file of any length.
            pose: its DeepLabCut file (default: the one beside it, if there is one).
            individual: which animal of a multi-animal pose file.
            warn: told what to know about the recording, such as that it has no pose.

        Raises:
            InputError: the video or its pose can't be used, or the model needs a pose and there is none.
        """
        recording = self.read(Path(video), pose=pose, individual=individual, warn=warn)
        parts = list(self.stream(recording, warn=warn))
        keypoints = [part.keypoints for part in parts if part.keypoints is not None]
        return Prediction(
            actions=np.concatenate([part.actions for part in parts]),
            probabilities=np.concatenate([part.probabilities for part in parts]),
            classes=self.classes,
            times_s=np.concatenate([part.times_s for part in parts]),
            keypoints=np.concatenate(keypoints) if keypoints else None,
        )

    def read(
        self,
        video: Path,
        *,
        pose: Path | str | None = None,
        folder: Path | None = None,
        individual: str | None = None,
        other_videos: tuple[Path, ...] = (),
        warn: Callable[[str], None] = print,
    ) -> Recording:
        """A recording with its pose, read as in training."""
        options = PoseOptions(
            kp_names=tuple(self.checkpoint.kp_names),
            likelihood_thr=float(self.checkpoint.args["kp_likelihood_thr"]),
            individual=individual,
            folder=folder,
            pose_file=None if pose is None else Path(pose),
            other_videos=other_videos,
        )
        return read_recording(video, options=options, warn=warn)

    @property
    def reads_light(self) -> bool:
        """The model is given the light at the paws."""
        return isinstance(self.model, MultitaskModel) and self.model.reads_light

    def stream(self, recording: Recording, *, warn: Callable[[str], None] = print) -> Iterator[Prediction]:
        """Predictions of consecutive frames, in the memory of about two windows, whatever the video's length.

        For a model that reads light the video is decoded twice: light is relative to the whole recording's.

        Raises:
            InputError: the model needs a pose and there is none, or the video can't be decoded.
        """
        view = self._view(recording, warn)
        light = self._light(recording)
        times_s: list[float] = []
        windows = stream_windows(self._frames(recording, view, times_s), window_T=self.window_T)
        n_done = 0
        for rows in stitch((window, self._answer(recording, light, window, items)) for window, items in windows):
            n_frames = len(rows["probabilities"])
            span = FrameRange(n_done, n_done + n_frames)
            yield self._prediction(rows, view, span, np.array(times_s[:n_frames]))
            del times_s[:n_frames]
            n_done = span.stop

    def _view(self, recording: Recording, warn: Callable[[str], None]) -> View:
        """What the backbone sees of each frame; without a pose, a square around the animal that the picture shows."""
        if recording.can_be_followed:
            return view_of(recording, crop=self.crop)
        if self.needs_pose:
            raise InputError(
                f"{recording.name}: expected a pose file, since this model reads nothing else, got none. "
                "Put the DeepLabCut file beside the video or give --poses."
            )
        if self.crop == "mouse":
            located = located_view(recording.video, info=recording.info)
            warn(f"[warn] {recording.name}: no pose; {located.sentence}")
            return located.view
        warn(f"[warn] {recording.name}: no pose; predicted from pixels alone, which this model does less well")
        return full_view(recording.info.width_px, recording.info.height_px)

    def _frames(self, recording: Recording, view: View, times_s: list[float]) -> Iterator[_Seen]:
        """Every frame of the video, with its features where the backbone takes frames one by one."""
        frames = decode(recording.video, grey=recording.info.is_grey)
        while group := list(islice(frames, _N_FRAMES_AT_ONCE)):
            times_s += [frame.time_s for frame in group]
            values = [None] * len(group) if self.backbone is None else self._values(group, view)
            yield from (_Seen(time_s=frame.time_s, values=row) for frame, row in zip(group, values, strict=True))

    def _values(self, group: list[Frame], view: View) -> list[Tensor]:
        """Features of each frame, or its rendered pixels where features need the frames around it."""
        boxes = view.boxes_of(group[0].index, group[-1].index + 1)
        pixels = torch.from_numpy(render_many([frame.pixels for frame in group], boxes, self.img_size))
        if self.backbone is None or not self.backbone.per_frame:
            return list(pixels)
        with torch.inference_mode(), autocast(self.device, self.precision):
            return list(self.backbone(pixels[None].to(self.device))[0].float())

    def _light(self, recording: Recording) -> Float32[np.ndarray, "N 6 L"] | None:
        """Light at the keypoints of every frame, as in training; None where it can't be measured or isn't read."""
        meter = meter_of(recording) if self.reads_light else None
        if meter is None:
            return None
        frames = decode(recording.video, grey=recording.info.is_grey)
        return normalised_light(np.stack([meter.measure(frame.pixels, frame.index) for frame in frames]))

    def _answer(
        self,
        recording: Recording,
        light: Float32[np.ndarray, "N 6 L"] | None,
        window: FrameRange,
        items: list[_Seen],
    ) -> Rows:
        """The model's answer to one window."""
        xy_px, visible = recording.pose_of(window)
        inputs = {
            "xy_px": torch.from_numpy(xy_px)[None],
            "visible": torch.from_numpy(visible)[None],
            "body_length_px": torch.tensor([recording.body_length_px], dtype=torch.float32),
        }
        if light is not None:
            inputs["light"] = torch.from_numpy(light[window.start : window.stop])[None]
        values = [item.values for item in items if item.values is not None]
        if self.backbone is not None:
            inputs["features" if self.backbone.per_frame else "frames"] = torch.stack(values)[None]
        output = self.run(inputs)
        rows = {"probabilities": output.action_logits[0].float().softmax(dim=-1).cpu().double().numpy()}
        if output.keypoints is not None:
            rows["keypoints"] = output.keypoints[0].float().cpu().double().numpy()
        return rows

    def _prediction(self, rows: Rows, view: View, span: FrameRange, times_s: Float64[np.ndarray, " T"]) -> Prediction:
        """Stitched rows as a prediction."""
        keypoints = rows.get("keypoints")
        return Prediction(
            actions=rows["probabilities"].argmax(axis=1),
            probabilities=rows["probabilities"],
            classes=self.classes,
            times_s=times_s,
            keypoints=None if keypoints is None else from_view(keypoints, view.boxes_of(span.start, span.stop)),
        )
