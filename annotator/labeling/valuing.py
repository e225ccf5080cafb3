"""Waiting tasks are valued anew when the machine has changed: see :mod:`.worth`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import OuterRef, Subquery

from annotator.suggestions.models import CaptureSuggestion

from .models import Task
from .states import OPEN_STATES, TaskState
from .worth import Waiting, values_of

_SLICE = 500


def order_waiting(*, site_id: int, seen: Mapping[str, int]) -> int:
    """Value the waiting tasks of a site anew; returns how many changed."""
    values = values_of(_waiting(site_id), seen)
    changed = 0
    ids = sorted(values)
    for first in range(0, len(ids), _SLICE):
        changed += _write(ids[first : first + _SLICE], values)
    return changed


def _waiting(site_id: int) -> list[Waiting]:
    """What the machine says of each scene, by its first view."""
    current = (
        CaptureSuggestion.objects.filter(capture__scene=OuterRef("scene"), current__isnull=False)
        .order_by("pk")
        .values("current__candidates")[:1]
    )
    rows = (
        Task.objects.filter(
            project__site=site_id,
            state__in=(TaskState.NEW, *OPEN_STATES),
            places_left__gt=0,
        )
        .annotate(candidates=Subquery(current))
        .order_by()
        .values_list("pk", "candidates")
    )
    found = []
    for pk, candidates in rows.iterator(chunk_size=2000):
        best = candidates[0] if candidates else {}
        sku, confidence = best.get("sku_code") or "", float(best.get("confidence") or 0.0)
        found.append(Waiting(pk, sku, min(1.0, max(0.0, confidence))))
    return found


def _write(ids: Sequence[int], values: Mapping[int, float]) -> int:
    """In the order of the ids, so that two who do this wait for each other and not in a ring."""
    with transaction.atomic():
        rows = list(Task.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        changed = [row for row in rows if row.value != values[row.pk]]
        for row in changed:
            row.value = values[row.pk]
        Task.objects.bulk_update(changed, ["value"])
    return len(changed)
