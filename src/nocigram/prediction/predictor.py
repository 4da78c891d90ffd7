"""A trained model, ready to name the action of every frame of a recording.

T frames, C actions, D width of a feature vector, S side of a rendered frame.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from nocigram.config.model import needs_of
from nocigram.core.errors import InputError, MissingExtraError, raise_faults
from nocigram.core.literals import Accelerator, Crop, Precision
from nocigram.core.needs import Needs
from nocigram.core.ranges import FrameRange
from nocigram.data.appearance import Appearance, PictureMeter, appearance_of
from nocigram.data.reading import PoseOptions, read_pose_alone, read_recording
from nocigram.data.records import Recording
from nocigram.data.times import times_s_of
from nocigram.data.view import View, from_view, render_many
from nocigram.data.windows import Rows, stitch, stream_windows
from nocigram.models.approaches import ActionModel
from nocigram.models.backbones import Backbone
from nocigram.models.checkpoint import Checkpoint, load_checkpoint, restore_model
from nocigram.models.decoder import BoutDecoder
from nocigram.models.output import ModelOutput
from nocigram.models.precision import autocast, device_of
from nocigram.models.temperature import scaled
from nocigram.pose.files import recording_name
from nocigram.pose.readers import POSE_SUFFIXES
from nocigram.pose.skeleton import Skeleton
from nocigram.prediction._faults import faults_of
from nocigram.prediction._frames import light_of, pose_inputs_of, view_for
from nocigram.prediction.answer import Prediction
from nocigram.video.decode import Frame, decode

_N_FRAMES_AT_ONCE = 64
"""Frames that are rendered, and run through a per-frame backbone, together."""


class Predictor:
    """A checkpoint's model with everything that it needs to know about its input."""

    def __init__(self, checkpoint: Checkpoint, *, accelerator: Accelerator = "auto") -> None:
        self.checkpoint = checkpoint
        self.device = device_of(accelerator)
        self.model: ActionModel = restore_model(checkpoint).to(self.device)

    @classmethod
    def load(cls, path: Path | str, *, accelerator: Accelerator = "auto") -> "Predictor":
        """Load a checkpoint file.

        Raises:
            InputError: it is no checkpoint, is damaged, comes from a newer version, or its parts contradict each other.
        """
        checkpoint = load_checkpoint(Path(path))
        device_of(accelerator)  # where it is wrong, the file is not
        try:
            predictor = cls(checkpoint, accelerator=accelerator)
            raise_faults(faults_of(predictor))
        except MissingExtraError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
            reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__} {error}".splitlines()[0]
            raise InputError(
                f"{path}: expected a checkpoint that can be used, got one with this fault: {reason.rstrip('.')}. "
                "Train it again, or ask its author for the file as it was."
            ) from error
        return predictor

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

    @cached_property
    def needs(self) -> Needs:
        """What the model has to be given."""
        model = self.checkpoint.model
        return needs_of(self.checkpoint.approach, streams=model["streams"], features=model["features"])

    @cached_property
    def skeleton(self) -> Skeleton:
        """The body whose keypoints the model knows."""
        return Skeleton.from_plain(self.checkpoint.model["skeleton"])

    @cached_property
    def decoder(self) -> BoutDecoder:
        """How probabilities become actions."""
        return BoutDecoder.from_plain(self.checkpoint.extra["decoder"])

    @property
    def temperature(self) -> float:
        """What makes the probabilities as sure as they are right; 1 leaves them as the model gives them."""
        return float(self.checkpoint.extra.get("temperature", 1.0))

    @property
    def n_parameters(self) -> int:
        """Numbers that were learnt; for trees, their leaves and questions."""
        return self.model.n_parameters

    @property
    def fps(self) -> float:
        """Frame rate of the recordings that the model was trained on."""
        return float(self.checkpoint.extra["fps"])

    @property
    def likelihood_thr(self) -> float:
        """From which likelihood on a keypoint is visible, as in training."""
        return float(self.checkpoint.args["kp_likelihood_thr"])

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
        """What features are computed with before the model; None where it has no such part."""
        return self.model.backbone

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
        fps: float | None = None,
        warn: Callable[[str], None] = print,
    ) -> Prediction:
        """Name the action of every frame of a video.

        Args:
            video: a video file of any length; for a model that needs no video also a pose file.
            pose: its DeepLabCut file (default: the one beside it, if there is one).
            individual: which animal of a multi-animal pose file.
            fps: frame rate of a pose file alone (default: that of training).
            warn: told what to know about the recording, such as that it has no pose.

        Raises:
            InputError: the video or its pose can't be used, or the model needs a pose and there is none.
        """
        recording = self.read(Path(video), pose=pose, individual=individual, fps=fps, warn=warn)
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
        place: Path,
        *,
        pose: Path | str | None = None,
        folder: Path | None = None,
        individual: str | None = None,
        others: tuple[str, ...] = (),
        fps: float | None = None,
        warn: Callable[[str], None] = print,
    ) -> Recording:
        """A recording with its pose, read as in training.

        Args:
            place: a video, or a pose file alone.
            pose: the video's pose file, where it is known.
            folder: where to look for it (default: beside the video).
            individual: which animal of a multi-animal pose file.
            others: further recordings of the run.
            fps: frame rate of a pose file alone.
            warn: told what to know about the recording.

        Raises:
            InputError: a file can't be used, or a pose file is given to a model that needs pixels.
        """
        is_pose = place.suffix.lower() in POSE_SUFFIXES
        if is_pose and self.needs.video:
            raise InputError(
                f"{place.name}: expected a video, since this model ({self.checkpoint.approach}) reads pixels, got a "
                "pose file. Name the video; its pose file is found beside it."
            )
        named = place if is_pose else pose
        options = PoseOptions(
            skeleton=self.skeleton,
            likelihood_thr=self.likelihood_thr,
            individual=individual,
            folder=folder,
            pose_file=None if named is None else Path(named),
            others=others,
            fps=self.fps if fps is None else fps,
        )
        if is_pose:
            return read_pose_alone(recording_name(place) or place.stem, place.parent, options=options, warn=warn)
        return read_recording(place, options=options, needs=self.needs, warn=warn)

    def stream(
        self,
        recording: Recording,
        *,
        warn: Callable[[str], None] = print,
        on_look: Callable[[Appearance], None] | None = None,
    ) -> Iterator[Prediction]:
        """Predictions of consecutive frames, in the memory of about two windows, whatever the video's length.

        A decoder of bouts has to know all probabilities first; then they come all at once.
        For a model that reads pixels and light the video is decoded twice: light is relative to the whole recording's.

        Args:
            warn: told what to know about the recording.
            on_look: told, once all frames have passed by, what the recording looks like.

        Raises:
            InputError: the model needs a pose and there is none, or the video can't be decoded.
        """
        view = view_for(recording, needs=self.needs, crop=self.crop, approach=self.checkpoint.approach, warn=warn)
        light, paw_grey = light_of(recording) if self.needs.light else (None, None)
        times_s: list[float] = []
        picture = PictureMeter(recording.n_frames) if self.needs.pixels and on_look is not None else None
        windows = stream_windows(self._frames(recording, view, times_s, picture), window_T=self.window_T)
        n_done = 0
        answers = stitch(
            (window, self._answer(pose_inputs_of(recording, window, needs=self.needs, light=light), frames))
            for window, frames in windows
        )
        for rows in self._decoded(answers):
            n_frames = len(rows["probabilities"])
            span = FrameRange(n_done, n_done + n_frames)
            yield self._prediction(rows, view, span, np.array(times_s[:n_frames]))
            del times_s[:n_frames]
            n_done = span.stop
        if on_look is not None:
            seen = appearance_of(
                recording,
                needs=self.needs,
                likelihood_thr=self.likelihood_thr,
                view=view,
                img_size=self.img_size,
                picture=picture,
                paw_grey=paw_grey,
            )
            on_look(seen)

    def _decoded(self, answers: Iterator[Rows]) -> Iterator[Rows]:
        """Rows with the action of each frame."""
        if self.decoder.kind == "none":
            for rows in answers:
                yield {**rows, "actions": rows["probabilities"].argmax(axis=1)}
            return
        parts = list(answers)
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        yield {**whole, "actions": self.decoder.decode(whole["probabilities"])}

    def _frames(
        self, recording: Recording, view: View, times_s: list[float], picture: PictureMeter | None
    ) -> Iterator[Tensor | None]:
        """Features of every frame where the backbone takes frames one by one, else its rendered pixels.

        Where no pixels are read nothing is decoded, and each frame is None. The frames' times are put into `times_s`,
        and `picture` sees what is rendered.
        """
        if not self.needs.pixels:
            for time_s in times_s_of(recording):
                times_s.append(time_s)
                yield None
            return
        frames = decode(recording.video.path, grey=recording.video.is_grey)
        while group := list(islice(frames, _N_FRAMES_AT_ONCE)):
            times_s += [frame.time_s for frame in group]
            yield from self._values(group, view, picture)

    def _values(self, group: list[Frame], view: View, picture: PictureMeter | None) -> list[Tensor]:
        """Features of each frame, or its rendered pixels where features need the frames around it."""
        boxes = view.boxes_of(group[0].index, group[-1].index + 1)
        rendered = render_many([frame.pixels for frame in group], boxes, self.img_size)
        if picture is not None:
            picture.see(group[0].index, rendered)
        pixels = torch.from_numpy(rendered)
        if self.backbone is None or not self.backbone.per_frame:
            return list(pixels)
        with torch.inference_mode(), autocast(self.device, self.precision):
            return list(self.backbone(pixels[None].to(self.device))[0].float())

    def _answer(self, inputs: dict[str, Tensor], frames: list[Tensor | None]) -> Rows:
        """The model's answer to one window, given what it reads of the pose and what it sees of each frame."""
        if values := [frame for frame in frames if frame is not None]:
            has_features = self.backbone is not None and self.backbone.per_frame
            inputs["features" if has_features else "frames"] = torch.stack(values)[None]
        output = self.run(inputs)
        rows = {"probabilities": output.action_logits[0].float().softmax(dim=-1).cpu().double().numpy()}
        if output.keypoints is not None:
            rows["keypoints"] = output.keypoints[0].float().cpu().double().numpy()
        return rows

    def _prediction(self, rows: Rows, view: View, span: FrameRange, times_s: Float64[np.ndarray, " T"]) -> Prediction:
        """Stitched rows as a prediction."""
        keypoints = rows.get("keypoints")
        return Prediction(
            actions=rows["actions"],
            probabilities=scaled(rows["probabilities"], self.temperature),
            classes=self.classes,
            times_s=times_s,
            keypoints=None if keypoints is None else from_view(keypoints, view.boxes_of(span.start, span.stop)),
        )
