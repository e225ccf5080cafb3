"""Where the words of an invented pack stand: slots by layout, and how they are filled."""

from __future__ import annotations

from typing import Final, Literal

from PIL import Image, ImageDraw

from .catalog import SkuTruth
from .design import Design
from .fonts import fitting_font, font
from .printing import Rgb, barcode_symbol, mix, readable_on, rgb
from .prints import Inker

Align = Literal["l", "c", "r"]
Slot = tuple[float, float, float, float, Align]
"""Left, top, width, height in shares of the area, and the alignment in it."""

Area = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""

_WIDE: Final[dict[str, dict[str, Slot]]] = {
    "left": {
        "brand": (0.05, 0.05, 0.5, 0.17, "l"),
        "name": (0.05, 0.25, 0.9, 0.31, "l"),
        "variant": (0.05, 0.59, 0.45, 0.1, "l"),
        "spec": (0.05, 0.76, 0.46, 0.13, "l"),
        "barcode": (0.56, 0.64, 0.39, 0.29, "r"),
    },
    "centre": {
        "brand": (0.25, 0.04, 0.5, 0.15, "c"),
        "name": (0.06, 0.21, 0.88, 0.32, "c"),
        "variant": (0.2, 0.55, 0.6, 0.09, "c"),
        "spec": (0.05, 0.74, 0.48, 0.14, "l"),
        "barcode": (0.58, 0.68, 0.37, 0.26, "r"),
    },
    "right": {
        "brand": (0.45, 0.05, 0.5, 0.17, "r"),
        "name": (0.05, 0.25, 0.9, 0.31, "r"),
        "variant": (0.5, 0.59, 0.45, 0.1, "r"),
        "spec": (0.48, 0.76, 0.47, 0.13, "r"),
        "barcode": (0.05, 0.64, 0.39, 0.29, "l"),
    },
    "banner": {
        "brand": (0.05, 0.06, 0.45, 0.17, "l"),
        "name": (0.05, 0.32, 0.9, 0.28, "c"),
        "variant": (0.53, 0.09, 0.42, 0.1, "r"),
        "spec": (0.05, 0.74, 0.48, 0.14, "l"),
        "barcode": (0.58, 0.67, 0.37, 0.28, "r"),
    },
    "badge": {
        "brand": (0.05, 0.05, 0.45, 0.16, "l"),
        "name": (0.05, 0.24, 0.64, 0.33, "l"),
        "variant": (0.72, 0.2, 0.24, 0.34, "c"),
        "spec": (0.05, 0.7, 0.47, 0.14, "l"),
        "barcode": (0.57, 0.66, 0.38, 0.28, "r"),
    },
    "vertical": {
        "name": (0.05, 0.06, 0.2, 0.88, "c"),
        "brand": (0.3, 0.06, 0.55, 0.18, "l"),
        "variant": (0.3, 0.3, 0.6, 0.1, "l"),
        "spec": (0.3, 0.46, 0.62, 0.14, "l"),
        "barcode": (0.53, 0.66, 0.42, 0.28, "r"),
    },
}
"""Slots of areas that are wider than high."""

_HIGH: Final[dict[str, dict[str, Slot]]] = {
    "left": {
        "brand": (0.07, 0.05, 0.6, 0.1, "l"),
        "name": (0.07, 0.18, 0.86, 0.19, "l"),
        "variant": (0.07, 0.39, 0.6, 0.055, "l"),
        "spec": (0.07, 0.7, 0.6, 0.065, "l"),
        "barcode": (0.33, 0.79, 0.6, 0.15, "r"),
    },
    "centre": {
        "brand": (0.15, 0.05, 0.7, 0.11, "c"),
        "name": (0.06, 0.2, 0.88, 0.2, "c"),
        "variant": (0.15, 0.42, 0.7, 0.06, "c"),
        "spec": (0.15, 0.7, 0.7, 0.065, "c"),
        "barcode": (0.2, 0.79, 0.6, 0.15, "c"),
    },
    "right": {
        "brand": (0.33, 0.05, 0.6, 0.1, "r"),
        "name": (0.07, 0.18, 0.86, 0.19, "r"),
        "variant": (0.33, 0.39, 0.6, 0.055, "r"),
        "spec": (0.33, 0.7, 0.6, 0.065, "r"),
        "barcode": (0.07, 0.79, 0.6, 0.15, "l"),
    },
    "banner": {
        "brand": (0.1, 0.05, 0.8, 0.11, "c"),
        "name": (0.05, 0.4, 0.9, 0.17, "c"),
        "variant": (0.15, 0.61, 0.7, 0.055, "c"),
        "spec": (0.15, 0.7, 0.7, 0.065, "c"),
        "barcode": (0.2, 0.79, 0.6, 0.15, "c"),
    },
    "badge": {
        "brand": (0.07, 0.04, 0.7, 0.1, "l"),
        "name": (0.07, 0.16, 0.86, 0.2, "l"),
        "variant": (0.55, 0.38, 0.38, 0.2, "c"),
        "spec": (0.07, 0.7, 0.6, 0.065, "l"),
        "barcode": (0.33, 0.79, 0.6, 0.15, "r"),
    },
    "vertical": {
        "brand": (0.06, 0.05, 0.5, 0.1, "l"),
        "name": (0.62, 0.06, 0.32, 0.62, "c"),
        "variant": (0.06, 0.18, 0.5, 0.055, "l"),
        "spec": (0.06, 0.7, 0.6, 0.065, "l"),
        "barcode": (0.2, 0.79, 0.6, 0.15, "c"),
    },
}
"""Slots of areas that are higher than wide."""


