"""Damage on flat pictures: dents, creases, tears and wet stains."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter


def _relief(image: Image.Image, height_map: Image.Image, strength: float) -> Image.Image:
    """``image`` lit from the upper left over ``height_map`` (mode L)."""
    moved = ImageChops.offset(height_map, 2, 3)
    slope = np.asarray(height_map, np.int16) - np.asarray(moved, np.int16)
    gain = np.clip(1 + slope * strength / 32, 0.3, 1.5)
    pixels = np.asarray(image, np.float32) * gain[:, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def dent(image: Image.Image, rng: random.Random, count: int, reach: float) -> Image.Image:
    """Shallow pressed-in places of about ``reach`` (share of the shorter side)."""
    width, height = image.size
    relief = Image.new("L", image.size, 128)
    draw = ImageDraw.Draw(relief)
    short = min(width, height)
    for _ in range(count):
        x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.7) * height
        rx, ry = short * reach * rng.uniform(0.5, 1.1), short * reach * rng.uniform(0.3, 0.8)
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=20)
        slant = rng.uniform(-0.5, 0.5)
        draw.line(
            (x - rx, y - ry * slant, x + rx, y + ry * slant), fill=0, width=max(2, short // 70)
        )
    return _relief(image, relief.filter(ImageFilter.GaussianBlur(short / 55)), 0.75)


def crease(image: Image.Image, rng: random.Random, count: int) -> Image.Image:
    """Folded lines across the face, from an edge inwards, as of a crushed pack."""
    width, height = image.size
    relief = Image.new("L", image.size, 128)
    draw = ImageDraw.Draw(relief)
    for _ in range(count):
        x = float(rng.choice([0, width]))
        y = rng.uniform(0, height)
        points = [(x, y)]
        for _ in range(4):
            x += (width * rng.uniform(0.08, 0.22)) * (1 if points[0][0] == 0 else -1)
            y += height * rng.uniform(-0.14, 0.14)
            points.append((x, y))
        draw.line(points, fill=rng.choice([10, 235]), width=max(3, height // 45), joint="curve")
        draw.polygon([points[0], points[2], (points[1][0], points[2][1] + height * 0.12)], fill=70)
    return _relief(image, relief.filter(ImageFilter.GaussianBlur(min(width, height) / 90)), 0.9)


def tear(image: Image.Image, rng: random.Random, inside: tuple[int, int, int]) -> Image.Image:
    """A jagged hole with a pale torn rim, through which the dark ``inside`` shows."""
    image = image.copy()
    width, height = image.size
    draw = ImageDraw.Draw(image)
    x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.12, 0.42) * height
    long, wide = rng.uniform(0.18, 0.3) * width, rng.uniform(0.07, 0.13) * height
    outline = []
    steps = 22
    for k in range(steps):
        angle = 2 * np.pi * k / steps
        jag = rng.uniform(0.65, 1.2)
        outline.append((x + np.cos(angle) * long * jag, y + np.sin(angle) * wide * jag))
    rim = [
        (x + (px - x) * 1.22 + rng.uniform(-3, 3), y + (py - y) * 1.3 + rng.uniform(-3, 3))
        for px, py in outline
    ]
    shadow = Image.new("L", image.size, 0)
    ImageDraw.Draw(shadow).polygon(rim, fill=110)
    image.paste((30, 22, 16), (0, 6), shadow.filter(ImageFilter.GaussianBlur(6)))
    draw.polygon(rim, fill=(206, 186, 158))
    draw.polygon(outline, fill=inside)
    flap = [
        outline[0],
        outline[1],
        (outline[1][0] + long * 0.25, outline[1][1] + wide * 1.6),
        outline[3],
    ]
    draw.polygon(flap, fill=(188, 162, 128))
    for k in range(0, steps, 2):
        draw.line([outline[k], rim[k]], fill=(228, 214, 194), width=2)
    return image


def wet(image: Image.Image, rng: random.Random) -> Image.Image:
    """A dark soaked stain that rises from the lower edge, with drips above it."""
    width, height = image.size
    mask = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(mask)
    x = 0.0
    points: list[tuple[float, float]] = [(0, height)]
    while x < width:
        points.append((x, height * rng.uniform(0.55, 0.8)))
        x += width * rng.uniform(0.06, 0.14)
    points += [(width, height * 0.7), (width, height)]
    draw.polygon(points, fill=215)
    for _ in range(4):
        left = rng.uniform(0.1, 0.9) * width
        top = rng.uniform(0.1, 0.5) * height
        draw.rounded_rectangle((left, top, left + width * 0.02, height), width * 0.01, fill=190)
    soft = mask.filter(ImageFilter.GaussianBlur(min(width, height) / 45))
    edge = ImageChops.subtract(soft, soft.filter(ImageFilter.GaussianBlur(9)))
    dark = ImageChops.multiply(image, Image.new("RGB", image.size, (122, 108, 92)))
    stained = Image.composite(dark, image, soft)
    return Image.composite(Image.new("RGB", image.size, (66, 52, 38)), stained, edge)


def damaged(image: Image.Image, grade: int, rng: random.Random) -> Image.Image:
    """``image`` of a face (RGB) with the damage of ``grade`` (0 sound … 4 leaking)."""
    if grade == 1:
        return dent(image, rng, 2, 0.14)
    if grade == 2:
        return crease(dent(image, rng, 3, 0.26), rng, 4)
    if grade == 3:
        return tear(crease(image, rng, 1), rng, (34, 26, 22))
    if grade == 4:
        return wet(dent(image, rng, 1, 0.12), rng)
    return image


_INSIDE: Final[dict[str, tuple[int, int, int]]] = {
    "carton": (40, 30, 24),
    "tray": (40, 30, 24),
    "bag": (222, 214, 196),
    "bottle": (24, 22, 22),
    "can": (26, 26, 30),
    "cup": (236, 232, 222),
}


def inside_of(package_type: str) -> tuple[int, int, int]:
    """What shows through a hole in a pack: the dark of a box, the white of a bag's contents."""
    return _INSIDE[package_type]


