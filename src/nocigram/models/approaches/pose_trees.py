"""The pose-trees approach: gradient-boosted trees on the kinematics of each frame and the seconds around it.

B batch, T frames, K keypoints, L light numbers, F kinematics, D features of the trees,
C actions, N rows.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from nocigram.core.errors import InputError, MissingExtraError
from nocigram.models.approaches.base import ActionModel
from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.pose_groups import Pose, PoseGroup, numbers_of, pose_groups
from nocigram.models.output import ModelOutput

if TYPE_CHECKING:
    from xgboost import Booster

_LEAST_PROBABILITY = 1e-7


@final
class PoseTreesModel(ActionModel):
    """Trees that somebody has grown, on groups of pose features.

    They travel in the state dict as XGBoost's own JSON, which is data, not code; any XGBoost reads it.
    """

    def __init__(self, *, groups: Sequence[PoseGroup], n_actions: int) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.n_actions = n_actions
        self._booster: Booster | None = None

    @property
    def context_frames(self) -> int:
        """What the features of a frame know of its neighbours."""
        return max(group.context_frames for group in self.groups)

    @property
    def is_grown(self) -> bool:
        """There are trees."""
        return self._booster is not None

    @property
    def n_parameters(self) -> int:
        """Nodes of all trees: each asks one question or gives one answer."""
        return 0 if self._booster is None else len(self._booster.trees_to_dataframe())

    def grow(self, booster: "Booster") -> None:
        """Take trees over.

        Args:
            booster: with `multi:softprob` over all actions, trained on what `features` gives.
        """
        self._booster = booster

    def features(
        self,
        *,
        xy_px: Float[Tensor, "B T K 2"] | None = None,
        visible: Bool[Tensor, "B T K"] | None = None,
        light: Float[Tensor, "B T K L"] | None = None,
        kinematics: Float[Tensor, "B T F"] | None = None,
        body_length_px: Float[Tensor, " B"] | None = None,
        valid: Bool[Tensor, "B T"] | None = None,
        **unread: Any,
    ) -> Float[Tensor, "B T D"]:
        """What the trees are given of each frame; arguments as of `ActionModel.forward`."""
        pose = Pose.of(xy_px, visible, light=light, kinematics=kinematics, body_length_px=body_length_px, valid=valid)
        return numbers_of(self.groups, pose)

    def forward(self, **inputs: Any) -> ModelOutput:
        """See `ActionModel.forward`. The logits are logarithms of the trees' probabilities."""
        if self._booster is None:
            raise ValueError("PoseTreesModel: expected grown trees, got none")
        features = self.features(**inputs)
        rows = features.flatten(0, 1).float().cpu().numpy()
        probabilities: Float32[np.ndarray, "N C"] = self._booster.inplace_predict(rows)
        logits = torch.from_numpy(probabilities).clamp(min=_LEAST_PROBABILITY).log().to(features.device)
        return ModelOutput(action_logits=logits.view(*features.shape[:2], -1), keypoints=None)

    def get_extra_state(self) -> str:
        """XGBoost's JSON; empty before the trees are grown."""
        return "" if self._booster is None else self._booster.save_raw("json").decode()

    def set_extra_state(self, state: str) -> None:
        """Read XGBoost's JSON.

        Raises:
            InputError: XGBoost refuses it.
        """
        if not state:
            self._booster = None
            return
        xgboost = import_xgboost()
        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(state.encode()))
        except xgboost.core.XGBoostError as error:
            reason = str(error).partition("\n")[0].rpartition(": ")[2]  # without a time and a line of its source
            raise InputError(
                f"checkpoint: expected trees in XGBoost's JSON, got a damaged text ('{reason}'). Train it again."
            ) from error
        self._booster = booster


def import_xgboost() -> Any:
    """The package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import xgboost
    except ImportError as error:
        raise MissingExtraError("--approach pose_trees", package="xgboost", extra="trees") from error
    return xgboost


@register_approach(
    "pose_trees",
    summary="Gradient-boosted trees on kinematics over windows of several lengths; needs no video.",
    source="Chen & Guestrin 2016 (XGBoost); as in SimBA (Nilsson et al. 2020) and JABS",
)
def build_pose_trees(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """A model without trees, to be grown or to be read from a checkpoint."""
    import_xgboost()
    model = PoseTreesModel(
        groups=pose_groups(options.groups, options.body),
        n_actions=options.n_actions,
    )
    return BuiltModel(model=model, approach="pose_trees", options=rebuild_options(options, None), backbone=None)
