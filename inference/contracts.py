"""What crosses the border between the annotation platform and the recognizer.

Only frozen dataclasses of plain values, their JSON form, and the :class:`Recognizer` protocol.
This module imports nothing but the standard library, so both sides can depend on it freely.

A picture goes through two steps that cost very different amounts:

* :meth:`Recognizer.describe` reads what is in the picture (barcodes, printed words, an
  embedding). It is slow, it does not depend on the site, and its result is kept with the picture.
  What a MiniGPT sees in it is kept beside that, one sight a model: :meth:`Recognizer.see` makes the sight
  of another model without reading anything again.
* :meth:`Recognizer.rank` turns descriptions into ranked SKU candidates with what the recognizer
  knows of a site. It takes a millisecond, so suggestions can follow every decision.

What the recognizer knows of a site, its *site memory*, is the result of a numbered log of
:class:`Change` records. Django publishes the log as immutable, hashed segment files; each replica
pulls the segments that it lacks. A request names the number that it needs, and the model: by the digest
of its bundle (:mod:`inference.bundles`), or by nothing, which is the shipped one where there is one. So
several models are at work side by side, and which of them is live is not the recognizer's to know.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol, Self

Point = tuple[float, float]
"""x, y in pixels of the upright picture, origin top left."""
Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the upright picture."""
LATE = "late"
"""Why a piece of evidence is missing that was not there when time was up."""


# --- what a picture shows ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Barcode:
    """One decoded symbol. ``polygon``: four corners, clockwise from the symbol's own top left."""

    text: str
    format: str
    polygon: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of printed text; ``confidence`` in 0…1."""

    text: str
    confidence: float
    polygon: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What one picture shows, whatever the site.

    ``embedding`` is a little-endian float16 vector [D], L2-normalised. ``keypoints`` are packed
    local features for geometric verification (empty when there are none). ``missing`` names each
    piece of evidence that could not be had, with the reason, for example ``{"ocr": "late"}``
    (:data:`LATE`). One that misses anything is not to be kept as if it were whole.
    ``sight`` is what the model ``seen_by`` saw (see :mod:`inference.minigpt.sight`), empty where none
    looked; ``clip`` the float16 vector of a CLIP model, likewise. ``box`` is where alone text was read, if not
    everywhere.
    ``describer`` names the versions that made it: descriptions of different describers are not
    comparable.
    """

    image_sha256: str
    width_px: int
    height_px: int
    describer: str
    embedding: bytes
    barcodes: tuple[Barcode, ...] = ()
    ocr_lines: tuple[OcrLine, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    keypoints: bytes = b""
    sight: bytes = b""
    clip: bytes = b""
    box: Box | None = None
    seen_by: str = ""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The pieces of evidence that are missing, for whatever reason."""
        return tuple(sorted(self.missing))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "embedding": base64.b64encode(self.embedding).decode(),
            "keypoints": base64.b64encode(self.keypoints).decode(),
            "sight": base64.b64encode(self.sight).decode(),
            "clip": base64.b64encode(self.clip).decode(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        describer, seen_by = _parted(data["describer"])
        return cls(
            **{
                "seen_by": seen_by,
                **data,
                "describer": describer,
                "embedding": base64.b64decode(data["embedding"]),
                "keypoints": base64.b64decode(data.get("keypoints", "")),
                "sight": base64.b64decode(data.get("sight", "")),
                "clip": base64.b64decode(data.get("clip", "")),
                "box": tuple(data["box"]) if data.get("box") else None,
                "barcodes": tuple(Barcode(**_with_polygon(b)) for b in data.get("barcodes", ())),
                "ocr_lines": tuple(OcrLine(**_with_polygon(o)) for o in data.get("ocr_lines", ())),
            }
        )


def _parted(describer: str) -> tuple[str, str]:
    """The describer and the model in the name of one that was told together with its model."""
    parts = describer.split("+")
    models = [part for part in parts if part.startswith("minigpt-")]
    return "+".join(part for part in parts if part not in models), "".join(models[:1])


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the model ``seen_by`` saw in one picture: ``sight`` of its :class:`Description`."""

    image_sha256: str
    sight: bytes
    seen_by: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"sight": base64.b64encode(self.sight).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["image_sha256"], base64.b64decode(data["sight"]), data["seen_by"])


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that could not be described. ``code`` is stable, ``detail`` is for people."""

    code: Literal["unreadable", "too_large", "internal"]
    detail: str


# --- what the recognizer knows of a site ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkuRecord:
    """A catalog entry as the recognizer sees it. ``category`` is the leaf's name."""

    code: str
    name: str
    brand: str = ""
    category: str = ""
    spec: str = ""
    unit: str = ""
    barcode: str = ""
    pack_text: str = ""
    sales_volume: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """A picture whose SKU is known: a catalog reference picture or a decided capture.

    ``key`` identifies it within the site (``ref:<picture id>`` or ``cap:<capture id>``).
    ``group`` is shared by near-duplicates and by the captures of one scene. ``keypoints`` are those
    of the picture's :class:`Description`; without them it is not verified geometrically. ``caption``
    is what was decided of it, for search by text. ``clip`` is the description's.
    """

    key: str
    sku_code: str
    kind: Literal["reference", "decided"]
    embedding: bytes
    ocr_text: str = ""
    group: str = ""
    keypoints: bytes = b""
    caption: str = ""
    clip: bytes = b""

    def to_json(self) -> dict[str, Any]:
        data = asdict(self) | {
            "embedding": base64.b64encode(self.embedding).decode(),
            "keypoints": base64.b64encode(self.keypoints).decode(),
            "clip": base64.b64encode(self.clip).decode(),
        }
        # a log says of an example what it said before there were captions and CLIP
        return {k: v for k, v in data.items() if v or k not in ("caption", "clip")}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **data,
                "embedding": base64.b64decode(data["embedding"]),
                "keypoints": base64.b64decode(data.get("keypoints", "")),
                "clip": base64.b64decode(data.get("clip", "")),
            }
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One numbered change to a site's memory. Applying a change twice does no harm.

    ``op`` and what it carries: ``put_sku`` → ``sku``; ``delete_sku`` → ``key`` (the code);
    ``put_example`` → ``example``; ``delete_example`` → ``key``.
    """

    number: int
    op: Literal["put_sku", "delete_sku", "put_example", "delete_example"]
    sku: SkuRecord | None = None
    example: Example | None = None
    key: str = ""

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"number": self.number, "op": self.op}
        if self.sku is not None:
            data["sku"] = asdict(self.sku)
        if self.example is not None:
            data["example"] = self.example.to_json()
        if self.key:
            data["key"] = self.key
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            number=data["number"],
            op=data["op"],
            sku=SkuRecord(**data["sku"]) if "sku" in data else None,
            example=Example.from_json(data["example"]) if "example" in data else None,
            key=data.get("key", ""),
        )


@dataclass(frozen=True, slots=True)
class SiteRef:
    """Which site memory a request needs: at least change ``number`` of ``site``."""

    site: str
    number: int


# --- what it proposes -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """One ranked SKU. ``confidence`` is calibrated, in 0…1; ``parts`` holds the probability that
    each piece of evidence alone gives it: ``barcode | pack_text | neighbours | picture | words |
    minigpt``.
    """

    sku_code: str
    confidence: float
    parts: Mapping[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    """The printed words in the picture that speak most for this SKU."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known picture that looks alike; ``similarity`` is the cosine."""

    key: str
    sku_code: str
    kind: Literal["reference", "decided"]
    similarity: float


