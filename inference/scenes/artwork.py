"""What is printed on packs: carton faces, bottle labels, bag fronts, as flat pictures."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .catalog import SkuTruth
from .fonts import fitting_font, font
from .printing import (
    barcode_symbol,
    draw_brand,
    draw_handling_marks,
    draw_small_print,
    mix,
    motif_layer,
    paper,
    readable_on,
    rgb,
    wear_edges,
)
from .prints import Inker, Print

Face = Literal["front", "side", "top"]

PX_PER_CM = 16
"""Scale of carton faces; a pack of 40 cm is printed 640 px wide."""


def carton_face(sku: SkuTruth, face: Face) -> Image.Image:
    """One face of a demo carton without its words' places."""
    return carton_print(sku, face).image


@lru_cache(maxsize=160)
def carton_print(sku: SkuTruth, face: Face) -> Print:
    """One face of a demo carton, flat and evenly lit (16 px a cm)."""
    wide, deep, high = (round(side * PX_PER_CM) for side in sku.size_cm)
    if face == "top":
        return _carton_top(sku, (wide, deep))
    size = (wide, high) if face == "front" else (deep, high)
    width, height = size
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    image = paper(size, base, 22 if sku.style == "kraft" else 9, sku.code[:4])
    inker = Inker(image)
    draw = inker.draw
    if sku.style == "full":
        image.paste(motif_layer(size, sku, 0.28), (0, 0), motif_layer(size, sku, 0.28))
        draw.rectangle((0, height * 0.93, width, height), fill=mix(base, (0, 0, 0), 0.25))
    elif sku.style == "panel":
        draw.rectangle((0, 0, width, height * 0.23), fill=accent)
        image.paste(motif_layer(size, sku, 0.2), (0, 0), motif_layer(size, sku, 0.2))
        draw.rectangle((0, height * 0.94, width, height), fill=accent)
    else:
        draw.rectangle(
            (width * 0.03, height * 0.04, width * 0.97, height * 0.96), outline=accent, width=4
        )
        image.paste(motif_layer(size, sku, 0.55), (0, 0), motif_layer(size, sku, 0.55))
    top_ink = readable_on(accent) if sku.style == "panel" else ink
    brand_px = height * (0.13 if face == "front" else 0.11)
    brand = draw_brand(draw, sku, width * 0.05, height * 0.05, brand_px, top_ink)
    inker.note("brand", brand)
    product = sku.name.removeprefix(sku.brand)
    name_font = fitting_font(product, width * 0.88, height * 0.25)
    stroke = 2 if sku.style == "full" else 0
    inker.text(
        "name",
        (width * 0.06, height * 0.23),
        product,
        name_font,
        ink,
        stroke_width=stroke,
        stroke_fill=mix(base, (0, 0, 0), 0.35),
    )
    below = height * 0.25 + name_font.size * 1.25
    room = width * (0.27 if face == "front" else 0.8)
    variant_font = fitting_font(sku.variant, room, height * 0.09)
    inker.text("variant", (width * 0.065, below), sku.variant, variant_font, ink)
    if face == "front":
        code = barcode_symbol(sku, round(width * 0.62), round(height * 0.28))
        place = (round(width * 0.96 - code.width), round(height * 0.9 - code.height))
        draw.rectangle(
            (place[0] - 4, place[1] - 4, place[0] + code.width + 3, place[1] + code.height + 3),
            fill="white",
        )
        image.paste(code, place)
        inker.note("barcode", (*place, place[0] + code.width, place[1] + code.height))
        inker.text(
            "spec",
            (width * 0.95, height * 0.07),
            sku.spec,
            fitting_font(sku.spec, width * 0.52, height * 0.09),
            top_ink,
            "ra",
        )
        draw_small_print(draw, sku, width * 0.065, height * 0.82, ink, height * 0.037)
    else:
        draw_handling_marks(draw, width * 0.07, height * 0.72, height * 0.15, ink)
        text = sku.spec
        inker.text(
            "spec",
            (width * 0.93, height * 0.62),
            text,
            fitting_font(text, width * 0.6, height * 0.07),
            ink,
            "ra",
        )
    wear_edges(image)
    return inker.print()


