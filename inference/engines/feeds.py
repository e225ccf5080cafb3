"""What the decoder is given for plain text and for a tree of alternatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.minigpt.alternatives import Float32Array, IntArray, Tree, weigh


def follow(tokens: IntArray, past: Float32Array, queries: int) -> dict[str, NDArray[Any]]:
    """What ``step`` is given for tokens [B, T] that follow each other after ``past``."""
    batch, length = tokens.shape
    before = past.shape[4]
    column, row = np.arange(before + length), np.arange(length)[:, None] + before
    mask = np.where(column > row, np.float32(-1e4), np.float32(0))
    return {
        "tokens": tokens,
        "past": past,
        "place": np.tile(np.arange(length) + before - queries, (batch, 1)),
        "mask": np.tile(mask, (batch, 1, 1, 1)),
    }


def tree_inputs(tree: Tree, past: Float32Array, queries: int) -> dict[str, NDArray[Any]]:
    """What :func:`weigh` gives to ``step``."""
    seen: dict[str, NDArray[Any]] = {}

    class Listener:
        def step(
            self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
        ) -> tuple[Float32Array, Float32Array, Float32Array]:
            seen.update(tokens=tokens, past=past, place=place, mask=mask)
            nothing = np.zeros((1, tokens.shape[1], int(tree.tokens.max()) + 1), np.float32)
            return nothing, past, np.zeros((1, tokens.shape[1], queries), np.float32)

    weigh(Listener(), past, queries, tree)
    return seen
