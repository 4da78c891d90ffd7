"""The best model of a run as a checkpoint file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from torch import Tensor

from nocigram.config.commands import TrainOptions
from nocigram.data.array_cache import content_hash
from nocigram.data.records import Recording
from nocigram.evaluation import Scores, TrialPrediction, best_thresholds, frames_that_count, score_trials
from nocigram.models.approaches import BuiltModel
from nocigram.models.backbones.lora import merged
from nocigram.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nocigram.models.decoder import BoutDecoder, fit_decoder
from nocigram.models.temperature import calibrated, fit_temperature
from nocigram.training.averaging import MovingAverage
from nocigram.training.module import ActionModule
from nocigram.training.preparation import Prepared


@dataclass(frozen=True, kw_only=True)
class CheckpointWriter:
    """Writes the checkpoint of the guide, with all that prediction needs."""

    path: Path
    options: TrainOptions
    prepared: Prepared
    built: BuiltModel

    def write(
        self,
        weights: Mapping[str, Any],
        *,
        raw_weights: Mapping[str, Any] | None,
        epoch: int,
        scores: Scores,
        predictions: list[TrialPrediction],
    ) -> None:
        """Write a model that was just validated.

        Args:
            weights: the state dict that was validated.
            raw_weights: the one that it is a moving average of; None where there is no average.
            epoch: counted from 1.
            scores: of the validation.
            predictions: of the validation trials.
        """
        scheme = self.prepared.found.scheme
        decoder = self._decoder(predictions)
        temperature = fit_temperature(*frames_that_count(predictions))
        answers = [calibrated(decoder.decoded(trial), temperature) for trial in predictions]
        answered = score_trials(answers, classes=scheme.classes)
        self._tell(scores, answered, decoder, temperature)
        content = Checkpoint(
            model_state_dict=weights if raw_weights is None else raw_weights,
            ema_state_dict=None if raw_weights is None else weights,
            classes=list(scheme.classes),
            orig_classes=list(scheme.names),
            col_map=scheme.col_map,
            merge_idxs=scheme.merge_idxs,
            best_thresholds=[tuned.threshold for tuned in best_thresholds(answers, classes=scheme.classes).values()],
            kp_names=list(self.prepared.found.kp_names),
            val_metrics=answered.as_dict(),
            args=self.options.flat(),
            approach=self.built.approach,
            model=self.built.options,
            backbone=_backbone_record(self.built),
            scheme={"names": list(scheme.names), "merges": dict(scheme.merges), "ignore": sorted(scheme.ignore)},
            split={
                "split_by": self.prepared.split.split_by,
                "train": list(self.prepared.split.train),
                "val": list(self.prepared.split.val),
                "test": list(self.prepared.split.test),
            },
            seen=_seen(self.prepared),
            extra={
                "epoch": epoch,
                "is_backbone_frozen": self.options.is_backbone_frozen,
                "fps": self.prepared.fps,
                "decoder": decoder.as_plain(),
                "temperature": temperature,
                "appearance": _appearance(self.prepared),
            },
        )
        save_checkpoint(self.path, content)

    def replace_weights(self, weights: Mapping[str, Any], *, prepared: Prepared) -> None:
        """Put other weights into the checkpoint that was written.

        Args:
            weights: their state dict.
            prepared: the data that they were trained on.
        """
        written = load_checkpoint(self.path)
        save_checkpoint(
            self.path,
            replace(
                written,
                model_state_dict=weights,
                ema_state_dict=None,
                seen=_seen(prepared),
                extra={**written.extra, "is_refit": True, "appearance": _appearance(prepared)},
            ),
        )

    def _tell(self, before: Scores, after: Scores, decoder: BoutDecoder, temperature: float) -> None:
        """Say what the decoder and the temperature changed, and where nothing was better than without a decoder."""
        wanted = self.options.model.smooth
        if decoder.kind != "none":
            print(f"[info] --smooth {wanted}, on validation: {before.change_to(after)}")
        elif wanted != "none":
            print(f"[info] --smooth {wanted}, on validation: no better than the likeliest action, so not used")
        print(f"[info] probabilities at temperature {temperature:.2f}: ECE {before.ece:.3f} -> {after.ece:.3f}")

    def _decoder(self, predictions: list[TrialPrediction]) -> BoutDecoder:
        """Learnt from the training labels, its strength chosen on validation."""
        found = self.prepared.found
        return fit_decoder(
            self.options.model.smooth,
            [found.labels_of(trial) for trial in self.prepared.train_trials],
            [(trial.labels, trial.probabilities) for trial in predictions],
            n_actions=len(found.scheme.classes),
        )


@dataclass(frozen=True, kw_only=True)
class BestModel:
    """Writes a network whenever it is better than before."""

    writer: CheckpointWriter
    backbone_state: Mapping[str, Tensor]
    """Weights of a frozen backbone that the trained module doesn't hold, by their names in the whole model."""
    average: MovingAverage | None

    def __call__(
        self, trainer: Trainer, pl_module: ActionModule, scores: Scores, predictions: list[TrialPrediction]
    ) -> str:
        """Write the model that was just validated; returns where to."""
        average = self.average
        self.writer.write(
            {**self.backbone_state, **merged(pl_module.model.state_dict())},
            raw_weights={**self.backbone_state, **merged(average.raw_state_dict("model"))} if average else None,
            epoch=trainer.current_epoch + 1,
            scores=scores,
            predictions=predictions,
        )
        return str(self.writer.path)


def _seen(prepared: Prepared) -> list[dict[str, Any]]:
    """Every recording of the run with its content hashes, and what it was used for."""
    sides: dict[str, set[str]] = {}
    for side, trials in (("train", prepared.train_trials), ("val", prepared.val_trials)):
        for trial in trials:
            sides.setdefault(trial.recording, set()).add(side)
    return [
        _seen_record(source.recording, sides=sorted(sides.get(name, {"train"})))
        for name, source in sorted(prepared.sources.items())
    ]


def _appearance(prepared: Prepared) -> list[dict[str, Any]]:
    """What the recordings that the weights are learnt from look like."""
    judges = {trial.recording for trial in prepared.val_trials} - {trial.recording for trial in prepared.train_trials}
    return [each.as_plain() for each in prepared.appearances if each.recording not in judges]


def _seen_record(recording: Recording, *, sides: list[str]) -> dict[str, Any]:
    """One recording."""
    return {
        "recording": recording.name,
        "animal": recording.animal,
        "video_sha256": content_hash(recording.info.path) if recording.info else None,
        "pose_sha256": content_hash(recording.pose_file) if recording.pose_file else None,
        "sides": sides,
    }


def _backbone_record(built: BuiltModel) -> dict[str, Any] | None:
    """What the backbone is, for whoever opens the file."""
    if built.backbone is None:
        return None
    backbone = built.backbone.backbone
    return {
        "description": built.backbone.description,
        "is_fallback": built.backbone.is_fallback,
        "mean": list(backbone.mean),
        "std": list(backbone.std),
        "feature_dim": backbone.feature_dim,
    }
