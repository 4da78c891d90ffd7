"""Gated recurrent network over a window, once forwards and once backwards.

B batch, T frames, D width of the input, H width of the hidden layers.
"""

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nocigram.models.temporal.build import TemporalHead, register_temporal


@final
class BidirectionalGRU(TemporalHead):
    """A bidirectional GRU, its windows packed: the way back begins at a window's last frame, not in its padding.

    A frame's output can depend on every frame of its window, so where a window begins changes it slightly.

    Source: Cho et al. 2014 (gated recurrent unit), Schuster & Paliwal 1997 (both directions), Singh et al. 2016 (both
    directions for actions of single frames).
    """

    def __init__(self, *, in_dim: int, hidden_dim: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.hidden_dim = hidden_dim
        self.context_frames = None
        self.project = nn.Sequential(nn.Linear(in_dim, hidden_dim), nn.LayerNorm(hidden_dim), nn.Dropout(dropout))
        self.gru = nn.GRU(
            hidden_dim,
            -(-hidden_dim // 2),
            num_layers=layers,
            dropout=dropout if layers > 1 else 0.0,  # it acts between layers, and torch warns where there is none
            bidirectional=True,
            batch_first=True,
        )
        self.merge = nn.Sequential(nn.Linear(2 * self.gru.hidden_size, hidden_dim), nn.LayerNorm(hidden_dim))

    def forward(self, x: Float[Tensor, "B T D"], *, valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Features of each frame that know the whole window."""
        position = torch.arange(1, valid.shape[1] + 1, device=valid.device)
        n_frames = (position * valid).amax(dim=1).clamp(min=1)  # a window of padding alone can't be packed
        packed = pack_padded_sequence(self.project(x), n_frames.cpu(), batch_first=True, enforce_sorted=False)
        hidden, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])
        merged: Tensor = self.merge(hidden)
        return merged


@register_temporal(
    "gru",
    summary="A recurrent network over the whole window in both directions.",
    source="Cho et al. 2014; Schuster & Paliwal 1997; Singh et al. 2016",
)
def build_gru(*, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> BidirectionalGRU:
    """A `BidirectionalGRU` of those sizes; the number of actions makes no difference to it."""
    return BidirectionalGRU(in_dim=in_dim, hidden_dim=hidden_dim, layers=layers, dropout=dropout)
