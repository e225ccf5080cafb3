"""How tokens hear of each other, in pictures and in captions."""

from __future__ import annotations

import math

from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of queries [B, T, D] over keys and values [B, P + T, D]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """[B, T, D] → [B, H, T, D / H]"""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """``keys`` and ``values`` are split [B, H, P, D / H], ``mask`` [B | 1, 1, T, P] is added.
        Answers the mix [B, T, D] and the weights of each head [B, H, T, P]."""
        query = self.split(self.query(x))
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores + mask
        weights = scores.softmax(dim=-1)
        mixed = (weights @ values).transpose(1, 2).flatten(2)
        return self.out(mixed), weights


class FeedForward(nn.Sequential):
    """Each by itself: to ``times`` the width and back."""

    def __init__(self, width: int, dropout: float, times: int = 4) -> None:
        wide = times * width
        super().__init__(
            nn.Linear(width, wide), nn.GELU(), nn.Dropout(dropout), nn.Linear(wide, width)
        )
