"""What the decoder is given for plain text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.minigpt.alternatives import Float32Array, IntArray


def follow(tokens: IntArray, past: Float32Array, place: int = 0) -> dict[str, NDArray[Any]]:
    """What ``step`` is given for tokens [B, T] that follow each other from ``place`` on, after
    ``past``."""
    batch, length = tokens.shape
    before = past.shape[4]
    column, row = np.arange(before + length), np.arange(length)[:, None] + before
    mask = np.where(column > row, np.float32(-1e4), np.float32(0))
    return {
        "tokens": tokens,
        "past": past,
        "place": np.tile(np.arange(length) + place, (batch, 1)),
        "mask": np.tile(mask, (batch, 1, 1, 1)),
    }
