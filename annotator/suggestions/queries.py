"""Suggestions as the browser shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from annotator.accounts.models import Site
from annotator.captures.models import Capture
from annotator.captures.queries import in_view_order
from annotator.catalog.models import ReferencePicture, Sku
from annotator.catalog.naming import code_key
from annotator.core.rows import Rows
from annotator.core.statements import Statement
from annotator.media.queries import image_urls
from inference.contracts import Hit

from .models import MachineAnswer, PictureDescription, Suggestion


def suggested_views(scene_id: int) -> list[Capture]:
    """The views of a scene in their order, with picture, current suggestion and what was read."""
    return in_view_order(_VIEWS(scene=scene_id))


_VIEWS: Statement[Capture] = Statement(
    lambda scene: (
        Capture.objects.filter(scene_id=scene)
        .select_related("image__description", "suggestion_status__current")
        .defer("image__description__embedding", "image__description__keypoints")
    )
)


def suggested_views_of(scene_ids: Iterable[int]) -> dict[int, list[Capture]]:
    """The same of many scenes in one statement, with the embeddings of the pictures."""
    rows = (
        Capture.objects.filter(scene__in=list(scene_ids))
        .select_related("image__description", "suggestion_status__current")
        .defer("image__description__keypoints")
    )
    found: dict[int, list[Capture]] = {}
    for row in rows:
        found.setdefault(row.scene_id, []).append(row)
    return {scene: in_view_order(views) for scene, views in found.items()}


def embedding_of(view: Capture) -> bytes | None:
    """How a view's picture looks, if it was described (``Description.embedding``)."""
    described = getattr(view.image, "description", None)
    return bytes(described.embedding) if described else None


def best_suggestion(views: Sequence[Capture]) -> Suggestion | None:
    """The most confident current suggestion among the views of a scene."""
    found = [
        view.suggestion_status.current
        for view in views
        if hasattr(view, "suggestion_status") and view.suggestion_status.current
    ]
    return max(found, key=_confidence, default=None)


def _confidence(suggestion: Suggestion) -> float:
    return suggestion.candidates[0]["confidence"] if suggestion.candidates else 0.0


def answers_of(site: Site) -> QuerySet[MachineAnswer]:
    """The machine answers that a site kept."""
    rows = MachineAnswer.objects.filter(site=site).select_related("caller", "model", "evidence")
    return rows.defer("evidence__body")


def suggestion_json(
    suggestion: Suggestion | None, *, site_id: int, views: Sequence[Capture] = ()
) -> dict[str, Any] | None:
    """A suggestion with the names and pictures of what it mentions, in one statement; in two where
    its capture is not among ``views`` (of :func:`suggested_views`)."""
    return suggestions_json([suggestion], site_id=site_id, views=views)[0]


def suggestions_json(
    suggestions: Sequence[Suggestion | None], *, site_id: int, views: Sequence[Capture]
) -> list[dict[str, Any] | None]:
    """The same of many; ``views`` are those of all."""
    by_capture = {view.pk: view for view in views}
    recognized = [
        (row, _recognized(row, by_capture.get(row.capture_id))) for row in suggestions if row
    ]
    joined = iter(_join([parts for _, parts in recognized], site_id) if recognized else ())
    return [
        next(joined)
        | {
            "id": row.pk,
            "capture": row.capture_id,
            "model_version": row.model_version,
            "flags": row.flags,
            "heat": row.heat,
            "attributes": row.attributes,
            "none": row.none,
            "left_out": row.left_out,
            "created_at": row.created_at,
        }
        if row
        else None
        for row in suggestions
    ]


@dataclass(frozen=True, slots=True)
class _Recognized:
    """The parts of a recognition before they are joined with the catalog."""

    fields: Mapping[str, Any]
    candidates: Sequence[Mapping[str, Any]]
    neighbours: Sequence[Mapping[str, Any]]
    barcodes: Sequence[Mapping[str, Any]]
    ocr_lines: Sequence[Mapping[str, Any]]


def _recognized(suggestion: Suggestion, view: Capture | None) -> _Recognized:
    described = (
        getattr(view.image, "description", None)
        if view
        else PictureDescription.objects.filter(image__capture=suggestion.capture_id).first()
    )
    return _Recognized(
        fields=suggestion.fields,
        candidates=suggestion.candidates,
        neighbours=suggestion.neighbours,
        barcodes=described.barcodes if described else [],
        ocr_lines=described.ocr_lines if described else [],
    )


