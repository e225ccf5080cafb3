"""Rendering a scene: three photos of the same goods, and the truth about them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

from inference.captions import GRADES, format_caption

from . import damage
from .arrangement import DEMO_MIX, Arrangement, Mix, Unit, arrange
from .artwork import Face
from .camera import Array, Camera, aim
from .catalog import SkuTruth
from .masks import Box, UnitMasks
from .packs import FACE_PX, block_print
from .photo import Look, develop, random_look
from .pointing import Drawn, Edges, larger, on_quad, on_rectangle, words_in_view
from .sprites import BAG_PX, BOTTLE_PX, LABEL_TURN_DEG, bag_sprite, bottle_sprite
from .staging import FACE_GAIN, cast_shadows, draw_board, paint_background, put_foreground, spill
from .surfaces import block_corners, face_quads, paste_face

CamType = Literal["top", "front", "side"]
CAM_TYPES: Final[tuple[CamType, ...]] = ("top", "front", "side")
DEFAULT_SIZE: Final = (960, 720)

_LOW_DEG: Final = {"front": (8, 11), "side": (14, 17)}
_TOP_DEG: Final = 60
_RAISED_DEG: Final = {"front": (20, 26), "side": (26, 32)}
"""Elevations of the cameras, and those from which rows can be told behind one another."""


@dataclass(frozen=True, slots=True)
class ViewTruth:
    """What one photo shows. Boxes [x, y, w, h] in pixels bound what can be seen of each unit.

    ``units_shown`` is how many units this photo shows at least a part of. ``words`` are the boxes of
    the printed groups of words (:data:`.prints.WORDS`) on the unit that shows most of itself."""

    boxes: tuple[Box, ...]
    bbox: Box
    occlusion_ratio: float
    look: Look
    units_shown: int
    words: Mapping[str, Box]


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """What a scene shows, whichever side it is seen from. ``grade`` is 0 (sound) … 4 (leaking);
    ``labelled`` packs bear a shipping label with their code."""

    scene_id: str
    sku: SkuTruth
    count: int
    stack_level: int
    grade: int
    package_type: str
    caption: str
    labelled: bool
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


def camera_angles(cam_type: CamType, *, raised: bool) -> dict[str, Any]:
    """From where a camera looks, for the data set's camera file: ``elevation_deg`` above the goods
    and ``yaw_deg`` around them, as values or as [from, to]. ``raised`` when goods may stand in rows."""
    if cam_type == "top":
        return {"elevation_deg": _TOP_DEG, "yaw_deg": [-9, 9]}
    low, high = min(_LOW_DEG[cam_type]), max((_RAISED_DEG if raised else _LOW_DEG)[cam_type])
    yaw = [-7, 7] if cam_type == "front" else [46, 57]
    return {"elevation_deg": [low, high], "yaw_deg": yaw}


def render_scene(
    sku: SkuTruth,
    seed: int,
    *,
    cam_types: tuple[CamType, ...] = CAM_TYPES,
    size_px: tuple[int, int] = DEFAULT_SIZE,
    count: int | None = None,
    grade: int | None = None,
    stack_level: int | None = None,
    mix: Mix = DEMO_MIX,
) -> Scene:
    """Photos of one scene with ``sku``. The same arguments give the same pixels.

    ``count`` (1–24), ``grade`` (0–4) and ``stack_level`` (1–5) are drawn from ``mix`` unless given.
    """
    key = f"{seed}/{sku.code}"
    arrangement = arrange(
        sku, random.Random(key), mix=mix, count=count, grade=grade, stack_level=stack_level
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
        labelled=arrangement.labelled,
        views=truths,
    )
    return Scene(images, truth)


def render_reference(
    sku: SkuTruth, seed: int, size_px: tuple[int, int] = (640, 640)
) -> Image.Image:
    """A studio picture of one sound unit on light grey (mode RGB)."""
    rng = random.Random(f"reference/{seed}/{sku.code}")
    ramp = Image.linear_gradient("L").resize(size_px).point(lambda v: 246 - v // 9)
    canvas = Image.merge("RGB", [ramp] * 3)
    unit = Unit((0.0, 0.0, 0.0), 0.0, 0.0, 0, 0, 0)
    points = block_corners(unit.centre, sku.size_cm, 0.0)
    camera = aim(
        points, yaw_deg=rng.choice((-16.0, 16.0)), elevation_deg=11, size_px=size_px, fill=0.8
    )
    cast_shadows(canvas, camera, [unit], sku, 0.55)
    _draw_unit(canvas, camera, unit, sku, 0.0, 11, False, _detail(sku, points, camera))
    return canvas


def _render_view(
    sku: SkuTruth,
    arrangement: Arrangement,
    cam_type: CamType,
    size_px: tuple[int, int],
    rng: random.Random,
) -> tuple[Image.Image, ViewTruth]:
    low = _LOW_DEG if arrangement.rows == 1 else _RAISED_DEG
    yaw, elevation = {
        "front": (rng.uniform(-7, 7), rng.choice(low["front"])),
        "side": (rng.choice((-1, 1)) * rng.uniform(46, 57), rng.choice(low["side"])),
        "top": (rng.uniform(-9, 9), _TOP_DEG),
    }[cam_type]
    points = np.concatenate(
        [block_corners(u.centre, sku.size_cm, u.yaw_deg) for u in arrangement.units]
    )
    camera = aim(
        points,
        yaw_deg=yaw,
        elevation_deg=elevation,
        size_px=size_px,
        fill=rng.uniform(0.8, 0.92) if cam_type == "front" else rng.uniform(0.66, 0.84),
        shift=(rng.uniform(-0.7, 0.7), rng.uniform(-0.3, 0.7)),
    )
    canvas = paint_background(arrangement, camera, cam_type == "top", size_px, rng)
    standing = [unit for unit in arrangement.units if unit.level == 0]
    cast_shadows(canvas, camera, standing, sku, 0.72)
    for unit in arrangement.units:
        if unit.grade == 4:
            spill(canvas, camera, unit, sku, rng)
    # Far columns first, and in a column from below; boards part the levels of bottles and bags.
    by_level = bool(arrangement.boards)
    order = sorted(
        arrangement.units,
        key=lambda u: (
            u.level if by_level else 0,
            -camera.depth_of(np.array([u.column_x, u.row_y, 0.0])),
            u.level,
        ),
    )
    masks = UnitMasks(size_px)
    last_level = 0
    drawn: list[Drawn] = []
    detail = _detail(sku, points, camera)
    for unit in order:
        if unit.level > last_level and arrangement.boards:
            draw_board(canvas, camera, arrangement, arrangement.boards[unit.level - 1], masks)
            last_level = unit.level
        one = _draw_unit(canvas, camera, unit, sku, yaw, elevation, arrangement.labelled, detail)
        masks.add(one.shape)
        drawn.append(one)
    if rng.random() < 0.34:
        put_foreground(canvas, masks, rng)
    look = random_look(rng)
    boxes, bbox, occlusion = masks.truth(minimum=0.3 if cam_type == "front" else 0.06)
    words = words_in_view(drawn, masks, size_px)
    truth = ViewTruth(boxes, bbox, occlusion, look, masks.shown(), words)
    return develop(canvas, look, rng), truth


def _detail(sku: SkuTruth, points: Array, camera: Camera) -> float:
    """How finely packs are drawn: in about as many pixels as they take in the photo, by steps, so
    that what was drawn can be used again. The demo's few packs are always drawn in full."""
    if sku.design is None:
        return 1.0
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    px_per_cm = camera.focal_px / camera.depth_of(middle)
    width, _, height = sku.size_cm
    full = {
        "carton": FACE_PX / width,
        "tray": FACE_PX / width,
        "bag": BAG_PX / width,
    }.get(sku.package_type, BOTTLE_PX / height)
    steps = round(2 * np.log2(max(px_per_cm / full, 0.1)))
    return float(min(1.0, 2 ** (steps / 2)))


