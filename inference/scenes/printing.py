"""The parts of print: card, colours, logos, decoration, handling marks."""

from __future__ import annotations

import random
from functools import lru_cache

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

from .barcodes import SYMBOL_MODULES, draw_ean13
from .catalog import SkuTruth
from .fonts import font

Rgb = tuple[int, int, int]


def rgb(hex_colour: str) -> Rgb:
    """The RGB triple of a colour such as ``#1d64ad``."""
    return ImageColor.getrgb(hex_colour)[:3]


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """``a`` with ``share`` (0…1) of ``b``."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def readable_on(background: Rgb) -> Rgb:
    """Near black or white, whichever stands out on ``background``."""
    luminance = 0.3 * background[0] + 0.59 * background[1] + 0.11 * background[2]
    return (30, 30, 32) if luminance > 140 else (250, 250, 248)


def seeded(sku: SkuTruth, part: str) -> random.Random:
    # A family of look-alikes shares its design, so the seed leaves out what tells them apart.
    return random.Random(f"{sku.brand}/{sku.category}/{sku.style}/{part}")


def paper(size: tuple[int, int], colour: Rgb, grain: int, seed: str) -> Image.Image:
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


def draw_brand(
    draw: ImageDraw.ImageDraw, sku: SkuTruth, x: float, y: float, size: float, ink: Rgb
) -> tuple[float, float, float, float]:
    """Mark, name and reading at x, y; answers the box they take."""
    after = _logo(draw, sku, x, y, size) + size * 0.22
    draw.text((after, y - size * 0.08), sku.brand, font=font(int(size * 0.68)), fill=ink)
    name, reading = font(int(size * 0.68)), font(int(size * 0.32))
    draw.text((after, y + size * 0.68), sku.brand_latin, font=reading, fill=ink)
    right = after + max(name.getlength(sku.brand), reading.getlength(sku.brand_latin))
    return x, y, right, y + size


def motif_layer(size: tuple[int, int], sku: SkuTruth, strength: float) -> Image.Image:
    """Decoration of the category: waves, fruit, leaves, steam; an RGBA layer."""
    width, height = size
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    rng = seeded(sku, "motif")
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
            draw.ellipse(
                (x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), outline=rgb(sku.base), width=3
            )
            for a in range(0, 360, 45):
                draw.pieslice(
                    (x - r * 0.7, y - r * 0.7, x + r * 0.7, y + r * 0.7),
                    a,
                    a + 36,
                    fill=(*rgb(sku.base), alpha),
                )
    elif kind == "leaf":
        for _ in range(7):
            r = width * rng.uniform(0.05, 0.11)
            x, y = width * rng.random(), height * rng.uniform(0.5, 1.0)
            draw.chord(
                (x - r, y - r, x + r, y + r),
                rng.uniform(0, 120),
                rng.uniform(180, 300),
                fill=(*accent, alpha),
            )
    else:
        r = height * 0.48
        x, y = width * 0.76, height * 0.62
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*accent, alpha))
        draw.ellipse(
            (x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8),
            fill=(*mix(rgb(sku.base), (90, 40, 20), 0.5), alpha),
        )
        for k in range(14):
            left, top = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)
            draw.ellipse(
                (x + left * r, y + top * r, x + left * r + r * 0.22, y + top * r + r * 0.12),
                fill=(*mix(accent, (255, 255, 255), 0.3 * (k % 3)), alpha),
            )
    return layer


def barcode_symbol(sku: SkuTruth, width_px: int, height_px: int) -> Image.Image:
    module = -(-width_px // SYMBOL_MODULES)
    symbol = draw_ean13(sku.barcode, module, height_px * module * SYMBOL_MODULES // width_px)
    return symbol.resize((width_px, height_px), Image.Resampling.BOX)


def draw_handling_marks(
    draw: ImageDraw.ImageDraw, x: float, y: float, size: float, ink: Rgb
) -> None:
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
            draw.line(
                (left + size * 0.15, cy + size * 0.34, left + size * 0.85, cy + size * 0.34),
                fill=ink,
                width=line,
            )
        elif k == 1:
            draw.pieslice(
                (cx - size * 0.33, cy - size * 0.3, cx + size * 0.33, cy + size * 0.36),
                180,
                360,
                fill=ink,
            )
            draw.line((cx, cy, cx, cy + size * 0.3), fill=ink, width=line)
        else:
            draw.polygon(
                [
                    (cx - size * 0.22, cy - size * 0.34),
                    (cx + size * 0.22, cy - size * 0.34),
                    (cx, cy + size * 0.08),
                ],
                fill=ink,
            )
            draw.line((cx, cy, cx, cy + size * 0.32), fill=ink, width=line)
            draw.line(
                (cx - size * 0.18, cy + size * 0.33, cx + size * 0.18, cy + size * 0.33),
                fill=ink,
                width=line,
            )


def draw_small_print(
    draw: ImageDraw.ImageDraw, sku: SkuTruth, x: float, y: float, ink: Rgb, size: float
) -> None:
    rng = seeded(sku, "small")
    lot = f"批号 {rng.randint(10, 99)}{rng.choice('ABCDK')}{rng.randint(1000, 9999)}"
    for row, line in enumerate(("请置于阴凉干燥处", lot)):
        draw.text((x, y + row * size * 1.35), line, font=font(int(size)), fill=ink)


def wear_edges(image: Image.Image) -> None:
    """Darken the rim of a carton's face, where dirt and folds gather."""
    rim = Image.new("L", image.size, 150)
    ImageDraw.Draw(rim).rectangle((4, 4, image.width - 5, image.height - 5), fill=0)
    image.paste((34, 28, 24), (0, 0), rim.filter(ImageFilter.GaussianBlur(2)))
