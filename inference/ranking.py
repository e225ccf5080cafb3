"""Rank a site's SKUs for one description: fuse the evidence, say what speaks for it, caption the picture."""

from __future__ import annotations

import time
from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray

from inference.contracts import Candidate, Description, FieldSuggestion, Recognition, SkuRecord
from inference.evidence import fusion, openset
from inference.evidence.barcode import canonical
from inference.evidence.shipped import SHIPPED
from inference.gathering import Evidence, Heads, MatchCache, Seen, fuse, gather, see
from inference.minigpt.heard import Heard
from inference.minigpt.heat import heat_map
from inference.minigpt.reading import Reader, Reading
from inference.minigpt.sight import Sight
from inference.retrieval.backbone import unpack
from inference.retrieval.index import matrix
from inference.retrieval.memory import Catalog, SiteMemory

FloatArray = NDArray[np.float64]

MAX_CANDIDATES = 10
MAX_NEIGHBOURS = 8
COMPARED = 32
"""Pictures of the most probable SKU that are compared in the learned space."""
CONFIDENT = 0.5
DISAGREEMENT = 0.6


def rank(
    memory: SiteMemory,
    heads: Heads,
    cache: MatchCache,
    description: Description,
    version: str,
    minigpt: Reader | None = None,
) -> Recognition:
    """Rank the SKUs of ``memory`` for one description, and caption it."""
    started = time.perf_counter()
    catalog = memory.catalog()
    number = memory.number
    if not catalog.codes:
        return Recognition(
            model_version=version,
            site_number=number,
            fields=_fields(catalog, np.zeros(0), {}),
            flags=("empty_memory",),
            left_out=description.left_out,
        )
    read = {canonical(b.text) for b in description.barcodes}
    known = {code for text in read for code in catalog.by_barcode.get(text, ())}
    seen = see(description)
    evidence = gather(memory, catalog, heads, cache, seen, minigpt=minigpt, barcode_codes=known)
    p = fuse(evidence, heads.weights)
    none = none_of_these(memory, catalog, heads, seen, evidence, p)
    p = (1 - none) * p
    fields = _fields(catalog, p, evidence.parts)
    strange = bool(minigpt and seen.sight and not minigpt.is_familiar(seen.sight))
    reading = _read(minigpt, seen.sight, catalog.skus[catalog.codes[int(p.argmax())]], fields)
    new = written_anew(minigpt, seen.sight, description, catalog.row_of) if none > CONFIDENT else {}
    return Recognition(
        model_version=version,
        site_number=number,
        fields=fields | _read_fields(reading, strange) | new,
        heat={
            key: heat_map(cells, minigpt.facts.looks, description.width_px, description.height_px)
            for key, cells in (reading.maps if reading else {}).items()
        }
        if minigpt
        else {},
        candidates=_candidates(catalog, p, evidence),
        neighbours=evidence.neighbours[:MAX_NEIGHBOURS],
        flags=_flags(p, evidence.parts, unknown_barcode=bool(read) and not known, strange=strange),
        timings_ms={"rank": round((time.perf_counter() - started) * 1000, 2)},
        left_out=description.left_out,
        none=round(none, 4),
        attributes=_attributes(minigpt, seen.sight, strange),
    )


def none_of_these(
    memory: SiteMemory,
    catalog: Catalog,
    heads: Heads,
    seen: Seen,
    evidence: Evidence,
    p: FloatArray,
) -> float:
    """The probability that the picture shows nothing of the catalog, given the fused ones [S]."""
    if "barcode" in evidence.parts:
        return 1 - fusion.BARCODE_TRUST
    features = none_features(memory, catalog, heads, seen, evidence, p)
    model = SHIPPED.none_taught if "learned" in features else SHIPPED.none_untaught
    return model.probability(features, SHIPPED.none_prior)


def none_features(
    memory: SiteMemory,
    catalog: Catalog,
    heads: Heads,
    seen: Seen,
    evidence: Evidence,
    p: FloatArray,
) -> dict[str, float]:
    """What :mod:`inference.evidence.openset` goes by."""
    learned = None
    if heads.metric is not None:
        known = memory.pictures_of(catalog.codes[int(p.argmax())], COMPARED)
        both = [
            unpack(seen.embedding)[None],
            *([matrix([e.embedding for e in known])] if known else []),
        ]
        vectors = heads.metric.embed(np.concatenate(both))
        learned = float((vectors[1:] @ vectors[0]).max(initial=-1.0))
    return openset.features_of(p, evidence.parts, evidence.text.scores, evidence.matches, learned)


