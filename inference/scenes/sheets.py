"""Contact sheets: many small rendered photos with captions, to be looked at."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageDraw

from inference.captions import GRADES

from .arrangement import TRAINING_MIX
from .catalog import SkuTruth
from .fonts import font
from .invention import invented_catalog
from .render import CAM_TYPES, CamType, SceneTruth, render_scene

By = Literal["package", "grade", "count", "camera", "stack", "words"]
KINDS: Final[tuple[By, ...]] = ("package", "grade", "count", "camera", "stack", "words")

_CAPTION_PX: Final = 16


def contact_sheet(
    by: By,
    *,
    seed: int = 1,
    columns: int = 6,
    rows: int = 5,
    size_px: tuple[int, int] = (480, 360),
    tile_px: tuple[int, int] = (320, 240),
) -> Image.Image:
    """``rows`` × ``columns`` photos in which ``by`` goes through its values (``words`` outlines the
    boxes of printed words). Photos are rendered at ``size_px`` and shown at ``tile_px``."""
    catalog = invented_catalog(400, seed)
    rng = random.Random(f"sheet/{by}/{seed}")
    sheet = Image.new("RGB", (columns * tile_px[0], rows * (tile_px[1] + _CAPTION_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for number in range(rows * columns):
        sku, cam_type, fixed = _pick(by, number, catalog, rng)
        scene = render_scene(
            sku,
            rng.randrange(2**31),
            cam_types=(cam_type,),
            size_px=size_px,
            mix=TRAINING_MIX,
            count=fixed.get("count"),
            grade=fixed.get("grade"),
            stack_level=fixed.get("stack_level"),
        )
        photo = scene.views[cam_type]
        if by == "words":
            _outline(photo, scene.truth, cam_type)
        x = number % columns * tile_px[0]
        y = number // columns * (tile_px[1] + _CAPTION_PX)
        sheet.paste(photo.resize(tile_px, Image.Resampling.LANCZOS), (x, y))
        caption = _caption(scene.truth, cam_type)
        draw.text((x + 2, y + tile_px[1] + 1), caption, font=font(12, "sans"), fill="black")
    return sheet


def _pick(
    by: By, number: int, catalog: list[SkuTruth], rng: random.Random
) -> tuple[SkuTruth, CamType, dict[str, int]]:
    """What the sheet's picture with ``number`` shows."""
    sku, cam_type = rng.choice(catalog), rng.choice(CAM_TYPES)
    match by:
        case "package":
            forms = ("carton", "box", "bottle", "bag", "can", "cup", "tray")
            wanted = forms[number % len(forms)]
            sku = rng.choice([s for s in catalog if s.form == wanted])
            return sku, cam_type, {"count": rng.randint(1, 6)}
        case "grade":
            return sku, cam_type, {"grade": number % 5, "count": rng.randint(1, 9)}
        case "count":
            return sku, cam_type, {"count": 1 + number % 24, "grade": 0}
        case "camera":
            return sku, CAM_TYPES[number % 3], {}
        case "stack":
            return sku, cam_type, {"stack_level": 1 + number % 5, "count": rng.randint(5, 16)}
        case "words":
            return sku, cam_type, {"count": rng.randint(1, 3), "grade": 0}


def _caption(truth: SceneTruth, cam_type: CamType) -> str:
    view = truth.views[cam_type]
    return (
        f"{truth.sku.form} {truth.count}{truth.sku.unit} ({view.units_shown} shown) "
        f"↑{truth.stack_level} {truth.grade} {GRADES[truth.grade]} {cam_type} {truth.sku.name}"
    )


def _outline(photo: Image.Image, truth: SceneTruth, cam_type: CamType) -> None:
    colours = ("#ff2020", "#20ff20", "#3080ff", "#ffd020", "#ff40ff", "#20ffff")
    draw = ImageDraw.Draw(photo)
    for k, (group, (x, y, w, h)) in enumerate(sorted(truth.views[cam_type].words.items())):
        draw.rectangle((x, y, x + w, y + h), outline=colours[k % len(colours)], width=2)
        draw.text((x, y - 11), group, font=font(11, "grotesque"), fill=colours[k % len(colours)])


def write_sheet(out: Path, by: By, seed: int, columns: int, rows: int) -> None:
    contact_sheet(by, seed=seed, columns=columns, rows=rows).save(out)
