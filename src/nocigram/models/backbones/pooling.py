"""From an image encoder's tokens or places to one vector per frame.

N frames, S patch tokens or places, P prefix tokens (class token, registers), D width, A heads of attention.
"""

import math
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from nocigram.core.errors import InputError


@final
class AttentionPool(nn.Module):
    """A weighted mean over patches, by weights that learnt queries give them: it can find a paw.

    Each of A queries weighs its own share of the channels. Queries begin at 0, where this is the plain mean.

    Source: Ilse et al. 2018 (attention-based pooling), one query per head.
    """

    def __init__(self, dim: int, *, max_heads: int = 8) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(math.gcd(dim, max_heads), dim))

    def forward(self, patches: Float[Tensor, "N S D"]) -> Float[Tensor, "N D"]:
        """Pool each frame's patches."""
        width = patches.shape[-1]
        scores = layer_norm(patches, (width,)) @ self.queries.T / math.sqrt(width)
        per_head = torch.unflatten(patches, -1, (len(self.queries), -1))
        weights = scores.softmax(dim=1).to(patches.dtype)
        pooled: Tensor = (weights[..., None] * per_head).sum(dim=1).flatten(1)
        return pooled


@final
class TokenPool(nn.Module):
    """An encoder's `forward_features` pooled as asked, then through what its own head has behind its pool.

    Prefix tokens never enter a mean or attention.
    """

    def __init__(self, encoder: Any, pool: str) -> None:
        super().__init__()
        self.pool = pool
        self.n_prefix = int(getattr(encoder, "num_prefix_tokens", 0))
        self.is_channels_last = getattr(encoder, "output_fmt", "NCHW") == "NHWC"
        self.attention = AttentionPool(encoder.num_features) if pool == "attention" else None
        width = int(getattr(encoder, "head_hidden_size", encoder.num_features))
        self.feature_dim = 2 * width if pool == "cls_mean" else width

    def forward(self, tokens: Tensor, encoder: Any) -> Float[Tensor, "N W"]:
        """Pool tokens (N, P + S, D), or places (N, D, H, W) or (N, H, W, D), of the encoder."""
        if tokens.ndim == 4:
            return self._of_places(tokens, encoder)
        norm = getattr(encoder, "fc_norm", nn.Identity())
        patches = tokens[:, self.n_prefix :]
        if self.attention is not None:
            pooled: Tensor = norm(self.attention(patches))
            return pooled
        parts = {"cls": lambda: tokens[:, 0], "mean": lambda: patches.mean(dim=1)}
        return torch.cat([norm(parts[name]()) for name in self.pool.split("_")], dim=-1)

    def _of_places(self, places: Tensor, encoder: Any) -> Tensor:
        """Attention over a grid; the encoder's own average of the one place that is left changes nothing."""
        if self.attention is None:
            raise ValueError(f"TokenPool: expected attention over places, got {self.pool}")
        patches = places.flatten(1, 2) if self.is_channels_last else places.flatten(2).transpose(1, 2)
        pooled = self.attention(patches)
        place = pooled[:, None, None, :] if self.is_channels_last else pooled[:, :, None, None]
        features: Tensor = encoder.forward_head(place)
        return features


def token_pool(encoder: Any, pool: str, *, name: str) -> TokenPool | None:
    """The pool, in place of the encoder's own; None where that is what was asked for.

    The encoder loses a pool of its own that then has no use.

    Raises:
        InputError: a class token is asked of an encoder without one.
    """
    has_class_token = getattr(encoder, "cls_token", None) is not None
    if pool.startswith("cls") and not has_class_token:
        raise InputError(
            f"--pool {pool}: expected an encoder with a class token, got {name}, which has none. "
            "Use --pool mean or --pool attention."
        )
    averages_by_itself = not hasattr(encoder, "num_prefix_tokens")
    if pool == "auto" or (pool == "mean" and averages_by_itself):
        return None
    if getattr(encoder, "attn_pool", None) is not None:
        encoder.attn_pool = None
    return TokenPool(encoder, pool)
