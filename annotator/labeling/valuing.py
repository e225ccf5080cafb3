"""What an answer to a waiting task is worth to the model: more where the model is unsure, and more where
it has seen little. The random share of what is handed out, which keeps the figures honest, is the
queue's own (``Project.random_share``)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Subquery

from annotator.suggestions.models import CaptureSuggestion

from .models import Task
from .states import OPEN_STATES, TaskState

UNSURE = 0.6
"""The weight of being unsure; the rest is that of having seen little."""
_SLICE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task and what the machine now takes it for; no ``sku`` where it proposes none."""

    task: int
    sku: str
    confidence: float


def values_of(waiting: Iterable[Waiting], seen: Mapping[str, int]) -> dict[int, float]:
    """The value of each task, in 0…1. ``seen`` counts decided tasks by SKU. Of tasks that look like the
    same SKU the least sure comes first, and each after it counts as if those before it were seen: the
    head of the queue is varied. What nothing is proposed for is of an unseen kind."""
    by_sku: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting:
        by_sku[one.sku].append(one)
    values = {}
    for sku, some in by_sku.items():
        some.sort(key=lambda one: (one.confidence, one.task))
        for place, one in enumerate(some):
            known = seen.get(sku, 0) + place if sku else 0
            values[one.task] = value_of(one.confidence, known)
    return values


def value_of(confidence: float, seen: int) -> float:
    """Of one task by itself."""
    new = 1.0 / math.sqrt(1.0 + seen)
    return round(UNSURE * (1.0 - confidence) + (1.0 - UNSURE) * new, 4)


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
