"""An epoch of training with a frozen backbone."""

from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.measure import Measured, Setting, frames_per_s
from nocigram.core.ranges import FrameRange
from nocigram.data import discover
from nocigram.data.batches import Batch, Window, Windows, collate
from nocigram.data.sources import Source, sources_of
from nocigram.models.approaches import MultitaskModel, build_model
from nocigram.training.features import with_cached_features

WINDOW_T = 120


def frozen_epoch(setting: Setting) -> Measured:
    """An epoch from cached features, against one through the frozen backbone."""
    study = setting.study()
    found = discover(annotations=study / "Annotations", videos=study / "Videos")
    cache_dir = setting.inputs / "cache"
    pixels = sources_of(found.recordings.values(), crop="mouse", img_size=setting.img_size, cache_dir=cache_dir)
    model = build_model(n_actions=6, encoder_name="embedded", img_size=setting.img_size).model
    if not isinstance(model, MultitaskModel) or model.backbone is None:
        raise TypeError(f"frozen_epoch: expected a multi-task model with a backbone, got {type(model).__name__}")
    model.backbone.requires_grad_(False)
    features = with_cached_features(
        pixels,
        backbone=model.backbone,
        device=torch.device("cpu"),
        precision="32",
        window_T=WINDOW_T,
        settings={"img_size": setting.img_size},
        mirrors=False,
        cache_dir=cache_dir,
    )
    in_memory = list(_batches(features))
    rates = {
        name: frames_per_s(partial(_epoch, model, batches), n_repeats=setting.n_repeats)
        for name, batches in (("cached", _batches(features)), ("memory", in_memory), ("backbone", _batches(pixels)))
    }
    return Measured(
        name="frozen_epoch",
        frames_per_s=rates["cached"],
        baseline="through the frozen backbone",
        baseline_frames_per_s=rates["backbone"],
        limit="steps on batches in memory",
        limit_frames_per_s=rates["memory"],
    )


def _batches(sources: dict[str, Source]) -> DataLoader[Batch]:
    """All frames, in windows."""
    windows = [
        Window(recording=name, span=FrameRange(start, start + WINDOW_T), actions=None)
        for name, source in sources.items()
        for start in range(0, source.n_frames - WINDOW_T + 1, WINDOW_T)
    ]
    return DataLoader(Windows(windows, sources=sources, window_T=WINDOW_T), batch_size=2, collate_fn=collate)


def _epoch(model: nn.Module, batches: DataLoader[Batch] | list[Batch]) -> int:
    """A step of AdamW for each batch; the loss doesn't matter here."""
    optimizer = torch.optim.AdamW([parameter for parameter in model.parameters() if parameter.requires_grad])
    n_frames = 0
    for batch in batches:
        optimizer.zero_grad()
        model(**batch.inputs()).action_logits.square().mean().backward()
        optimizer.step()
        n_frames += int(batch.valid.sum())
    return n_frames
