"""What a model said about one labelled trial, beside the labels.

T frames, C actions, K keypoints.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from nocigram.core.actions import UNSCORED
from nocigram.core.bouts import near_edges
from nocigram.core.errors import Fault, raise_faults


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialPrediction:
    """Labels and predictions of one trial, frame by frame, padding cut off.

    Raises:
        InputError: the arrays don't fit each other, a label is no action, or a probability is none.
    """

    recording: str
    """Name of the video file without its suffix."""
    trial: int
    """Number of the trial within its recording."""
    animal: str
    """Who is recorded; the recording's name where nobody said."""
    labels: Int[np.ndarray, " T"]
    """Merged actions; UNSCORED where nobody looked or the action is ignored."""
    probabilities: Float[np.ndarray, "T C"]
    """One column per action."""
    decoded: Int[np.ndarray, " T"] | None = None
    """Actions that a decoder of bouts made of the probabilities; None: the likeliest action is the prediction."""
    boundary_tolerance: int = 0
    """Frames on either side of a change from one labelled action to another that count in no score of frames."""
    xy_true_px: Float[np.ndarray, "T K 2"] | None = None
    """Tracked keypoints in video pixels; NaN is allowed where not visible. None without a keypoint head."""
    xy_pred_px: Float[np.ndarray, "T K 2"] | None = None
    """Predicted keypoints in video pixels. None without a keypoint head."""
    visible: Bool[np.ndarray, "T K"] | None = None
    """Which tracked keypoints can be believed. None without a keypoint head."""
    view_side_px: Real[np.ndarray, " T"] | float | int | None = None
    """Side of the square that the backbone saw, per frame or one for all. None without a keypoint head."""

    def __post_init__(self) -> None:
        raise_faults(_action_faults(self) + _keypoint_faults(self))

    @property
    def name(self) -> str:
        """Recording and trial, as messages and figures write them."""
        return f"{self.recording} trial {self.trial}"

    @property
    def scored(self) -> Bool[np.ndarray, " T"]:
        """Frames that count."""
        scored: np.ndarray = self.labels != UNSCORED
        return scored

    @property
    def counted(self) -> Bool[np.ndarray, " T"]:
        """Frames that scores of frames are made of; bouts and the edit score are of all scored frames."""
        return self.scored & ~near_edges(self.labels, self.boundary_tolerance)

    @property
    def predicted(self) -> Int[np.ndarray, " T"]:
        """The predicted action of every frame, scored or not: the decoder's, else the likeliest."""
        likeliest: np.ndarray = self.probabilities.argmax(axis=1)
        return likeliest if self.decoded is None else self.decoded

    def undecoded(self) -> "TrialPrediction":
        """The same with the likeliest action of each frame as the prediction."""
        return replace(self, decoded=None)


def _action_faults(trial: TrialPrediction) -> list[Fault]:
    """What is wrong with the labels and the probabilities."""
    labels, probabilities = trial.labels, trial.probabilities
    if labels.ndim != 1 or probabilities.ndim != 2 or len(labels) != len(probabilities) or not probabilities.shape[1]:
        return [
            Fault(
                where=trial.name,
                expected="labels (T,) and probabilities (T, C)",
                got=f"{labels.shape} and {probabilities.shape}",
                fix="Give one row of probabilities per labelled frame.",
            )
        ]
    n_actions = probabilities.shape[1]
    faults = _decoded_faults(trial, n_actions=n_actions)
    if unknown := sorted({int(label) for label in labels} - set(range(n_actions)) - {UNSCORED}):
        faults.append(
            Fault(
                where=trial.name,
                expected=f"labels from 0 to {n_actions - 1}, or {UNSCORED} for unscored",
                got=str(unknown),
                fix="Merge the labels with the action scheme of the model.",
            )
        )
    if not ((probabilities >= 0) & (probabilities <= 1 + 1e-3)).all():  # NaN fails both
        faults.append(
            Fault(
                where=trial.name,
                expected="probabilities from 0 to 1",
                got=f"{np.min(probabilities):.3g} to {np.max(probabilities):.3g}",
                fix="Give probabilities, not logits.",
            )
        )
    return faults


def _decoded_faults(trial: TrialPrediction, *, n_actions: int) -> list[Fault]:
    """What is wrong with the decoder's actions; nothing where there are none."""
    decoded, n_frames = trial.decoded, len(trial.labels)
    if decoded is None or (decoded.shape == (n_frames,) and np.isin(decoded, np.arange(n_actions)).all()):
        return []
    return [
        Fault(
            where=trial.name,
            expected=f"decoded actions ({n_frames},) from 0 to {n_actions - 1}",
            got=f"{decoded.shape} with {sorted(set(decoded.ravel().tolist()))[:9]}",
            fix="Decode each trial's own probabilities.",
        )
    ]


def _keypoint_faults(trial: TrialPrediction) -> list[Fault]:
    """What is wrong with the keypoints; nothing where there are none."""
    given = {
        name: getattr(trial, name)
        for name in ("xy_true_px", "xy_pred_px", "visible", "view_side_px")
        if getattr(trial, name) is not None
    }
    if not given:
        return []
    if len(given) < 4:
        expected, got = "xy_true_px, xy_pred_px, visible and view_side_px together", " and ".join(given)
        return [Fault(where=trial.name, expected=expected, got=f"only {got}", fix="Give all four, or none.")]
    return _keypoint_value_faults(trial.name, n_frames=len(trial.labels), **given)


def _keypoint_value_faults(
    where: str,
    *,
    n_frames: int,
    xy_true_px: np.ndarray,
    xy_pred_px: np.ndarray,
    visible: np.ndarray,
    view_side_px: np.ndarray | float | int,
) -> list[Fault]:
    """What is wrong within a full set of keypoint arrays."""
    shapes = (xy_true_px.shape, xy_pred_px.shape, visible.shape, np.shape(view_side_px))
    n_keypoints = visible.shape[-1] if visible.ndim else 0
    xy_shape = (n_frames, n_keypoints, 2)
    if shapes[:3] != (xy_shape, xy_shape, xy_shape[:2]) or shapes[3] not in ((), (n_frames,)):
        expected = f"xy_true_px and xy_pred_px ({n_frames}, K, 2), visible ({n_frames}, K), view_side_px ({n_frames},)"
        got = ", ".join(map(str, shapes))
        return [Fault(where=where, expected=expected, got=got, fix="Give one row per labelled frame.")]
    faults = []
    if not np.isfinite(xy_true_px[visible]).all() or not np.isfinite(xy_pred_px[visible]).all():
        faults.append(
            Fault(
                where=where,
                expected="numbers for every visible keypoint",
                got="NaN or infinity",
                fix="Mark such keypoints as not visible.",
            )
        )
    if not (np.asarray(view_side_px) > 0).all():
        faults.append(
            Fault(
                where=where,
                expected="view_side_px above 0",
                got=f"{np.min(view_side_px):.3g}",
                fix="Give the side of the view in video pixels.",
            )
        )
    return faults
