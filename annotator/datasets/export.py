"""Writing a data set: a stream of files, to a folder or into a zip. Same decisions, same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

import yaml
from django.core.files.storage import default_storage
from django.db.models import F, QuerySet

from annotator.accounts.models import Project
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.queries import skus_of
from annotator.labeling.answers import boxes_of
from annotator.labeling.states import TaskState
from annotator.media.models import StoredImage
from annotator.media.queries import image_path as stored_path
from annotator.media.storage import EXTENSIONS
from annotator.review.selection import select_tasks

from . import layout

CHUNK = 1 << 20
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the data set, as chunks that are read when it is written. ``stored`` names the
    same bytes in the storage, where they are a picture's."""

    path: str
    chunks: Iterable[bytes]
    stored: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record goes, and what is said of it beside its caption."""

    split: str
    more: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A choice made before: ``places`` by capture and decision, nothing else is written. ``head`` is
    added to the manifest."""

    places: Mapping[tuple[int, int], Place]
    head: Mapping[str, Any]


class _Manifest:
    """Counts and hashes what passes by. Its lines are spooled: memory does not grow with the set."""

    def __init__(self, project: Project, head: Mapping[str, Any]) -> None:
        self.head = {"site": project.site.slug, "project": project.slug, **head}
        self.records = dict.fromkeys(layout.SPLITS, 0)
        self.images = 0
        self.skus = 0
        self._files = _spool()

    def watch(self, entry: Entry) -> Entry:
        def chunks() -> Iterator[bytes]:
            digest, size = hashlib.sha256(), 0
            for chunk in entry.chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk
            self.images += entry.path.startswith("images/")
            line = {"sha256": digest.hexdigest(), "bytes": size}
            self._files.write(f"{_json(entry.path)}: {_json(line)}\n".encode())

        return Entry(entry.path, chunks(), entry.stored)

    def chunks(self) -> Iterator[bytes]:
        head = {
            "format": "WareVision-MM/1",
            **self.head,
            "counts": {
                "images": self.images,
                "records": sum(self.records.values()),
                **{f"records_{split}": n for split, n in self.records.items()},
                "skus": self.skus,
            },
        }
        yield json.dumps(head, ensure_ascii=False, indent=1)[:-2].encode() + b',\n "files": {'
        comma = b""
        for line in _reread(self._files):
            yield comma + b"\n  " + line.rstrip(b"\n")
            comma = b","
        yield b"\n }\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spool() -> IO[bytes]:
    """A file in memory as long as it is small, closed when it is forgotten."""
    return tempfile.SpooledTemporaryFile(max_size=CHUNK)


def _reread(file: IO[bytes]) -> Iterator[bytes]:
    """The lines written so far."""
    file.seek(0)
    yield from file


def entries(
    project: Project,
    *,
    wanted: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Entry]:
    """Every file of the project's data set, the manifest last; of the tasks that ``wanted`` selects
    only, if given, or what ``plan`` names. ``tick`` is called per picture."""
    manifest = _Manifest(project, plan.head if plan else {})
    found = _planned(project, plan, manifest) if plan else _current(project, wanted or {}, manifest)
    for entry in _content(project, found, manifest):
        yield manifest.watch(entry)
        if entry.path.startswith("images/"):
            tick()
    yield Entry(layout.MANIFEST, manifest.chunks())


def _content(project: Project, found: _Found, manifest: _Manifest) -> Iterator[Entry]:
    yield Entry(layout.CATALOG, _catalog(project, manifest))
    yield from _references(project)
    yield Entry(layout.CAMERAS, found.cameras())
    for split in layout.SPLITS:
        yield Entry(layout.annotations_path(split), _reread(found.records[split]))
    for line in _reread(found.pictures):
        path, stored = json.loads(line)
        yield Entry(path, _stored(stored), stored)


def _current(project: Project, wanted: Mapping[str, Any], manifest: _Manifest) -> _Found:
    """What is decided now, each scene in its usual split."""
    splits = _Splits(project)
    rows = chain(
        decided(project, wanted).iterator(chunk_size=1000),
        carried_over(project, wanted).iterator(chunk_size=1000),
    )
    return _Found(((row, Place(splits.of(row.scene), {})) for row in rows), manifest)


def _planned(project: Project, plan: Plan, manifest: _Manifest) -> _Found:
    """What was chosen before, though it may have been decided anew since: decisions do not change."""
    rows = chain(
        decided(project, {}, current=False).iterator(chunk_size=1000),
        carried_over(project, {}, current=False).iterator(chunk_size=1000),
    )
    placed = ((row, plan.places.get((row.pk, row.decision_id))) for row in rows)
    return _Found(((row, place) for row, place in placed if place), manifest)


class _Found:
    """What one pass over decided captures found, in the order of their image ids, spooled."""

    def __init__(self, rows: Iterable[tuple[Any, Place]], manifest: _Manifest) -> None:
        self.records = {split: _spool() for split in layout.SPLITS}
        self.pictures = _spool()
        self._sizes: Counter[tuple[str, int, int]] = Counter()
        for capture, place in rows:
            image, path = capture.image, _path(capture)
            line = layout.record(
                image_id=capture.image_id_text,
                scene_id=capture.scene.key,
                cam_type=capture.cam_type,
                path=path,
                caption=capture.decided_caption,
                boxes=boxes_of(capture.decided_boxes, capture.pk),
                attributes=capture.decided_attributes,
                carried_over_from=getattr(capture, "carried_over_from", ""),
            )
            if capture.weight_g is not None:
                line["weight_g"] = capture.weight_g
            line |= place.more
            self.records[place.split].write(f"{_json(line)}\n".encode())
            self.pictures.write(f"{_json([path, stored_path(image, 'original')])}\n".encode())
            self._sizes[(capture.cam_type or "front", image.width, image.height)] += 1
            manifest.records[place.split] += 1

    def cameras(self) -> Iterator[bytes]:
        """Each camera with its most frequent picture size."""
        most: dict[str, tuple[int, int, int]] = {}
        for (cam, width, height), n in self._sizes.items():
            most[cam] = max(most.get(cam, (0, 0, 0)), (n, width, height))
        cameras = [
            {"id": f"cam_{cam}", "cam_type": cam, "resolution": list(most[cam][1:])}
            for cam in layout.CAM_TYPES
            if cam in most
        ]
        yield yaml.safe_dump({"cameras": cameras}, allow_unicode=True, sort_keys=False).encode()


