"""Damage on flat pictures: dents, creases, tears and wet stains."""

from __future__ import annotations

import random

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
