"""A recognizer for tests of the platform's rules, not of recognition."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from inference.contracts import (
    Barcode,
    Candidate,
    Description,
    Example,
    Failure,
    FieldSuggestion,
    Found,
    Hit,
    ModelRefused,
    Neighbour,
    OcrLine,
    OtherDescriber,
    Recognition,
    RecognizerError,
    Segment,
    Sighting,
    SiteRef,
    SkuRecord,
    StaleMemory,
    read_segment,
)


@dataclass
class Replayed:
    """What a site's published segments say, replayed in order."""

    number: int = 0
    skus: dict[str, SkuRecord] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)


def replay(folder: Path) -> Replayed:
    """Replay the last base in ``folder`` and the log after it, as a new replica does."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    segments = [segment for name in names if (segment := Segment.parse(name))]
    known = Replayed()
    bases = sorted((s for s in segments if s.kind == "base"), key=lambda s: s.last)
    logs = sorted((s for s in segments if s.kind == "log"), key=lambda s: s.first)
    for segment in bases[-1:] + logs:
        if segment.last <= known.number:
            continue
        assert segment.first <= known.number + 1, f"a gap before {segment.name}"
        for change in read_segment(folder, segment):
            if change.op == "put_sku" and change.sku:
                known.skus[change.sku.code] = change.sku
            elif change.op == "put_example" and change.example:
                known.examples[change.example.key] = change.example
            elif change.op == "delete_sku":
                known.skus.pop(change.key, None)
            elif change.op == "delete_example":
                known.examples.pop(change.key, None)
        known.number = segment.last
    return known


class ThumbnailRecognizer:
    """Implements :class:`inference.contracts.Recognizer`: a picture is described by its 4×4 thumbnail
    and ranked by the most similar example. A model sees nothing but its own name and is refused where ``refused`` holds
    its digest. ``down`` stands for a machine that does not answer;
    ``missing`` is the evidence that it has no time for; ``unreadable`` holds the hashes of pictures that it cannot
    describe."""

    def __init__(self, sites_dir: Path) -> None:
        self.sites_dir = sites_dir
        self.down = False
        self.unreadable: set[str] = set()
        self.described: list[str] = []
        self.describer = "thumbnail-1"
        self.missing = {"keypoints": "not asked for"}
        self.refused: set[str] = set()
        self.prepared: list[str] = []
        self.seen: list[tuple[str, str]] = []

    def describe(
        self, images: Sequence[bytes], *, urgent: bool = False, model: str = ""
    ) -> list[Description | Failure]:
        self._answer(model)
        return [self._describe(data, model) for data in images]

    def see(
        self, images: Sequence[bytes], *, model: str, urgent: bool = False
    ) -> list[Sighting | Failure]:
        self._answer(model)
        hashes = [hashlib.sha256(data).hexdigest() for data in images]
        self.seen += [(sha256, model) for sha256 in hashes]
        return [Sighting(sha256, model.encode(), model_name(model)) for sha256 in hashes]

    def prepare(self, model: str) -> None:
        self._answer(model)
        self.prepared.append(model)

    def _describe(self, data: bytes, model: str) -> Description | Failure:
        sha256 = hashlib.sha256(data).hexdigest()
        self.described.append(sha256)
        if sha256 in self.unreadable:
            return Failure("unreadable", "no")
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        vector = np.asarray(picture.resize((4, 4)), np.float32).ravel() - 127.5
        vector /= np.linalg.norm(vector)
        corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
        return Description(
            image_sha256=sha256,
            width_px=picture.width,
            height_px=picture.height,
            describer=self.describer,
            embedding=vector.astype("<f2").tobytes(),
            barcodes=(Barcode("6901234567892", "EAN13", corners),),
            ocr_lines=(OcrLine("清澜", 0.9, corners), OcrLine("洗发水", 0.8, corners)),
            missing=dict(self.missing),
            timings_ms={"embed": 1.5},
            keypoints=sha256.encode()[:16],
            sight=model.encode(),
            seen_by=model_name(model),
        )

    def rank(
        self, site: SiteRef, descriptions: Sequence[Description], *, model: str = ""
    ) -> list[Recognition]:
        self._answer(model)
        known = replay(self.sites_dir / site.site)
        if known.number < site.number:
            raise StaleMemory(f"{known.number} < {site.number}", retry_after_s=1)
        if any(description.describer != self.describer for description in descriptions):
            raise OtherDescriber("describe the picture again")
        if any(description.seen_by != model_name(model) for description in descriptions):
            raise OtherDescriber("another model looked at the picture")
        version = "+".join(name for name in ("thumbnail-1", model_name(model)) if name)
        return [
            replace(self._rank(known, description), model_version=version)
            for description in descriptions
        ]

    def _rank(self, known: Replayed, description: Description) -> Recognition:
        seen = np.frombuffer(description.embedding, "<f2").astype(np.float32)
        near = sorted(
            (
                Neighbour(
                    example.key,
                    example.sku_code,
                    example.kind,
                    float(seen @ np.frombuffer(example.embedding, "<f2").astype(np.float32)),
                )
                for example in known.examples.values()
            ),
            key=lambda n: (-n.similarity, n.key),
        )
        best: dict[str, float] = {}
        for neighbour in near:
            best.setdefault(neighbour.sku_code, max(0.0, neighbour.similarity))
        candidates = tuple(
            Candidate(code, round(value, 4), {"neighbours": value}, ("清澜",))
            for code, value in best.items()
        )
        sku = candidates[0].sku_code if candidates else None
        record = known.skus.get(sku or "")
        return Recognition(
            model_version="thumbnail-1",
            site_number=known.number,
            fields={
                "sku": FieldSuggestion(
                    sku, candidates[0].confidence if candidates else None, "neighbours"
                ),
                "category": FieldSuggestion(record.category if record else None, None, "catalog"),
                "spec": FieldSuggestion(record.spec if record else None, None, "catalog"),
                "quantity": FieldSuggestion(None, None, "not_available"),
                "condition": FieldSuggestion(None, None, "not_available"),
            },
            candidates=candidates,
            neighbours=tuple(near[:5]),
            flags=() if candidates else ("empty_memory",),
            timings_ms={"rank": 0.1},
            left_out=description.left_out,
            none=0.25,
            attributes={"package_type": FieldSuggestion("carton", 0.9, "minigpt")},
        )

    def search(self, site: SiteRef, query: Description | str, *, count: int) -> Found:
        self._answer()
        known = replay(self.sites_dir / site.site)
        if isinstance(query, str):
            named = [sku for sku in known.skus.values() if query in sku.name]
            hits = [Hit(f"sku:{sku.code}", sku.code, "sku", 1.0, ("words",)) for sku in named]
        else:
            near = self._rank(known, query).neighbours
            hits = [Hit(n.key, n.sku_code, n.kind, n.similarity, ("picture",)) for n in near]
        return Found(known.number, tuple(hits[:count]))

    def ready(self) -> bool:
        return not self.down

    def _answer(self, model: str = "") -> None:
        if self.down:
            raise RecognizerError("connection refused", retry_after_s=3)
        if model in self.refused:
            raise ModelRefused(f"model {model[:12]} cannot be loaded")


def model_name(model: str) -> str:
    """How a model of this digest is called in answers."""
    return f"minigpt-{model[:12]}" if model else ""