@dataclass(frozen=True, slots=True)
class Hit:
    """Something known that answers a search. ``key`` is that of an example, or ``sku:<code>`` for a
    catalog entry found by its words that has no picture. ``score`` orders one answer, best first; it
    is the cosine where ``by`` is ``("picture",)``, and else comparable within one answer only.

    ``by`` says how it was found: ``picture`` (looks like the one asked with), ``words`` (what is
    written of it or on it), ``meaning`` (a picture that fits the text).
    """

    key: str
    sku_code: str
    kind: Literal["reference", "decided", "sku"]
    score: float
    by: tuple[Literal["picture", "words", "meaning"], ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "by": tuple(data["by"])})


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, in the memory as it was at change ``site_number``."""

    site_number: int
    hits: tuple[Hit, ...]

    def to_json(self) -> dict[str, Any]:
        return {"site_number": self.site_number, "hits": [hit.to_json() for hit in self.hits]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["site_number"], tuple(Hit.from_json(hit) for hit in data["hits"]))


PACKAGE_TYPES: Final = ("carton", "bottle", "bag", "can", "cup", "tray", "pallet", "other")
"""What the attribute ``package_type`` of an answer can be."""


@dataclass(frozen=True, slots=True)
class FieldSuggestion:
    """The proposal for one caption field, or for an attribute. ``value`` is None when nothing is proposed; ``source``
    then says why: ``not_available``, ``low_confidence``, or ``unfamiliar`` where the model was taught by
    another kind of photos."""

    value: str | None
    confidence: float | None
    source: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How much each part of a picture had to do with a field's value: ``rows`` × ``columns`` values
    of a byte each over the whole upright picture, row by row, 255 the most (``data`` in base64)."""

    rows: int
    columns: int
    data: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the machine proposes for one picture of one site.

    ``site_number`` is the last change of the site's memory that it knew, and ``learned_number`` the
    last one that what is learned from decided pictures was fitted on: both, the model's version and
    the description determine everything but ``timings_ms``. ``heat`` has a map for each field of
    MiniGPT's caption, ``attributes`` what it says of the packs besides: ``package_type`` (of
    :data:`PACKAGE_TYPES`) and ``stack_level`` in digits. ``flags`` is a subset of ``low_confidence``,
    ``evidence_disagrees``, ``barcode_unknown``, ``empty_memory``, ``unfamiliar`` (to MiniGPT).
    ``left_out`` names the evidence that was not there in time, or failed. ``none`` is the probability
    that the picture shows nothing of the catalog: with the confidences of all SKUs it sums to 1.
    """

    model_version: str
    site_number: int
    fields: Mapping[str, FieldSuggestion]
    candidates: tuple[Candidate, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    flags: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    heat: Mapping[str, HeatMap] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    none: float | None = None
    learned_number: int = 0
    attributes: Mapping[str, FieldSuggestion] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            model_version=data["model_version"],
            site_number=data["site_number"],
            fields={key: FieldSuggestion(**value) for key, value in data["fields"].items()},
            candidates=tuple(
                Candidate(**{**c, "words": tuple(c.get("words", ()))}) for c in data["candidates"]
            ),
            neighbours=tuple(Neighbour(**n) for n in data["neighbours"]),
            flags=tuple(data["flags"]),
            timings_ms=dict(data["timings_ms"]),
            heat={key: HeatMap(**one) for key, one in data.get("heat", {}).items()},
            left_out=tuple(data.get("left_out", ())),
            none=data.get("none"),
            learned_number=data.get("learned_number", 0),
            attributes={k: FieldSuggestion(**v) for k, v in data.get("attributes", {}).items()},
        )


class RecognizerError(Exception):
    """Recognition did not happen. ``retry_after_s`` is set when trying again makes sense."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class StaleMemory(RecognizerError):
    """The replica has not yet seen the change number that the request names."""


