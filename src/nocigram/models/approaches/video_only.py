"""The video-only approach: a 3D CNN over grey clips names the action of each frame. No pose anywhere.

B batch, T frames, C channels, H height, W width, D width of a backbone's feature vector, K keypoints, L light numbers.
"""

from collections.abc import Callable
from typing import Any, cast, final

from torch import Tensor, nn

from nocigram.core.literals import CnnSize
from nocigram.models.approaches.base import ActionModel, Frames, all_valid, n_valid
from nocigram.models.approaches.build import BuiltModel, ModelOptions, rebuild_options, register_approach
from nocigram.models.approaches.clip_cnn import N_BEFORE, ClipCnn, build_clip_cnn
from nocigram.models.output import ModelOutput

_HIDDEN_DIMS: dict[CnnSize, tuple[int, int]] = {"standard": (512, 256), "light": (256, 128)}


@final
class VideoOnlyModel(ActionModel):
    """Clip features, two hidden layers, actions."""

    def __init__(self, *, cnn: ClipCnn, hidden_dims: tuple[int, int], n_actions: int, dropout: float) -> None:
        super().__init__()
        wide, narrow = hidden_dims
        self.cnn = cnn
        self.head = nn.Sequential(
            nn.Linear(cnn.out_dim, wide),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(wide, narrow),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(narrow, n_actions),
        )

    @property
    def context_frames(self) -> int:
        """Half a clip."""
        return N_BEFORE

    def forward(self, *, frames: Frames | None = None, valid: Tensor | None = None, **unread: Any) -> ModelOutput:
        """See `ActionModel.forward`."""
        if frames is None:
            raise ValueError("VideoOnlyModel: expected frames, got None")
        valid = all_valid(frames) if valid is None else valid
        features = self.cnn(frames, n_frames=n_valid(valid))
        return ModelOutput(action_logits=self.head(features), keypoints=None)


@register_approach(
    "video_only",
    summary="A 3D CNN over the 16-frame clip around each frame, in grey; needs no pose.",
    source="the multi-task guide of the project; Tran et al. 2015 (C3D)",
)
def build_video_only(options: ModelOptions, warn: Callable[[str], None]) -> BuiltModel:
    """Build the layers and put them together."""
    model = VideoOnlyModel(
        cnn=build_clip_cnn(options),
        hidden_dims=_HIDDEN_DIMS[cast(CnnSize, options.cnn_size)],
        n_actions=options.n_actions,
        dropout=options.dropout,
    )
    return BuiltModel(model=model, approach="video_only", options=rebuild_options(options, None), backbone=None)