def compose(
    inker: Inker, sku: SkuTruth, design: Design, area: Area, without: tuple[str, ...] = ()
) -> None:
    """Print the words of ``sku`` into the slots of the design's layout."""
    slots = (_WIDE if area[2] > area[3] * 1.1 else _HIGH)[design.layout]
    places = {
        group: ((area[0] + x * area[2], area[1] + y * area[3], w * area[2], h * area[3]), align)
        for group, (x, y, w, h, align) in slots.items()
        if group not in without
    }
    product = sku.name.removeprefix(sku.brand)
    if design.layout == "banner":
        (_, y, _, h), _ = places["name"]
        inker.draw.rectangle(
            (area[0], y - h * 0.12, area[0] + area[2], y + h * 1.12), fill=rgb(sku.accent)
        )
    if design.layout == "badge" and "variant" in places:
        (x, y, w, h), _ = places["variant"]
        r = min(w, h) / 2
        inker.draw.ellipse(
            (x + w / 2 - r, y + h / 2 - r, x + w / 2 + r, y + h / 2 + r), fill=rgb(sku.accent)
        )
        places["variant"] = ((x + w / 2 - r * 0.8, y + h / 2 - r * 0.4, r * 1.6, r * 0.8), "c")
    for group, (box, align) in places.items():
        if group == "barcode":
            _barcode(inker, sku, box, align)
        elif group == "brand":
            _brand(inker, sku, design, box, align)
        elif group == "name":
            ink = ink_on(inker.image, box, sku)
            if design.layout == "vertical":
                _column(inker, product, box, ink, design.name_type)
            else:
                _name(inker, product, box, align, ink, design)
        else:
            text = sku.variant if group == "variant" else _size_text(sku)
            print_line(
                inker, group, text, box, align, ink_on(inker.image, box, sku), design.text_type
            )


def _size_text(sku: SkuTruth) -> str:
    return sku.spec if sku.unit in ("箱", "托") else f"净含量 {sku.spec.partition('/')[0]}"


def ink_on(image: Image.Image, area: Area, sku: SkuTruth) -> Rgb:
    """The pack's ink where it can be read on what is printed there, else black or white."""
    left, top, width, height = area
    region = image.crop((round(left), round(top), round(left + width) + 1, round(top + height) + 1))
    ground_tone = region.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(ground_tone, tuple)
    ink = rgb(sku.ink)
    apart = sum(w * abs(a - b) for w, a, b in zip((0.3, 0.59, 0.11), ink, ground_tone, strict=True))
    return ink if apart > 90 else readable_on((ground_tone[0], ground_tone[1], ground_tone[2]))


def _anchored(box: Area, align: Align) -> tuple[float, str]:
    x, _, width, _ = box
    return {"l": (x, "l"), "c": (x + width / 2, "m"), "r": (x + width, "r")}[align]


def print_line(
    inker: Inker, group: str, text: str, box: Area, align: Align, ink: Rgb, style: str
) -> None:
    face = fitting_font(text, box[2], box[3], style)
    x, side = _anchored(box, align)
    inker.text(group, (x, box[1] + box[3] / 2), text, face, ink, f"{side}m")


