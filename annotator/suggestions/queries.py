"""Suggestions as the browser shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotator.captures.models import Capture
from annotator.catalog.models import ReferencePicture, Sku
from annotator.catalog.naming import code_key
from annotator.catalog.queries import skus_by_code
from annotator.media.queries import image_urls

from .models import CaptureSuggestion, PictureDescription, Suggestion


def current_suggestion(capture_ids: Sequence[int]) -> Suggestion | None:
    """The most confident current suggestion of a scene's captures."""
    rows = CaptureSuggestion.objects.filter(
        capture__in=capture_ids, current__isnull=False
    ).select_related("current")
    found = [row.current for row in rows if row.current is not None]
    return max(found, key=_confidence, default=None)


def _confidence(suggestion: Suggestion) -> float:
    return suggestion.candidates[0]["confidence"] if suggestion.candidates else 0.0


def suggestion_json(suggestion: Suggestion | None, *, site_id: int) -> dict[str, Any] | None:
    """A suggestion with the names and pictures of what it mentions, in a fixed number of queries."""
    if suggestion is None:
        return None
    described = PictureDescription.objects.filter(image__capture=suggestion.capture_id).first()
    return recognition_json(
        site_id=site_id,
        fields=suggestion.fields,
        candidates=suggestion.candidates,
        neighbours=suggestion.neighbours,
        barcodes=described.barcodes if described else [],
        ocr_lines=described.ocr_lines if described else [],
    ) | {
        "id": suggestion.pk,
        "capture": suggestion.capture_id,
        "model_version": suggestion.model_version,
        "flags": suggestion.flags,
        "created_at": suggestion.created_at,
    }


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
    codes = {c["sku_code"] for c in candidates} | {n["sku_code"] for n in neighbours}
    skus = skus_by_code(site_id=site_id, codes=codes)
    pictures = _pictures([n["key"] for n in neighbours])
    by_barcode = _skus_by_barcode(site_id, [b["text"] for b in barcodes])
    return {
        "fields": fields,
        "candidates": [_candidate(c, skus.get(c["sku_code"])) for c in candidates],
        "neighbours": [
            {
                "sku_code": n["sku_code"],
                "name": skus[n["sku_code"]].name if n["sku_code"] in skus else "",
                "kind": n["kind"],
                "similarity": round(n["similarity"], 4),
                "picture": pictures.get(n["key"]),
            }
            for n in neighbours
        ],
        "barcodes": [{**b, "sku_code": by_barcode.get(b["text"])} for b in barcodes],
        "ocr_lines": list(ocr_lines),
    }


def _candidate(candidate: Mapping[str, Any], sku: Sku | None) -> dict[str, Any]:
    pictures = list(sku.pictures.all()) if sku else []
    return {
        "sku_code": candidate["sku_code"],
        "name": sku.name if sku else "",
        "category": sku.category.name if sku and sku.category else "",
        "spec": sku.spec if sku else "",
        "unit": sku.unit if sku else "",
        "confidence": round(candidate["confidence"], 4),
        "parts": {key: round(value, 4) for key, value in candidate["parts"].items()},
        "words": list(candidate["words"]),
        "picture": image_urls(pictures[0].image_id)["thumb"] if pictures else None,
    }


def _pictures(keys: Sequence[str]) -> dict[str, str]:
    """The thumbnails of examples by their key."""
    ids: dict[str, list[int]] = {"ref": [], "cap": []}
    for key in keys:
        kind, _, number = key.partition(":")
        ids[kind].append(int(number))
    images = {
        f"ref:{pk}": image
        for pk, image in ReferencePicture.objects.filter(pk__in=ids["ref"]).values_list(
            "pk", "image_id"
        )
    } | {
        f"cap:{pk}": image
        for pk, image in Capture.objects.filter(pk__in=ids["cap"]).values_list("pk", "image_id")
    }
    return {key: image_urls(image)["thumb"] for key, image in images.items()}


def _skus_by_barcode(site_id: int, texts: Sequence[str]) -> dict[str, str]:
    if not texts:
        return {}
    rows = Sku.objects.filter(site_id=site_id, barcode__in=texts, active=True)
    found = dict(rows.values_list("barcode", "code"))
    codes = {code_key(text): text for text in texts}
    for code, key in Sku.objects.filter(
        site_id=site_id, code_key__in=list(codes), active=True
    ).values_list("code", "code_key"):
        found.setdefault(codes[key], code)
    return found
