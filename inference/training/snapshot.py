"""Reading a snapshot: a folder in the data set layout, with its catalog."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from inference.captions import (
    DEFAULT_SCHEMA,
    GRADES,
    Quantity,
    Schema,
    Unknown,
    parse,
    parse_quantity,
)
from inference.pictures import decode

SPLITS = ("train", "val", "test")


class SnapshotError(ValueError):
    """A snapshot that cannot be trained on; says where and why."""


Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a rendered photo besides its caption: the boxes of its ``units``, those of the
    ``words`` that can be read on it, and whether each unit can be told (``countable``)."""

    units: tuple[Box, ...]
    words: Mapping[str, Box]
    countable: bool
    unseen: bool = False
    """Whether the training photos show nothing of its family of SKUs."""


@dataclass(frozen=True, slots=True)
class Record:
    """One photo with its decided caption: ``values`` by field key, None for what is unknown."""

    image_id: str
    path: Path
    values: Mapping[str, str | None]
    attributes: Mapping[str, Any]
    studio: bool = False
    """Whether it is a catalog's picture: one sound pack on white."""
    truth: Truth | None = None
    """What only a renderer knows."""
    scene_id: str = ""
    cam_type: str = ""
    group: str = ""
    """``gold`` where the answer was known beforehand."""
    weight: float = 1.0
    """How much it counts in training, 0 or more."""

    @property
    def sku(self) -> str | None:
        return self.values.get("sku")

    def picture(self) -> Image.Image:
        """The upright photo, RGB."""
        return decode(self.path.read_bytes())

    def size_px(self) -> tuple[int, int]:
        """Width and height of the file's picture, which is only opened."""
        with Image.open(self.path) as picture:
            return picture.size


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What the model must know of a SKU. ``reference`` is its studio picture, if it has one."""

    code: str
    category: str
    spec: str
    unit: str = ""
    reference: Path | None = None
    brand: str = ""
    name: str = ""
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Records by split, and the catalog by code."""

    splits: Mapping[str, tuple[Record, ...]]
    catalog: Mapping[str, CatalogEntry]

    def references(self) -> list[Record]:
        """The catalog's pictures as records: they show one sound pack."""
        sound = GRADES[0]
        return [
            Record(
                image_id=f"REF_{entry.code}",
                path=entry.reference,
                values={
                    "sku": entry.code,
                    "category": entry.category,
                    "spec": entry.spec,
                    "quantity": f"1{entry.unit}",
                    "condition": sound,
                },
                attributes={},
                studio=True,
            )
            for entry in self.catalog.values()
            if entry.reference and entry.category and entry.spec and entry.unit
        ]


def read_snapshot(root: Path, schema: Schema = DEFAULT_SCHEMA) -> Snapshot:
    """Read ``root``. Raises :class:`SnapshotError` for what is missing or cannot be read."""
    splits = {}
    for split in SPLITS:
        path = root / "annotations" / f"{split}.jsonl"
        if path.is_file():
            splits[split] = tuple(_records(root, path, schema))
    if not splits.get("train"):
        raise SnapshotError(f"{root}: there is nothing in annotations/train.jsonl to train on")
    return Snapshot(splits, _catalog(root, root / "metadata" / "sku_catalog.csv"))


def _records(root: Path, path: Path, schema: Schema) -> list[Record]:
    records = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            data = json.loads(line)
            image = (root / data["image_path"]).resolve()
            if not image.is_relative_to(root.resolve()):
                raise ValueError(f"{data['image_path']} leads out of the data set")
            if not image.is_file():
                raise ValueError(f"{data['image_path']} is not there")
            records.append(
                Record(
                    image_id=str(data["image_id"]),
                    path=image,
                    values=values_of(str(data["caption"]), schema),
                    attributes=data.get("attributes") or {},
                    truth=_truth(data),
                    scene_id=str(data.get("scene_id") or ""),
                    cam_type=str(data.get("cam_type") or ""),
                    group=str(data.get("group") or ""),
                    weight=_weight(data),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"{path.name}, line {number}: {error}") from error
    return records


def _weight(data: Mapping[str, Any]) -> float:
    weight = float(data.get("weight", 1.0))
    if not 0 <= weight < float("inf"):
        raise ValueError(f"the weight {weight} is not 0 or more")
    return weight


def _truth(data: Mapping[str, Any]) -> Truth | None:
    known = data.get("truth")
    if known is None:
        return None
    units = tuple((b[0], b[1], b[2], b[3]) for b in data["boxes"])
    words = {name: (b[0], b[1], b[2], b[3]) for name, b in known["words"].items()}
    return Truth(
        units, words, countable=len(units) == known["count"], unseen=bool(known.get("unseen"))
    )


def values_of(caption: str, schema: Schema = DEFAULT_SCHEMA) -> dict[str, str | None]:
    """The values of a caption as the model writes them. Raises ValueError when it is not one."""
    read = parse(caption, schema)
    if read.errors:
        raise ValueError("; ".join(error.message("en") for error in read.errors))
    return {
        field.key: None if isinstance(value, Unknown) else str(value)
        for field in schema.fields
        if (value := read.values.get(field.key)) is not None
    }


def units_of(records: Iterable[Record]) -> list[str]:
    """What goods are counted in, the commonest first."""
    found: Counter[str] = Counter()
    for record in records:
        read = parse_quantity(record.values.get("quantity") or "")
        if isinstance(read, Quantity):
            found.update(unit for _, unit in read.parts)
    return [unit for unit, _ in found.most_common() if unit]


def text_of(values: Mapping[str, str | None]) -> str:
    """What a model wrote, as it wrote it, for comparing texts: not all of it can be a caption."""
    return "|".join(f"【{key}】{Unknown().text() if v is None else v}" for key, v in values.items())


def _catalog(root: Path, path: Path) -> dict[str, CatalogEntry]:
    if not path.is_file():
        raise SnapshotError(f"{path.name} is missing in {path.parent}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {
            row["code"]: CatalogEntry(
                row["code"],
                (row.get("category") or "").rsplit("/", 1)[-1],
                row.get("spec") or "",
                row.get("unit") or "",
                _reference(root, row.get("reference_image") or ""),
                row.get("brand") or "",
                row.get("name") or "",
                row.get("barcode") or "",
            )
            for row in csv.DictReader(file)
            if row.get("code")
        }


def _reference(root: Path, name: str) -> Path | None:
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None