def _draw_unit(
    canvas: Image.Image,
    camera: Camera,
    unit: Unit,
    sku: SkuTruth,
    yaw_deg: float,
    elevation_deg: int,
    labelled: bool,
    detail: float,
) -> Drawn:
    if sku.package_type in ("carton", "tray"):
        return _draw_block(canvas, camera, unit, sku, labelled, detail)
    base = np.array(unit.centre)
    middle = base + [0, 0, sku.size_cm[2] / 2]
    px_per_cm = camera.focal_px / camera.depth_of(middle)
    x, y = camera.project(base[None])[0]
    body_px = sku.size_cm[0] / 2 * px_per_cm * np.sin(np.radians(elevation_deg))
    variant = unit.variant if unit.grade else 0
    if sku.package_type == "bag":
        slant = np.radians(elevation_deg)
        squash = np.cos(slant) + 0.12 * np.sin(slant)
        turned = np.radians(yaw_deg + unit.yaw_deg)
        narrow = abs(np.cos(turned)) + 0.3 * abs(np.sin(turned))
        sprite = bag_sprite(sku, unit.grade, unit.variant, labelled, detail)
        scale = px_per_cm * sku.size_cm[0] / sprite.image.width
        stretch = (narrow, squash)
    else:
        turn = round((yaw_deg * 0.8 + unit.yaw_deg) / 12) * 12 + LABEL_TURN_DEG
        sprite = bottle_sprite(sku, elevation_deg, turn, unit.grade, variant, labelled, detail)
        scale = px_per_cm * sku.size_cm[2] / round(BOTTLE_PX * detail)
        stretch = (1.0, 1.0)
    size = (
        max(4, round(sprite.image.width * scale * stretch[0])),
        max(4, round(sprite.image.height * scale * stretch[1])),
    )
    image = sprite.image.resize(size, Image.Resampling.HAMMING)
    place = (round(x - size[0] / 2), round(y + body_px - size[1]))
    canvas.paste(image, place, image)
    return Drawn((image.getchannel("A"), place), on_rectangle(sprite.words, place, size))