def decided(project: Project, wanted: Mapping[str, Any], *, current: bool = True) -> QuerySet[Any]:
    """Decided captures with what was decided of them, in the order of their image ids; once for each
    decision that there ever was unless only ``current`` ones are asked for."""
    return _with_decisions(project, wanted, "scene__tasks__", current=current)


def carried_over(
    project: Project, wanted: Mapping[str, Any], *, current: bool = True
) -> QuerySet[Any]:
    """Captures that near-duplicate a decided scene and were not labeled themselves, with what was
    decided of that one. Its boxes lie on other pictures, so that none is found for these."""
    task = "scene__carried__task__"
    rows = _with_decisions(project, wanted, task, current=current)
    named: QuerySet[Any] = rows.annotate(carried_over_from=F(f"{task}scene__key"))
    return named


def _with_decisions(
    project: Project, wanted: Mapping[str, Any], task: str, *, current: bool
) -> QuerySet[Any]:
    decision = f"{task}decisions__"
    only = {f"{task}state": TaskState.DECIDED, f"{decision}superseded_at": None}
    return (
        Capture.objects.filter(
            site=project.site_id,
            **{
                f"{task}in": select_tasks(project, wanted),
                f"{decision}isnull": False,
                **(only if current else {}),
            },
        )
        .annotate(
            decision_id=F(f"{decision}pk"),
            decided_sku=F(f"{decision}sku_code"),
            decided_task=F(f"{task}pk"),
            decided_version=F(f"{decision}schema_version"),
            decided_caption=F(f"{decision}caption"),
            decided_boxes=F(f"{decision}boxes"),
            decided_attributes=F(f"{decision}attributes"),
        )
        .select_related("image", "scene")
        .order_by("image_id_text")
    )


def _path(capture: Capture) -> str:
    return layout.image_path(
        cam_type=capture.cam_type,
        image_id=capture.image_id_text,
        extension=EXTENSIONS[capture.image.format],
    )


class _Splits:
    """Which split each scene goes to: as imported, else that of its group, which stays together."""

    def __init__(self, project: Project) -> None:
        grouped = Scene.objects.filter(site=project.site_id, group__isnull=False).order_by("-pk")
        # The earliest scene of a group names its split, one with an imported split before others.
        self._of_group = {
            group: layout.split_of(key) for group, key in grouped.values_list("group", "key")
        }
        imported = grouped.filter(split__in=layout.SPLITS)
        self._of_group |= dict(imported.values_list("group", "split"))

    def of(self, scene: Scene) -> str:
        """The split of a scene."""
        if scene.split in layout.SPLITS:
            return scene.split
        return self._of_group.get(scene.group_id or 0) or layout.split_of(scene.key)


def _stored(name: str) -> Iterator[bytes]:
    with default_storage.open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk


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
            stored = stored_path(image, "original")
            yield Entry(path, _stored(stored), stored)


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
    weighed = Sku.objects.filter(site=project.site_id, weight_g__isnull=False).exists()
    weight = ["weight_g"] if weighed else []
    yield _csv_line([*columns, "sales_volume", "reference_image", *weight, *extra])
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
                *["" if sku.weight_g is None else f"{sku.weight_g:.15g}" for _ in weight],
                *[str(sku.extra.get(key, "")) for key in extra],
            ]
        )


def _csv_line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def write_folder(
    project: Project,
    out: Path,
    *,
    plan: Plan | None = None,
    linked: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> int:
    """Write the data set into ``out``, which must be empty or absent; returns the file count. With
    ``linked``, pictures are hard links to the stored ones where the file system has such."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    count, made = 0, set[str]()
    for entry in entries(project, plan=plan, tick=tick):
        path = os.path.join(out, entry.path)
        if (folder := os.path.dirname(path)) not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        if linked and entry.stored and _linked(entry.stored, path):
            for _ in entry.chunks:  # read all the same: the manifest says what is really there
                pass
        else:
            with open(path, "wb") as file:
                for chunk in entry.chunks:
                    file.write(chunk)
        count += 1
    return count


def _linked(stored: str, path: str) -> bool:
    try:
        os.link(default_storage.path(stored), path)
    except (NotImplementedError, OSError):  # kept elsewhere, or on another file system
        return False
    return True


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


def zip_stream(
    project: Project,
    *,
    wanted: Mapping[str, Any] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[bytes]:
    """The data set as a zip, in chunks, with flat memory. Pictures are stored, not squeezed."""
    tape = _Tape()
    with zipfile.ZipFile(tape, "w") as archive:
        for entry in entries(project, wanted=wanted, tick=tick):
            info = zipfile.ZipInfo(entry.path, _ZIP_EPOCH)
            is_picture = os.path.splitext(entry.path)[1] not in (".jsonl", ".csv", ".yaml", ".json")
            info.compress_type = zipfile.ZIP_STORED if is_picture else zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as file:
                for chunk in entry.chunks:
                    file.write(chunk)
                    if data := tape.take():
                        yield data
    yield tape.take()
