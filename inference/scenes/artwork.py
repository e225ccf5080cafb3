"""What is printed on packs: carton faces, bottle labels, bag fronts, as flat pictures."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

from .barcodes import SYMBOL_MODULES, draw_ean13
from .catalog import SkuTruth
from .fonts import fitting_font, font

Rgb = tuple[int, int, int]
Face = Literal["front", "side", "top"]

PX_PER_CM = 16
"""Scale of carton faces; a pack of 40 cm is printed 640 px wide."""


def rgb(hex_colour: str) -> Rgb:
    """The RGB triple of a colour such as ``#1d64ad``."""
    return ImageColor.getrgb(hex_colour)[:3]  # type: ignore[return-value]


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """``a`` with ``share`` (0…1) of ``b``."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def readable_on(background: Rgb) -> Rgb:
    """Near black or white, whichever stands out on ``background``."""
    luminance = 0.3 * background[0] + 0.59 * background[1] + 0.11 * background[2]
    return (30, 30, 32) if luminance > 140 else (250, 250, 248)


def _seeded(sku: SkuTruth, part: str) -> random.Random:
    # A family of look-alikes shares its design, so the seed leaves out what tells them apart.
    return random.Random(f"{sku.brand}/{sku.category}/{sku.style}/{part}")


def _paper(size: tuple[int, int], colour: Rgb, grain: int, seed: str) -> Image.Image:
    """Card of one colour with faint fibres, so that large faces are not flat."""
    tile = _fibres(seed).resize(size, Image.Resampling.BICUBIC)
    shade = tile.point(lambda v: 255 - grain + int((v - 128) * grain / 128))
    return ImageChops.multiply(Image.new("RGB", size, colour), Image.merge("RGB", [shade] * 3))


@lru_cache(maxsize=8)
def _fibres(seed: str) -> Image.Image:
    rng = random.Random(f"fibres/{seed}")
    return Image.frombytes("L", (96, 72), rng.randbytes(96 * 72))


def _logo(draw: ImageDraw.ImageDraw, sku: SkuTruth, x: float, y: float, size: float) -> float:
    """The brand's mark at x, y; answers the x after it."""
    rng = random.Random(f"logo/{sku.brand}")
    accent = rgb(sku.accent)
    shape = rng.choice(["disc", "shield", "tile", "leaf"])
    box = (x, y, x + size, y + size)
    if shape == "disc":
        draw.ellipse(box, fill=accent)
    elif shape == "tile":
        draw.rounded_rectangle(box, size * 0.2, fill=accent)
    elif shape == "shield":
        draw.polygon(
            [
                (x, y),
                (x + size, y),
                (x + size, y + size * 0.65),
                (x + size / 2, y + size),
                (x, y + size * 0.65),
            ],
            fill=accent,
        )
    else:
        draw.pieslice((x - size * 0.1, y, x + size * 1.1, y + size * 2), 180, 360, fill=accent)
    draw.text(
        (x + size / 2, y + size * 0.52),
        sku.brand[0],
        font=font(int(size * 0.62)),
        fill=readable_on(accent),
        anchor="mm",
    )
    return x + size


def _brand(
    draw: ImageDraw.ImageDraw, sku: SkuTruth, x: float, y: float, size: float, ink: Rgb
) -> None:
    after = _logo(draw, sku, x, y, size) + size * 0.22
    draw.text((after, y - size * 0.08), sku.brand, font=font(int(size * 0.68)), fill=ink)
    draw.text((after, y + size * 0.68), sku.brand_latin, font=font(int(size * 0.32)), fill=ink)


