"""The loss of a batch: actions, keypoints, smoothness. Padding and unscored frames count nowhere.

B batch, T frames, C actions, K keypoints.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from nocigram.core.actions import UNSCORED
from nocigram.data.batches import Batch
from nocigram.models.output import ModelOutput

_SMOOTHNESS_CLIP = 4.0
"""Largest change of a log-probability that is smoothed; larger ones are edges of bouts (Farha & Gall 2019)."""
_KEYPOINT_BETA = 0.02
"""Distance, as a part of the view's side, below which the keypoint loss is quadratic."""


@dataclass(frozen=True, kw_only=True)
class MultitaskLoss:
    """Weighted sum of the terms."""

    class_weights: Float[Tensor, " C"]
    focal_gamma: float
    label_smoothing: float
    lambda_kp: float
    lambda_smooth: float

    def __call__(self, output: ModelOutput, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Terms by name, and their weighted sum as `loss`."""
        learning = [logits.float() for logits in output.trained_logits or (output.action_logits,)]
        scored = batch.valid & (batch.actions != UNSCORED) & (batch.action_mask[:, None] > 0)
        terms = {
            "action": _mean(self._action_loss(logits, batch.actions, scored) for logits in learning),
            "smooth": _mean(smoothness_loss(logits, scored) for logits in learning),
        }
        total = terms["action"] + self.lambda_smooth * terms["smooth"]
        if output.keypoints is not None:
            seen = batch.visible & (batch.valid & batch.has_pixels[:, None])[..., None]
            terms["kp"] = keypoint_loss(output.keypoints.float(), batch.xy_in_view(), seen)
            total = total + self.lambda_kp * terms["kp"]
        return {"loss": total, **terms}

    def _action_loss(
        self, logits: Float[Tensor, "B T C"], actions: Int[Tensor, "B T"], scored: Bool[Tensor, "B T"]
    ) -> Float[Tensor, ""]:
        """Focal loss of one stage."""
        return focal_loss(
            logits,
            actions,
            scored,
            class_weights=self.class_weights.to(logits.device),
            gamma=self.focal_gamma,
            label_smoothing=self.label_smoothing,
        )


def _mean(losses: Iterable[Float[Tensor, ""]]) -> Float[Tensor, ""]:
    """Mean over stages, so that --lambda_kp weighs the same whatever their number (Farha & Gall 2019 take the sum)."""
    return torch.stack(list(losses)).mean()


def focal_loss(
    logits: Float[Tensor, "B T C"],
    actions: Int[Tensor, "B T"],
    scored: Bool[Tensor, "B T"],
    *,
    class_weights: Float[Tensor, " C"],
    gamma: float,
    label_smoothing: float,
) -> Float[Tensor, ""]:
    """Focal loss (Lin et al. 2017) with label smoothing, a weighted mean over scored frames; 0 where there is none.

    The factor (1 - p)^gamma is of the labelled action. With gamma 0 it is weighted cross-entropy.
    """
    log_p = logits.log_softmax(dim=-1)
    target = actions.clamp(min=0)
    log_p_target = log_p.gather(-1, target[..., None]).squeeze(-1)
    cross_entropy = -((1 - label_smoothing) * log_p_target + label_smoothing * log_p.mean(dim=-1))
    focus = (1 - log_p_target.exp()).clamp(min=1e-6) ** gamma
    weights = class_weights[target] * scored
    return (weights * focus * cross_entropy).sum() / weights.sum().clamp(min=1e-6)


def keypoint_loss(
    predicted: Float[Tensor, "B T K 2"], tracked: Float[Tensor, "B T K 2"], seen: Bool[Tensor, "B T K"]
) -> Float[Tensor, ""]:
    """Smooth L1 over visible keypoints, in parts of the view's side; 0 where none is visible."""
    errors = functional.smooth_l1_loss(
        predicted, torch.where(seen[..., None], tracked, predicted.detach()), beta=_KEYPOINT_BETA, reduction="none"
    )
    return errors.sum() / (2 * seen.sum()).clamp(min=1)


def smoothness_loss(logits: Float[Tensor, "B T C"], scored: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Truncated mean squared change of log-probabilities from frame to frame (Farha & Gall 2019, eq. 7 to 9)."""
    log_p = logits.log_softmax(dim=-1)
    change = (log_p[:, 1:] - log_p[:, :-1].detach()).abs().clamp(max=_SMOOTHNESS_CLIP)
    pairs = (scored[:, 1:] & scored[:, :-1])[..., None]
    return (change.square() * pairs).sum() / (pairs.sum() * logits.shape[-1]).clamp(min=1)