def recognition_json(
    *,
    site_id: int,
    fields: Mapping[str, Any],
    candidates: Sequence[Mapping[str, Any]],
    neighbours: Sequence[Mapping[str, Any]],
    barcodes: Sequence[Mapping[str, Any]],
    ocr_lines: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The parts of a recognition, joined with the catalog."""
    return _join([_Recognized(fields, candidates, neighbours, barcodes, ocr_lines)], site_id)[0]


def hits_json(*, site_id: int, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """What a search found, joined with the catalog."""
    examples = [hit.key for hit in hits if hit.kind != "sku"]
    known = _known(
        site_id=site_id, codes={hit.sku_code for hit in hits}, barcodes=[], examples=examples
    )
    return [_hit(hit, known) for hit in hits]


def _hit(hit: Hit, known: _Known) -> dict[str, Any]:
    sku = known.skus.get(code_key(hit.sku_code), {})
    return {
        "sku_code": hit.sku_code,
        "name": sku.get("name", ""),
        "category": sku.get("category") or "",
        "spec": sku.get("spec", ""),
        "kind": hit.kind,
        "capture": int(hit.key.removeprefix("cap:")) if hit.kind == "decided" else None,
        "score": hit.score,
        "by": list(hit.by),
        "picture": _thumb(sku.get("picture") if hit.kind == "sku" else known.pictures.get(hit.key)),
    }


def _join(recognized: Sequence[_Recognized], site_id: int) -> list[dict[str, Any]]:
    known = _known(
        site_id=site_id,
        codes={
            found["sku_code"] for one in recognized for found in (*one.candidates, *one.neighbours)
        },
        barcodes=[b["text"] for one in recognized for b in one.barcodes],
        examples=[n["key"] for one in recognized for n in one.neighbours],
    )
    names = known.skus
    return [
        {
            "fields": one.fields,
            "candidates": [
                _candidate(c, names.get(code_key(c["sku_code"]), {})) for c in one.candidates
            ],
            "neighbours": [
                {
                    "sku_code": n["sku_code"],
                    "name": names.get(code_key(n["sku_code"]), {}).get("name", ""),
                    "kind": n["kind"],
                    "similarity": round(n["similarity"], 4),
                    "picture": _thumb(known.pictures.get(n["key"])),
                }
                for n in one.neighbours
            ],
            "barcodes": [{**b, "sku_code": known.by_barcode.get(b["text"])} for b in one.barcodes],
            "ocr_lines": list(one.ocr_lines),
        }
        for one in recognized
    ]


def _candidate(candidate: Mapping[str, Any], sku: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sku_code": candidate["sku_code"],
        "name": sku.get("name", ""),
        "category": sku.get("category") or "",
        "spec": sku.get("spec", ""),
        "unit": sku.get("unit", ""),
        "confidence": round(candidate["confidence"], 4),
        "parts": {key: round(value, 4) for key, value in candidate["parts"].items()},
        "words": list(candidate["words"]),
        "picture": _thumb(sku.get("picture")),
    }


def _thumb(image_id: int | None) -> str | None:
    return image_urls(image_id)["thumb"] if image_id else None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog knows of a recognition: SKUs by code key, codes by barcode text, and the
    picture of each example by its key."""

    skus: Mapping[str, Mapping[str, Any]]
    by_barcode: Mapping[str, str]
    pictures: Mapping[str, int]


def _known(
    *, site_id: int, codes: Iterable[str], barcodes: Sequence[str], examples: Sequence[str]
) -> _Known:
    """One statement, however much is mentioned."""
    keys = {code_key(code) for code in codes}
    texts = {code_key(text): text for text in barcodes}
    ids: dict[str, list[int]] = {"ref": [], "cap": []}
    for example in examples:
        kind, _, number = example.partition(":")
        ids[kind].append(int(number))
    [(found, of_references, of_captures)] = _MENTIONED(
        site=site_id,
        keys=list(keys | set(texts)),
        barcodes=list(barcodes),
        references=ids["ref"],
        captures=ids["cap"],
    )
    found = found or []
    by_barcode = {r["barcode"]: r["code"] for r in found if r["active"] and r["barcode"]}
    by_code = {texts[r["key"]]: r["code"] for r in found if r["active"] and r["key"] in texts}
    pictures = {f"ref:{row['id']}": row["image"] for row in of_references or ()}
    pictures |= {f"cap:{row['id']}": row["image"] for row in of_captures or ()}
    return _Known({r["key"]: r for r in found}, {**by_code, **by_barcode}, pictures)


def _mentioned(
    site: int,
    keys: Sequence[str],
    barcodes: Sequence[str],
    references: Sequence[int],
    captures: Sequence[int],
) -> QuerySet[Site, Any]:
    first = ReferencePicture.objects.filter(sku=OuterRef("pk")).order_by("pk").values("image")[:1]
    skus = Sku.objects.filter(Q(code_key__in=keys) | Q(barcode__in=barcodes), site=site)
    return Site.objects.filter(pk=site).values_list(
        Rows(
            skus.annotate(picture=Subquery(first)),
            **{name: name for name in ("code", "name", "spec", "unit", "barcode", "active")},
            key="code_key",
            category="category__name",
            picture="picture",
        ),
        Rows(ReferencePicture.objects.filter(pk__in=references), id="pk", image="image_id"),
        Rows(Capture.objects.filter(pk__in=captures), id="pk", image="image_id"),
    )


_MENTIONED: Statement[Any] = Statement(_mentioned)
