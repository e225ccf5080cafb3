"""The white shipping label with an SKU's code in plain characters."""

from __future__ import annotations

import random
from typing import Final

from PIL import Image, ImageDraw

from .catalog import SkuTruth
from .fonts import fitting_font, font
from .prints import Print, Span

_HEADINGS: Final = ("货号", "SKU", "商品编码", "物料号", "Item No.")
_COST: Final = {"name": 6.0, "spec": 3.0, "brand": 2.0, "barcode": 1.0, "variant": 1.0}
"""How bad it is to hide a word."""


def with_label(pack: Print, sku: SkuTruth, share: tuple[float, float], within: Span) -> Print:
    """``pack`` with a label stuck on where it hides least. ``share`` is the label's part of the width
    and height of ``within``, the part of the picture that the label may be on. Words that it mostly
    hides are no longer there."""
    rng = random.Random(f"label/{sku.code}")
    width, height = pack.image.size
    wide = round((within[2] - within[0]) * width * share[0])
    high = round(min((within[3] - within[1]) * height * share[1], wide * 0.55))
    label, code = _label(sku, (wide, high), rng)
    left, top, right, bottom = (
        round(v * s) for v, s in zip(within, (width, height) * 2, strict=True)
    )
    places = [
        (round(left + (right - left - wide) * fx), round(top + (bottom - top - high) * fy))
        for fy in (0.06, 0.34, 0.62, 0.94)
        for fx in (0.05, 0.5, 0.95)
    ]
    places = [(x + rng.randint(-2, 2), y + rng.randint(-2, 2)) for x, y in places]

    def cost(place: tuple[int, int]) -> float:
        box = (
            place[0] / width,
            place[1] / height,
            (place[0] + wide) / width,
            (place[1] + high) / height,
        )
        return sum(_COST.get(group, 0) * hidden(span, box) for group, span in pack.words.items())

    x, y = min(places, key=cost)
    image = pack.image.copy()
    ImageDraw.Draw(image).rectangle((x + 1, y + 1, x + wide + 1, y + high + 1), fill=(40, 36, 32))
    image.paste(label, (x, y))
    box = (x / width, y / height, (x + wide) / width, (y + high) / height)
    words = {group: span for group, span in pack.words.items() if hidden(span, box) < 0.4}
    words["code"] = (
        (x + code[0]) / width,
        (y + code[1]) / height,
        (x + code[2]) / width,
        (y + code[3]) / height,
    )
    return Print(image, words)


def hidden(span: Span, by: Span) -> float:
    """The share of ``span``'s area that lies in ``by``."""
    width = min(span[2], by[2]) - max(span[0], by[0])
    height = min(span[3], by[3]) - max(span[1], by[1])
    area = (span[2] - span[0]) * (span[3] - span[1])
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0


def _label(
    sku: SkuTruth, size: tuple[int, int], rng: random.Random
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """The label and the box of the code's characters on it, in pixels."""
    width, height = size
    image = Image.new("RGB", size, (250, 250, 247))
    draw = ImageDraw.Draw(image)
    ink = (18, 18, 20)
    small = font(max(6, round(height * 0.17)), "sans")
    draw.text(
        (width * 0.04, height * 0.14), rng.choice(_HEADINGS), font=small, fill=ink, anchor="lm"
    )
    lot = f"{rng.randint(2024, 2027)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    draw.text((width * 0.96, height * 0.14), lot, font=small, fill=ink, anchor="rm")
    draw.line((0, height * 0.27, width, height * 0.27), fill=ink, width=max(1, height // 50))
    face = fitting_font(sku.code, width * 0.92, height * 0.5, rng.choice(("mono", "grotesque")))
    middle = (width / 2, height * 0.52)
    draw.text(middle, sku.code, font=face, fill=ink, anchor="mm")
    box = draw.textbbox(middle, sku.code, font=face, anchor="mm")
    name = sku.name[:14]
    draw.text(
        (width / 2, height * 0.86),
        name,
        font=fitting_font(name, width * 0.9, height * 0.19, "sans"),
        fill=ink,
        anchor="mm",
    )
    return image, box
