"""A data set of rendered scenes in the platform's layout on disk."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import yaml
from PIL import Image

from .arrangement import DEMO_MIX, TRAINING_MIX, Mix
from .catalog import SkuTruth, demo_catalog
from .fonts import fonts_in_use
from .invention import invented_catalog
from .render import (
    CAM_TYPES,
    DEFAULT_SIZE,
    CamType,
    Scene,
    camera_angles,
    render_reference,
    render_scene,
)

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
_REFERENCE_PX: Final = 640
_CHUNK: Final = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """What a data set is made of. ``catalog`` 0 takes the demo's SKUs, else so many invented ones
    of ``catalog_seed``. ``unseen`` is the share of families of SKUs that train never shows: each is
    kept whole in val or in test."""

    scenes: int
    seed: int
    cam_types: tuple[CamType, ...] = CAM_TYPES
    size_px: tuple[int, int] = DEFAULT_SIZE
    catalog: int = 0
    catalog_seed: int = 1
    unseen: float = 0.0

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.catalog < 0 or not 0 <= self.unseen <= 1:
            raise ValueError("scenes must be 1 or more, catalog 0 or more, unseen in 0…1")
        if min(self.size_px) < 64:
            raise ValueError("photos must be at least 64 pixels wide and high")

    @property
    def mix(self) -> Mix:
        return TRAINING_MIX if self.catalog else DEMO_MIX

    def skus(self) -> tuple[SkuTruth, ...]:
        if self.catalog:
            return _invented(self.catalog, self.catalog_seed)
        return tuple(demo_catalog())

    def home(self, sku: SkuTruth) -> str | None:
        """The split in which an unseen SKU stays; None for SKUs that all splits show."""
        draw = random.Random(f"unseen/{self.seed}/{sku.family}")
        if draw.random() >= self.unseen:
            return None
        return draw.choice(("val", "test"))


@lru_cache(maxsize=1)
def _invented(count: int, seed: int) -> tuple[SkuTruth, ...]:
    return tuple(invented_catalog(count, seed))


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What came of one scene or one reference picture: records and the hashes of its files."""

    split: str
    records: tuple[str, ...]
    hashes: dict[str, str]


