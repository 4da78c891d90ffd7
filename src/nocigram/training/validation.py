"""Validation after every epoch: scores over whole trials, the guide's lines, the best checkpoint."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from nocigram.data.batches import Batch
from nocigram.data.trial_windows import TrialWindows
from nocigram.evaluation import Scores, TrialPrediction, score_trials
from nocigram.training.module import ActionModule


class Validation(Callback):
    """Gathers the answers of an epoch, scores them, prints and logs the scores, and keeps the best model.

    Must stand before a weight-averaging callback in the list: that one swaps the averaged weights out at the end of
    validation, and the best model is written while they are in.
    """

    def __init__(
        self,
        windows: TrialWindows,
        *,
        save_best: Callable[[Trainer, ActionModule, Scores, list[TrialPrediction]], str],
    ) -> None:
        self.windows = windows
        self.save_best = save_best
        self.best_macro_f1 = -1.0
        self._probabilities: dict[int, np.ndarray] = {}
        self._keypoints: dict[int, np.ndarray] = {}
        self._terms: list[dict[str, Tensor]] = []
        self._losses: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run has to know."""
        return {"best_macro_f1": self.best_macro_f1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore `state_dict`."""
        self.best_macro_f1 = state_dict["best_macro_f1"]

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The guide's headline of an epoch."""
        self._terms.clear()
        if trainer.is_global_zero:
            print(f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}\n{'-' * 72}", flush=True)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Keep the terms of the loss, to print their mean before validation."""
        # as tensors: to ask a GPU for a number is to wait until it has computed everything before it
        self._terms.append({name: value.detach() for name, value in outputs.items()})

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The guide's line on the loss of training."""
        self._probabilities, self._keypoints, self._losses = {}, {}, []
        if trainer.is_global_zero and self._terms:
            print(_train_line(self._terms), flush=True)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Gather the answers to a batch of windows."""
        self._losses.append(float(outputs["loss"]))
        for row, index in enumerate(batch.index.tolist()):
            self._probabilities[index] = _array(outputs["probabilities"][row])
            if outputs["keypoints"] is not None:
                self._keypoints[index] = _array(outputs["keypoints"][row])

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Score the epoch; write the model if it is the best so far."""
        predictions = self.windows.predictions(self._probabilities, self._keypoints)
        scores = score_trials(predictions, classes=self.windows.found.scheme.classes)
        for name, value in _logged(scores).items():
            pl_module.log(name, value)
        if not trainer.is_global_zero:
            return
        print(validation_lines(scores, loss=float(np.mean(self._losses))), flush=True)
        if scores.macro_f1 > self.best_macro_f1 and isinstance(pl_module, ActionModule):
            self.best_macro_f1 = scores.macro_f1
            print(
                f"[info] Saved best checkpoint to {self.save_best(trainer, pl_module, scores, predictions)}", flush=True
            )


def validation_lines(scores: Scores, *, loss: float | None = None) -> str:
    """The guide's lines on a validation; trees have no loss to tell."""
    lines = [] if loss is None else [f"Val loss: {loss:.4f}"]
    lines += [
        f"Val macro F1: {scores.macro_f1:.4f}",
        f"Val macro Acc: {scores.macro_accuracy:.4f}",
        f"Val segment F1@0.3: {scores.segment_f1['0.3']:.4f}",
    ]
    if scores.keypoint_mae_norm is not None:
        lines.append(f"Val keypoint MAE (norm): {scores.keypoint_mae_norm:.4f}")
    lines.append("Per-class F1:")
    for name, action in scores.per_action.items():
        lines.append(f"  {name}: {action.f1:.4f}" if action.n_frames else f"  {name}: not in validation")
    return "\n".join(lines)


def _train_line(terms: list[dict[str, Tensor]]) -> str:
    """The guide's line on an epoch's training loss."""
    mean = {name: float(torch.stack([each[name] for each in terms]).mean()) for name in terms[0]}
    parts = ", ".join(f"{name}: {value:.4f}" for name, value in mean.items() if name in ("action", "kp"))
    return f"Train loss: {mean['loss']:.4f} ({parts})"


def _logged(scores: Scores) -> Mapping[str, float]:
    """Scores under the names of the loggers."""
    values: dict[str, float | None] = {
        "val/macro_f1": scores.macro_f1,
        "val/macro_acc": scores.macro_accuracy,
        "val/accuracy": scores.accuracy,
        "val/segment_f1_0.3": scores.segment_f1["0.3"],
        "val/edit": scores.edit,
        "val/keypoint_mae_norm": scores.keypoint_mae_norm,
        **{f"val/f1/{name}": action.f1 for name, action in scores.per_action.items()},
    }
    return {name: value for name, value in values.items() if value is not None}


def _array(values: Tensor) -> np.ndarray:
    """A tensor as floats on the CPU."""
    return values.detach().float().cpu().numpy()
