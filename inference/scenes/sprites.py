"""Bottles, cans, cups and bags, drawn as lit solids on a clear ground."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from . import damage
from .catalog import SkuTruth
from .packs import bag_print, wrap_print
from .printing import mix, rgb
from .prints import Span, spans
from .solids import Outline, outline_of

Pixels = NDArray[np.floating]

BOTTLE_PX: Final = 760
"""Pixels per height of a bottle in its picture, at full detail."""

BAG_PX: Final = 540
"""Width of a bag in its picture, at full detail."""

LABEL_TURN_DEG: Final = 16
"""Bottles stand turned by this much, so that name and bars both face the front."""

_LIGHT: Final = np.array([-0.42, 0.55, 0.72])
"""Towards the light: left, up, to the camera."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A unit on a clear ground (mode RGBA) and where its words are on it."""

    image: Image.Image
    words: Mapping[str, Span]


@lru_cache(maxsize=96)
def bottle_sprite(
    sku: SkuTruth,
    elevation_deg: int,
    turn_deg: int,
    grade: int = 0,
    variant: int = 0,
    labelled: bool = False,
    detail: float = 1.0,
) -> Sprite:
    """A bottle, can or cup seen from ``elevation_deg`` above (cropped), its label turned.

    Drawn from below upwards as a stack of discs, so that a higher disc hides a lower one.
    """
    outline = outline_of(sku)
    scale = round(BOTTLE_PX * detail)
    sin, cos = np.sin(np.radians(elevation_deg)), np.cos(np.radians(elevation_deg))
    half = int(outline.body * scale) + 4
    below = int(outline.body * sin * scale) + 4
    above = int((cos + outline.body * sin) * scale) + 4
    v_grid, x_grid = np.mgrid[above:-below:-1, -half : half + 1].astype(np.float32) / scale
    z_at = np.full(x_grid.shape, -1.0, np.float32)
    heights = np.linspace(0, 1, max(90, round(300 * detail)), dtype=np.float32)
    for z, radius in zip(heights, map(float, outline.radius(heights)), strict=True):
        centre = above - z * cos * scale
        reach = radius * sin * scale + 1.5
        rows = slice(max(0, int(centre - reach)), int(centre + reach) + 2)
        off = v_grid[rows] - z * cos
        inside = x_grid[rows] ** 2 + (off / max(sin, 0.02)) ** 2 <= radius**2
        z_at[rows][inside] = z
    solid = z_at >= 0
    radius_at = outline.radius(np.maximum(z_at, 0))
    across = np.clip(x_grid / np.maximum(radius_at, 1e-3), -1, 1)
    toward = np.sqrt(1 - across**2)
    in_body = solid & (z_at < outline.cap_from)
    z_exact = (v_grid + toward * radius_at * sin) / cos
    slope = (outline.radius(np.maximum(z_at, 0) + 0.01) - radius_at) / 0.01
    tilt = np.clip(-slope, -0.2, 3)
    on_top = solid & (z_at > 0.995)
    length = np.sqrt(1 + tilt**2)
    # Turn normals from the bottle's frame into the camera's.
    n_x, n_up, n_out = across / length, tilt / length, toward / length
    n_y, n_z = n_up * cos - n_out * sin, n_up * sin + n_out * cos
    n_x, n_y, n_z = (np.where(on_top, value, n) for value, n in ((0, n_x), (cos, n_y), (sin, n_z)))
    colour, places = _bottle_colours(
        sku, outline, z_exact, z_at, across, in_body, turn_deg, labelled, detail
    )
    if not outline.ridged:
        out = np.hypot(x_grid, (v_grid - cos) / sin) / (outline.body * outline.cap)
        colour *= np.where(on_top, _lid(out, across), 1)[:, :, None]
    light = _LIGHT / np.linalg.norm(_LIGHT)
    diffuse = np.clip(n_x * light[0] + n_y * light[1] + n_z * light[2], 0, 1)
    rim = 0.55 + 0.45 * toward**0.6
    shine = (
        np.exp(-(((across + 0.52) / 0.06) ** 2)) * 0.55
        + np.exp(-(((across - 0.7) / 0.09) ** 2)) * 0.16
    )
    shine *= in_body & (z_at > 0.03)
    lit = (
        colour * ((0.42 + 0.72 * diffuse) * np.where(on_top, 1, rim))[:, :, None]
        + (shine * 120)[:, :, None]
    )
    alpha = Image.fromarray((solid * 255).astype(np.uint8))
    image = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    rng = random.Random(f"{sku.code}/{grade}/{variant}")
    if grade:
        image = _bottle_damage(image, grade, rng, sku)
        if grade in (2, 3):
            image, alpha, moves = _bend(image, alpha, rng, 0.12 if grade == 2 else 0.03)
            places = {
                group: (x0 + moves[int(y0 + y1) // 2], y0, x1 + moves[int(y0 + y1) // 2], y1)
                for group, (x0, y0, x1, y1) in places.items()
            }
    image.putalpha(alpha.filter(ImageFilter.GaussianBlur(0.8)))
    left, top, right, bottom = alpha.getbbox() or (0, 0, *image.size)
    places = {
        group: (x0 - left, y0 - top, x1 - left, y1 - top)
        for group, (x0, y0, x1, y1) in places.items()
    }
    return Sprite(
        image.crop((left, top, right, bottom)), spans(places, (right - left, bottom - top))
    )


def _bottle_colours(
    sku: SkuTruth,
    outline: Outline,
    z_exact: Pixels,
    z_at: Pixels,
    across: Pixels,
    in_body: NDArray[np.bool_],
    turn_deg: int,
    labelled: bool,
    detail: float,
) -> tuple[Pixels, dict[str, tuple[float, float, float, float]]]:
    """Colours [H, W, 3] before light, and the boxes of the words that face the camera, in pixels."""
    base, accent = np.array(rgb(sku.base), np.float32), np.array(rgb(sku.accent), np.float32)
    if outline.body_rgb is not None:
        base = np.array(outline.body_rgb, np.float32)
    colour = np.broadcast_to(base, (*z_at.shape, 3)).copy()
    depth_tint = 0.75 + 0.25 * np.abs(across)
    colour *= depth_tint[:, :, None]
    if outline.hollow:
        air = in_body & (z_at > 0.8)
        colour[air] = colour[air] * 0.5 + 110
    if sku.design is not None:
        cap_colour = np.array(rgb(sku.design.cap), np.float32)
    elif sku.style == "full" and accent.min() < 200:
        cap_colour = accent
    else:
        cap_colour = np.array(rgb(sku.ink), np.float32)
    if outline.cap_rgb is not None:
        cap_colour = np.array(outline.cap_rgb, np.float32)
    ridges = 0.86 + 0.14 * np.cos(np.arcsin(across) * 44)
    cap = z_at >= outline.cap_from
    colour[cap] = (cap_colour * (ridges if outline.ridged else 1.0 + 0 * ridges)[:, :, None])[cap]
    low, high = outline.label
    rows = round((high - low) * BOTTLE_PX * detail)
    label = _label_pixels(sku, labelled, detail, rows)
    columns = label.shape[1]
    around = np.arcsin(across) + np.radians(turn_deg)
    u = ((around / (2 * np.pi) + 0.5) % 1.0) * (columns - 1)
    v = (high - z_exact) / (high - low) * (rows - 1)
    on_label = in_body & (v >= 0) & (v <= rows - 1)
    colour[on_label] = label[np.rint(v[on_label]).astype(int), np.rint(u[on_label]).astype(int)]
    facing = on_label & (np.abs(across) < 0.94)
    places = {}
    for group, (x0, y0, x1, y1) in wrap_print(sku, labelled, detail).words.items():
        x0, x1, y0, y1 = x0 * columns, x1 * columns, y0 * rows, y1 * rows
        mine = facing & (u >= x0) & (u <= x1) & (v >= y0) & (v <= y1)
        seen = u[mine]
        if seen.size and seen.max() - seen.min() > 0.75 * (x1 - x0):
            xs, ys = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
            places[group] = (float(xs[0]), float(ys[0]), float(xs[-1]) + 1, float(ys[-1]) + 1)
    return colour.astype(np.float32), places


def _lid(out: Pixels, across: Pixels) -> Pixels:
    """How bright a can's or cup's lid is at ``out`` of its radius: a rim, a groove, a tab."""
    groove = (out > 0.8) & (out < 0.9)
    tab = (np.abs(across) < 0.16) & (out < 0.5)
    return np.where(groove, 0.62, np.where(tab, 0.8, 0.88))


@lru_cache(maxsize=16)
def _label_pixels(sku: SkuTruth, labelled: bool, detail: float, rows: int) -> NDArray[np.uint8]:
    """The label at the size at which it is seen, so that bars do not alias."""
    label = wrap_print(sku, labelled, detail).image
    width = round(1500 * detail) if sku.design is None else label.width
    return np.asarray(label.resize((width, rows), Image.Resampling.LANCZOS))


def _bottle_damage(
    image: Image.Image, grade: int, rng: random.Random, sku: SkuTruth
) -> Image.Image:
    if sku.design is not None:
        return damage.battered(image, grade, rng, damage.inside_of(sku.package_type))
    if grade == 3:
        width, height = image.size
        image = image.copy()
        draw = ImageDraw.Draw(image)
        x, y = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.3, 0.55)
        for _ in range(9):
            angle, reach = rng.uniform(0, 2 * np.pi), height * rng.uniform(0.05, 0.2)
            mid = (
                x + np.cos(angle) * reach * 0.5 + rng.uniform(-6, 6),
                y + np.sin(angle) * reach * 0.5,
            )
            end = (x + np.cos(angle) * reach, y + np.sin(angle) * reach)
            draw.line([(x, y), mid, end], fill=(245, 245, 240), width=3)
            draw.line(
                [(x + 2, y + 2), (mid[0] + 2, mid[1] + 2), (end[0] + 2, end[1] + 2)],
                fill=(40, 36, 32),
                width=2,
            )
        hole = [
            (x + rng.uniform(-1, 1) * width * 0.13, y + rng.uniform(-1, 1) * height * 0.05)
            for _ in range(7)
        ]
        draw.polygon(hole, fill=(26, 22, 20), outline=(240, 238, 232))
        return image
    if grade == 2:
        return damage.dent(image, rng, 5, 0.3)
    return damage.damaged(image, grade, rng)


def _bend(
    image: Image.Image, alpha: Image.Image, rng: random.Random, amount: float
) -> tuple[Image.Image, Image.Image, NDArray[np.intp]]:
    """Push the rows of a picture sideways, as a squeezed bottle leans and caves in; answers
    how far each row went, too."""
    width, height = image.size
    pad = int(width * amount) + 2
    rows = np.linspace(0, np.pi * rng.uniform(1.2, 1.8), height)
    shift = (np.sin(rows) * width * amount * rng.choice([-1, 1])).astype(int)
    pinch = 1 - amount * 1.6 * np.exp(
        -(((np.linspace(0, 1, height) - rng.uniform(0.4, 0.65)) / 0.1) ** 2)
    )
    stack = np.dstack([np.asarray(image), np.asarray(alpha)])
    out = np.zeros((height, width + 2 * pad, 4), np.uint8)
    columns = np.arange(width + 2 * pad)[None, :] - pad - shift[:, None]
    source = ((columns - width / 2) / pinch[:, None] + width / 2).astype(int)
    valid = (source >= 0) & (source < width)
    row_index = np.broadcast_to(np.arange(height)[:, None], source.shape)
    out[valid] = stack[row_index[valid], source[valid]]
    colours = Image.fromarray(np.ascontiguousarray(out[:, :, :3]))
    return colours, Image.fromarray(np.ascontiguousarray(out[:, :, 3])), shift + pad


@lru_cache(maxsize=96)
def bag_sprite(
    sku: SkuTruth, grade: int = 0, variant: int = 0, labelled: bool = False, detail: float = 1.0
) -> Sprite:
    """A standing bag seen from the front."""
    rng = random.Random(f"{sku.code}/{grade}/{variant}")
    flat = bag_print(sku, labelled, detail)
    wide = round(BAG_PX * detail)
    art = flat.image.resize(
        (wide, round(wide * flat.image.height / flat.image.width)), Image.Resampling.LANCZOS
    )
    if sku.design is not None:
        art = damage.battered(art, grade, rng, damage.inside_of("bag"))
    elif grade >= 3:
        art = damage.damaged(art, grade, rng)
    width, height = art.size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width * 2 - 1, y / height * 2 - 1
    wrinkles = _wrinkles((width, height), rng, 3 if grade < 2 else 9, detail)
    puff = (1 - u**4) * (1 - v**6)
    relief = puff * 46 + wrinkles * (4.5 if grade < 1 else 9 if grade < 2 else 17)
    slope_y, slope_x = (slope * detail for slope in np.gradient(relief))
    length = np.sqrt(slope_x**2 + slope_y**2 + 1.15**2)
    n_x, n_y, n_z = -slope_x / length, slope_y / length, 1.15 / length
    light = [float(side) for side in _LIGHT / np.linalg.norm(_LIGHT)]
    diffuse = np.clip(n_x * light[0] + n_y * light[1] + n_z * light[2], 0, 1)
    gloss = np.clip(-0.3 * n_x + 0.42 * n_y + 0.86 * n_z, 0, 1) ** 26
    seal = (np.abs(v) > 0.925) * (0.9 + 0.1 * np.sign(np.sin(y * 1.25)))
    shine = 70.0 if sku.style == "full" else 32.0
    if sku.design is not None:
        shine = 20 + 70 * sku.design.gloss
    shade = (0.38 + 0.8 * diffuse) * np.where(np.abs(v) > 0.925, seal, 1)
    lit = np.asarray(art, np.float32) * shade[:, :, None] + (gloss * shine)[:, :, None]
    # The filled belly is narrower than the flat seals above and below it.
    waist = 1 - 0.035 * (1 - v**4) - 0.012 * np.sin(v * 7 + variant)
    solid = np.abs(u) <= waist
    if grade == 2:
        solid &= v > -1 + 0.16 * np.clip(u * rng.choice([-1, 1]), 0, 1) ** 1.5
    image = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    image.putalpha(
        Image.fromarray((solid * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.9))
    )
    return Sprite(image, flat.words)


def _wrinkles(size: tuple[int, int], rng: random.Random, count: int, detail: float) -> Pixels:
    """Folds as a relief of about −2…2, drawn at ``detail`` of their full size."""
    width, height = size
    layer = Image.new("L", size, 128)
    draw = ImageDraw.Draw(layer)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0.08, 0.92) * height
        heading = rng.uniform(0, 6.283)
        tone = rng.choice([30, 225])
        for thick in (9, 12, 9, 6, 3):  # a fold swells, bends and runs out
            heading += rng.uniform(-0.35, 0.35)
            to_x = x + float(np.cos(heading)) * width * 0.08
            to_y = y + float(np.sin(heading)) * width * 0.06
            draw.line((x, y, to_x, to_y), fill=tone, width=max(1, round(thick * detail)))
            x, y = to_x, to_y
    for k in range(16):
        x = width * (k + rng.random()) / 16
        for top, end in (
            (0.07, 0.07 + rng.uniform(0.03, 0.1)),
            (0.93, 0.93 - rng.uniform(0.03, 0.08)),
        ):
            draw.line(
                (x, top * height, x + rng.uniform(-9, 9) * detail, end * height),
                fill=rng.choice([60, 190]),
                width=max(1, round(4 * detail)),
            )
    soft = layer.filter(ImageFilter.GaussianBlur(7 * detail))
    return (np.asarray(soft, np.float32) - 128) / 64


def spill_colour(sku: SkuTruth) -> tuple[int, int, int]:
    """A dark tone of the pack, for what spills out of it."""
    return mix(rgb(sku.base), (70, 55, 40), 0.35)
