"""Rendering a scene: three photos of the same goods, and the truth about them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from inference.captions import GRADES, format_caption

from . import damage
from .arrangement import BOARD_CM, Arrangement, Unit, arrange
from .artwork import cardboard, carton_face, planks
from .backdrop import PLATES, floor_texture, paint_ground, rack_plate
from .camera import Array, Camera, aim
from .catalog import SkuTruth
from .masks import UnitMasks
from .photo import Look, develop, random_look
from .sprites import bag_sprite, bottle_sprite, cap_colour
from .surfaces import block_corners, face_quads, paste_face, shaded

CamType = Literal["top", "front", "side"]
CAM_TYPES: Final[tuple[CamType, ...]] = ("top", "front", "side")
DEFAULT_SIZE: Final = (960, 720)
PALLET_CM: Final = 14.0

_GAIN: Final = {"top": (1.06, 0.02), "front": (0.97, 0.14), "left": (0.8, 0.16), "right": (0.68, 0.18)}
"""Brightness of a carton's faces and how much it falls off downwards: light from the upper left."""


@dataclass(frozen=True, slots=True)
class ViewTruth:
    """What one photo shows. Boxes [x, y, w, h] in pixels bound what can be seen of each unit."""

    boxes: tuple[tuple[int, int, int, int], ...]
    bbox: tuple[int, int, int, int]
    occlusion_ratio: float
    look: Look


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """What a scene shows, whichever side it is seen from. ``grade`` is 0 (sound) … 4 (leaking)."""

    scene_id: str
    sku: SkuTruth
    count: int
    stack_level: int
    grade: int
    package_type: str
    caption: str
    views: dict[CamType, ViewTruth]


@dataclass(frozen=True, slots=True)
class Scene:
    """Photos (mode RGB) by the camera that took them, with the truth."""

    views: dict[CamType, Image.Image]
    truth: SceneTruth


def caption_of(sku: SkuTruth, count: int, grade: int) -> str:
    """The canonical caption of ``count`` units of ``sku`` in the condition of ``grade``."""
    return format_caption(
        {
            "sku": sku.code,
            "category": sku.category,
            "spec": sku.spec,
            "quantity": f"{count}{sku.unit}",
            "condition": GRADES[grade],
        }
    )


def render_scene(
    sku: SkuTruth,
    seed: int,
    *,
    cam_types: tuple[CamType, ...] = CAM_TYPES,
    size_px: tuple[int, int] = DEFAULT_SIZE,
    count: int | None = None,
    grade: int | None = None,
    stack_level: int | None = None,
) -> Scene:
    """Photos of one scene with ``sku``. The same arguments give the same pixels.

    ``count`` (1–12), ``grade`` (0–4) and ``stack_level`` (1–3) are random unless given.
    """
    key = f"{seed}/{sku.code}"
    arrangement = arrange(
        sku, random.Random(key), count=count, grade=grade, stack_level=stack_level
    )
    images: dict[CamType, Image.Image] = {}
    truths: dict[CamType, ViewTruth] = {}
    for cam_type in cam_types:
        rng = random.Random(f"{key}/{cam_type}")
        images[cam_type], truths[cam_type] = _render_view(sku, arrangement, cam_type, size_px, rng)
    total = len(arrangement.units)
    truth = SceneTruth(
        scene_id="SC_" + hashlib.sha256(key.encode()).hexdigest()[:10],
        sku=sku,
        count=total,
        stack_level=arrangement.stack_level,
        grade=arrangement.grade,
        package_type=sku.package_type,
        caption=caption_of(sku, total, arrangement.grade),
        views=truths,
    )
    return Scene(images, truth)


