"""What the recognizer knows of one site: the replay of its numbered log of changes."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.contracts import (
    Change,
    Example,
    Neighbour,
    RecognizerError,
    Segment,
    SkuRecord,
    read_segment,
)
from inference.evidence.barcode import canonical
from inference.evidence.text import PackTextMatcher
from inference.retrieval import versions
from inference.retrieval.backbone import DIMENSIONS
from inference.retrieval.index import PictureIndex, code_all, fingerprint_of
from inference.retrieval.words import WordsIndex

Float32Array = NDArray[np.float32]
Kind = Literal["reference", "decided"]
logger = logging.getLogger(__name__)

WORD_FIELDS = {"caption": 2.0, "catalog": 2.0, "pack": 1.0, "ocr": 0.7}
"""Where words stand, and what they weigh: people wrote captions and catalogs, OCR guesses."""
_WORDS_DEPTH = 2000
_SKU = "sku:"


class MemoryFault(RecognizerError):
    """The published log cannot be replayed: a gap, a damaged file, a change that makes no sense."""


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """Bounds on what is kept of one site; beyond them a stable sample is kept, not the newest, so
    that the order of the log does not matter."""

    decided_per_sku: int = 100
    keypoints_per_sku: int = 4


@dataclass(frozen=True, slots=True)
class Catalog:
    """The searchable form of a site's SKUs at one moment; ``codes`` [S] are sorted."""

    codes: tuple[str, ...]
    skus: dict[str, SkuRecord]
    by_barcode: dict[str, tuple[str, ...]]
    matcher: PackTextMatcher
    row_of: dict[str, int] = field(default_factory=dict)