def _read(
    minigpt: Reader | None,
    sight: Sight | None,
    best: SkuRecord,
    fields: Mapping[str, FieldSuggestion],
) -> Reading | None:
    """What MiniGPT writes of a picture: what hangs on the SKU as it is proposed, or as it is most
    probably."""
    if minigpt is None or sight is None:
        return None
    settled = {key: fields[key].value or _value(best, key) for key in ("sku", "category", "spec")}
    return minigpt.read(sight, settled, best.unit)


def written_anew(
    minigpt: Reader | None, sight: Sight | None, description: Description, known: Container[str]
) -> dict[str, FieldSuggestion]:
    """What MiniGPT writes of a SKU that is not among the ``known`` codes: its code and spec, where they
    are among what was read on the pack."""
    if minigpt is None or sight is None:
        return {}
    lines = sorted(description.ocr_lines, key=lambda line: -line.confidence)
    heard = Heard([line.text for line in lines], [one.text for one in description.barcodes])
    said = minigpt.write(sight, heard)
    read = heard.words()
    best = {key: said[key][0] for key in ("sku", "spec") if said[key][0].value in read}
    if "sku" in best and best["sku"].value in known:
        return {}
    return {key: _proposal(one.value, one.p, "minigpt") for key, one in best.items()}


def _read_fields(reading: Reading | None, strange: bool) -> dict[str, FieldSuggestion]:
    """What MiniGPT proposes: nothing on a ``strange`` picture, unlike those that taught it."""
    if reading is None:
        return {}
    if strange:
        return dict.fromkeys(reading.options, FieldSuggestion(None, None, "unfamiliar"))
    return {
        key: _proposal(options[0].value, options[0].p, "minigpt")
        for key, options in reading.options.items()
    }


def _attributes(
    minigpt: Reader | None, sight: Sight | None, strange: bool
) -> dict[str, FieldSuggestion]:
    if minigpt is None or sight is None or strange:
        return {}
    said = minigpt.attributes(sight)
    return {name: _proposal(one.value, one.p, "minigpt") for name, one in said.items()}


def _candidates(catalog: Catalog, p: FloatArray, evidence: Evidence) -> tuple[Candidate, ...]:
    order = sorted(
        range(len(p)), key=lambda i: (-p[i], -catalog.skus[catalog.codes[i]].sales_volume, i)
    )
    return tuple(
        Candidate(
            sku_code=catalog.codes[i],
            confidence=round(float(p[i]), 4),
            parts={
                source: round(float(np.exp(log_p[i])), 4)
                for source, log_p in evidence.parts.items()
            },
            words=evidence.text.words[i],
        )
        for i in order[:MAX_CANDIDATES]
    )


def _fields(
    catalog: Catalog, p: FloatArray, parts: Mapping[str, FloatArray]
) -> dict[str, FieldSuggestion]:
    """Proposals for the five default fields; this evidence says nothing of quantity and condition."""
    absent = FieldSuggestion(None, None, "not_available")
    fields = dict.fromkeys(("sku", "category", "spec", "quantity", "condition"), absent)
    if not len(p):
        return fields
    best = int(p.argmax())
    source = max(parts, key=lambda s: parts[s][best], default="pack_text")
    fields["sku"] = _proposal(catalog.codes[best], float(p[best]), source)
    for key in ("category", "spec"):
        total: dict[str, float] = {}
        for code, share in zip(catalog.codes, p, strict=True):
            value = _value(catalog.skus[code], key)
            total[value] = total.get(value, 0.0) + float(share)
        total.pop("", None)
        if total:
            value = max(sorted(total), key=total.__getitem__)
            fields[key] = _proposal(value, min(1.0, total[value]), "catalog")
    return fields


def _value(sku: SkuRecord, key: str) -> str:
    return {"sku": sku.code, "category": sku.category, "spec": sku.spec}[key]


def _proposal(value: str | None, confidence: float, source: str) -> FieldSuggestion:
    confidence = round(confidence, 4)
    if confidence < CONFIDENT:
        return FieldSuggestion(None, confidence, "low_confidence")
    return FieldSuggestion(value, confidence, source)


def _flags(
    p: FloatArray, parts: Mapping[str, FloatArray], *, unknown_barcode: bool, strange: bool
) -> tuple[str, ...]:
    flags = []
    if p.max() < CONFIDENT:
        flags.append("low_confidence")
    sure = {int(log_p.argmax()) for log_p in parts.values() if np.exp(log_p.max()) > DISAGREEMENT}
    if len(sure) > 1:
        flags.append("evidence_disagrees")
    if unknown_barcode:
        flags.append("barcode_unknown")
    if strange:
        flags.append("unfamiliar")
    return tuple(flags)
