"""What surrounds the goods in a scene: background, support, boards, shadows, spills, foreground."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .arrangement import BOARD_CM, Arrangement, Unit
from .artwork import cardboard, planks
from .backdrop import PLATES, floor_texture, paint_ground, rack_plate
from .camera import Array, Camera
from .catalog import SkuTruth
from .masks import UnitMasks
from .sprites import spill_colour
from .surfaces import block_corners, face_quads, paste_face

PALLET_CM: Final = 14.0

FACE_GAIN: Final = {
    "top": (1.06, 0.02),
    "front": (0.97, 0.14),
    "left": (0.8, 0.16),
    "right": (0.68, 0.18),
}
"""Brightness of a carton's faces and how much it falls off downwards: light from the upper left."""


def paint_background(
    arrangement: Arrangement,
    camera: Camera,
    steep: bool,
    size_px: tuple[int, int],
    rng: random.Random,
) -> Image.Image:
    plate = rack_plate(rng.randrange(PLATES))
    left = rng.randint(0, max(0, plate.width - size_px[0]))
    top = rng.randint(0, max(0, plate.height - size_px[1]))
    canvas = plate.crop((left, top, left + size_px[0], top + size_px[1]))
    kind = arrangement.support
    half_depth = arrangement.depth_cm / 2
    drop = {"floor": 0.0, "pallet": -PALLET_CM, "shelf": -70.0}[kind]
    if kind != "shelf" or steep:
        paint_ground(
            canvas, camera, kind, rng.randint(0, 5), half_depth + rng.uniform(30, 90), drop
        )
    if kind == "pallet":
        wide = max(arrangement.width_cm + 16, 70.0)
        deep = arrangement.depth_cm + 26
        wood = planks((640, 320), rng.randint(0, 5))
        for x in (-wide / 2 + 6, 0.0, wide / 2 - 6):
            draw_block(canvas, camera, (x, 0.0, -PALLET_CM), (12.0, deep, PALLET_CM - 3), wood, 0.5)
        draw_block(canvas, camera, (0.0, 0.0, -3.0), (wide, deep, 3.0), wood, 1.0)
    elif kind == "shelf":
        deep = arrangement.depth_cm + 34
        steel = floor_texture("shelf", rng.randint(0, 5)).crop((0, 0, 640, 256))
        beam = Image.new(
            "RGB", (640, 32), rng.choice([(204, 100, 34), (44, 86, 148), (150, 152, 156)])
        )
        wide = arrangement.width_cm * 3 + 160
        draw_block(canvas, camera, (0.0, 0.0, -7.0), (wide, deep, 7.0), steel, 1.0, front=beam)
    return canvas


def draw_block(
    canvas: Image.Image,
    camera: Camera,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    texture: Image.Image,
    gain: float,
    front: Image.Image | None = None,
) -> list[Array]:
    """Draw a plain block; answers the quads that were drawn."""
    quads = face_quads(block_corners(centre, size, 0.0), camera)
    for name, quad in quads.items():
        brightness, fall = FACE_GAIN.get(name, (0.8, 0.1))
        skin = front if front is not None and name == "front" else texture
        paste_face(canvas, skin, quad, brightness * gain, fall)
    return list(quads.values())


def draw_board(
    canvas: Image.Image, camera: Camera, arrangement: Arrangement, z_cm: float, masks: UnitMasks
) -> None:
    size = (arrangement.width_cm + 2, arrangement.depth_cm + 2, BOARD_CM)
    quads = draw_block(canvas, camera, (0.0, 0.0, z_cm), size, cardboard((512, 128)), 1.0)
    for quad in quads:
        masks.cover(quad)


def cast_shadows(
    canvas: Image.Image, camera: Camera, units: list[Unit], sku: SkuTruth, strength: float
) -> None:
    """Soft dark where the units stand, thrown a little to the right and the back."""
    small = (canvas.width // 4, canvas.height // 4)
    wide, tight = Image.new("L", small, 0), Image.new("L", small, 0)
    for unit in units:
        x, y, z = unit.centre
        spread = (sku.size_cm[0] * 1.12, sku.size_cm[1] * 1.16, 0.0)
        for mask, centre, size in (
            (wide, (x + sku.size_cm[0] * 0.1, y + sku.size_cm[1] * 0.12, z), spread),
            (tight, unit.centre, (sku.size_cm[0], sku.size_cm[1], 0.0)),
        ):
            corners = block_corners(centre, size, unit.yaw_deg)[:4]
            quad = camera.project(corners) / 4
            ImageDraw.Draw(mask).polygon([tuple(p) for p in quad], fill=255)
    dark = np.zeros((small[1], small[0]))
    for mask, blur, share in ((wide, 7.0, 0.55), (tight, 2.0, 0.8)):
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), np.float64)
        dark = 1 - (1 - dark) * (1 - soft / 255 * share * strength)
    shade = Image.fromarray((dark * 255).astype(np.uint8))
    canvas.paste((14, 12, 12), (0, 0), shade.resize(canvas.size, Image.Resampling.BILINEAR))


