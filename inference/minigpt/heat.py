"""From where a model looked, cell by cell of each look, to a map over the whole picture."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from inference.contracts import HeatMap

from .alternatives import Float32Array
from .pixels import centre_box

_LONGER = 24
"""Cells along the longer side of a map."""


def heat_map(cells: Float32Array, looks: Sequence[float], width_px: int, height_px: int) -> HeatMap:
    """The map of a picture from the weights of cells [K, N], which sum to 1. Looks (shares of the
    picture's sides) are squares of cells over its middle with what was padded around it; each cell
    spreads its weight over the place that it shows."""
    scale = _LONGER / max(width_px, height_px)
    columns, rows = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    density = np.zeros((rows, columns), np.float32)
    for share, weights in zip(looks, cells, strict=True):
        side = math.isqrt(len(weights))
        left, top, right, bottom = centre_box(columns, rows, share)
        longer = max(right - left, bottom - top)
        square = Image.fromarray(weights.reshape(side, side).astype(np.float32))
        whole = np.asarray(square.resize((longer, longer), Image.Resampling.BICUBIC))
        x, y = (longer - (right - left)) // 2, (longer - (bottom - top)) // 2
        shown = whole[y : y + bottom - top, x : x + right - left]
        density[top:bottom, left:right] += np.maximum(shown, 0) * (side / longer) ** 2
    bytes_ = np.rint(density / max(float(density.max()), 1e-9) * 255).astype(np.uint8)
    return HeatMap(rows, columns, base64.b64encode(bytes_.tobytes()).decode())