class OtherDescriber(RecognizerError):
    """A description was made by another version: the picture must be described again."""


class ModelRefused(RecognizerError):
    """The model that the request names is not here, or is not what was sealed."""


class Recognizer(Protocol):
    """Reads pictures and proposes SKUs. Implementations are thread-safe. ``model`` is the digest of the
    model that is to look and to caption; every verb that takes one raises :class:`ModelRefused` where
    that cannot be loaded."""

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        """Describe encoded pictures, in order. Raises :class:`RecognizerError`."""
        ...

    def see(
        self, images: Sequence[bytes], *, model: str, urgent: bool = False
    ) -> list[Sighting | Failure]:
        """What ``model`` sees in encoded pictures that were described before, in order; an empty sight
        where none is named and none is shipped. Raises :class:`RecognizerError`."""
        ...

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        """Rank the site's SKUs for each description, in order. Raises :class:`StaleMemory`,
        :class:`OtherDescriber` or another :class:`RecognizerError`."""
        ...

    def prepare(self, model: str) -> None:
        """Return when ``model`` is loaded wherever requests are answered, while these go on. Raises
        :class:`RecognizerError`."""
        ...

    def search(self, site: SiteRef, query: Description | str, *, count: int) -> Found:
        """Up to ``count`` known pictures and SKUs that are like a picture, or that a text is about.
        Raises as :meth:`rank` does."""
        ...

    def ready(self) -> bool:
        """Whether requests can be answered now."""
        ...


class Replayer(Recognizer, Protocol):
    """A recognizer in this process that can be taken back to any number of a site's log."""

    model_version: str

    def settle(self, site: str) -> None:
        """Fit everything that is learned to all that is published of ``site`` before returning."""
        ...

    def close(self) -> None:
        """End what runs in the background."""
        ...


# --- how the change log is published --------------------------------------------------------

_SEGMENT_NAME = re.compile(r"^(base|log)-(\d{10})-(\d{10})-([0-9a-f]{64})\.jsonl$")


@dataclass(frozen=True, slots=True)
class Segment:
    """One published file of a site's log. A ``base`` restates everything up to ``last``;
    a ``log`` continues from ``first`` to ``last``. The name carries the SHA-256 of the content."""

    kind: Literal["base", "log"]
    first: int
    last: int
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.first:010d}-{self.last:010d}-{self.sha256}.jsonl"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The segment that a file name stands for, or None when it is not one."""
        match = _SEGMENT_NAME.match(name)
        if match is None:
            return None
        kind, first, last, sha256 = match.groups()
        return cls(kind, int(first), int(last), sha256)  # type: ignore[arg-type]


def write_segment(
    folder: Path, kind: Literal["base", "log"], changes: Iterable[Change], *, first: int, last: int
) -> Segment:
    """Write changes ``first``…``last`` as one durable segment file (atomic, fsynced)."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    partial = folder / f".{kind}-{first}-{last}-{os.getpid()}.partial"
    with partial.open("wb") as out:
        for change in changes:
            line = (json.dumps(change.to_json(), ensure_ascii=False) + "\n").encode()
            digest.update(line)
            out.write(line)
        out.flush()
        os.fsync(out.fileno())
    segment = Segment(kind, first, last, digest.hexdigest())
    partial.replace(folder / segment.name)
    return segment


def read_segment(folder: Path, segment: Segment) -> list[Change]:
    """The changes of a segment. Raises :class:`ValueError` when the bytes do not match the hash."""
    data = (folder / segment.name).read_bytes()
    if hashlib.sha256(data).hexdigest() != segment.sha256:
        raise ValueError(f"{segment.name}: the content does not match the hash in its name")
    return [Change.from_json(json.loads(line)) for line in data.splitlines()]


def _with_polygon(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "polygon": tuple((float(x), float(y)) for x, y in data["polygon"])}