def battered(
    image: Image.Image, grade: int, rng: random.Random, inside: tuple[int, int, int]
) -> Image.Image:
    """``image`` of a pack's side (RGB, any size) with the damage of ``grade``, large enough to be
    told apart on a small photo: dents; deep folds; a ripped hole; a soaked, dripping side."""
    if grade == 1:
        return _pressed(image, rng, rng.choice((2, 3)))
    if grade == 2:
        return _embossed(crease(_pressed(image, rng, 1), rng, 3), _folds(image.size, rng), 1.0)
    if grade == 3:
        return _rip(crease(image, rng, 1), rng, inside)
    if grade == 4:
        return _soak(image, rng)
    return image


def _embossed(image: Image.Image, height_map: Image.Image, strength: float) -> Image.Image:
    """As :func:`_relief`, with a share of light that does not depend on the pack's own colour, so
    that it shows on dark packs too."""
    reach = max(2, min(image.size) // 90)
    moved = ImageChops.offset(height_map, reach, reach)
    slope = (np.asarray(height_map, np.float32) - np.asarray(moved, np.float32)) * strength
    pixels = np.asarray(image, np.float32)
    lit = (
        pixels * np.clip(1 + slope / 40, 0.35, 1.5)[:, :, None]
        + np.clip(slope, -40, 70)[:, :, None]
    )
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _pressed(image: Image.Image, rng: random.Random, count: int) -> Image.Image:
    """Round pressed-in places, each with its shaded hollow and bright lower lip."""
    width, height = image.size
    short = min(width, height)
    relief = Image.new("L", image.size, 128)
    draw = ImageDraw.Draw(relief)
    places = rng.sample([(i, j) for i in (0.25, 0.5, 0.75) for j in (0.25, 0.5, 0.75)], count)
    for i, j in places:
        x, y = (i + rng.uniform(-0.06, 0.06)) * width, (j + rng.uniform(-0.06, 0.06)) * height
        rx, ry = short * rng.uniform(0.14, 0.22), short * rng.uniform(0.1, 0.17)
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=30)
        slant = rng.uniform(-0.6, 0.6) * ry
        draw.line((x - rx, y - slant, x + rx, y + slant), fill=0, width=max(2, short // 45))
    return _embossed(image, relief.filter(ImageFilter.BoxBlur(short / 50)), 0.8)


def _folds(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Facets of crumpled board or film: patches of flat shade that meet at sharp folds."""
    width, height = size
    relief = Image.new("L", size, 128)
    draw = ImageDraw.Draw(relief)
    for _ in range(5):
        x, y = rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height
        reach = min(size) * rng.uniform(0.3, 0.7)
        turn = rng.uniform(0, 2 * np.pi)
        points = [
            (x + reach * np.cos(turn + a) * rng.uniform(0.5, 1), y + reach * np.sin(turn + a))
            for a in (0, 1.7, 3.6)
        ]
        draw.polygon(points, fill=rng.choice((70, 90, 170, 190)))
    return relief.filter(ImageFilter.BoxBlur(min(size) / 60))


def _rip(image: Image.Image, rng: random.Random, inside: tuple[int, int, int]) -> Image.Image:
    image = image.copy()
    width, height = image.size
    short = min(width, height)
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.28, 0.62) * height
    lean = rng.uniform(-0.7, 0.7)
    long, wide = short * rng.uniform(0.3, 0.42), short * rng.uniform(0.13, 0.2)
    outline: list[tuple[float, float]] = []
    rim: list[tuple[float, float]] = []
    steps = 26
    for k in range(steps):
        angle = 2 * np.pi * k / steps
        jag = rng.uniform(0.62, 1.2)
        px, py = np.cos(angle) * long * jag, np.sin(angle) * wide * jag
        torn = rng.uniform(1.12, 1.5)
        for points, scale in ((outline, 1.0), (rim, torn)):
            points.append(
                (
                    x + scale * (px * np.cos(lean) - py * np.sin(lean)),
                    y + scale * (px * np.sin(lean) + py * np.cos(lean)),
                )
            )
    shadow = Image.new("L", image.size, 0)
    ImageDraw.Draw(shadow).polygon(rim, fill=150)
    drop = max(1, round(short / 60))
    image.paste((24, 18, 14), (0, drop), shadow.filter(ImageFilter.BoxBlur(short / 45)))
    draw = ImageDraw.Draw(image)
    draw.polygon(rim, fill=(220, 203, 176))
    draw.polygon(outline, fill=inside)
    # The upper lip throws a shadow into the hole.
    dark = tuple(int(c * 0.55) for c in inside)
    upper = outline[steps // 2 :] + outline[:1]
    lower = [(px, py + wide * 0.35) for px, py in reversed(upper)]
    draw.polygon([*upper, *lower], fill=dark)
    for k in range(0, steps, 2):
        draw.line([outline[k], rim[k]], fill=(240, 230, 214), width=max(1, round(short / 140)))
    flap = [outline[2], outline[6], (outline[4][0], outline[4][1] + wide * 1.1)]
    draw.polygon(flap, fill=(198, 174, 140), outline=(120, 98, 72))
    return image


def _soak(image: Image.Image, rng: random.Random) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    mask = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(mask)
    points: list[tuple[float, float]] = [(0, height)]
    x = 0.0
    while x < width:
        points.append((x, height * rng.uniform(0.42, 0.7)))
        x += width * rng.uniform(0.08, 0.18)
    draw.polygon([*points, (width, height * 0.6), (width, height)], fill=235)
    for _ in range(5):
        left, top = rng.uniform(0.08, 0.9) * width, rng.uniform(0.05, 0.45) * height
        thick = short * rng.uniform(0.02, 0.05)
        draw.rounded_rectangle((left, top, left + thick, height), thick / 2, fill=235)
    soft = mask.filter(ImageFilter.BoxBlur(short / 60))
    dark = ImageChops.multiply(image, Image.new("RGB", image.size, (96, 84, 72)))
    stained = Image.composite(dark, image, soft)
    edge = ImageChops.subtract(soft, soft.filter(ImageFilter.BoxBlur(short / 30)))
    stained.paste((58, 44, 30), (0, 0), edge.point(lambda v: min(255, v * 2)))
    # Drops run down and catch the light.
    draw = ImageDraw.Draw(stained)
    for _ in range(7):
        left, top = rng.uniform(0.05, 0.95) * width, rng.uniform(0.3, 0.85) * height
        r = short * rng.uniform(0.012, 0.026)
        draw.ellipse((left - r, top, left + r, top + 3 * r), fill=(66, 56, 46))
        draw.ellipse((left - r * 0.5, top + r * 0.4, left, top + r * 1.4), fill=(226, 230, 232))
    return stained