def _motif(size: tuple[int, int], sku: SkuTruth, strength: float) -> Image.Image:
    """Decoration of the category: waves, fruit, leaves, steam; an RGBA layer."""
    width, height = size
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    rng = _seeded(sku, "motif")
    accent = rgb(sku.accent)
    alpha = int(255 * strength)
    kind = {"果汁": "fruit", "茶饮": "leaf", "大米": "leaf", "抽纸": "leaf", "面粉": "leaf"}.get(
        sku.category, "wave" if sku.category_parent in ("个人护理", "饮料", "家居清洁") else "disc"
    )
    if kind == "wave":
        for row in range(3):
            top = height * (0.55 + 0.13 * row)
            for k in range(-1, 4):
                x = width * (k * 0.42 + 0.17 * row + rng.random() * 0.05)
                colour = (*mix(accent, rgb(sku.base), 0.25 * row), alpha)
                draw.ellipse((x, top, x + width * 0.6, top + height * 0.7), fill=colour)
    elif kind == "fruit":
        for _ in range(5):
            r = width * rng.uniform(0.12, 0.2)
            x, y = width * rng.random(), height * rng.uniform(0.45, 0.95)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(*accent, alpha))
            draw.ellipse((x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), outline=rgb(sku.base), width=3)
            for a in range(0, 360, 45):
                draw.pieslice((x - r * 0.7, y - r * 0.7, x + r * 0.7, y + r * 0.7), a, a + 36, fill=(*rgb(sku.base), alpha))
    elif kind == "leaf":
        for _ in range(7):
            r = width * rng.uniform(0.05, 0.11)
            x, y = width * rng.random(), height * rng.uniform(0.5, 1.0)
            draw.chord((x - r, y - r, x + r, y + r), rng.uniform(0, 120), rng.uniform(180, 300), fill=(*accent, alpha))
    else:
        r = height * 0.48
        x, y = width * 0.76, height * 0.62
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*accent, alpha))
        draw.ellipse((x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), fill=(*mix(rgb(sku.base), (90, 40, 20), 0.5), alpha))
        for k in range(14):
            a, b = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)
            draw.ellipse((x + a * r, y + b * r, x + a * r + r * 0.22, y + b * r + r * 0.12), fill=(*mix(accent, (255, 255, 255), 0.3 * (k % 3)), alpha))
    return layer


