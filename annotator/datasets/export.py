"""Writing a data set: a stream of files, to a folder or into a zip. Same decisions, same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.core.files.storage import default_storage
from django.db.models import Count, Q

from annotator.accounts.models import Project
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.queries import skus_of
from annotator.labeling.answers import boxes_of
from annotator.media.models import StoredImage
from annotator.media.queries import image_path as stored_path
from annotator.media.storage import EXTENSIONS
from annotator.review.models import Decision
from annotator.review.queries import current_decisions

from . import layout

CHUNK = 1 << 20
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the data set, as chunks that are read when it is written."""

    path: str
    chunks: Iterable[bytes]


class _Manifest:
    """Counts and hashes what passes by."""

    def __init__(self, project: Project) -> None:
        self.site, self.project = project.site.slug, project.slug
        self.files: dict[str, dict[str, Any]] = {}
        self.records = dict.fromkeys(layout.SPLITS, 0)
        self.skus = 0

    def watch(self, entry: Entry) -> Entry:
        def chunks() -> Iterator[bytes]:
            digest, size = hashlib.sha256(), 0
            for chunk in entry.chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk
            self.files[entry.path] = {"sha256": digest.hexdigest(), "bytes": size}

        return Entry(entry.path, chunks())

    def chunks(self) -> Iterator[bytes]:
        images = sum(path.startswith("images/") for path in self.files)
        body = {
            "format": "WareVision-MM/1",
            "site": self.site,
            "project": self.project,
            "counts": {
                "images": images,
                "records": sum(self.records.values()),
                **{f"records_{split}": n for split, n in self.records.items()},
                "skus": self.skus,
            },
            "files": dict(sorted(self.files.items())),
        }
        yield (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()


def entries(project: Project, *, tick: Callable[[], None] = lambda: None) -> Iterator[Entry]:
    """Every file of the project's data set, the manifest last. ``tick`` is called per picture."""
    manifest = _Manifest(project)
    for entry in _content(project, manifest):
        yield manifest.watch(entry)
        if entry.path.startswith("images/"):
            tick()
    yield Entry(layout.MANIFEST, manifest.chunks())


def _content(project: Project, manifest: _Manifest) -> Iterator[Entry]:
    yield Entry(layout.CATALOG, _catalog(project, manifest))
    yield from _references(project)
    yield Entry(layout.CAMERAS, _cameras(project))
    splits = _Splits(project)
    for split in layout.SPLITS:
        yield Entry(layout.annotations_path(split), _records(project, split, splits, manifest))
    for capture, _ in _decided(project):
        yield Entry(_path(capture), _original(capture.image))


def _decided(project: Project) -> Iterator[tuple[Capture, Decision]]:
    """Decided captures in the order of their image ids, a bounded number in memory."""
    captures = (
        Capture.objects.filter(scene__tasks__decisions__in=current_decisions([project.pk]))
        .select_related("image", "scene")
        .order_by("image_id_text")
    )
    for batch in _batches(captures.iterator(chunk_size=500), 500):
        decisions = {
            decision.task.scene_id: decision
            for decision in current_decisions([project.pk])
            .filter(task__scene__in={capture.scene_id for capture in batch})
            .select_related("task")
        }
        for capture in batch:
            if capture.scene_id in decisions:
                yield capture, decisions[capture.scene_id]


def _batches(rows: Iterable[Capture], size: int) -> Iterator[list[Capture]]:
    batch: list[Capture] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _path(capture: Capture) -> str:
    return layout.image_path(
        cam_type=capture.cam_type,
        image_id=capture.image_id_text,
        extension=EXTENSIONS[capture.image.format],
    )


class _Splits:
    """Which split each scene goes to: as imported, else that of its group, which stays together.
    A group is the scenes that near-duplicates link, however many steps apart."""

    def __init__(self, project: Project) -> None:
        linked = Capture.objects.filter(site=project.site_id, duplicate_of__isnull=False)
        self._above: dict[int, int] = {}
        for one, other in linked.values_list("scene", "duplicate_of__scene").iterator():
            low, high = sorted((self._first(one), self._first(other)))
            if low != high:
                self._above[high] = low
        scenes = Scene.objects.filter(
            Q(captures__duplicate_of__isnull=False) | Q(captures__near_duplicates__isnull=False),
            site=project.site_id,
        )
        self._of_group: dict[int, str] = {}
        keys: dict[int, str] = {}
        for pk, key, split in scenes.order_by("pk").distinct().values_list("pk", "key", "split"):
            first = self._first(pk)
            keys.setdefault(first, key)
            if split in layout.SPLITS:
                self._of_group.setdefault(first, split)
        for first, key in keys.items():
            self._of_group.setdefault(first, layout.split_of(key))

    def _first(self, scene: int) -> int:
        """The earliest scene of the group."""
        while scene in self._above:
            scene = self._above[scene]
        return scene

    def of(self, scene: Scene) -> str:
        """The split of a scene."""
        if scene.split in layout.SPLITS:
            return scene.split
        return self._of_group.get(self._first(scene.pk)) or layout.split_of(scene.key)


def _records(project: Project, split: str, splits: _Splits, manifest: _Manifest) -> Iterator[bytes]:
    for capture, decision in _decided(project):
        if splits.of(capture.scene) != split:
            continue
        manifest.records[split] += 1
        line = layout.record(
            image_id=capture.image_id_text,
            scene_id=capture.scene.key,
            cam_type=capture.cam_type,
            path=_path(capture),
            caption=decision.caption,
            boxes=boxes_of(decision.boxes, capture.pk),
            attributes=decision.attributes,
        )
        yield (json.dumps(line, ensure_ascii=False) + "\n").encode()


def _original(image: StoredImage) -> Iterator[bytes]:
    with default_storage.open(stored_path(image, "original")) as file:
        yield from file.chunks(CHUNK)


def _reference_paths(sku: Sku) -> list[tuple[str, StoredImage]]:
    code = layout.safe_name(sku.code)
    return [
        (
            f"metadata/reference/{code}{f'-{n}' if n else ''}.{EXTENSIONS[p.image.format]}",
            p.image,
        )
        for n, p in enumerate(sku.pictures.all())
    ]


def _references(project: Project) -> Iterator[Entry]:
    for sku in skus_of([project.site_id]).order_by("code").iterator(chunk_size=500):
        for path, image in _reference_paths(sku):
            yield Entry(path, _original(image))


def _catalog(project: Project, manifest: _Manifest) -> Iterator[bytes]:
    extra = sorted(
        {
            key
            for row in Sku.objects.filter(site=project.site_id)
            .exclude(extra={})
            .values_list("extra", flat=True)
            for key in row
        }
    )
    columns = ["code", "name", "brand", "category", "spec", "unit", "barcode", "pack_text"]
    yield _csv_line([*columns, "sales_volume", "reference_image", *extra])
    for sku in skus_of([project.site_id]).order_by("code").iterator(chunk_size=500):
        manifest.skus += 1
        yield _csv_line(
            [
                sku.code,
                sku.name,
                sku.brand,
                sku.category.path if sku.category else "",
                sku.spec,
                sku.unit,
                sku.barcode,
                sku.pack_text,
                f"{sku.sales_volume:g}",
                ";".join(path for path, _ in _reference_paths(sku)),
                *[str(sku.extra.get(key, "")) for key in extra],
            ]
        )


def _csv_line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def _cameras(project: Project) -> Iterator[bytes]:
    rows = (
        Capture.objects.filter(scene__tasks__decisions__in=current_decisions([project.pk]))
        .order_by()
        .values_list("cam_type", "image__width", "image__height")
        .annotate(n=Count("pk"))
    )
    most: dict[str, tuple[int, int, int]] = {}
    for cam_type, width, height, n in rows:
        key = cam_type or "front"
        most[key] = max(most.get(key, (0, 0, 0)), (n, width, height))
    cameras = [
        {"id": f"cam_{cam}", "cam_type": cam, "resolution": list(most[cam][1:])}
        for cam in layout.CAM_TYPES
        if cam in most
    ]
    yield yaml.safe_dump({"cameras": cameras}, allow_unicode=True, sort_keys=False).encode()


def write_folder(project: Project, out: Path, *, tick: Callable[[], None] = lambda: None) -> int:
    """Write the data set into ``out``, which must be empty or absent; returns the file count."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    count = 0
    for entry in entries(project, tick=tick):
        path = out / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in entry.chunks:
                file.write(chunk)
        count += 1
    return count


class _Tape(io.RawIOBase):
    """A write-only stream whose content is taken away as it grows."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def zip_stream(project: Project) -> Iterator[bytes]:
    """The data set as a zip, in chunks, with flat memory. Pictures are stored, not squeezed."""
    tape = _Tape()
    with zipfile.ZipFile(tape, "w") as archive:
        for entry in entries(project):
            info = zipfile.ZipInfo(entry.path, _ZIP_EPOCH)
            is_picture = os.path.splitext(entry.path)[1] not in (".jsonl", ".csv", ".yaml", ".json")
            info.compress_type = zipfile.ZIP_STORED if is_picture else zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as file:
                for chunk in entry.chunks:
                    file.write(chunk)
                    if data := tape.take():
                        yield data
    yield tape.take()
