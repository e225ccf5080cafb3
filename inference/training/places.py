"""From boxes in a photo to the cells of a model's looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.minigpt.pixels import centre_box

from .snapshot import Box

Float32Array = NDArray[np.float32]


def covered(
    boxes: Iterable[Box], width_px: int, height_px: int, looks: Sequence[float], side: int
) -> Float32Array:
    """The share of each cell that lies in any of ``boxes`` [K, side · side]: the looks at a picture
    of that size (see :func:`inference.minigpt.pixels.to_pixels`), ``side`` cells high and wide."""
    found = np.zeros((len(looks), side, side), np.float32)
    cell = np.arange(side)
    for k, share in enumerate(looks):
        for left, top, width, height in boxes:
            x0, y0, x1, y1 = _in_look(
                (left, top, left + width, top + height), width_px, height_px, share, side
            )
            across = np.clip(np.minimum(x1, cell + 1) - np.maximum(x0, cell), 0, 1)
            down = np.clip(np.minimum(y1, cell + 1) - np.maximum(y0, cell), 0, 1)
            found[k] = np.maximum(found[k], down[:, None] * across[None, :])
    return found.reshape(len(looks), -1)


def centres(boxes: Iterable[Box], width_px: int, height_px: int, side: int) -> Float32Array:
    """One for each of ``boxes``, shared among the four cells nearest to its centre
    [side · side], in the look at the whole."""
    found = np.zeros((side, side), np.float32)
    for left, top, width, height in boxes:
        middle = (left + width / 2, top + height / 2)
        x, y, *_ = _in_look((*middle, *middle), width_px, height_px, 1.0, side)
        x, y = (min(max(v - 0.5, 0.0), side - 1.0) for v in (x, y))
        column, row = min(int(x), side - 2), min(int(y), side - 2)
        right, down = x - column, y - row
        found[row, column] += (1 - right) * (1 - down)
        found[row, column + 1] += right * (1 - down)
        found[row + 1, column] += (1 - right) * down
        found[row + 1, column + 1] += right * down
    return found.reshape(-1)


def _in_look(
    edges: tuple[float, float, float, float], width_px: int, height_px: int, share: float, side: int
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in a picture as cells of a look at it."""
    left, top, right, bottom = centre_box(width_px, height_px, share)
    width, height = right - left, bottom - top
    scale = side / max(width, height)
    by_x, by_y = (side - width * scale) / 2, (side - height * scale) / 2
    x0, x1 = (min(max(x, left), right) - left for x in edges[::2])  # what is around is padding
    y0, y1 = (min(max(y, top), bottom) - top for y in edges[1::2])
    return x0 * scale + by_x, y0 * scale + by_y, x1 * scale + by_x, y1 * scale + by_y