class SiteMemory:
    """SKUs and examples of one site. Thread-safe. Changes are visible to the next query.

    ``versions`` is a folder for what is coded of large indexes (:mod:`inference.retrieval.versions`),
    without which a new process codes it again.
    """

    def __init__(
        self, site: str, *, limits: MemoryLimits | None = None, versions: Path | None = None
    ) -> None:
        self.site = site
        self._versions = versions
        self._tidying = threading.Lock()
        self.number = 0
        self._limits = limits or MemoryLimits()
        self._lock = threading.RLock()
        self._skus: dict[str, SkuRecord] = {}
        self._examples: dict[str, Example] = {}
        self._decided_of: dict[str, dict[str, str]] = {}
        self._references_of: dict[str, set[str]] = {}
        self._indexes = _empty_indexes()
        self._words = WordsIndex(WORD_FIELDS)
        self._catalog: Catalog | None = None
        self.revision = 0
        """Counts changes to examples or SKUs, so that a fit can tell whether it is out of date."""

    # --- replay ----------------------------------------------------------------------------

    def pull(self, folder: Path) -> int:
        """Apply what ``folder`` holds beyond :attr:`number`; return the number reached.

        A base that reaches further than the replay does is applied first, then the log. Files
        whose names are not segments (partial ones among them) are ignored.
        Raises :class:`MemoryFault` on a gap or on bytes that do not match their hash.
        """
        if not folder.is_dir():
            return self.number
        segments = [s for p in folder.iterdir() if (s := Segment.parse(p.name)) is not None]
        with self._lock:
            if self.number == 0:
                self._adopt_versions()
            bases = [s for s in segments if s.kind == "base"]
            newest = max(bases, key=lambda s: s.last, default=None)
            if (
                newest is not None
                and newest.last > self.number
                and (self.number == 0 or not _reaches(segments, self.number, newest.last))
            ):
                changes = self._read(folder, newest)
                self._forget_everything()
                self._apply_all(changes)
                self.number = newest.last
            logs = [s for s in segments if s.kind == "log"]
            logs.sort(key=lambda s: (s.first, -s.last))
            for segment in logs:
                if segment.last <= self.number:
                    continue
                if segment.first > self.number + 1:
                    raise MemoryFault(
                        f"site {self.site}: changes {self.number + 1} to {segment.first - 1} "
                        f"are missing before {segment.name}"
                    )
                changes = self._read(folder, segment)
                self._apply_all(c for c in changes if c.number > self.number)
                self.number = segment.last
            return self.number

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply changes in order, for a memory that is built without files."""
        with self._lock:
            for change in changes:
                self._apply_all([change])
                self.number = max(self.number, change.number)

    def _read(self, folder: Path, segment: Segment) -> list[Change]:
        try:
            return read_segment(folder, segment)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise MemoryFault(f"site {self.site}: cannot read {segment.name}: {error}") from error

    def _apply_all(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.revision += 1
            if change.op == "put_sku" and change.sku is not None:
                self._skus[change.sku.code] = change.sku
                self._words.put(_SKU + change.sku.code, _sku_words(change.sku))
                self._catalog = None
            elif change.op == "delete_sku":
                self._skus.pop(change.key, None)
                self._words.remove(_SKU + change.key)
                self._catalog = None
            elif change.op == "put_example" and change.example is not None:
                self._put_example(change.example)
            elif change.op == "delete_example":
                self._delete_example(change.key)
            else:
                raise MemoryFault(
                    f"site {self.site}: change {change.number} is not understood: {change.op}"
                )

    def _forget_everything(self) -> None:
        self._skus.clear()
        self._examples.clear()
        self._decided_of.clear()
        self._references_of.clear()
        for index in self._indexes.values():
            index.clear()
        self._words = WordsIndex(WORD_FIELDS)
        self._catalog = None

    def _put_example(self, example: Example) -> None:
        self._delete_example(example.key)
        if example.kind == "reference":
            self._references_of.setdefault(example.sku_code, set()).add(example.key)
            self._catalog = None  # its printed words join the pack text
        else:
            order = self._decided_of.setdefault(example.sku_code, {})
            order[example.key] = _stable_order(example.key)
            if len(order) > self._limits.decided_per_sku:
                last = max(order, key=order.__getitem__)
                if last == example.key:
                    del order[last]
                    return
                self._delete_example(last)
        try:
            self._indexes[example.kind].put(example.key, example.embedding)
        except ValueError as error:
            # made by another describer: one old picture must not cost the site its memory
            logger.warning("site %s: example ignored: %s", self.site, error)
            self._decided_of.get(example.sku_code, {}).pop(example.key, None)
            self._references_of.get(example.sku_code, set()).discard(example.key)
            return
        self._examples[example.key] = example
        self._words.put(example.key, {"caption": [example.caption], "ocr": [example.ocr_text]})

    def _delete_example(self, key: str) -> None:
        example = self._examples.pop(key, None)
        if example is None:
            return
        self._indexes[example.kind].remove(key)
        self._words.remove(key)
        if example.kind == "reference":
            self._references_of[example.sku_code].discard(key)
            self._catalog = None
        else:
            self._decided_of[example.sku_code].pop(key, None)

    # --- large indexes ---------------------------------------------------------------------

    def tidy(self) -> None:
        """Bring the indexes into the form that fits their size, check that they hold what is known,
        and keep what is coded. Takes minutes where there is very much; queries go on meanwhile."""
        with self._tidying:
            for kind, index in self._indexes.items():
                if self._tidy(index) and self._versions is not None:
                    assert index.coded is not None
                    versions.save(self._versions / kind, index.coded)
                self._reconcile(kind)

    def _tidy(self, index: PictureIndex) -> bool:
        """Whether there is something newly coded."""
        with self._lock:
            tier = index.outgrown()
            items = index.items() if tier is not None else []
        if tier is not None:
            coded = code_all(items, tier, gpu=index.gpu) if tier.factory else None
            with self._lock:
                index.adopt(coded)
        changed = tier is not None
        while True:
            with self._lock:
                if not index.absorb():
                    return changed and index.coded is not None
                changed = True

    def _reconcile(self, kind: Kind) -> None:
        """Compare count and hash of an index with those of the examples; mend what differs."""
        index = self._indexes[kind]
        with self._lock:
            known = self._vectors(kind)
            told = index.fingerprint
        if told == fingerprint_of(known.items()):
            return
        logger.error("site %s: the index of %s pictures is put right", self.site, kind)
        with self._lock:
            known, there = self._vectors(kind), dict(index.items())
            for key in there.keys() - known.keys():
                index.remove(key)
            for key, packed in known.items():
                if there.get(key) != packed:
                    index.put(key, packed)

    def _vectors(self, kind: Kind) -> dict[str, bytes]:
        return {e.key: e.embedding for e in self._examples.values() if e.kind == kind}

    def _adopt_versions(self) -> None:
        if self._versions is None:
            return
        for kind, index in self._indexes.items():
            coded = versions.load(self._versions / kind, DIMENSIONS, gpu=index.gpu)
            if coded is not None:
                index.adopt(coded)

    # --- queries ---------------------------------------------------------------------------

    def catalog(self) -> Catalog:
        """The catalog, rebuilt when SKUs or reference pictures have changed."""
        with self._lock:
            if self._catalog is None:
                self._catalog = self._build_catalog()
            return self._catalog

    def _build_catalog(self) -> Catalog:
        codes = tuple(sorted(self._skus))
        by_barcode: dict[str, tuple[str, ...]] = {}
        documents: dict[str, list[str]] = {}
        for code in codes:
            sku = self._skus[code]
            if sku.barcode.strip():
                key = canonical(sku.barcode)
                by_barcode[key] = (*by_barcode.get(key, ()), code)
            references = sorted(self._references_of.get(code, ()))
            documents[code] = [sku.pack_text, sku.brand, sku.name, sku.spec]
            documents[code] += [self._examples[key].ocr_text for key in references]
        return Catalog(
            codes=codes,
            skus=dict(self._skus),
            by_barcode=by_barcode,
            matcher=PackTextMatcher(documents),
            row_of={code: row for row, code in enumerate(codes)},
        )

    def nearest(self, vector: Float32Array, count: int) -> list[Neighbour]:
        """Up to ``count`` reference pictures and as many decided ones, most similar first.

        They are searched apart: a hundred photos from the same shelf would crowd out the studio
        pictures. Pictures of SKUs that are not in the catalog are left out.
        """
        with self._lock:
            found = []
            for kind, index in self._indexes.items():
                for key, cosine in index.search(vector, count):
                    code = self._examples[key].sku_code
                    if code in self._skus:
                        found.append(Neighbour(key, code, kind, round(cosine, 4)))
            return sorted(found, key=lambda n: (-n.similarity, n.key))

    def by_words(
        self, text: str, count: int
    ) -> list[tuple[str, str, Kind | Literal["sku"], float]]:
        """Key, SKU, kind and score of up to ``count`` pictures whose own words or whose SKU's words
        fit ``text``, best first, and of SKUs without a picture that do."""
        with self._lock:
            of_sku: dict[str, float] = {}
            of_picture: dict[str, float] = {}
            for key, score in self._words.search(text, _WORDS_DEPTH):
                if key.startswith(_SKU):
                    of_sku[key.removeprefix(_SKU)] = score
                elif self._examples[key].sku_code in self._skus:
                    of_picture[key] = score
            found: dict[str, tuple[str, Kind | Literal["sku"], float]] = {}
            for code, score in of_sku.items():
                keys = [*self._references_of.get(code, ()), *self._decided_of.get(code, ())]
                if not keys:
                    found[_SKU + code] = (code, "sku", score)
                for key in keys:
                    of_picture.setdefault(key, 0.0)
            for key, score in of_picture.items():
                example = self._examples[key]
                total = score + of_sku.get(example.sku_code, 0.0)
                found[key] = (example.sku_code, example.kind, total)
            order = sorted(found, key=lambda key: (-found[key][2], key))[:count]
            return [(key, *found[key]) for key in order]

    def example(self, key: str) -> Example | None:
        """The example of this key, if its SKU is in the catalog."""
        with self._lock:
            example = self._examples.get(key)
            return example if example is not None and example.sku_code in self._skus else None

    def examples(self) -> list[Example]:
        """All examples of SKUs in the catalog, ordered by key."""
        with self._lock:
            return [
                self._examples[key]
                for key in sorted(self._examples)
                if self._examples[key].sku_code in self._skus
            ]

    def pictures_of(self, code: str, count: int) -> list[Example]:
        """Up to ``count`` examples of a SKU, its reference pictures first, the same ones each time."""
        with self._lock:
            decided = self._decided_of.get(code, {})
            keys = sorted(self._references_of.get(code, ()))
            keys += sorted(decided, key=decided.__getitem__)
            return [self._examples[key] for key in keys[:count]]

    def verifiable(self, code: str) -> list[Example]:
        """Pictures of a SKU to compare point by point: its references, then a few decided ones."""
        with self._lock:
            decided = self._decided_of.get(code, {})
            keys = sorted(self._references_of.get(code, ()))
            keys += sorted(decided, key=decided.__getitem__)
            chosen = [self._examples[key] for key in keys if self._examples[key].keypoints]
            return chosen[: self._limits.keypoints_per_sku]


def _empty_indexes() -> dict[Kind, PictureIndex]:
    return {"reference": PictureIndex(DIMENSIONS), "decided": PictureIndex(DIMENSIONS)}


def _sku_words(sku: SkuRecord) -> dict[str, list[str]]:
    return {
        "catalog": [sku.code, sku.name, sku.brand, sku.category, sku.spec, sku.barcode],
        "pack": [sku.pack_text],
    }


def _reaches(segments: Iterable[Segment], number: int, last: int) -> bool:
    """Whether log segments alone lead from ``number`` to ``last`` without a gap."""
    for segment in sorted((s for s in segments if s.kind == "log"), key=lambda s: s.first):
        if segment.first > number + 1:
            return False
        number = max(number, segment.last)
    return number >= last


def _stable_order(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