def _barcode(sku: SkuTruth, width_px: int, height_px: int) -> Image.Image:
    module = max(1, width_px // SYMBOL_MODULES)
    return draw_ean13(sku.barcode, module, height_px)


def _handling_marks(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, ink: Rgb) -> None:
    """This way up, keep dry, fragile (after ISO 780), drawn plainly."""
    line = max(2, int(size / 14))
    for k in range(3):
        left = x + k * size * 1.25
        draw.rectangle((left, y, left + size, y + size), outline=ink, width=line)
        cx, cy = left + size / 2, y + size / 2
        if k == 0:
            for dx in (-0.2, 0.2):
                ax = cx + dx * size
                draw.line((ax, cy - size * 0.2, ax, cy + size * 0.25), fill=ink, width=line)
                draw.polygon(
                    [
                        (ax - size * 0.13, cy - size * 0.12),
                        (ax + size * 0.13, cy - size * 0.12),
                        (ax, cy - size * 0.34),
                    ],
                    fill=ink,
                )
            draw.line((left + size * 0.15, cy + size * 0.34, left + size * 0.85, cy + size * 0.34), fill=ink, width=line)
        elif k == 1:
            draw.pieslice((cx - size * 0.33, cy - size * 0.3, cx + size * 0.33, cy + size * 0.36), 180, 360, fill=ink)
            draw.line((cx, cy, cx, cy + size * 0.3), fill=ink, width=line)
        else:
            draw.polygon([(cx - size * 0.22, cy - size * 0.34), (cx + size * 0.22, cy - size * 0.34), (cx, cy + size * 0.08)], fill=ink)
            draw.line((cx, cy, cx, cy + size * 0.32), fill=ink, width=line)
            draw.line((cx - size * 0.18, cy + size * 0.33, cx + size * 0.18, cy + size * 0.33), fill=ink, width=line)


@lru_cache(maxsize=160)
def carton_face(sku: SkuTruth, face: Face) -> Image.Image:
    """One face of a carton, flat and evenly lit (mode RGB, 16 px a cm)."""
    wide, deep, high = (round(side * PX_PER_CM) for side in sku.size_cm)
    if face == "top":
        return _carton_top(sku, (wide, deep))
    size = (wide, high) if face == "front" else (deep, high)
    width, height = size
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    image = _paper(size, base, 22 if sku.style == "kraft" else 9, sku.code[:4])
    draw = ImageDraw.Draw(image)
    if sku.style == "full":
        image.paste(_motif(size, sku, 0.28), (0, 0), _motif(size, sku, 0.28))
        draw.rectangle((0, height * 0.93, width, height), fill=mix(base, (0, 0, 0), 0.25))
    elif sku.style == "panel":
        draw.rectangle((0, 0, width, height * 0.23), fill=accent)
        image.paste(_motif(size, sku, 0.2), (0, 0), _motif(size, sku, 0.2))
        draw.rectangle((0, height * 0.94, width, height), fill=accent)
    else:
        draw.rectangle((width * 0.03, height * 0.04, width * 0.97, height * 0.96), outline=accent, width=4)
        image.paste(_motif(size, sku, 0.55), (0, 0), _motif(size, sku, 0.55))
    top_ink = readable_on(accent) if sku.style == "panel" else ink
    brand_px = height * (0.13 if face == "front" else 0.11)
    _brand(draw, sku, width * 0.05, height * 0.05, brand_px, top_ink)
    product = sku.name.removeprefix(sku.brand)
    name_font = fitting_font(product, width * 0.88, height * 0.27)
    stroke = 2 if sku.style == "full" else 0
    draw.text(
        (width * 0.06, height * 0.26),
        product,
        font=name_font,
        fill=ink,
        stroke_width=stroke,
        stroke_fill=mix(base, (0, 0, 0), 0.35),
    )
    below = height * 0.28 + name_font.size * 1.25
    draw.text((width * 0.065, below), sku.variant, font=font(int(height * 0.09)), fill=ink)
    if face == "front":
        code = _barcode(sku, round(width * 0.56), round(height * 0.27))
        place = (round(width * 0.96 - code.width), round(height * 0.9 - code.height))
        draw.rectangle((place[0] - 4, place[1] - 4, place[0] + code.width + 3, place[1] + code.height + 3), fill="white")
        image.paste(code, place)
        room = place[0] - width * 0.1
        text = f"规格 {sku.spec}"
        draw.text((width * 0.065, height * 0.72), text, font=fitting_font(text, room, height * 0.075), fill=ink)
        _small_print(draw, sku, width * 0.065, height * 0.82, ink, height * 0.037)
    else:
        _handling_marks(draw, width * 0.07, height * 0.72, height * 0.15, ink)
        text = sku.spec
        draw.text((width * 0.93, height * 0.62), text, font=fitting_font(text, width * 0.6, height * 0.07), fill=ink, anchor="ra")
    return image


def _small_print(
    draw: ImageDraw.ImageDraw, sku: SkuTruth, x: float, y: float, ink: Rgb, size: float
) -> None:
    rng = _seeded(sku, "small")
    lot = f"批号 {rng.randint(10, 99)}{rng.choice('ABCDK')}{rng.randint(1000, 9999)}"
    for row, line in enumerate(("请置于阴凉干燥处", lot)):
        draw.text((x, y + row * size * 1.35), line, font=font(int(size)), fill=ink)


def _carton_top(sku: SkuTruth, size: tuple[int, int]) -> Image.Image:
    width, height = size
    base = rgb(sku.base)
    image = _paper(size, mix(base, (255, 255, 255), 0.06), 14, sku.code[:4] + "top")
    draw = ImageDraw.Draw(image)
    ink = rgb(sku.ink)
    text = f"{sku.brand}·{sku.name.removeprefix(sku.brand)}"
    draw.text(
        (width * 0.5, height * 0.25), text, font=fitting_font(text, width * 0.8, height * 0.2), fill=ink, anchor="mm"
    )
    draw.text(
        (width * 0.5, height * 0.8), sku.spec, font=fitting_font(sku.spec, width * 0.5, height * 0.12), fill=ink, anchor="mm"
    )
    # The flaps meet in the middle, under a strip of tape that runs over both ends.
    draw.line((0, height / 2, width, height / 2), fill=mix(base, (0, 0, 0), 0.55), width=3)
    tape = Image.new("RGBA", (width, round(height * 0.16)), (205, 178, 128, 120))
    glare = Image.linear_gradient("L").resize(tape.size).point(lambda v: abs(v - 128) // 2)
    image.paste(tape, (0, round(height * 0.42)), tape.getchannel("A").point(lambda v: v))
    image.paste(Image.new("RGB", tape.size, "white"), (0, round(height * 0.42)), glare.point(lambda v: v // 3))
    return image


@lru_cache(maxsize=40)
def bottle_label(sku: SkuTruth) -> Image.Image:
    """The label around a bottle, unrolled (mode RGB); its front is in the middle."""
    width, height = 1500, 760
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    ground = accent if sku.style == "full" else mix(rgb("#f7f3e8"), base, 0.05)
    if sku.category == "饮用水":
        ground = rgb("#eaf4fa")
    image = _paper((width, height), ground, 5, sku.code[:5])
    draw = ImageDraw.Draw(image)
    band = base if sku.style == "full" else accent
    draw.rectangle((0, 0, width, height * 0.06), fill=band)
    draw.rectangle((0, height * 0.9, width, height), fill=band)
    motif = _motif((600, height), sku, 0.35)
    image.paste(motif, (width // 2 - 300, 0), motif)
    middle = width / 2
    _brand(draw, sku, middle - 150, height * 0.1, height * 0.13, ink)
    product = sku.name.removeprefix(sku.brand)
    half = len(product) > 3
    lines = [product[: (len(product) + 1) // 2], product[(len(product) + 1) // 2 :]] if half else [product]
    y = height * 0.3
    for line in lines:
        face = fitting_font(line, 330, height * 0.22)
        draw.text(
            (middle, y), line, font=face, fill=ink, anchor="ma",
            stroke_width=4, stroke_fill=mix(ground, (255, 255, 255), 0.6),
        )
        y += face.size * 1.12
    draw.text((middle, y + 14), sku.variant, font=fitting_font(sku.variant, 280, 46), fill=ink, anchor="ma")
    draw.text((middle, height * 0.84), f"净含量 {sku.spec.partition('/')[0]}", font=font(40), fill=ink, anchor="mm")
    # Bars run around the bottle's axis, ladder-wise, as curved packs need.
    code = _barcode(sku, round(height * 0.8), 190).rotate(90, expand=True)
    image.paste(code, (round(middle + 215), round(height * 0.1)))
    for row in range(9):
        draw.text((middle - 520, height * 0.2 + row * 44), "配料 水 " * 3, font=font(26), fill=ink)
    return image


@lru_cache(maxsize=40)
def bag_front(sku: SkuTruth) -> Image.Image:
    """The front of a bag, flat (mode RGB)."""
    width = 620
    height = round(width * sku.size_cm[2] / sku.size_cm[0])
    base, accent, ink = rgb(sku.base), rgb(sku.accent), rgb(sku.ink)
    image = _paper((width, height), base, 6, sku.code[:5])
    draw = ImageDraw.Draw(image)
    motif = _motif((width, height), sku, 0.75 if sku.style == "full" else 0.5)
    image.paste(motif, (0, 0), motif)
    if sku.style == "panel":
        draw.rectangle((0, 0, width, height * 0.14), fill=accent)
        draw.rectangle((0, height * 0.93, width, height), fill=accent)
    ink_top = readable_on(accent) if sku.style == "panel" else ink
    _brand(draw, sku, width * 0.1, height * 0.055, height * 0.075, ink_top)
    product = sku.name.removeprefix(sku.brand)
    face = fitting_font(product, width * 0.82, height * 0.17)
    draw.text(
        (width / 2, height * 0.2), product, font=face, fill=ink, anchor="ma",
        stroke_width=6, stroke_fill=mix(base, (255, 255, 255) if readable_on(ink) != (30, 30, 32) else (40, 10, 5), 0.55),
    )
    draw.text(
        (width / 2, height * 0.24 + face.size * 1.2), sku.variant, font=font(int(height * 0.05)), fill=ink, anchor="ma",
        stroke_width=3, stroke_fill=mix(base, (255, 255, 255) if readable_on(ink) != (30, 30, 32) else (40, 10, 5), 0.55),
    )
    text = f"净含量 {sku.spec.partition('/')[0]}"
    draw.text((width * 0.09, height * 0.86), text, font=font(int(height * 0.042)), fill=ink, stroke_width=3, stroke_fill=base)
    code = _barcode(sku, round(width * 0.56), round(height * 0.15))
    image.paste(code, (round(width * 0.93 - code.width), round(height * 0.73)))
    return image


@lru_cache(maxsize=4)
def cardboard(size: tuple[int, int]) -> Image.Image:
    """Plain corrugated board."""
    image = _paper(size, (176, 138, 94), 26, "board")
    return image.filter(ImageFilter.GaussianBlur(0.6))


@lru_cache(maxsize=12)
def planks(size: tuple[int, int], seed: int) -> Image.Image:
    """Pallet wood: boards along the width with grain and gaps."""
    rng = random.Random(f"planks/{seed}")
    width, height = size
    grain = Image.frombytes("L", (24, 90), rng.randbytes(24 * 90)).resize(size, Image.Resampling.BICUBIC)
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