def write_dataset(
    out: Path,
    *,
    scenes: int,
    seed: int,
    cam_types: tuple[CamType, ...] = CAM_TYPES,
    size_px: tuple[int, int] = DEFAULT_SIZE,
    catalog: int = 0,
    catalog_seed: int = 1,
    unseen: float = 0.0,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Render a data set of these scenes: :func:`render_plan` of a :class:`Plan`."""
    plan = Plan(scenes, seed, cam_types, size_px, catalog, catalog_seed, unseen)
    return render_plan(out, plan, workers=workers, progress=progress)


def render_plan(
    out: Path,
    plan: Plan,
    *,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Render the data set of ``plan`` into the folder ``out`` and answer the manifest.

    The same plan writes the same bytes (with the same Pillow and fonts), whatever the number of
    ``workers``, which are processes. A scene's photos stay in one split. ``progress`` is told how
    many scenes are done. Raises :class:`FileExistsError` when ``out`` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    hashes: dict[str, str] = {}
    counts = {split: 0 for split, _ in SPLITS}
    with ExitStack() as stack:
        rendered = stack.enter_context(_Renderers(plan, out, workers))
        (out / "annotations").mkdir(parents=True, exist_ok=True)
        files = {
            split: stack.enter_context(
                (out / f"annotations/{split}.jsonl").open("w", encoding="utf-8", newline="\n")
            )
            for split in counts
        }
        for number, done in enumerate(rendered.each("scene", plan.scenes)):
            files[done.split].writelines(done.records)
            counts[done.split] += len(done.records)
            hashes.update(done.hashes)
            progress(number + 1)
        for done in rendered.each("reference", len(plan.skus())):
            hashes.update(done.hashes)
    for split in counts:
        path = f"annotations/{split}.jsonl"
        hashes[path] = hashlib.sha256((out / path).read_bytes()).hexdigest()
    _write_metadata(out, plan, hashes)
    manifest = {
        "name": "warevision-scenes",
        "generator": "inference.scenes",
        "seed": plan.seed,
        "catalog": (
            {"kind": "invented", "seed": plan.catalog_seed} if plan.catalog else {"kind": "demo"}
        ),
        "fonts": fonts_in_use(),
        "counts": {
            "images": sum(counts.values()),
            "scenes": plan.scenes,
            "skus": len(plan.skus()),
            "unseen_skus": sum(plan.home(sku) is not None for sku in plan.skus()),
            **counts,
        },
        "files": dict(sorted(hashes.items())),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")
    return manifest


class _Renderers:
    """Renders numbered pieces in order, in this process or in several."""

    def __init__(self, plan: Plan, out: Path, workers: int) -> None:
        self._plan, self._out = plan, out
        # Spawned, since a fork of a process with threads may hang.
        self._pool = (
            ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if workers > 1 else None
        )
        self._workers = workers

    def __enter__(self) -> _Renderers:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def each(self, kind: str, count: int) -> Iterator[_Rendered]:
        chunks = [range(first, min(first + _CHUNK, count)) for first in range(0, count, _CHUNK)]
        if self._pool is None:
            for chunk in chunks:
                yield from _render_chunk(self._plan, self._out, kind, chunk)
            return
        # A few chunks ahead and no more, so that results do not pile up.
        waiting = []
        ahead = 2 * self._workers
        for chunk in chunks:
            waiting.append(self._pool.submit(_render_chunk, self._plan, self._out, kind, chunk))
            if len(waiting) > ahead:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _render_chunk(plan: Plan, out: Path, kind: str, numbers: range) -> list[_Rendered]:
    piece = _write_scene if kind == "scene" else _write_reference
    return [piece(plan, out, number) for number in numbers]


def _write_scene(plan: Plan, out: Path, number: int) -> _Rendered:
    rng = random.Random(f"dataset/{plan.seed}/{number}")
    skus = plan.skus()
    # Every SKU in turn, so that small sets cover the catalog.
    order = _shuffled(len(skus), plan.seed, number // len(skus))
    sku = skus[order[number % len(skus)]]
    scene = render_scene(
        sku, rng.randrange(2**31), cam_types=plan.cam_types, size_px=plan.size_px, mix=plan.mix
    )
    home = plan.home(sku)
    split = _split(rng.random())
    hashes: dict[str, str] = {}
    records = [
        _write_photo(out, scene, cam_type, plan.seed, number, home is not None, hashes)
        for cam_type in plan.cam_types
    ]
    lines = tuple(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return _Rendered(home or split, lines, hashes)


@lru_cache(maxsize=2)
def _shuffled(count: int, seed: int, turn: int) -> list[int]:
    order = list(range(count))
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
    out: Path,
    scene: Scene,
    cam_type: CamType,
    seed: int,
    number: int,
    unseen: bool,
    hashes: dict[str, str],
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
        "truth": {
            "count": truth.count,
            "units_shown": view.units_shown,
            "labelled": truth.labelled,
            "unseen": unseen,
            "words": {group: list(box) for group, box in view.words.items()},
        },
    }


def _reference_path(sku: SkuTruth) -> str:
    return f"metadata/reference/{sku.code}.jpg"


def _write_reference(plan: Plan, out: Path, number: int) -> _Rendered:
    sku = plan.skus()[number]
    side = _REFERENCE_PX if not plan.catalog else min(_REFERENCE_PX, max(plan.size_px))
    hashes: dict[str, str] = {}
    picture = render_reference(sku, plan.seed, (side, side))
    _write(out, _reference_path(sku), _jpeg(picture, 92), hashes)
    return _Rendered("", (), hashes)


def _write_metadata(out: Path, plan: Plan, hashes: dict[str, str]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, CATALOG_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for sku in plan.skus():
        row = {name: getattr(sku, name) for name in CATALOG_COLUMNS if name != "reference_image"}
        category = f"{sku.category_parent}/{sku.category}"
        writer.writerow({**row, "category": category, "reference_image": _reference_path(sku)})
    _write(out, "metadata/sku_catalog.csv", table.getvalue().encode(), hashes)
    cameras = {
        f"cam_{name}": {
            **camera_angles(name, raised=plan.mix.deep > 0),
            "width_px": plan.size_px[0],
            "height_px": plan.size_px[1],
        }
        for name in plan.cam_types
    }
    text = yaml.safe_dump({"cameras": cameras}, allow_unicode=True, sort_keys=False)
    _write(out, "metadata/camera_config.yaml", text.encode(), hashes)
