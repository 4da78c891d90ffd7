"""Temporal convolutional network: residual, dilated, looking both ways.

B batch, T frames, D width of the input, H width of the hidden layers.
"""

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor, nn

from nocigram.models.temporal.build import TemporalHead, register_temporal
from nocigram.models.temporal.masked_conv import MaskedConv


@final
class ResidualLayer(nn.Module):
    """Two convolutions of one dilation beside the identity."""

    def __init__(self, width: int, *, dilation: int, dropout: float) -> None:
        super().__init__()
        self.first = MaskedConv(width, dilation=dilation)
        self.second = MaskedConv(width, dilation=dilation)
        self.activation = nn.GELU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Add what the two convolutions found to `x`."""
        found = self.dropout(self.activation(self.first(x, valid)))
        added: Tensor = x + self.dropout(self.second(found, valid))
        return added


@final
class TCN(TemporalHead):
    """Residual layers of dilation 1, 2, 4, ...

    Not causal, since a recording is labelled after the fact. Norms are per frame (layer norm), so that neither the
    batch nor the length of the window changes a frame's output.

    Source: Lea et al. 2017 (temporal convolutional networks for action segmentation), Farha & Gall 2019 (dilated
    residual layers at full frame rate), Bai et al. 2018 (two convolutions in a residual layer).
    """

    def __init__(self, *, in_dim: int, hidden_dim: int, layers: int, dropout: float) -> None:
        super().__init__()
        dilations = [2**layer for layer in range(layers)]
        self.hidden_dim = hidden_dim
        self.context_frames = 2 * sum(dilations)
        self.project = nn.Linear(in_dim, hidden_dim)
        self.layers = nn.ModuleList(
            ResidualLayer(hidden_dim, dilation=dilation, dropout=dropout) for dilation in dilations
        )
        self.norm = nn.LayerNorm(hidden_dim)

    def forward(self, x: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Features of each frame that know `context_frames` frames on either side."""
        hidden = self.project(x)
        for layer in self.layers:
            hidden = layer(hidden, valid)
        normed: Tensor = self.norm(hidden)
        return normed


@register_temporal(
    "tcn",
    summary="Residual dilated temporal convolutions over the whole window.",
    source="Lea et al. 2017; Bai et al. 2018; Farha & Gall 2019",
)
def build_tcn(*, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> TCN:
    """A `TCN` of those sizes; the number of actions makes no difference to it."""
    return TCN(in_dim=in_dim, hidden_dim=hidden_dim, layers=layers, dropout=dropout)
