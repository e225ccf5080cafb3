"""What becomes of a merged SKU's suggestions and of what was learned of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from annotator.catalog.models import Sku
from annotator.core import jobs
from annotator.core.models import Job

from . import memory
from .models import CaptureSuggestion, SiteChange, Suggestion

KIND = "rewrite_suggestions"
SLICE = 200
_KEPT = (
    *("model_version", "site_number", "learned_number"),
    *("neighbours", "flags", "timings_ms", "heat", "none", "left_out", "attributes"),
)


def start_rewriting(*, site: int, source: int, target: int) -> None:
    """``sku.merged``."""
    jobs.start(kind=KIND, site_id=site, params={"source": source, "target": target})


def run_rewriting(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: what was learned of the source is learned of the target, and current suggestions that
    name the source are replaced by ones that name the target. Those that somebody was shown stay."""
    skus = Sku.objects.select_related("category").in_bulk(
        [job.params["source"], job.params["target"]]
    )
    source, target = skus[job.params["source"]], skus[job.params["target"]]
    relearn(site_id=job.site_id, source=source.code, target=target.code)
    rows = CaptureSuggestion.objects.filter(
        capture__site=job.site_id, current__isnull=False
    ).order_by("pk")
    last = progress.state.get("last", 0)
    if not last:
        progress.total(rows.count())
    while slice_ := list(rows.filter(pk__gt=last).select_related("current")[:SLICE]):
        changed = rewrite(slice_, source=source, target=target)
        last = slice_[-1].pk
        progress.advance(len(slice_), changed=changed, left_alone=len(slice_) - changed)
        progress.checkpoint({"last": last})
    return {}


def relearn(*, site_id: int, source: str, target: str) -> None:
    """Examples of ``source`` become examples of ``target``."""
    keys = (
        SiteChange.objects.filter(site=site_id, op="put_example", payload__example__sku_code=source)
        .values_list("key", flat=True)
        .distinct()
    )
    changes = []
    for key in keys:
        last = SiteChange.objects.filter(site=site_id, key=key).order_by("-number").first()
        if last is not None and last.op == "put_example":
            example = last.payload["example"]
            if example["sku_code"] == source:
                changes.append(("put_example", key, {"example": {**example, "sku_code": target}}))
    memory.append(site_id=site_id, changes=changes)


def rewrite(rows: Sequence[CaptureSuggestion], *, source: Sku, target: Sku) -> int:
    """Replace the current suggestions of ``rows`` that name ``source``; returns how many."""
    changed = 0
    for row in rows:
        old = row.current
        if old is None or all(c["sku_code"] != source.code for c in old.candidates):
            continue
        new = Suggestion(
            capture_id=row.capture_id,
            fields=_fields(old.fields, source, target),
            candidates=merged_candidates(old.candidates, source.code, target.code),
            **{name: getattr(old, name) for name in _KEPT},
        )
        new.neighbours = [
            {**n, "sku_code": target.code} if n["sku_code"] == source.code else n
            for n in old.neighbours
        ]
        with transaction.atomic():
            new.save()
            # A newer suggestion that came in the meantime knows better.
            now_current = CaptureSuggestion.objects.filter(pk=row.pk, current=old)
            changed += now_current.update(current=new)
    return changed


def merged_candidates(
    candidates: Sequence[Mapping[str, Any]], source: str, target: str
) -> list[dict[str, Any]]:
    """Candidates with ``source`` counted to ``target``, best first; confidences of one SKU add up."""
    found: dict[str, dict[str, Any]] = {}
    for candidate in candidates:
        code = target if candidate["sku_code"] == source else candidate["sku_code"]
        if code in found:
            found[code]["confidence"] = min(
                1.0, found[code]["confidence"] + candidate["confidence"]
            )
        else:
            found[code] = {**candidate, "sku_code": code}
    return sorted(found.values(), key=lambda c: -c["confidence"])


def _fields(fields: Any, source: Sku, target: Sku) -> Any:
    """The suggested values: the SKU's own become the target's, with its category and spec."""
    if (fields.get("sku") or {}).get("value") != source.code:
        return fields
    values = {
        "sku": target.code,
        "category": target.category.name if target.category else "",
        "spec": target.spec,
    }
    return {
        key: {**field, "value": values[key]} if values.get(key) and field else field
        for key, field in fields.items()
    }
