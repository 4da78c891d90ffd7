"""Transformer along time whose frames attend to their neighbourhood.

B batch, T frames, D width of the input, H width of the hidden layers, N attention heads, E width of one of them,
M blocks of a window, W frames of a block.
"""

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from nocigram.models.temporal.build import TemporalHead, register_temporal
from nocigram.models.temporal.masked_conv import MaskedConv

_N_HEADS = 4
_FIRST_REACH_FRAMES = 8
"""Frames on either side to which the first layer attends; it doubles with every layer."""
_MOST_REACH_FRAMES = 128
"""Where the doubling ends, so that memory stays a small multiple of the window."""
_ROTARY_BASE = 10_000.0


@final
class LocalAttention(nn.Module):
    """Each frame attends to the valid frames at most `reach` away.

    Frames are cut into blocks of `reach`; a block attends to itself and to the block on either side, under a mask that
    leaves the band. Memory thus grows with T, not with its square. Positions are rotary (Su et al. 2021): a score
    depends on the distance of two frames, not on where a window begins.
    """

    rotation: Tensor

    def __init__(self, width: int, *, reach: int) -> None:
        super().__init__()
        self.reach = reach
        head_dim = 2 * -(-width // (2 * _N_HEADS))  # even, since rotary positions turn pairs
        self.norm = nn.LayerNorm(width)
        self.to_qkv = nn.Linear(width, 3 * _N_HEADS * head_dim, bias=False)
        self.merge = nn.Linear(_N_HEADS * head_dim, width)
        speed = _ROTARY_BASE ** (-torch.arange(0, head_dim, 2) / head_dim)
        angle = torch.arange(3 * reach)[:, None] * speed
        self.register_buffer("rotation", torch.stack([angle.cos(), angle.sin()]), persistent=False)

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """What each frame learns from its neighbourhood."""
        n_windows, n_frames, reach = *valid.shape, self.reach
        n_blocks = -(-n_frames // reach)
        missing = n_blocks * reach - n_frames
        qkv = functional.pad(self.to_qkv(self.norm(x)), (0, 0, 0, missing))
        query, key, value = torch.unflatten(qkv, -1, (3, _N_HEADS, -1)).permute(2, 0, 3, 1, 4)
        query = self._rotated(torch.unflatten(query, 2, (n_blocks, reach)), first=reach)
        key = self._rotated(_with_neighbours(key, reach), first=0)
        value = _with_neighbours(value, reach)
        query, key, value = (blocks.transpose(1, 2).flatten(0, 1) for blocks in (query, key, value))
        mask = self._mask(functional.pad(valid, (0, missing))).flatten(0, 1).unsqueeze(1)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        frames = attended.transpose(1, 2).reshape(n_windows, n_blocks * reach, -1)[:, :n_frames]
        merged: Tensor = self.merge(frames)
        return merged

    def _rotated(self, x: Float[Tensor, "B N M K E"], *, first: int) -> Float[Tensor, "B N M K E"]:
        """Turn pairs of numbers by angles that grow with the position, counted from a block's left neighbour."""
        cos, sin = self.rotation[:, first : first + x.shape[-2]]
        one, other = x.chunk(2, dim=-1)
        return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1).to(x.dtype)

    def _mask(self, valid: Bool[Tensor, "B T"]) -> Bool[Tensor, "B M W K"]:
        """Which of the 3 W frames around each block its frames attend to."""
        frame = torch.arange(self.reach, device=valid.device)[:, None] + self.reach
        other = torch.arange(3 * self.reach, device=valid.device)
        known = _with_neighbours(valid[:, None, :, None], self.reach)[:, 0, :, None, :, 0]
        # a frame of padding attends to itself, since some kernels make NaN of attention to nothing
        return ((frame - other).abs() <= self.reach) & known | (frame == other)


def _with_neighbours(x: Tensor, reach: int) -> Tensor:
    """(B, N, T, E) to (B, N, M, 3 W, E): each block between the two beside it, zeros beyond the window's ends."""
    padded = functional.pad(x, (0, 0, reach, reach))
    return padded.unfold(2, 3 * reach, reach).transpose(-1, -2)


@final
class LocalLayer(nn.Module):
    """A dilated convolution in place of the feed-forward network, then local attention, each beside the identity."""

    def __init__(self, width: int, *, dilation: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.conv = MaskedConv(width, dilation=dilation)
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.Dropout(dropout))
        self.attention = LocalAttention(width, reach=reach)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Add what the convolution and the attention found to `x`."""
        x = x + self.mix(self.conv(x, valid))
        added: Tensor = x + self.dropout(self.attention(x, valid))
        return added


@final
class LocalTransformer(TemporalHead):
    """Layers of dilated convolution and local attention, whose neighbourhoods double from layer to layer.

    As ASFormer's encoder, but with norms per frame instead of over the window, for the reason given in `TCN`, and with
    rotary positions. Attention goes through torch's `scaled_dot_product_attention`, fused where the device can.

    Source: Yi et al. 2021 (ASFormer: convolution for locality, windows that grow with depth), Vaswani et al. 2017
    (attention), Su et al. 2021 (rotary positions).
    """

    def __init__(self, *, in_dim: int, hidden_dim: int, layers: int, dropout: float) -> None:
        super().__init__()
        dilations = [2**layer for layer in range(layers)]
        reaches = [min(_FIRST_REACH_FRAMES * 2**layer, _MOST_REACH_FRAMES) for layer in range(layers)]
        self.hidden_dim = hidden_dim
        self.context_frames = sum(dilations) + sum(reaches)
        self.project = nn.Linear(in_dim, hidden_dim)
        self.layers = nn.ModuleList(
            LocalLayer(hidden_dim, dilation=dilation, reach=reach, dropout=dropout)
            for dilation, reach in zip(dilations, reaches, strict=True)
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
    "transformer",
    summary="Dilated convolutions and attention to a neighbourhood that grows from layer to layer.",
    source="Yi et al. 2021; Vaswani et al. 2017; Su et al. 2021",
)
def build_transformer(*, in_dim: int, hidden_dim: int, n_actions: int, layers: int, dropout: float) -> LocalTransformer:
    """A `LocalTransformer` of those sizes; the number of actions makes no difference to it."""
    return LocalTransformer(in_dim=in_dim, hidden_dim=hidden_dim, layers=layers, dropout=dropout)
