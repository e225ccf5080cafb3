"""From pictures to what towers take: scaled to fit, aspect kept, padded, (x − 127) / 128."""

from __future__ import annotations

from collections.abc import Sequence

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


def centre(picture: Image.Image, share: float) -> Image.Image:
    """The middle of ``picture``, ``share`` of its sides, at least one pixel."""
    if share >= 1:
        return picture
    return picture.crop(centre_box(*picture.size, share))


def centre_box(width_px: int, height_px: int, share: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the middle of a picture."""
    left, top = round(width_px * (1 - share) / 2), round(height_px * (1 - share) / 2)
    return left, top, max(left + 1, width_px - left), max(top + 1, height_px - top)


def to_pixels(
    pictures: Sequence[Image.Image], side_px: int, looks: Sequence[float] = (1.0,)
) -> Float32Array:
    """Pixels [B, K, 3, S, S] of RGB pictures. Looks are central parts, as shares of the sides:
    shoots differ in how near they stand and in what surrounds the pack."""
    squares = np.stack(
        [
            np.stack([np.asarray(fit(centre(one, share), side_px)) for share in looks])
            for one in pictures
        ]
    )
    pixels = np.ascontiguousarray(squares.transpose(0, 1, 4, 2, 3)).astype(np.float32)
    pixels -= 127
    pixels /= 128
    return pixels
