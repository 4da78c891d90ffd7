"""Tiny models of every approach, and random windows for them."""

import numpy as np
import torch

from nocigram.config.model import POSE_GROUPS
from nocigram.models.approaches import build_model
from nocigram.models.approaches.pose_trees import PoseTreesModel
from nocigram.pose.kinematics import Kinematics
from nocigram.pose.light import N_LIGHT
from nocigram.pose.skeleton import MOUSE, Skeleton

N_ACTIONS, N_FRAMES, SIDE = 5, 20, 32
FOUR_KEYPOINTS = Skeleton(
    names=("nose", "tail", "L_paw", "R_paw"),
    front=0,
    back=1,
    edges=((0, 1), (0, 2)),
    angles=((0, 1, 2),),
    paws=(2, 3),
)
TINY = {
    "hidden_dim": 16,
    "encoder_name": "test_vit",
    "encoder_weights": "none",
    "img_size": SIDE,
    "cnn_size": "light",
    "backbone_chunk": 16,
    "members": 2,
}


def build(approach, *, skeleton=MOUSE, seed=0, **options):
    """A model of random weights, or without trees, that reads what its approach reads by default."""
    torch.manual_seed(seed)
    options = {"features": list(POSE_GROUPS[approach])} | options
    return build_model(approach, n_actions=N_ACTIONS, skeleton=skeleton.as_plain(), **TINY | options).model


def inputs(*, skeleton=MOUSE, batch=2, n_frames=N_FRAMES, seed=2):
    """Everything that any model reads."""
    generator = torch.Generator().manual_seed(seed)
    K = skeleton.n_keypoints
    pose = {
        "xy_px": 100 * torch.rand(batch, n_frames, K, 2, generator=generator),
        "visible": torch.rand(batch, n_frames, K, generator=generator) < 0.9,
        "body_length_px": torch.full((batch,), 60.0),
    }
    valid = torch.ones(batch, n_frames, dtype=torch.bool)
    brightness = torch.rand(batch, n_frames, 1, 1, 1, generator=generator)  # of noise alone every frame looks alike
    frames = (255 * brightness * torch.rand(batch, n_frames, 1, SIDE, SIDE, generator=generator)).to(torch.uint8)
    kinematics = Kinematics(skeleton=skeleton, fps=30.0)(**pose, valid=valid)
    light = torch.rand(batch, n_frames, K, N_LIGHT, generator=generator)
    return {"frames": frames, **pose, "light": light, "kinematics": kinematics, "valid": valid}


def grow(model, batch, *, rounds=4, seed=0):
    """Trees that learn random actions, for a model that has none."""
    if not isinstance(model, PoseTreesModel):
        return model
    import xgboost

    rows = model.features(**batch).flatten(0, 1).numpy()
    actions = np.random.default_rng(seed).permutation(np.arange(len(rows)) % N_ACTIONS)
    settings = {"objective": "multi:softprob", "num_class": N_ACTIONS, "max_depth": 3, "eta": 0.5, "seed": seed}
    model.grow(xgboost.train(settings, xgboost.DMatrix(rows, label=actions), rounds))
    return model


def cut(batch, n_frames):
    """The first frames of every window."""
    return {name: value if name == "body_length_px" else value[:, :n_frames] for name, value in batch.items()}
