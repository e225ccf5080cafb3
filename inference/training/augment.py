"""Other photos of the same goods: nearer or farther, turned, lit and focused otherwise.

Never mirrored: print would read backwards.
"""

from __future__ import annotations

import random

from PIL import Image, ImageEnhance, ImageFilter

NEAREST = 0.45
"""The smallest share of a photo's sides that a view keeps: shoots differ in how near they stand."""


def another_view(picture: Image.Image, rng: random.Random) -> Image.Image:
    """A view of ``picture`` (RGB) as another photographer would have it."""
    share = rng.uniform(NEAREST, 1.0) ** 0.5 if rng.random() < 0.5 else rng.uniform(NEAREST, 1.0)
    width, height = picture.width * share, picture.height * share
    spread_x, spread_y = picture.width - width, picture.height - height
    # what a photo is about stands in its middle, mostly
    left = spread_x * min(1.0, max(0.0, rng.gauss(0.5, 0.2)))
    top = spread_y * min(1.0, max(0.0, rng.gauss(0.5, 0.2)))
    view = picture.crop((round(left), round(top), round(left + width), round(top + height)))
    if rng.random() < 0.7:
        view = view.rotate(rng.gauss(0, 6), Image.Resampling.BILINEAR, fillcolor=(127, 127, 127))
    for enhance, spread in (
        (ImageEnhance.Brightness, 0.25),
        (ImageEnhance.Contrast, 0.2),
        (ImageEnhance.Color, 0.25),
    ):
        view = enhance(view).enhance(max(0.3, rng.gauss(1.0, spread)))
    if rng.random() < 0.25:
        view = view.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.004 * max(view.size) + 0.4)))
    return view