def render_reference(sku: SkuTruth, seed: int, size_px: tuple[int, int] = (640, 640)) -> Image.Image:
    """A studio picture of one sound unit on light grey (mode RGB)."""
    rng = random.Random(f"reference/{seed}/{sku.code}")
    ramp = Image.linear_gradient("L").resize(size_px).point(lambda v: 246 - v // 9)
    canvas = Image.merge("RGB", [ramp] * 3)
    unit = Unit((0.0, 0.0, 0.0), 0.0, 0, 0, 0)
    points = block_corners(unit.centre, sku.size_cm, 0.0)
    camera = aim(points, yaw_deg=rng.choice((-16.0, 16.0)), elevation_deg=11, size_px=size_px, fill=0.8)
    _shadow(canvas, camera, [unit], sku, 0.55)
    _draw_unit(canvas, camera, unit, sku, rng, 0.0, 11)
    return canvas


def _render_view(
    sku: SkuTruth,
    arrangement: Arrangement,
    cam_type: CamType,
    size_px: tuple[int, int],
    rng: random.Random,
) -> tuple[Image.Image, ViewTruth]:
    yaw, elevation = {
        "front": (rng.uniform(-7, 7), rng.choice((8, 11))),
        "side": (rng.choice((-1, 1)) * rng.uniform(46, 57), rng.choice((14, 17))),
        "top": (rng.uniform(-9, 9), 60),
    }[cam_type]
    points = np.concatenate([block_corners(u.centre, sku.size_cm, u.yaw_deg) for u in arrangement.units])
    camera = aim(
        points,
        yaw_deg=yaw,
        elevation_deg=elevation,
        size_px=size_px,
        fill=rng.uniform(0.8, 0.92) if cam_type == "front" else rng.uniform(0.66, 0.84),
        shift=(rng.uniform(-0.7, 0.7), rng.uniform(-0.3, 0.7)),
    )
    canvas = _background(arrangement, camera, cam_type, size_px, rng)
    standing = [unit for unit in arrangement.units if unit.level == 0]
    _shadow(canvas, camera, standing, sku, 0.72)
    for unit in arrangement.units:
        if unit.grade == 4:
            _puddle(canvas, camera, unit, sku, rng)
    order = sorted(
        arrangement.units, key=lambda u: (u.level, -camera.depth_of(np.array(u.centre)))
    )
    if sku.package_type == "carton":
        order.sort(key=lambda u: (-round(camera.depth_of(np.array([u.centre[0], 0, 0])), 1), u.level))
    masks = UnitMasks(size_px)
    last_level = 0
    for unit in order:
        if unit.level > last_level and arrangement.boards:
            _board(canvas, camera, arrangement, arrangement.boards[unit.level - 1], masks)
            last_level = unit.level
        shape = _draw_unit(canvas, camera, unit, sku, rng, yaw, elevation)
        masks.add(shape)
    if rng.random() < 0.34:
        _foreground(canvas, masks, rng)
    look = random_look(rng)
    boxes, bbox, occlusion = masks.truth(minimum=0.3 if cam_type == "front" else 0.06)
    return develop(canvas, look, rng), ViewTruth(boxes, bbox, occlusion, look)


def _background(
    arrangement: Arrangement,
    camera: Camera,
    cam_type: CamType,
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
    if kind != "shelf" or cam_type == "top":
        paint_ground(canvas, camera, kind, rng.randint(0, 5), half_depth + rng.uniform(30, 90), drop)
    if kind == "pallet":
        wide = max(arrangement.width_cm + 16, 70.0)
        deep = arrangement.depth_cm + 26
        wood = planks((640, 320), rng.randint(0, 5))
        for x in (-wide / 2 + 6, 0.0, wide / 2 - 6):
            _block(canvas, camera, (x, 0.0, -PALLET_CM), (12.0, deep, PALLET_CM - 3), wood, 0.5)
        _block(canvas, camera, (0.0, 0.0, -3.0), (wide, deep, 3.0), wood, 1.0)
    elif kind == "shelf":
        deep = arrangement.depth_cm + 34
        steel = floor_texture("shelf", rng.randint(0, 5)).crop((0, 0, 640, 256))
        beam = Image.new("RGB", (640, 32), rng.choice([(204, 100, 34), (44, 86, 148), (150, 152, 156)]))
        wide = arrangement.width_cm * 3 + 160
        _block(canvas, camera, (0.0, 0.0, -7.0), (wide, deep, 7.0), steel, 1.0, front=beam)
    return canvas


def _block(
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
        brightness, fall = _GAIN.get(name, (0.8, 0.1))
        skin = front if front is not None and name == "front" else texture
        paste_face(canvas, shaded(skin, brightness * gain, fall), quad)
    return list(quads.values())


def _board(
    canvas: Image.Image, camera: Camera, arrangement: Arrangement, z_cm: float, masks: UnitMasks
) -> None:
    size = (arrangement.width_cm + 2, arrangement.depth_cm + 2, BOARD_CM)
    quads = _block(canvas, camera, (0.0, 0.0, z_cm), size, cardboard((512, 128)), 1.0)
    for quad in quads:
        masks.cover(quad)


def _shadow(
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
    for mask, blur, share in ((wide, 7.0, 0.55), (tight, 2.0, 0.8)):
        soft = mask.filter(ImageFilter.GaussianBlur(blur)).resize(canvas.size, Image.Resampling.BICUBIC)
        canvas.paste((14, 12, 12), (0, 0), soft.point(lambda v, s=share: int(v * s * strength)))


def _puddle(
    canvas: Image.Image, camera: Camera, unit: Unit, sku: SkuTruth, rng: random.Random
) -> None:
    """What leaked: a dark pool with a glint, around the foot of the unit's column."""
    size = (canvas.width // 2, canvas.height // 2)
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    x, y, _ = unit.centre
    reach = sku.size_cm[0] * 0.62
    for _ in range(7):
        cx, cy = x + rng.uniform(-0.6, 0.6) * reach, y - sku.size_cm[1] * rng.uniform(0.3, 0.85)
        angles = np.linspace(0, 2 * np.pi, 20)
        r = reach * rng.uniform(0.25, 0.55)
        ring = np.stack([cx + r * np.cos(angles), cy + r * 0.7 * np.sin(angles), 0 * angles], axis=1)
        draw.polygon([tuple(p) for p in camera.project(ring) / 2], fill=235)
    soft = mask.filter(ImageFilter.GaussianBlur(2.5)).point(lambda v: 255 if v > 128 else v * 2)
    soft = soft.filter(ImageFilter.GaussianBlur(1)).resize(canvas.size, Image.Resampling.BICUBIC)
    colour = tuple(int(c * 0.45) for c in cap_colour(sku))
    canvas.paste(colour, (0, 0), soft.point(lambda v: int(v * 0.62)))
    inner = soft.filter(ImageFilter.GaussianBlur(7)).point(lambda v: max(0, v - 200) * 2)
    canvas.paste((214, 220, 226), (0, 0), inner.point(lambda v: int(v * 0.5)))


def _draw_unit(
    canvas: Image.Image,
    camera: Camera,
    unit: Unit,
    sku: SkuTruth,
    rng: random.Random,
    yaw_deg: float,
    elevation_deg: int,
) -> list[Array] | tuple[Image.Image, tuple[int, int]]:
    """Draw one unit; answers its shape: quads in pixels, or an alpha mask and its place."""
    if sku.package_type == "carton":
        return _draw_carton(canvas, camera, unit, sku, rng)
    base = np.array(unit.centre)
    middle = base + [0, 0, sku.size_cm[2] / 2]
    px_per_cm = camera.focal_px / camera.depth_of(middle)
    x, y = camera.project(base[None])[0]
    body_px = sku.size_cm[0] / 2 * px_per_cm * np.sin(np.radians(elevation_deg))
    if sku.package_type == "bottle":
        turn = round((yaw_deg * 0.8 + unit.yaw_deg) / 8) * 8
        sprite = bottle_sprite(sku, elevation_deg, turn, unit.grade, unit.variant)
        scale = px_per_cm * sku.size_cm[2] / 620
    else:
        slant = np.radians(elevation_deg)
        squash = round(100 * (np.cos(slant) + 0.12 * np.sin(slant)))
        turned = np.radians(yaw_deg)
        narrow = round(100 * (abs(np.cos(turned)) + 0.3 * abs(np.sin(turned))))
        sprite = bag_sprite(sku, squash, narrow, unit.grade, unit.variant)
        scale = px_per_cm * sku.size_cm[0] / 440
    size = (max(4, round(sprite.width * scale)), max(4, round(sprite.height * scale)))
    sprite = sprite.resize(size, Image.Resampling.LANCZOS)
    place = (round(x - size[0] / 2), round(y + body_px - size[1]))
    canvas.paste(sprite, place, sprite)
    return sprite.getchannel("A"), place


def _draw_carton(
    canvas: Image.Image, camera: Camera, unit: Unit, sku: SkuTruth, rng: random.Random
) -> list[Array]:
    corners = _crushed(block_corners(unit.centre, sku.size_cm, unit.yaw_deg), unit, sku)
    quads = face_quads(corners, camera)
    jitter = 1 + 0.035 * (unit.variant - 1)
    for name, quad in quads.items():
        texture = carton_face(sku, {"top": "top", "front": "front", "back": "front"}.get(name, "side"))  # type: ignore[arg-type]
        if unit.grade:
            marks = random.Random(f"{sku.code}/{unit.centre}/{name}")
            grade = unit.grade if name == "front" or unit.grade in (2, 4) else min(unit.grade, 1)
            texture = damage.damaged(texture, grade, marks)
        gain, fall = _GAIN.get(name, (0.75, 0.15))
        paste_face(canvas, shaded(texture, gain * jitter, fall), quad)
    _edges(canvas, quads)
    return list(quads.values())


def _crushed(corners: Array, unit: Unit, sku: SkuTruth) -> Array:
    """Corners moved as damage does: a crushed corner sinks, a soaked bottom spreads."""
    rng = random.Random(f"{sku.code}/{unit.centre}/corners")
    height, width = sku.size_cm[2], sku.size_cm[0]
    corners = corners.copy()
    if unit.grade in (1, 3):
        corners[rng.choice((4, 5))] += [0, 0, -height * rng.uniform(0.015, 0.04)]
    elif unit.grade == 2:
        side = rng.choice((4, 5))
        inward = width * (1 if side == 4 else -1)
        corners[side] += [inward * rng.uniform(0.04, 0.08), width * 0.03, -height * rng.uniform(0.12, 0.2)]
        corners[9 - side] += [0, 0, -height * rng.uniform(0.02, 0.05)]
        corners[11 - side] += [0, 0, -height * rng.uniform(0.0, 0.06)]
    elif unit.grade == 4:
        corners[[0, 3]] += [-width * 0.015, 0, 0]
        corners[[1, 2]] += [width * 0.015, 0, 0]
    return corners


def _edges(canvas: Image.Image, quads: dict[str, Array]) -> None:
    """Worn light along the edges where two seen faces meet, dark along the outline."""
    width, height = canvas.size
    for quad in quads.values():
        low = np.maximum(np.floor(quad.min(axis=0)) - 2, 0).astype(int)
        high = np.minimum(np.ceil(quad.max(axis=0)) + 2, (width, height)).astype(int)
        if (high - low <= 0).any():
            continue
        line = Image.new("L", tuple(high - low), 0)
        points = [tuple(p - low) for p in quad]
        ImageDraw.Draw(line).line([*points, points[0]], fill=90, width=2)
        canvas.paste((34, 28, 24), tuple(low), line.filter(ImageFilter.GaussianBlur(0.8)))


def _foreground(canvas: Image.Image, masks: UnitMasks, rng: random.Random) -> None:
    """Something out of focus before the goods: a rack post, a neighbour's corner, or a strap."""
    width, height = canvas.size
    left, top, right, bottom = masks.extent()
    kind = rng.choice(("post", "corner", "strap"))
    if kind == "post":
        x = rng.choice((left, right)) + rng.uniform(-0.03, 0.03) * width
        thick = width * rng.uniform(0.03, 0.06)
        shape = [(x - thick / 2, 0), (x + thick / 2, 0), (x + thick / 2, height), (x - thick / 2, height)]
        colour, blur = rng.choice([(196, 98, 36), (48, 80, 134), (96, 98, 102)]), 4.0
    elif kind == "corner":
        reach, rise = (right - left) * rng.uniform(0.12, 0.3), (bottom - top) * rng.uniform(0.12, 0.3)
        x = left - 20 if rng.random() < 0.5 else right + 20
        inner = x + reach if x < left else x - reach
        shape = [(x, bottom - rise), (inner, bottom - rise * 0.94), (inner, height + 20), (x, height + 20)]
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
