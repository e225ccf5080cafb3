"""A data set of decided photos, described: what recognition is fitted on and judged by."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from inference.captions import parse
from inference.contracts import Change, Description, Example, Failure, SkuRecord
from inference.describe import Describer
from inference.minigpt.reading import Reader
from inference.pictures import decode
from inference.retrieval.backbone import unpack

FOLDS = 5


@dataclass(frozen=True)
class Photo:
    """A described photo whose SKU is known. ``image_id`` is its name in the data set."""

    key: str
    sku_code: str
    description: Description
    path: Path
    caption: str = ""
    image_id: str = ""


class DecidedPhotos:
    """A folder in the data set layout. ``cache`` keeps descriptions, for reading text takes minutes.
    Raises :class:`OSError` or :class:`ValueError` for what is missing or cannot be read."""

    def __init__(self, folder: Path, cache: Path) -> None:
        catalog = folder / "metadata/sku_catalog.csv"
        with catalog.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        labelled = {
            path.stem: _labelled(folder, path) for path in (folder / "annotations").glob("*.jsonl")
        }
        pictures = {
            row["code"]: folder / row["reference_image"]
            for row in rows
            if row.get("reference_image")
        }
        paths = [*pictures.values(), *(one.path for split in labelled.values() for one in split)]
        known = describe_all(paths, cache)
        texts = {f.name for f in fields(SkuRecord)} - {"sales_volume"}
        self.skus = [_sku({k: v or "" for k, v in row.items() if k in texts}) for row in rows]
        self.references = [
            Photo(f"ref:{code}", code, known[path], path) for code, path in pictures.items()
        ]
        codes = {sku.code for sku in self.skus}
        self.splits = {
            name: [
                Photo(
                    f"cap:{one.path.name}",
                    one.code,
                    known[one.path],
                    one.path,
                    one.caption,
                    one.image_id,
                )
                for one in split
                if one.code in codes
            ]
            for name, split in labelled.items()
        }


def seen_by(minigpt: Reader, photos: Sequence[Photo]) -> list[Photo]:
    """The photos with what ``minigpt`` sees in them."""
    seen = []
    for photo in photos:
        (sight,) = minigpt.see([decode(photo.path.read_bytes())])
        seen.append(replace(photo, description=replace(photo.description, sight=sight.pack())))
    return seen


def describe_all(paths: Sequence[Path], cache: Path) -> dict[Path, Description]:
    """Descriptions of pictures, those known by their content from the cache. Raises
    :class:`ValueError` for one that cannot be described."""
    describer = Describer()
    name = hashlib.sha256(describer.name.encode()).hexdigest()[:12]
    kept = cache / f"descriptions-{name}.jsonl"
    cache.mkdir(parents=True, exist_ok=True)
    known: dict[str, Description] = {}
    if kept.exists():
        for line in kept.read_text(encoding="utf-8").splitlines():
            cached = Description.from_json(json.loads(line))
            known[cached.image_sha256] = cached
    found = {}
    with kept.open("a", encoding="utf-8") as out:
        for path in tqdm(paths, "describe", disable=not sys.stderr.isatty()):
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 not in known:
                (description,) = describer.describe([data])
                if isinstance(description, Failure):
                    raise ValueError(f"{path}: {description.detail}")
                known[sha256] = description
                out.write(json.dumps(description.to_json(), ensure_ascii=False) + "\n")
                out.flush()
            found[path] = known[sha256]
    describer.close()
    return found


def _sku(values: dict[str, Any]) -> SkuRecord:
    named: dict[str, Any] = {"name": "", **values}
    return SkuRecord(**named)


@dataclass(frozen=True)
class _Labelled:
    path: Path
    code: str
    caption: str
    image_id: str


def _labelled(folder: Path, path: Path) -> list[_Labelled]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        sku = parse(record["caption"]).values.get("sku")
        if isinstance(sku, str):
            picture = folder / record["image_path"]
            found.append(_Labelled(picture, sku, record["caption"], record.get("image_id", "")))
    return found


def changes_of(
    skus: Iterable[SkuRecord], references: Iterable[Photo], decided: Iterable[Photo]
) -> Iterator[Change]:
    """What a site's memory learns of a catalog, its pictures and decided photos."""
    for sku in skus:
        yield Change(0, "put_sku", sku=sku)
    for photo in references:
        yield Change(0, "put_example", example=example_of(photo, "reference"))
    for photo in decided:
        yield Change(0, "put_example", example=example_of(photo, "decided"))


def example_of(photo: Photo, kind: str) -> Example:
    """The site's example that a photo becomes when it is decided."""
    d = photo.description
    return Example(
        key=photo.key,
        sku_code=photo.sku_code,
        kind=kind,  # type: ignore[arg-type]
        embedding=d.embedding,
        ocr_text=" ".join(line.text for line in d.ocr_lines),
        keypoints=d.keypoints,
        caption=photo.caption,
        clip=d.clip,
    )


def embeddings_of(photos: Sequence[Photo]) -> NDArray[np.float32]:
    """Embeddings [N, D]."""
    return np.stack([unpack(photo.description.embedding) for photo in photos])


def shoot_folds(photos: Sequence[Photo], folds: int = FOLDS) -> NDArray[np.intp]:
    """Fold [N] of each photo: see :func:`folds_by_look`."""
    return folds_by_look(embeddings_of(photos), [photo.sku_code for photo in photos], folds)


def folds_by_look(
    embeddings: NDArray[np.float32], codes: Sequence[str], folds: int
) -> NDArray[np.intp]:
    """Fold [N] of each photo, by its embedding [N, D] and its SKU: a SKU's photos in as many clusters of
    look-alikes, dealt to the folds in turn, so that photos taken one after the other stay together."""
    from sklearn.cluster import AgglomerativeClustering

    labels = np.asarray(codes)
    fold = np.zeros(len(labels), np.intp)
    for number, code in enumerate(sorted(set(labels.tolist()))):
        rows = np.flatnonzero(labels == code)
        if len(rows) < folds:
            fold[rows] = (np.arange(len(rows)) + number) % folds
            continue
        clusters = AgglomerativeClustering(folds, metric="cosine", linkage="average")
        fold[rows] = (clusters.fit_predict(embeddings[rows]) + number) % folds
    return fold


def draw(photos: Sequence[Photo], shots: int, seed: int) -> list[Photo]:
    """Up to ``shots`` photos of each SKU."""
    order = np.random.default_rng(seed).permutation(len(photos))
    taken: dict[str, list[Photo]] = {}
    for i in order:
        of_sku = taken.setdefault(photos[i].sku_code, [])
        if len(of_sku) < shots:
            of_sku.append(photos[i])
    return [p for of_sku in taken.values() for p in of_sku]
