"""What about an annotator somebody should look at. The rules are pure; what they find is opened, and
closed again when it no longer holds. Who fails gold tasks gets more of them, and a further annotator on
their tasks, until an admin says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from annotator.accounts.models import Project
from annotator.core import audit
from annotator.labeling import standings
from annotator.labeling.schemas import schema_of

from . import intervals
from .models import Alert, Dimension, Rollup

Z99 = 2.575829
FEWEST_GOLD = 5
GOLD_FLOOR = 0.7
"""A field of which surely less than this is right has failed."""
FEWEST_ANSWERS = 50
FAST = 0.5
"""Surely less than this part of the others' time is too fast."""
ACCEPTS = 0.98
DRIFT = 0.05
"""So much less right than before, beyond chance, is drift."""
RECENT = timedelta(weeks=2)
RAISED_GOLD_RATE = 0.3


@dataclass(frozen=True, slots=True)
class Tally:
    """Readings of one person: their number and sum."""

    n: int = 0
    total: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.n + other.n, self.total + other.total)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.n - other.n, self.total - other.total)


def failed_gold(by_field: Mapping[str, Tally]) -> dict[str, Any] | None:
    """The fields in which somebody surely gets too few gold tasks right."""
    failed = {}
    for key, tally in by_field.items():
        interval = intervals.wilson(tally.total, tally.n, Z99)
        if interval and tally.n >= FEWEST_GOLD and interval[1] < GOLD_FLOOR:
            failed[key] = {"right": tally.total, "of": tally.n}
    return {"fields": failed} if failed else None


def too_fast(seconds: Tally, others: Tally) -> dict[str, Any] | None:
    """Somebody's answers take less than half of what others take; both in hundredths."""
    if seconds.n < FEWEST_ANSWERS or others.n < FEWEST_ANSWERS:
        return None
    mean, usual = seconds.total / seconds.n / 100, others.total / others.n / 100
    if mean >= FAST * usual:
        return None
    return {"seconds": round(mean, 1), "usual": round(usual, 1), "of": seconds.n}


def always_accepts(accepted: Tally, others: Tally) -> dict[str, Any] | None:
    """Somebody takes whatever is suggested, which others do not."""
    own = intervals.wilson(accepted.total, accepted.n)
    usual = intervals.wilson(others.total, others.n)
    if accepted.n < FEWEST_ANSWERS or own is None or usual is None:
        return None
    if accepted.total < ACCEPTS * accepted.n or own[0] <= usual[1]:
        return None
    return {
        "accepted": accepted.total,
        "of": accepted.n,
        "usual": round(others.total / others.n, 3),
    }


def drifting(recent: Tally, before: Tally) -> dict[str, Any] | None:
    """Somebody is less often right than they were: the intervals of both do not touch."""
    new, old = (intervals.wilson(t.total, t.n) for t in (recent, before))
    if min(recent.n, before.n) < FEWEST_ANSWERS or new is None or old is None:
        return None
    fallen = before.total / before.n - recent.total / recent.n
    if fallen < DRIFT or new[1] >= old[0]:
        return None
    return {
        "recent": round(recent.total / recent.n, 3),
        "before": round(before.total / before.n, 3),
        "of": recent.n,
    }


def raise_alerts(project: Project, *, today: date | None = None) -> None:
    """Open what holds now, close what does not."""
    found = dict(_found(project, today or timezone.localdate()))
    for alert in Alert.objects.filter(project=project, closed_at=None):
        evidence = found.pop((alert.annotator_id, alert.kind), None)
        if evidence is None:
            alert.closed_at = timezone.now()
            alert.save(update_fields=["closed_at"])
        elif evidence != alert.evidence:
            alert.evidence = evidence
            alert.save(update_fields=["evidence"])
    for (person, kind), evidence in found.items():
        alert = Alert.objects.create(
            project=project, annotator_id=person, kind=kind, evidence=evidence
        )
        audit.record(
            action="alert.opened",
            on=alert,
            site_id=project.site_id,
            annotator=person,
            kind=kind,
            evidence=evidence,
        )
        if kind == Alert.Kind.GOLD_FAILED:
            standings.watch(project=project, annotator=person, gold_rate=RAISED_GOLD_RATE)


def _found(project: Project, today: date) -> Iterable[tuple[tuple[int, str], dict[str, Any]]]:
    fields = [f.key for f in schema_of(project).fields]
    metrics = ["time", "accepted", "right", *(f"gold:{key}" for key in fields)]
    rows = Rollup.objects.filter(
        project=project, dimension=Dimension.ANNOTATOR, metric__in=metrics, n__gt=0
    )
    sums: dict[tuple[int, str, bool], Tally] = {}
    for key, metric, day, n, total in rows.values_list("key", "metric", "day", "n", "total"):
        at = (int(key), metric, day >= today - RECENT)
        sums[at] = sums.get(at, Tally()) + Tally(n, total)

    def all_of(person: int, metric: str) -> Tally:
        return sums.get((person, metric, True), Tally()) + sums.get(
            (person, metric, False), Tally()
        )

    people = sorted({person for person, _, _ in sums})
    everybody = {
        metric: sum((all_of(person, metric) for person in people), Tally())
        for metric in ("time", "accepted")
    }
    kinds = Alert.Kind
    for person in people:
        time, accepted = all_of(person, "time"), all_of(person, "accepted")
        holds = {
            kinds.GOLD_FAILED: failed_gold({f: all_of(person, f"gold:{f}") for f in fields}),
            kinds.TOO_FAST: too_fast(time, everybody["time"] - time),
            kinds.ALWAYS_ACCEPTS: always_accepts(accepted, everybody["accepted"] - accepted),
            kinds.DRIFTING: drifting(
                sums.get((person, "right", True), Tally()),
                sums.get((person, "right", False), Tally()),
            ),
        }
        for kind, evidence in holds.items():
            if evidence is not None:
                yield (person, kind.value), evidence
