"""Error of predicted keypoints.

T frames, K keypoints, N visible keypoints of scored frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nocigram.evaluation.trial_prediction import TrialPrediction


@dataclass(frozen=True, kw_only=True)
class KeypointErrors:
    """Mean absolute error of x and y over the visible keypoints of scored frames."""

    mae_px: float
    """In pixels of the video."""
    mae_norm: float
    """Relative to the side of the square that the backbone saw (1 = the whole side)."""


def keypoint_errors(trials: Sequence[TrialPrediction]) -> KeypointErrors | None:
    """Error over all trials together, every visible keypoint counting alike.

    Trials without keypoints are left out. None when no trial has a visible keypoint in a scored frame,
    as with models without a keypoint head.
    """
    errors_px, errors_norm = [], []
    for trial in trials:
        if trial.xy_true_px is None or trial.xy_pred_px is None or trial.visible is None or trial.view_side_px is None:
            continue
        counts = trial.visible & trial.scored[:, None]
        frame, _ = np.nonzero(counts)
        side_px = np.broadcast_to(trial.view_side_px, len(trial.labels))[frame]
        error_px = np.abs(trial.xy_pred_px[counts].astype(np.float64) - trial.xy_true_px[counts]).mean(axis=-1)
        errors_px.append(error_px)
        errors_norm.append(error_px / side_px)
    if not sum(map(len, errors_px)):
        return None
    return KeypointErrors(
        mae_px=float(np.concatenate(errors_px).mean()), mae_norm=float(np.concatenate(errors_norm).mean())
    )
