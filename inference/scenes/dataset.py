"""A data set of rendered scenes in the platform's layout on disk."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml
from PIL import Image

from .catalog import SkuTruth, demo_catalog
from .render import CAM_TYPES, DEFAULT_SIZE, CamType, Scene, render_reference, render_scene

SPLITS: Final = (("train", 0.8), ("val", 0.1), ("test", 0.1))
CATALOG_COLUMNS: Final = (
    "code",
    "name",
    "brand",
    "category",
    "spec",
    "unit",
    "barcode",
    "pack_text",
    "reference_image",
    "sales_volume",
)
_CAMERAS: Final[dict[str, dict[str, Any]]] = {
    "top": {"elevation_deg": 60, "yaw_deg": [-9, 9]},
    "front": {"elevation_deg": [8, 11], "yaw_deg": [-7, 7]},
    "side": {"elevation_deg": [14, 17], "yaw_deg": [46, 57]},
}


def write_dataset(
    out: Path,
    *,
    scenes: int,
    seed: int,
    cam_types: tuple[CamType, ...] = CAM_TYPES,
    size_px: tuple[int, int] = DEFAULT_SIZE,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Render ``scenes`` scenes into the folder ``out`` and answer the manifest.

    The same arguments write the same bytes (with the same Pillow and font). A scene's photos stay
    in one split. Raises :class:`FileExistsError` when ``out`` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    catalog = demo_catalog()
    hashes: dict[str, str] = {}
    records: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in SPLITS}
    for number in range(scenes):
        rng = random.Random(f"dataset/{seed}/{number}")
        # Every SKU in turn, so that small sets cover the catalog.
        sku = _shuffled(catalog, seed, number // len(catalog))[number % len(catalog)]
        scene = render_scene(sku, rng.randrange(2**31), cam_types=cam_types, size_px=size_px)
        split = _split(rng.random())
        for cam_type in cam_types:
            record = _write_photo(out, scene, cam_type, seed, number, hashes)
            records[split].append(record)
        progress(number + 1)
    for split, rows in records.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        _write(out, f"annotations/{split}.jsonl", text.encode(), hashes)
    _write_metadata(out, catalog, seed, size_px, cam_types, hashes)
    manifest = {
        "name": "warevision-scenes",
        "generator": "inference.scenes",
        "seed": seed,
        "counts": {
            "images": sum(map(len, records.values())),
            "scenes": scenes,
            "skus": len(catalog),
            **{split: len(rows) for split, rows in records.items()},
        },
        "files": dict(sorted(hashes.items())),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")
    return manifest


def _shuffled(catalog: list[SkuTruth], seed: int, turn: int) -> list[SkuTruth]:
    order = list(catalog)
    random.Random(f"order/{seed}/{turn}").shuffle(order)
    return order


def _split(draw: float) -> str:
    for name, share in SPLITS:
        if draw < share:
            return name
        draw -= share
    return SPLITS[-1][0]


def _write(out: Path, path: str, data: bytes, hashes: dict[str, str]) -> None:
    target = out / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    hashes[path] = hashlib.sha256(data).hexdigest()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _write_photo(
    out: Path, scene: Scene, cam_type: CamType, seed: int, number: int, hashes: dict[str, str]
) -> dict[str, Any]:
    truth, view = scene.truth, scene.truth.views[cam_type]
    # The name says nothing of what the photo shows.
    digest = hashlib.sha256(f"{seed}/{number}/{cam_type}".encode()).hexdigest()[:12]
    image_id = f"IMG_{digest}"
    path = f"images/cam_{cam_type}/{image_id}.jpg"
    _write(out, path, _jpeg(scene.views[cam_type], view.look.quality), hashes)
    return {
        "image_id": image_id,
        "scene_id": truth.scene_id,
        "cam_type": cam_type,
        "image_path": path,
        "caption": truth.caption,
        "bbox": list(view.bbox),
        "boxes": [list(box) for box in view.boxes],
        "attributes": {
            "package_type": truth.package_type,
            "stack_level": truth.stack_level,
            "occlusion_ratio": view.occlusion_ratio,
        },
    }


def _write_metadata(
    out: Path,
    catalog: list[SkuTruth],
    seed: int,
    size_px: tuple[int, int],
    cam_types: tuple[CamType, ...],
    hashes: dict[str, str],
) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, CATALOG_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for sku in catalog:
        path = f"metadata/reference/{sku.code}.jpg"
        _write(out, path, _jpeg(render_reference(sku, seed), 92), hashes)
        row = {name: getattr(sku, name) for name in CATALOG_COLUMNS if name != "reference_image"}
        category = f"{sku.category_parent}/{sku.category}"
        writer.writerow({**row, "category": category, "reference_image": path})
    _write(out, "metadata/sku_catalog.csv", table.getvalue().encode(), hashes)
    cameras = {
        f"cam_{name}": {**_CAMERAS[name], "width_px": size_px[0], "height_px": size_px[1]}
        for name in cam_types
    }
    text = yaml.safe_dump({"cameras": cameras}, allow_unicode=True, sort_keys=False)
    _write(out, "metadata/camera_config.yaml", text.encode(), hashes)