def _name(inker: Inker, product: str, box: Area, align: Align, ink: Rgb, design: Design) -> None:
    """The product's name, in two lines where it comes out larger so; haloed on busy grounds."""
    _, y, width, height = box
    height *= design.name_scale
    halves = [product[: (len(product) + 1) // 2], product[(len(product) + 1) // 2 :]]
    one = fitting_font(product, width, height, design.name_type).size
    two = min(fitting_font(part, width, height * 0.49, design.name_type).size for part in halves)
    lines = halves if len(product) > 3 and two > one * 1.15 else [product]
    size = int(two if len(lines) == 2 else one)
    face = font(size, design.name_type)
    place, side = _anchored(box, align)
    halo = mix(readable_on(ink), ink, 0.15)
    for row, line in enumerate(lines):
        middle = y + height * ((row + 0.5) / len(lines))
        inker.text("name", (place, middle), line, face, ink, f"{side}m", max(1, size // 22), halo)


def _column(inker: Inker, product: str, box: Area, ink: Rgb, style: str) -> None:
    """The name from top to bottom, a character a line."""
    x, y, width, height = box
    size = int(min(width * 0.95, height / len(product)))
    face = font(size, style)
    for row, character in enumerate(product):
        inker.text("name", (x + width / 2, y + size * (row + 0.5)), character, face, ink, "mm")


def _brand(inker: Inker, sku: SkuTruth, design: Design, box: Area, align: Align) -> None:
    x, y, width, height = box
    ink = ink_on(inker.image, box, sku)
    mark = 0.0 if design.logo == "plain" else height * 1.2
    text_width = width - mark
    face = fitting_font(sku.brand, text_width, height * 0.62, design.name_type)
    latin = fitting_font(sku.brand_latin, text_width, height * 0.3, "grotesque")
    taken = mark + max(face.getlength(sku.brand), latin.getlength(sku.brand_latin))
    left = {"l": x, "c": x + (width - taken) / 2, "r": x + width - taken}[align]
    if mark:
        _mark(inker.draw, design.logo, left, y, height, rgb(sku.accent), sku.brand[0], design, ink)
        inker.note("brand", (left, y, left + height, y + height))
    inker.text("brand", (left + mark, y + height * 0.33), sku.brand, face, ink, "lm")
    inker.text("brand", (left + mark, y + height * 0.84), sku.brand_latin, latin, ink, "lm")


def _mark(
    draw: ImageDraw.ImageDraw,
    shape: str,
    x: float,
    y: float,
    size: float,
    fill: Rgb,
    sign: str,
    design: Design,
    ink: Rgb,
) -> None:
    box = (x, y, x + size, y + size)
    middle = (x + size / 2, y + size / 2)
    letter = readable_on(fill)
    if shape == "disc":
        draw.ellipse(box, fill=fill)
    elif shape == "tile":
        draw.rounded_rectangle(box, size * 0.2, fill=fill)
    elif shape == "leaf":
        draw.pieslice((x - size * 0.1, y, x + size * 1.1, y + size * 2), 180, 360, fill=fill)
    elif shape == "ring":
        draw.ellipse(box, outline=ink, width=max(1, round(size * 0.08)))
        letter = ink
    else:
        corners = {
            "shield": [(0, 0), (1, 0), (1, 0.65), (0.5, 1), (0, 0.65)],
            "hexagon": [(0.25, 0), (0.75, 0), (1, 0.5), (0.75, 1), (0.25, 1), (0, 0.5)],
            "diamond": [(0.5, -0.08), (1.08, 0.5), (0.5, 1.08), (-0.08, 0.5)],
        }[shape]
        draw.polygon([(x + size * a, y + size * b) for a, b in corners], fill=fill)
    draw.text(
        middle, sign, font=font(round(size * 0.6), design.name_type), fill=letter, anchor="mm"
    )


def _barcode(inker: Inker, sku: SkuTruth, box: Area, align: Align) -> None:
    x, y, width, height = box
    width = min(width, height * 2.4)
    left = {"l": x, "c": x + (box[2] - width) / 2, "r": x + box[2] - width}[align]
    code = barcode_symbol(sku, max(24, round(width)), max(12, round(height)))
    place = (round(left), round(y))
    inker.image.paste(code, place)
    inker.note("barcode", (*place, place[0] + code.width, place[1] + code.height))
