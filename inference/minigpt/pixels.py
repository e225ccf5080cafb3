"""From pictures to what towers take: scaled to fit, aspect kept, padded, (x − 127) / 128."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Float32Array = NDArray[np.float32]


def fit(picture: Image.Image, side_px: int) -> Image.Image:
    """``picture`` (RGB) as large as it goes in the middle of a square of ``side_px``, on grey."""
    scale = side_px / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    square = Image.new("RGB", (side_px, side_px), (127, 127, 127))
    left, top = (side_px - size[0]) // 2, (side_px - size[1]) // 2
    square.paste(picture.resize(size, Image.Resampling.BICUBIC), (left, top))
    return square


def to_pixels(pictures: list[Image.Image], side_px: int) -> Float32Array:
    """Pixels [B, 3, S, S] of RGB pictures."""
    squares = np.stack([np.asarray(fit(one, side_px), np.float32) for one in pictures])
    return np.ascontiguousarray((squares.transpose(0, 3, 1, 2) - 127.0) / 128.0)
