"""What is known of one annotator: for those who answer for quality, and for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from annotator.accounts.models import Project
from annotator.labeling.models import Standing
from annotator.labeling.schemas import schema_of
from annotator.labeling.standings import standing_of

from .facts import week_of
from .metrics import metric_of
from .models import Alert, Dimension, Reliability, Rollup
from .queries import FEW, Sums, names_of

_WEEKS = 12


def one_of(project: Project, annotator: int) -> dict[str, Any]:
    """Everything about an annotator, for staff."""
    weeks = _weeks(project, annotator)
    total = _summed(weeks.values())
    skills = {
        row.field: {
            "value": round(100 * row.skill, 1),
            "count": row.n,
            "interval": [round(100 * row.low, 1), round(100 * row.high, 1)],
        }
        for row in Reliability.objects.filter(project=project, annotator=annotator)
    }
    none = {"value": None, "count": 0, "interval": None}
    return {
        "id": annotator,
        "name": names_of([annotator]).get(annotator, ""),
        "figures": {key: _figure(total, key) for key in ("time", "right", "gold", "accepted")},
        "fields": [
            {
                "key": f.key,
                "right": _figure(total, f"right:{f.key}"),
                "gold": _figure(total, f"gold:{f.key}"),
                "reliability": skills.get(f.key, none),
            }
            for f in schema_of(project).fields
        ],
        "low_evidence": total.get("gold", Sums()).n < FEW and total.get("right", Sums()).n < FEW,
        "weeks": _week_rows(weeks),
        "alerts": [alert_json(row) for row in _alerts(project).filter(annotator=annotator)],
        "standing": standing_json(standing_of(project, annotator)),
    }


def of_oneself(project: Project, annotator: int) -> dict[str, Any]:
    """One's own record, for oneself: of full weeks only, decided and gold tasks together, so that no
    figure moves with a task that one has just answered."""
    monday = week_of(timezone.localdate())
    weeks = {week: sums for week, sums in _weeks(project, annotator).items() if week < monday}
    total = _summed(weeks.values())
    fields = []
    for f in schema_of(project).fields:
        metric = metric_of(f"right:{f.key}")
        right, gold = (total.get(f"{kind}:{f.key}", Sums()) for kind in ("right", "gold"))
        figure = _plus(right, gold).figure(metric)
        fields.append({"key": f.key, **figure, "low_evidence": figure["count"] < FEW})
    return {
        "until": monday,
        "figures": {key: _figure(total, key) for key in ("time", "right")},
        "fields": fields,
        "weeks": _week_rows(weeks),
    }


def open_alerts(project: Project) -> list[dict[str, Any]]:
    """What about people somebody should look at."""
    rows = list(_alerts(project).filter(closed_at=None).select_related("annotator"))
    return [{**alert_json(row), "name": str(row.annotator)} for row in rows]


def alert_json(row: Alert) -> dict[str, Any]:
    return {
        "id": row.pk,
        "annotator": row.annotator_id,
        "kind": row.kind,
        "evidence": row.evidence,
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
    }


def standing_json(row: Standing) -> dict[str, Any]:
    return {
        "paused": row.paused_at is not None,
        "reason": row.paused_reason,
        "gold_rate": row.gold_rate,
        "third": row.third,
    }


def _alerts(project: Project) -> Any:
    return Alert.objects.filter(project=project).order_by("-opened_at", "-pk")


def _weeks(project: Project, annotator: int) -> dict[date, dict[str, Sums]]:
    """The sums of somebody's answers by week and metric."""
    rows = Rollup.objects.filter(
        project=project, dimension=Dimension.ANNOTATOR, key=str(annotator), n__gt=0
    )
    weeks: dict[date, dict[str, Sums]] = {}
    for day, metric, *sums in rows.values_list("day", "metric", "n", "total", "squares"):
        weeks.setdefault(day, {})[metric] = Sums(*sums)
    return weeks


def _plus(a: Sums, b: Sums) -> Sums:
    return Sums(a.n + b.n, a.total + b.total, a.squares + b.squares)


def _summed(weeks: Iterable[Mapping[str, Sums]]) -> dict[str, Sums]:
    total: dict[str, Sums] = {}
    for week in weeks:
        for metric, sums in week.items():
            total[metric] = _plus(total.get(metric, Sums()), sums)
    return total


def _figure(total: Mapping[str, Sums], key: str) -> dict[str, Any]:
    return total.get(key, Sums()).figure(metric_of(key))


def _week_rows(weeks: Mapping[date, Mapping[str, Sums]]) -> list[dict[str, Any]]:
    last = max(weeks, default=timezone.localdate()) - timedelta(weeks=_WEEKS)
    return [
        {
            "week": week,
            "answers": sums.get("time", Sums()).n,
            "seconds": _figure(sums, "time")["value"],
            "right": _figure(sums, "right")["value"],
        }
        for week, sums in sorted(weeks.items())
        if week > last
    ]
