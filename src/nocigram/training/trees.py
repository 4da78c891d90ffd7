"""Grow the trees of `--approach pose_trees`.

N rows, one for each scored frame of each window; F features, C actions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int
from torch.utils.data import DataLoader

from nocigram.config.model import TreeOptions
from nocigram.core.actions import UNSCORED
from nocigram.data.batches import Windows, collate
from nocigram.data.progress import progress_bar
from nocigram.data.trial_windows import TrialWindows
from nocigram.models.approaches.pose_trees import PoseTreesModel, import_xgboost
from nocigram.training.augment import mirrored

_N_WINDOWS_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Scored frames as trees are grown from them; a frame of two windows is there twice, with the context of each."""

    features: Float32[np.ndarray, "N F"]
    actions: Int[np.ndarray, " N"]


def grow_trees(
    model: PoseTreesModel,
    windows: TrialWindows,
    *,
    options: TreeOptions,
    class_weights: Float[np.ndarray, " C"],
    mirror: tuple[int, ...] | None,
    seed: int,
) -> None:
    """Grow trees from the scored frames of trials and give them to the model.

    Args:
        model: says which features; gets the trees.
        windows: of the training trials.
        options: how many trees, and of what kind.
        class_weights: weight of a frame by its action.
        mirror: the keypoint that takes each one's place in a mirror, to learn from mirrored animals too; None: don't.
        seed: of the rows and columns that each tree is shown.
    """
    xgboost = import_xgboost()
    rows = _rows(model, windows, mirror=mirror)
    print(f"[info] Growing trees from {len(rows.actions)} rows with {rows.features.shape[1]} features each")
    table = xgboost.QuantileDMatrix(
        rows.features, label=rows.actions, weight=class_weights[rows.actions], max_bin=options.tree_bins
    )
    settings = {
        "objective": "multi:softprob",
        "num_class": model.n_actions,
        "tree_method": "hist",
        "max_bin": options.tree_bins,
        "max_depth": options.tree_depth,
        "eta": options.tree_lr,
        "subsample": options.tree_row_share,
        "colsample_bytree": options.tree_column_share,
        "min_child_weight": options.tree_leaf_weight,
        "lambda": options.tree_l2,
        "seed": seed,
    }
    with progress_bar("Growing trees", total=options.trees, unit="rounds") as advance:
        model.grow(xgboost.train(settings, table, options.trees, callbacks=[_told(xgboost, advance)]))


def _rows(model: PoseTreesModel, windows: TrialWindows, *, mirror: tuple[int, ...] | None) -> Rows:
    """Every scored frame of every window, then the same in a mirror."""
    shown = windows.dataset().windows
    if mirror is not None:
        shown = [*shown, *(replace(window, is_mirrored=True) for window in shown)]
    dataset = Windows(shown, sources=dict(windows.sources), window_T=windows.window_T)
    features, actions = [], []
    for batch in DataLoader(dataset, batch_size=_N_WINDOWS_AT_ONCE, collate_fn=collate):
        seen = batch if mirror is None else mirrored(batch, mirror)
        numbers = model.features(**{**seen.inputs(), "xy_px": seen.xy_px, "visible": seen.visible})
        scored = seen.valid & (seen.actions != UNSCORED)
        features.append(numbers[scored].float().numpy())
        actions.append(seen.actions[scored].numpy())
    return Rows(features=np.concatenate(features), actions=np.concatenate(actions))


def _told(xgboost: Any, advance: Callable[[int], None]) -> Any:
    """A callback that tells of every round."""

    class Told(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # the package may not be installed
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            advance(1)
            return False  # go on

    return Told()
