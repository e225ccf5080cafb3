"""A snapshot's folder elsewhere: as it is, or as Hugging Face ``datasets`` reads a folder of pictures."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from inference.captions import Schema, Unknown, parse

from . import layout
from .difference import manifest_of

_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def copy_snapshot(root: Path, out: Path) -> int:
    """Copy the folder ``root`` to ``out``, which must be empty or absent; returns the file count.
    Nothing is written twice where the file system has hard links."""
    _check_empty(out)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for path in files:
        _place(path, out / path.relative_to(root))
    return len(files)


def write_imagefolder(root: Path, out: Path) -> int:
    """Write the snapshot in ``root`` to ``out`` as ``load_dataset("imagefolder", data_dir=out)`` reads
    it: a folder a split with its pictures and ``metadata.jsonl``, a line a picture with its
    ``file_name``. The caption's fields are columns of their own, null where unknown. Returns the
    number of pictures."""
    _check_empty(out)
    manifest = manifest_of(root)
    schema = Schema.from_json(manifest["schema"])
    count = 0
    for split, name in _SPLITS.items():
        source = root / layout.annotations_path(split)
        records = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
        if not records:
            continue  # a split without pictures is no split there
        folder = out / name
        folder.mkdir(parents=True)
        with (folder / "metadata.jsonl").open("w", encoding="utf-8") as lines:
            for record in records:
                path = root / record["image_path"]
                _place(path, folder / path.name)
                line = _line(record, path.name, schema)
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1
    card = ["---", "task_categories:", "- image-to-text", "---", "", f"# {manifest['project']}", ""]
    (out / "README.md").write_text("\n".join([*card, manifest["licence"], ""]), encoding="utf-8")
    return count


def _line(record: dict[str, Any], name: str, schema: Schema) -> dict[str, Any]:
    """Every line has the same columns of the same types, as Arrow wants it."""
    values = parse(record["caption"], schema).values
    fields = {field.key: values.get(field.key) for field in schema.fields}
    return {
        "file_name": name,
        "image_id": record["image_id"],
        "scene_id": record["scene_id"],
        "cam_type": record["cam_type"],
        "caption": record["caption"],
        "fields": {
            key: None if value is None or isinstance(value, Unknown) else str(value)
            for key, value in fields.items()
        },
        "objects": {"bbox": record["boxes"]},
        "attributes": record["attributes"],
        "weight": float(record.get("weight", 1.0)),
        "gold": bool(record.get("gold", False)),
    }


def _check_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
