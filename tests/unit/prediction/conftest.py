"""Checkpoints of tiny models with random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.models.approaches import build_model
from nocigram.models.checkpoint import Checkpoint, save_checkpoint
from nocigram.models.decoder import BoutDecoder
from nocigram.models.heads import ActionHead
from nocigram.pose.skeleton import DEFAULT_KEYPOINTS


def _sharpen(model: torch.nn.Module) -> None:
    """Make the answers to frames differ clearly: the layers that give logits say them much louder."""
    loud = [(module.linear, 20) for module in model.modules() if isinstance(module, ActionHead)]
    if not loud:  # behind a 3D CNN, to which frames of random weights look much the same
        loud = [(module, 200) for module in model.modules() if isinstance(module, torch.nn.Linear)][-1:]
    for layer, factor in loud:
        for parameter in layer.parameters():
            parameter.data.mul_(factor)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Write a checkpoint of an untrained model; `model` are options of `build_model`, `args` those of a run."""

    def write(
        name: str = "model.pt",
        *,
        seed: int = 0,
        args: dict[str, Any] | None = None,
        decoder: BoutDecoder | None = None,
        **model: Any,
    ) -> Path:
        torch.manual_seed(seed)
        scheme = DEFAULT_SCHEME
        built = build_model(
            **{
                "n_actions": len(scheme.classes),
                "hidden_dim": 16,
                "encoder_name": "test_vit",
                "encoder_weights": "none",
                "img_size": 32,
                "backbone_chunk": 16,
                **model,
            }
        )
        _sharpen(built.model)
        content = Checkpoint(
            model_state_dict=built.model.state_dict(),
            classes=list(scheme.classes),
            orig_classes=list(scheme.names),
            col_map=scheme.col_map,
            merge_idxs=scheme.merge_idxs,
            best_thresholds=[None] * len(scheme.classes),
            kp_names=list(DEFAULT_KEYPOINTS),
            val_metrics={},
            args={
                "crop": "full",
                "val_T": 16,
                "img_size": 32,
                "precision": "32",
                "kp_likelihood_thr": 0.9,
                "min_frames": 20,
                **(args or {}),
            },
            approach=built.approach,
            model=built.options,
            backbone=None,
            scheme={"names": list(scheme.names), "merges": dict(scheme.merges), "ignore": []},
            split={"split_by": "animal", "train": [], "val": []},
            seen=[],
            extra={"fps": 30.0, "decoder": (decoder or BoutDecoder(kind="none")).as_plain()},
        )
        path = tmp_path / name
        save_checkpoint(path, content)
        return path

    return write
