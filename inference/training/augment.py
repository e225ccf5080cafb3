"""Other photos of the same goods: nearer or farther, turned, lit, focused and surrounded otherwise.

Never mirrored: print would read backwards.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

NEAREST = 0.45
"""The smallest share of a photo's sides that a view keeps: shoots differ in how near they stand."""
_GREY = (127, 127, 127)
_WHITE_TOLERANCE = 24
_STAGED_SIDE = 480


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
        view = view.rotate(rng.gauss(0, 6), Image.Resampling.BILINEAR, fillcolor=_GREY)
    return another_light(view, rng)


def another_light(picture: Image.Image, rng: random.Random) -> Image.Image:
    """``picture`` (RGB) lit and focused otherwise."""
    for enhance, spread in (
        (ImageEnhance.Brightness, 0.25),
        (ImageEnhance.Contrast, 0.2),
        (ImageEnhance.Color, 0.25),
    ):
        picture = enhance(picture).enhance(max(0.3, rng.gauss(1.0, spread)))
    if rng.random() < 0.25:
        radius = rng.uniform(0.3, 0.004 * max(picture.size) + 0.4)
        picture = picture.filter(ImageFilter.GaussianBlur(radius))
    return picture


def moved(picture: Image.Image, surroundings: Image.Image, rng: random.Random) -> Image.Image:
    """The middle of ``picture`` in the place of the middle of ``surroundings`` (both RGB), so that
    what stands around the goods says nothing about them (after CutMix, Yun et al. 2019)."""
    width, height = picture.size
    share_x, share_y = rng.uniform(0.4, 0.75), rng.uniform(0.6, 0.95)
    half_x, half_y = width * share_x / 2, height * share_y / 2
    mask = Image.new("L", picture.size, 0)
    middle = (width / 2 - half_x, height / 2 - half_y, width / 2 + half_x, height / 2 + half_y)
    ImageDraw.Draw(mask).rounded_rectangle(middle, min(half_x, half_y) / 2, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(min(width, height) / 40))
    return Image.composite(picture, surroundings.resize(picture.size), mask)


def staged(pack: Image.Image, surroundings: Image.Image, rng: random.Random) -> Image.Image:
    """A pack that was :func:`cut_out` as a photo of it before ``surroundings`` (RGB; cut and paste,
    Dwibedi et al. 2017)."""
    side = _STAGED_SIDE
    scale = side * rng.uniform(0.6, 1.1) / max(pack.size)
    size = (round(pack.width * scale), round(pack.height * scale))
    pack = tilted(pack.resize(size, Image.Resampling.BICUBIC), rng)
    pack = pack.rotate(rng.gauss(0, 10), Image.Resampling.BICUBIC, expand=True)
    scene = edge(surroundings, rng).resize((side, side))
    scene = scene.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2)))
    left = round((side - pack.width) / 2 + rng.gauss(0, 0.06) * side)
    top = round((side - pack.height) / 2 + rng.gauss(0, 0.06) * side)
    scene.paste(pack.convert("RGB"), (left, top), pack.getchannel("A"))
    return scene


def edge(picture: Image.Image, rng: random.Random) -> Image.Image:
    """A corner of ``picture``: what it is about stands in its middle."""
    width, height = round(picture.width * 0.55), round(picture.height * 0.55)
    left = rng.choice((0, picture.width - width))
    top = rng.choice((0, picture.height - height))
    return picture.crop((left, top, left + width, top + height))


def cut_out(reference: Image.Image) -> Image.Image:
    """``reference`` (RGB) less the white around it, cropped to what is left (RGBA). A picture
    that does not stand on white stays whole."""
    framed = Image.new("RGB", (reference.width + 2, reference.height + 2), "white")
    framed.paste(reference, (1, 1))
    flooded = framed.copy()
    ImageDraw.floodfill(flooded, (0, 0), (255, 0, 255), thresh=_WHITE_TOLERANCE)
    around = np.all(np.asarray(flooded) == (255, 0, 255), axis=2)
    mask = Image.fromarray(np.where(around, 0, 255).astype(np.uint8))
    mask = mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(0.7))
    framed.putalpha(mask)
    box = mask.getbbox()
    return framed.crop(box) if box else framed


def tilted(pack: Image.Image, rng: random.Random) -> Image.Image:
    """``pack`` (RGBA) seen from a little aside: one of its sides shrinks."""
    width, height = pack.size
    corners: tuple[float, ...]
    by, squeeze = rng.uniform(0, 0.12) * height, rng.uniform(0.8, 1.0)
    if rng.random() < 0.5:
        corners = (0, -by, 0, height + by, width, height, width, 0)
    else:
        corners = (0, 0, 0, height, width, height + by, width, -by)
    turned = pack.transform(pack.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    return turned.resize((max(1, round(width * squeeze)), height), Image.Resampling.BICUBIC)


def covered(picture: Image.Image, surroundings: Image.Image, rng: random.Random) -> Image.Image:
    """``picture`` with a piece of ``surroundings`` (RGB) before it, as a hand or a neighbour would
    stand."""
    width, height = picture.size
    piece = (round(width * rng.uniform(0.15, 0.35)), round(height * rng.uniform(0.15, 0.4)))
    mask = Image.new("L", piece, 0)
    ImageDraw.Draw(mask).ellipse((-piece[0] * 0.1, 0, piece[0] * 1.1, piece[1] * 1.2), fill=255)
    left = rng.randint(0, max(0, surroundings.width - piece[0]))
    top = rng.randint(0, max(0, surroundings.height - piece[1]))
    cover = surroundings.crop((left, top, left + piece[0], top + piece[1]))
    picture = picture.copy()
    place = (rng.randint(0, width - piece[0]), rng.randint(height // 3, height - piece[1] // 2))
    picture.paste(cover, place, mask)
    return picture
