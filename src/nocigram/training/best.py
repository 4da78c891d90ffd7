"""The best model of a run as a checkpoint file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from torch import Tensor

from nocigram.config.commands import TrainOptions
from nocigram.data.array_cache import content_hash
from nocigram.data.records import Recording
from nocigram.evaluation import Scores, TrialPrediction, best_thresholds
from nocigram.models.approaches import BuiltModel
from nocigram.models.backbones.lora import merged
from nocigram.models.checkpoint import Checkpoint, save_checkpoint
from nocigram.training.averaging import MovingAverage
from nocigram.training.module import ActionModule
from nocigram.training.preparation import Prepared


@dataclass(frozen=True, kw_only=True)
class BestModel:
    """Writes the checkpoint of the guide, with all that prediction needs."""

    path: Path
    options: TrainOptions
    prepared: Prepared
    built: BuiltModel
    backbone_state: Mapping[str, Tensor]
    """Weights of a frozen backbone that the trained module doesn't hold, by their names in the whole model."""
    average: MovingAverage | None

    def __call__(
        self, trainer: Trainer, pl_module: ActionModule, scores: Scores, predictions: list[TrialPrediction]
    ) -> str:
        """Write the model that was just validated; returns where to."""
        used = {**self.backbone_state, **merged(pl_module.model.state_dict())}
        raw = {**self.backbone_state, **merged(self.average.raw_state_dict("model"))} if self.average else used
        scheme = self.prepared.found.scheme
        content = Checkpoint(
            model_state_dict=raw,
            ema_state_dict=used if self.average else None,
            classes=list(scheme.classes),
            orig_classes=list(scheme.names),
            col_map=scheme.col_map,
            merge_idxs=scheme.merge_idxs,
            best_thresholds=[
                tuned.threshold for tuned in best_thresholds(predictions, classes=scheme.classes).values()
            ],
            kp_names=list(self.prepared.found.kp_names),
            val_metrics=scores.as_dict(),
            args=self.options.flat(),
            approach=self.built.approach,
            model=self.built.options,
            backbone=_backbone_record(self.built),
            scheme={"names": list(scheme.names), "merges": dict(scheme.merges), "ignore": sorted(scheme.ignore)},
            split={
                "split_by": self.prepared.split.split_by,
                "train": list(self.prepared.split.train),
                "val": list(self.prepared.split.val),
            },
            seen=self._seen(),
            extra={"epoch": trainer.current_epoch + 1, "is_backbone_frozen": self.options.is_backbone_frozen},
        )
        save_checkpoint(self.path, content)
        return str(self.path)

    def _seen(self) -> list[dict[str, Any]]:
        """Every recording of the run with its content hashes, and what it was used for."""
        sides: dict[str, set[str]] = {}
        for side, trials in (("train", self.prepared.train_trials), ("val", self.prepared.val_trials)):
            for trial in trials:
                sides.setdefault(trial.recording, set()).add(side)
        return [
            _seen_record(source.recording, sides=sorted(sides.get(name, {"train"})))
            for name, source in sorted(self.prepared.sources.items())
        ]


def _seen_record(recording: Recording, *, sides: list[str]) -> dict[str, Any]:
    """One recording."""
    return {
        "recording": recording.name,
        "animal": recording.animal,
        "video_sha256": content_hash(recording.video),
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