def _carton_top(sku: SkuTruth, size: tuple[int, int]) -> Print:
    width, height = size
    base = rgb(sku.base)
    image = paper(size, mix(base, (255, 255, 255), 0.06), 14, sku.code[:4] + "top")
    inker = Inker(image)
    draw = inker.draw
    ink = rgb(sku.ink)
    text = f"{sku.brand}·{sku.name.removeprefix(sku.brand)}"
    face = fitting_font(text, width * 0.8, height * 0.2)
    inker.text("name", (width * 0.5, height * 0.25), text, face, ink, "mm")
    face = fitting_font(sku.spec, width * 0.5, height * 0.12)
    inker.text("spec", (width * 0.5, height * 0.8), sku.spec, face, ink, "mm")
    # The flaps meet in the middle, under a strip of tape that runs over both ends.
    draw.line((0, height / 2, width, height / 2), fill=mix(base, (0, 0, 0), 0.55), width=3)
    tape = Image.new("RGBA", (width, round(height * 0.16)), (205, 178, 128, 120))
    glare = Image.linear_gradient("L").resize(tape.size).point(lambda v: abs(v - 128) // 2)
    image.paste(tape, (0, round(height * 0.42)), tape.getchannel("A").point(lambda v: v))
    image.paste(
        Image.new("RGB", tape.size, "white"),
        (0, round(height * 0.42)),
        glare.point(lambda v: v // 3),
    )
    wear_edges(image)
    return inker.print()


@lru_cache(maxsize=40)
def bottle_print(sku: SkuTruth) -> Print:
    """The label around a bottle, unrolled (mode RGB); its front is in the middle."""
    width, height = 1500, 760
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    ground = accent if sku.style == "full" else mix(rgb("#f7f3e8"), base, 0.05)
    if sku.category == "饮用水":
        ground = rgb("#eaf4fa")
    image = paper((width, height), ground, 5, sku.code[:5])
    inker = Inker(image)
    draw = inker.draw
    band = base if sku.style == "full" else accent
    draw.rectangle((0, 0, width, height * 0.06), fill=band)
    draw.rectangle((0, height * 0.9, width, height), fill=band)
    motif = motif_layer((600, height), sku, 0.35)
    image.paste(motif, (width // 2 - 300, 0), motif)
    middle = width / 2
    brand = draw_brand(draw, sku, middle - 145, height * 0.1, height * 0.13, ink)
    inker.note("brand", brand)
    product = sku.name.removeprefix(sku.brand)
    half = len(product) > 3
    lines = (
        [product[: (len(product) + 1) // 2], product[(len(product) + 1) // 2 :]]
        if half
        else [product]
    )
    y = height * 0.3
    for line in lines:
        face = fitting_font(line, 300, height * 0.2)
        inker.text(
            "name",
            (middle, y),
            line,
            face,
            ink,
            "ma",
            stroke_width=4,
            stroke_fill=mix(ground, (255, 255, 255), 0.6),
        )
        y += face.size * 1.12
    face = fitting_font(sku.variant, 280, 46)
    inker.text("variant", (middle, y + 14), sku.variant, face, ink, "ma")
    text = f"净含量 {sku.spec.partition('/')[0]}"
    inker.text("spec", (middle, height * 0.86), text, font(40), ink, "mm")
    # Bars run around the bottle's axis, ladder-wise, as curved packs need.
    code = barcode_symbol(sku, round(height * 0.94), 150).rotate(90, expand=True)
    place = (round(middle + 158), round(height * 0.03))
    image.paste(code, place)
    inker.note("barcode", (*place, place[0] + code.width, place[1] + code.height))
    for row in range(9):
        draw.text((middle - 520, height * 0.2 + row * 44), "配料 水 " * 3, font=font(26), fill=ink)
    return inker.print()


@lru_cache(maxsize=40)
def bag_print(sku: SkuTruth) -> Print:
    """The front of a bag, flat (mode RGB)."""
    width = 620
    height = round(width * sku.size_cm[2] / sku.size_cm[0])
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    image = paper((width, height), base, 6, sku.code[:5])
    inker = Inker(image)
    draw = inker.draw
    motif = motif_layer((width, height), sku, 0.75 if sku.style == "full" else 0.5)
    image.paste(motif, (0, 0), motif)
    if sku.style == "panel":
        draw.rectangle((0, 0, width, height * 0.14), fill=accent)
        draw.rectangle((0, height * 0.93, width, height), fill=accent)
    ink_top = readable_on(accent) if sku.style == "panel" else ink
    brand = draw_brand(draw, sku, width * 0.1, height * 0.055, height * 0.075, ink_top)
    inker.note("brand", brand)
    product = sku.name.removeprefix(sku.brand)
    face = fitting_font(product, width * 0.82, height * 0.17)
    inker.text(
        "name",
        (width / 2, height * 0.2),
        product,
        face,
        ink,
        "ma",
        stroke_width=6,
        stroke_fill=mix(
            base, (255, 255, 255) if readable_on(ink) != (30, 30, 32) else (40, 10, 5), 0.55
        ),
    )
    inker.text(
        "variant",
        (width / 2, height * 0.24 + face.size * 1.2),
        sku.variant,
        font(int(height * 0.05)),
        ink,
        "ma",
        stroke_width=3,
        stroke_fill=mix(
            base, (255, 255, 255) if readable_on(ink) != (30, 30, 32) else (40, 10, 5), 0.55
        ),
    )
    text = f"净含量 {sku.spec.partition('/')[0]}"
    inker.text(
        "spec",
        (width * 0.09, height * 0.675),
        text,
        font(int(height * 0.042)),
        ink,
        stroke_width=3,
        stroke_fill=base,
    )
    code = barcode_symbol(sku, round(width * 0.7), round(height * 0.15))
    place = (round(width * 0.93 - code.width), round(height * 0.73))
    image.paste(code, place)
    inker.note("barcode", (*place, place[0] + code.width, place[1] + code.height))
    return inker.print()


@lru_cache(maxsize=4)
def cardboard(size: tuple[int, int]) -> Image.Image:
    """Plain corrugated board."""
    image = paper(size, (176, 138, 94), 26, "board")
    return image.filter(ImageFilter.GaussianBlur(0.6))


@lru_cache(maxsize=12)
def planks(size: tuple[int, int], seed: int) -> Image.Image:
    """Pallet wood: boards along the width with grain and gaps."""
    rng = random.Random(f"planks/{seed}")
    width, height = size
    grain = Image.frombytes("L", (24, 90), rng.randbytes(24 * 90)).resize(
        size, Image.Resampling.BICUBIC
    )
    tone = Image.merge("RGB", [grain.point(lambda v: 205 + v // 6)] * 3)
    image = Image.new("RGB", size, (168, 132, 90))
    draw = ImageDraw.Draw(image)
    boards = 5
    for k in range(boards):
        top, bottom = height * k / boards, height * (k + 1) / boards
        shift = rng.randint(-16, 16)
        draw.rectangle((0, top, width, bottom), fill=(168 + shift, 132 + shift, 90 + shift // 2))
        draw.rectangle((0, bottom - height * 0.03, width, bottom), fill=(46, 36, 28))
    return ImageChops.multiply(image, tone)
