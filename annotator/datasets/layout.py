"""The data set layout on disk: names, records, splits. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SPLITS = ("train", "val", "test")
CAM_TYPES = ("top", "front", "side")
ATTRIBUTES = ("package_type", "stack_level", "occlusion_ratio")
CATALOG = "metadata/sku_catalog.csv"
CAMERAS = "metadata/camera_config.yaml"
MANIFEST = "manifest.json"


def annotations_path(split: str) -> str:
    """Where the records of a split lie."""
    return f"annotations/{split}.jsonl"


def image_path(*, cam_type: str, image_id: str, extension: str) -> str:
    """Where a picture lies. Captures of unknown view count as front."""
    return f"images/cam_{cam_type or 'front'}/{safe_name(image_id)}.{extension}"


def safe_name(name: str) -> str:
    """``name`` as a file name: nothing that could leave its folder, and no two names alike."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".")[:150]
    if kept == name:
        return name
    return f"{kept[:140]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def split_of(group: str) -> str:
    """The split of a group of captures that belong together: 80% train, 10% val, 10% test, by hash,
    so that it never changes."""
    bucket = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % 10
    return "train" if bucket < 8 else "val" if bucket == 8 else "test"


def enclosing(boxes: Sequence[Sequence[float]]) -> list[float] | None:
    """The smallest [x, y, w, h] around ``boxes``; None without any."""
    if not boxes:
        return None
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return [_tidy(v) for v in (left, top, right - left, bottom - top)]


def _tidy(value: float) -> float:
    rounded = round(float(value), 2)
    return int(rounded) if rounded == int(rounded) else rounded


def record(
    *,
    image_id: str,
    scene_id: str,
    cam_type: str,
    path: str,
    caption: str,
    boxes: Sequence[Sequence[float]],
    attributes: Mapping[str, Any],
    carried_over_from: str = "",
) -> dict[str, Any]:
    """One line of an annotations file. ``carried_over_from`` is the scene whose decision it takes,
    if it was not labeled itself."""
    line = {
        "image_id": image_id,
        "scene_id": scene_id,
        "cam_type": cam_type or "front",
        "image_path": path,
        "caption": caption,
        "bbox": enclosing(boxes),
        "boxes": [[_tidy(v) for v in box] for box in boxes],
        "attributes": {key: attributes.get(key) for key in ATTRIBUTES},
    }
    return line | ({"carried_over_from": carried_over_from} if carried_over_from else {})


def inside(root: Path, name: str) -> Path:
    """``name`` below ``root``. Raises PermissionError when it leads out, LookupError when there is
    no such file."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise PermissionError(name)
    if not path.is_file():
        raise LookupError(name)
    return path
