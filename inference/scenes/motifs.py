"""Pictorial motifs of invented packs, drawn by code: fruit, leaves, mountains, paws and so on."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageDraw

from .printing import Rgb, mix

Draw = ImageDraw.ImageDraw
Random = random.Random
Paint = Callable[[Draw, Random, float, float, float, Rgb, Rgb], None]
"""Draws one piece of about radius r around x, y in two colours."""


def _disc(draw: Draw, x: float, y: float, r: float, fill: Rgb) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _fruit(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    _disc(d, x, y, r, a)
    _disc(d, x, y, r * 0.82, mix(a, (255, 255, 255), 0.55))
    for k in range(8):
        d.pieslice(
            (x - r * 0.74, y - r * 0.74, x + r * 0.74, y + r * 0.74), k * 45, k * 45 + 36, fill=b
        )


def _leaf(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    turn = rng.uniform(0, 2 * math.pi)
    side = [
        (t, s * 0.36 * math.sin(math.pi * t))
        for s in (1, -1)
        for t in ([k / 8 for k in range(9)][::s])
    ]
    points = [
        (
            x + 2 * r * ((t - 0.5) * math.cos(turn) - w * math.sin(turn)),
            y + 2 * r * ((t - 0.5) * math.sin(turn) + w * math.cos(turn)),
        )
        for t, w in side
    ]
    d.polygon(points, fill=a)
    d.line([points[0], points[8]], fill=b, width=max(1, int(r / 12)))


def _drop(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    _disc(d, x, y + r * 0.25, r * 0.7, a)
    d.polygon([(x - r * 0.66, y + r * 0.05), (x, y - r), (x + r * 0.66, y + r * 0.05)], fill=a)
    d.arc(
        (x - r * 0.5, y - r * 0.2, x + r * 0.5, y + r * 0.75),
        100,
        170,
        fill=b,
        width=max(1, int(r / 8)),
    )


def _star(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    points = []
    for k in range(10):
        reach = r if k % 2 == 0 else r * 0.42
        angle = math.pi * k / 5 - math.pi / 2
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    d.polygon(points, fill=a)


def _flower(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    for k in range(5):
        angle = 2 * math.pi * k / 5
        _disc(d, x + r * 0.55 * math.cos(angle), y + r * 0.55 * math.sin(angle), r * 0.42, a)
    _disc(d, x, y, r * 0.3, b)


def _fish(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    d.ellipse((x - r, y - r * 0.42, x + r * 0.6, y + r * 0.42), fill=a)
    d.polygon([(x + r * 0.45, y), (x + r, y - r * 0.45), (x + r, y + r * 0.45)], fill=a)
    _disc(d, x - r * 0.65, y - r * 0.1, r * 0.08, b)


def _paw(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    d.ellipse((x - r * 0.55, y - r * 0.15, x + r * 0.55, y + r * 0.75), fill=a)
    for dx, dy in ((-0.7, -0.2), (-0.28, -0.6), (0.28, -0.6), (0.7, -0.2)):
        _disc(d, x + dx * r, y + dy * r, r * 0.24, a)


def _cup(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    d.polygon(
        [
            (x - r * 0.8, y - r * 0.3),
            (x + r * 0.6, y - r * 0.3),
            (x + r * 0.4, y + r * 0.7),
            (x - r * 0.6, y + r * 0.7),
        ],
        fill=a,
    )
    d.arc(
        (x + r * 0.3, y - r * 0.2, x + r, y + r * 0.4), -90, 110, fill=a, width=max(2, int(r / 7))
    )
    for dx in (-0.4, 0.0, 0.4):
        d.arc(
            (x + dx * r - r * 0.2, y - r, x + dx * r + r * 0.15, y - r * 0.4),
            90,
            280,
            fill=b,
            width=max(1, int(r / 10)),
        )


def _grain(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    d.line((x, y + r, x, y - r), fill=b, width=max(1, int(r / 12)))
    for k in range(5):
        for s in (-1, 1):
            cx, cy = x + s * r * 0.24, y - r + k * r * 0.34
            d.ellipse((cx - r * 0.17, cy - r * 0.24, cx + r * 0.17, cy + r * 0.24), fill=a)


def _plate(d: Draw, rng: Random, x: float, y: float, r: float, a: Rgb, b: Rgb) -> None:
    _disc(d, x, y, r, mix(a, (255, 255, 255), 0.7))
    _disc(d, x, y, r * 0.8, mix(b, (90, 40, 20), 0.4))
    for k in range(12):
        dx, dy = rng.uniform(-0.5, 0.5) * r, rng.uniform(-0.5, 0.5) * r
        d.ellipse(
            (x + dx, y + dy, x + dx + r * 0.24, y + dy + r * 0.13),
            fill=mix(a, (255, 255, 255), 0.3 * (k % 3)),
        )


_PIECES: Final[dict[str, Paint]] = {
    "fruit": _fruit,
    "leaf": _leaf,
    "drop": _drop,
    "star": _star,
    "flower": _flower,
    "fish": _fish,
    "paw": _paw,
    "cup": _cup,
    "grain": _grain,
    "disc": _plate,
}


def draw_motif(
    image: Image.Image,
    motif: str,
    seed: int,
    a: Rgb,
    b: Rgb,
    area: tuple[float, float, float, float],
) -> None:
    """Paint ``motif`` onto ``image`` (mode RGB) in ``area`` (left, top, right, bottom, pixels)."""
    rng = random.Random(f"motif/{seed}")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = area
    width, height = right - left, bottom - top
    short = min(width, height)
    if motif in _PIECES:
        paint = _PIECES[motif]
        if rng.random() < 0.45 or motif == "disc":
            paint(
                draw,
                rng,
                left + width * rng.uniform(0.45, 0.8),
                top + height * 0.55,
                short * 0.42,
                a,
                b,
            )
        else:
            for k in range(rng.randint(4, 9)):
                r = short * rng.uniform(0.1, 0.24)
                pair = (a, b) if k % 2 else (b, a)
                paint(
                    draw,
                    rng,
                    left + rng.random() * width,
                    top + rng.uniform(0.15, 0.9) * height,
                    r,
                    *pair,
                )
    elif motif == "wave":
        for row in range(3):
            y0 = top + height * (0.3 + 0.24 * row)
            phase, waves = rng.uniform(0, 6.3), rng.uniform(1.2, 2.6)
            line = [
                (
                    left + width * k / 24,
                    y0 + height * 0.08 * math.sin(phase + waves * 6.28 * k / 24),
                )
                for k in range(25)
            ]
            draw.polygon([*line, (right, bottom), (left, bottom)], fill=mix(a, b, row / 2))
    elif motif == "mountain":
        for row in range(3):
            peak = left + width * rng.uniform(0.1, 0.9)
            y0 = top + height * (0.1 + 0.25 * row)
            draw.polygon(
                [(peak - width * 0.5, bottom), (peak, y0), (peak + width * 0.5, bottom)],
                fill=mix(a, b, row / 2),
            )
    elif motif == "sun":
        x, y, r = left + width * rng.uniform(0.3, 0.8), top + height * 0.55, short * 0.3
        for k in range(16):
            angle = math.pi * k / 8
            draw.line(
                (x, y, x + r * 1.6 * math.cos(angle), y + r * 1.6 * math.sin(angle)),
                fill=b,
                width=max(2, int(r / 7)),
            )
        _disc(draw, x, y, r, a)
    elif motif == "bubbles":
        for k in range(rng.randint(10, 18)):
            r = short * rng.uniform(0.04, 0.17)
            x, y = left + rng.random() * width, top + rng.random() * height
            draw.ellipse(
                (x - r, y - r, x + r, y + r), outline=mix(a, b, k % 3 / 2), width=max(2, int(r / 5))
            )
    elif motif == "stripes":
        lean = height * rng.uniform(-0.6, 0.6)
        for k in range(rng.randint(3, 7)):
            x = left + width * rng.random()
            w = width * rng.uniform(0.02, 0.08)
            draw.polygon(
                [(x, top), (x + w, top), (x + w + lean, bottom), (x + lean, bottom)],
                fill=mix(a, b, k % 2),
            )
    elif motif == "zigzag":
        for row in range(2):
            y0 = top + height * (0.35 + 0.3 * row)
            points = [
                (left + width * k / 8, y0 + height * (0.14 if k % 2 else -0.14)) for k in range(9)
            ]
            draw.line(points, fill=mix(a, b, row), width=max(3, int(short / 12)), joint="curve")
    elif motif == "check":
        cell = short / 5
        for i in range(math.ceil(width / cell)):
            for j in range(math.ceil(height / cell)):
                if (i + j) % 2:
                    x, y = left + i * cell, top + j * cell
                    draw.rectangle(
                        (x, y, min(right, x + cell), min(bottom, y + cell)),
                        fill=mix(a, b, rng.random()),
                    )
    else:  # dots
        step = short / rng.uniform(4, 7)
        for i in range(int(width / step) + 1):
            for j in range(int(height / step) + 1):
                _disc(
                    draw,
                    left + (i + 0.5 * (j % 2)) * step,
                    top + j * step,
                    step * 0.22,
                    mix(a, b, (i + j) % 3 / 2),
                )