_PRINTED: Final[dict[str, Face]] = {"top": "top", "front": "front", "back": "front"}


def _draw_block(
    canvas: Image.Image, camera: Camera, unit: Unit, sku: SkuTruth, labelled: bool, detail: float
) -> Drawn:
    corners = _crushed(block_corners(unit.centre, sku.size_cm, unit.yaw_deg), unit, sku)
    quads = face_quads(corners, camera)
    jitter = 1 + 0.035 * (unit.variant - 1)
    words: dict[str, Edges] = {}
    for name, quad in quads.items():
        flat = block_print(sku, _PRINTED.get(name, "side"), labelled, detail)
        texture = flat.image
        if unit.grade:
            texture = _damaged_face(texture, unit, sku, name)
        gain, fall = FACE_GAIN.get(name, (0.75, 0.15))
        paste_face(canvas, texture, quad, gain * jitter, fall)
        words = larger(words, on_quad(flat.words, quad))
    return Drawn(list(quads.values()), words)


def _damaged_face(texture: Image.Image, unit: Unit, sku: SkuTruth, name: str) -> Image.Image:
    marks = random.Random(f"{sku.code}/{unit.centre}/{name}")
    if sku.design is not None:
        inside = damage.inside_of(sku.package_type)
        return damage.battered(texture, unit.grade, marks, inside)
    grade = unit.grade if name == "front" or unit.grade in (2, 4) else min(unit.grade, 1)
    return damage.damaged(texture, grade, marks)


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
        corners[side] += [
            inward * rng.uniform(0.04, 0.08),
            width * 0.03,
            -height * rng.uniform(0.12, 0.2),
        ]
        corners[9 - side] += [0, 0, -height * rng.uniform(0.02, 0.05)]
        corners[11 - side] += [0, 0, -height * rng.uniform(0.0, 0.06)]
    elif unit.grade == 4:
        corners[[0, 3]] += [-width * 0.015, 0, 0]
        corners[[1, 2]] += [width * 0.015, 0, 0]
    return corners
