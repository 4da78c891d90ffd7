"""What prediction knows of a recording's frames before the model sees them.

N frames of a recording, K keypoints, L light numbers.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from nocigram.core.errors import InputError
from nocigram.core.literals import Approach, Crop
from nocigram.core.needs import Needs
from nocigram.core.ranges import FrameRange
from nocigram.data.kinematics import kinematics_of
from nocigram.data.locate import located_view
from nocigram.data.records import Recording
from nocigram.data.sources import meter_of, view_of
from nocigram.data.view import View
from nocigram.pose.light import normalised_light, paw_grey
from nocigram.video.decode import decode


def light_of(recording: Recording) -> tuple[Float32[np.ndarray, "N K L"] | None, float | None]:
    """Light at the keypoints of every frame, as in training, and the median grey level at the paws.

    None where it can't be measured.
    """
    meter = meter_of(recording)
    if meter is None:
        return None, None
    frames = decode(recording.video.path, grey=recording.video.is_grey)
    measured = np.stack([meter.measure(frame.pixels, frame.index) for frame in frames])
    paws = recording.skeleton.paws
    return normalised_light(measured, paws=paws), paw_grey(measured, paws=paws)


def view_for(
    recording: Recording, *, needs: Needs, crop: Crop, approach: Approach, warn: Callable[[str], None]
) -> View:
    """What the backbone sees of each frame; without a pose, a square around the animal that the picture shows.

    Raises:
        InputError: the model needs a pose and there is none.
    """
    if needs.only_with_pose and not recording.can_be_followed:
        raise InputError(
            f"{recording.name}: expected a pose file with visible keypoints, since this model ({approach}) needs them, "
            "got none. Put it beside the video or give --poses."
        )
    if recording.can_be_followed or not needs.pose:
        return view_of(recording, crop=crop)
    if crop == "mouse":
        located = located_view(recording.video.path, info=recording.video)
        warn(f"[warn] {recording.name}: no pose; {located.sentence}")
        return located.view
    warn(f"[warn] {recording.name}: no pose; predicted from pixels alone, which this model does less well")
    return view_of(recording, crop=crop)


def pose_inputs_of(
    recording: Recording, window: FrameRange, *, needs: Needs, light: Float32[np.ndarray, "N K L"] | None
) -> dict[str, Tensor]:
    """Arguments of a model about the pose in a window, as a batch of one.

    Args:
        recording: with pose where the model needs it.
        window: frames of the recording.
        needs: of the model.
        light: at the keypoints of all frames of the recording; None where the model reads none, or there is none.
    """
    inputs = {}
    if needs.pose:
        xy_px, visible = recording.pose_of(window)
        inputs = {
            "xy_px": torch.from_numpy(xy_px)[None],
            "visible": torch.from_numpy(visible)[None],
            "body_length_px": torch.tensor([recording.body_length_px], dtype=torch.float32),
        }
    if needs.kinematics:
        inputs["kinematics"] = torch.from_numpy(kinematics_of(recording, window))[None].float()
    if light is not None:
        inputs["light"] = torch.from_numpy(light[window.start : window.stop])[None]
    return inputs
