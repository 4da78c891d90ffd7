"""Checkpoints of tiny models with random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.models.approaches import build_model
from nocigram.models.approaches.clip_cnn import ClipCnn
from nocigram.models.checkpoint import Checkpoint, save_checkpoint
from nocigram.models.decoder import BoutDecoder
from nocigram.models.heads import ActionHead
from nocigram.pose.skeleton import DEFAULT_KEYPOINTS


def _sharpen(model: torch.nn.Module) -> None:
    """Make the answers to frames differ clearly: what gives logits says them louder, a 3D CNN knows what it sees."""
    for cnn in (module for module in model.modules() if isinstance(module, ClipCnn)):
        dark_to_bright = torch.linspace(0, 255, 40).to(torch.uint8)[None, :, None, None, None]
        for module in cnn.modules():
            if isinstance(module, torch.nn.BatchNorm3d):
                module.momentum = 1.0
        cnn.train()(dark_to_bright.expand(-1, -1, 1, 32, 32), n_frames=torch.tensor([40]))
    heads = [module for module in model.modules() if isinstance(module, ActionHead)]
    loud = [head.linear for head in heads] or [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-3:]
    for layer in loud:
        layer.weight.data.mul_(20 if heads else 2)
        layer.bias.data.mul_(20 if heads else 1)


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
