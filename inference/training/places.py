"""From boxes in a photo to the cells of a model's looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.minigpt.pixels import centre_box

from .snapshot import Box

Float32Array = NDArray[np.float32]
_SPREAD, _LEAST_SPREAD = 1 / 8, 0.6
"""Of the bell curve around the middle of a unit: in parts of its box, and in cells."""


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


def bumps(boxes: Iterable[Box], width_px: int, height_px: int, side: int) -> Float32Array:
    """1 in the cell of the middle of each of ``boxes``, falling off around it (a bell curve whose spread is
    an eighth of the box, Zhou et al. 2019) [side · side], in the look at the whole."""
    found = np.zeros((side, side), np.float32)
    cell = np.arange(side)
    for left, top, width, height in boxes:
        x0, y0, x1, y1 = _in_look(
            (left, top, left + width, top + height), width_px, height_px, 1.0, side
        )
        bells = []
        for low, high in ((y0, y1), (x0, x1)):
            middle = min(int((low + high) / 2), side - 1)
            spread = max((high - low) * _SPREAD, _LEAST_SPREAD)
            bells.append(np.exp(-((cell - middle) ** 2) / (2 * spread**2)))
        found = np.maximum(found, bells[0][:, None] * bells[1][None, :])
    return found.astype(np.float32).reshape(-1)


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