def spill(
    canvas: Image.Image, camera: Camera, unit: Unit, sku: SkuTruth, rng: random.Random
) -> None:
    """What leaked: a dark pool with a glint, around the foot of the unit's column."""
    size = (canvas.width // 2, canvas.height // 2)
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    x, y, _ = unit.centre
    reach = sku.size_cm[0] * (0.62 if sku.design is None else 0.8)
    for _ in range(7):
        cx, cy = x + rng.uniform(-0.6, 0.6) * reach, y - sku.size_cm[1] * rng.uniform(0.3, 0.85)
        angles = np.linspace(0, 2 * np.pi, 20)
        r = reach * rng.uniform(0.25, 0.55)
        ring = np.stack(
            [cx + r * np.cos(angles), cy + r * 0.7 * np.sin(angles), 0 * angles], axis=1
        )
        draw.polygon([tuple(p) for p in camera.project(ring) / 2], fill=235)
    soft = mask.filter(ImageFilter.GaussianBlur(2.5)).point(lambda v: 255 if v > 128 else v * 2)
    soft = soft.filter(ImageFilter.GaussianBlur(1)).resize(canvas.size, Image.Resampling.BICUBIC)
    colour = tuple(int(c * 0.45) for c in spill_colour(sku))
    canvas.paste(colour, (0, 0), soft.point(lambda v: int(v * 0.62)))
    inner = soft.filter(ImageFilter.GaussianBlur(7)).point(lambda v: max(0, v - 200) * 2)
    canvas.paste((214, 220, 226), (0, 0), inner.point(lambda v: int(v * 0.5)))


def put_foreground(canvas: Image.Image, masks: UnitMasks, rng: random.Random) -> None:
    """Something out of focus before the goods: a rack post, a neighbour's corner, or a strap."""
    width, height = canvas.size
    left, top, right, bottom = masks.extent()
    kind = rng.choice(("post", "corner", "strap"))
    if kind == "post":
        x = rng.choice((left, right)) + rng.uniform(-0.03, 0.03) * width
        thick = width * rng.uniform(0.03, 0.06)
        shape = [
            (x - thick / 2, 0.0),
            (x + thick / 2, 0.0),
            (x + thick / 2, height),
            (x - thick / 2, height),
        ]
        colour, blur = rng.choice([(196, 98, 36), (48, 80, 134), (96, 98, 102)]), 4.0
    elif kind == "corner":
        reach, rise = (
            (right - left) * rng.uniform(0.12, 0.3),
            (bottom - top) * rng.uniform(0.12, 0.3),
        )
        x = left - 20 if rng.random() < 0.5 else right + 20
        inner = x + reach if x < left else x - reach
        shape = [
            (x, bottom - rise),
            (inner, bottom - rise * 0.94),
            (inner, height + 20),
            (x, height + 20),
        ]
        colour, blur = rng.choice([(158, 122, 82), (140, 104, 70), (186, 182, 172)]), 5.0
    else:
        x = left + (right - left) * rng.uniform(0.2, 0.8)
        thick = max(4.0, width * 0.009)
        shape = [(x, top), (x + thick, top), (x + thick, bottom), (x, bottom)]
        colour, blur = rng.choice([(232, 196, 40), (40, 120, 170), (232, 232, 228)]), 0.7
    quad = np.array(shape, dtype=float)
    if masks.least_visible_with(quad) < 0.45:
        return
    layer = Image.new("L", canvas.size, 0)
    ImageDraw.Draw(layer).polygon(shape, fill=255)
    soft = layer.filter(ImageFilter.GaussianBlur(blur))
    canvas.paste(colour, (0, 0), soft)
    masks.cover(quad)
