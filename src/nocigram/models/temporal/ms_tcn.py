"""Multi-stage temporal convolutional network: one stage predicts, the later ones correct it.

B batch, T frames, D width of the input, H width of the hidden layers, C actions.
"""

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.temporal.build import TemporalHead, register_temporal
from nocigram.models.temporal.masked_conv import MaskedConv

_N_REFINEMENTS = 3
"""Stages after the first, as in both papers."""


@final
class DualDilatedLayer(nn.Module):
    """A near and a far convolution of one layer, fused, beside the identity (Li et al. 2020)."""

    def __init__(self, width: int, *, dilations: tuple[int, int], dropout: float) -> None:
        super().__init__()
        self.first, self.second = (MaskedConv(width, dilation=dilation) for dilation in dilations)
        self.fuse = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(dropout))

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Add what both convolutions found to `x`."""
        added: Tensor = x + self.fuse(torch.cat([self.first(x, valid), self.second(x, valid)], dim=-1))
        return added


@final
class DilatedLayer(nn.Module):
    """One convolution beside the identity (Farha & Gall 2019)."""

    def __init__(self, width: int, *, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv = MaskedConv(width, dilation=dilation)
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.Dropout(dropout))

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Add what the convolution found to `x`."""
        added: Tensor = x + self.mix(self.conv(x, valid))
        return added


@final
class Refinement(nn.Module):
    """A stage that reads the probabilities of the one before it and predicts anew.

    It reads probabilities alone. Shown features as well, stages cut bouts into pieces where actions look alike
    (Farha & Gall 2019, their comparison of what is passed on).
    """

    def __init__(self, *, n_actions: int, width: int, dilations: list[int], dropout: float) -> None:
        super().__init__()
        self.project = nn.Linear(n_actions, width)
        self.layers = nn.ModuleList(DilatedLayer(width, dilation=dilation, dropout=dropout) for dilation in dilations)
        self.predict = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, n_actions))

    def forward(self, logits: Float[Tensor, "B T C"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T C"]:
        """Logits of this stage from those of the stage before."""
        hidden = self.project(logits.softmax(dim=-1))
        for layer in self.layers:
            hidden = layer(hidden, valid)
        refined: Tensor = self.predict(hidden)
        return refined


@final
class MultiStageTCN(TemporalHead):
    """A stage of dual dilated layers, then stages that correct its probabilities.

    The features are those of the first stage, so that a keypoint head reads what was seen and not what was said of it.
    Norms are per frame where the papers have none, for the reason given in `TCN`.

    Source: Farha & Gall 2019 (MS-TCN: stages over probabilities, each with its own loss), Li et al. 2020 (MS-TCN++:
    layers that look near and far at once in the first stage).
    """

    def __init__(self, *, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> None:
        super().__init__()
        dilations = [2**layer for layer in range(layers)]
        pairs = list(zip(dilations, reversed(dilations), strict=True))
        self.hidden_dim = hidden_dim
        self.context_frames = sum(max(pair) for pair in pairs) + _N_REFINEMENTS * sum(dilations)
        self.project = nn.Linear(in_dim, hidden_dim)
        self.layers = nn.ModuleList(DualDilatedLayer(hidden_dim, dilations=pair, dropout=dropout) for pair in pairs)
        self.norm = nn.LayerNorm(hidden_dim)
        self.refinements = nn.ModuleList(
            Refinement(n_actions=n_actions, width=hidden_dim, dilations=dilations, dropout=dropout)
            for _ in range(_N_REFINEMENTS)
        )

    def forward(self, x: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Features of each frame after the first stage."""
        hidden = self.project(x)
        for layer in self.layers:
            hidden = layer(hidden, valid)
        normed: Tensor = self.norm(hidden)
        return normed

    def refine(
        self, logits: Float[Tensor, "B T C"], *, valid: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B T C"], ...]:
        """The given logits, and those of each later stage."""
        stages = [logits]
        for refinement in self.refinements:
            stages.append(refinement(stages[-1], valid))
        return tuple(stages)


@register_temporal(
    "ms_tcn",
    summary="Dual dilated temporal convolutions, then stages that refine their probabilities.",
    source="Farha & Gall 2019; Li et al. 2020",
)
def build_ms_tcn(*, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> MultiStageTCN:
    """A `MultiStageTCN` of those sizes."""
    return MultiStageTCN(in_dim=in_dim, hidden_dim=hidden_dim, n_actions=n_actions, layers=layers, dropout=dropout)
