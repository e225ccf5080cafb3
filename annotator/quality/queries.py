"""The figures of DESIGN's quality table, measured from the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import krippendorff
import numpy as np
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.labeling.models import Agreement, Annotation
from annotator.labeling.schemas import Schemas
from annotator.review.models import Decision, Dispute
from annotator.review.queries import current_decisions
from inference.captions import Schema, fold

from . import fluency, intervals

LATEST = 5000
"""Figures are of at most so many of the latest rows of each kind."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure. ``values`` are what it averages, with the day of each."""

    key: str
    unit: str
    threshold: float | None
    better: str
    values: Sequence[tuple[date, float]] = field(default_factory=tuple)
    proportion: bool = False
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        numbers = [value for _, value in self.values]
        count = len(numbers)
        mean = sum(numbers) / count if count else None
        scale = 100.0 if self.proportion else 1.0
        interval = (
            intervals.wilson(round(sum(numbers)), count)
            if self.proportion
            else intervals.of_mean(numbers)
        )
        value = None if mean is None else round(mean * scale, 2)
        passes = None
        if value is not None and self.threshold is not None:
            passes = value >= self.threshold if self.better == "up" else value <= self.threshold
        return {
            "key": self.key,
            "value": value,
            "unit": self.unit,
            "threshold": self.threshold,
            "better": self.better,
            "count": count,
            "interval": [round(bound * scale, 2) for bound in interval] if interval else None,
            "passes": passes,
            "note": self.note,
            "trend": _by_day(self.values, scale),
        }


def _by_day(values: Iterable[tuple[date, float]], scale: float) -> list[dict[str, Any]]:
    days: dict[date, list[float]] = defaultdict(list)
    for day, value in values:
        days[day].append(value)
    return [
        {"day": day.isoformat(), "value": round(sum(v) / len(v) * scale, 2), "count": len(v)}
        for day, v in sorted(days.items())[-30:]
    ]


def report(project: Project) -> dict[str, Any]:
    """Everything that the quality page of a project shows."""
    schemas = Schemas(project)
    answers = list(
        Annotation.objects.filter(task__project=project, withdrawn_at=None)
        .order_by("-id")
        .only(
            "id",
            "task_id",
            "author_id",
            "fields",
            "schema_version",
            "caption",
            "active_seconds",
            "created_at",
        )[:LATEST]
    )
    decisions = list(current_decisions([project.pk]).order_by("-id")[:LATEST])
    agreements = list(Agreement.objects.filter(task__project=project).order_by("-id")[:LATEST])
    return {
        "computed_at": timezone.now(),
        "metrics": [
            m.to_json() for m in _metrics(project, schemas, answers, decisions, agreements)
        ],
        "fields": _fields(schemas, answers, agreements),
        "annotators": _annotators(project, schemas, answers),
        "disputes": _disputes(project),
        "throughput": _throughput(project),
    }


def _metrics(
    project: Project,
    schemas: Schemas,
    answers: Sequence[Annotation],
    decisions: Sequence[Decision],
    agreements: Sequence[Agreement],
) -> list[Metric]:
    captions: list[Annotation | Decision] = [*answers, *decisions]
    quantity = [f.key for f in schemas.now.of_kind("quantity")]
    in_catalog = _in_catalog(project)
    return [
        Metric(
            "completeness",
            "%",
            98.0,
            "up",
            [
                (_day(row), float(_is_complete(row.fields, schemas.of(row.schema_version))))
                for row in captions
            ],
            proportion=True,
        ),
        Metric(
            "sku_accuracy",
            "%",
            99.5,
            "up",
            [(_day(row), float(in_catalog(row.sku_code))) for row in decisions],
            proportion=True,
        ),
        Metric(
            "quantity_consistency",
            "%",
            90.0,
            "up",
            [
                (_day(row), float(all(row.per_field.get(key, 1.0) >= 1 for key in quantity)))
                for row in agreements
            ],
            proportion=True,
        ),
        Metric(
            "fluency",
            "score",
            85.0,
            "up",
            [
                (_day(row), fluency.score(row.caption, schemas.of(row.schema_version)))
                for row in decisions
            ],
        ),
        Metric("time", "s", 90.0, "down", [(_day(row), row.active_seconds) for row in answers]),
        Metric(
            "agreement",
            "%",
            round(project.threshold * 100, 1),
            "up",
            [(_day(row), row.score * 100) for row in agreements],
        ),
        Metric("spot_check_error", "%", 0.7, "down", (), proportion=True, note="no_spot_checks"),
    ]


def _day(row: Annotation | Decision | Agreement) -> date:
    return timezone.localtime(row.created_at).date()


def _is_complete(fields: dict[str, Any], schema: Schema) -> bool:
    return all(isinstance(fields.get(f.key), str) for f in schema.fields if f.required)


def _in_catalog(project: Project) -> Callable[[str], bool]:
    keys = set(Sku.objects.filter(site=project.site_id).values_list("code_key", flat=True))
    return lambda code: bool(code) and code_key(code) in keys


def _fields(
    schemas: Schemas, answers: Sequence[Annotation], agreements: Sequence[Agreement]
) -> list[dict[str, Any]]:
    by_task: dict[int, list[Annotation]] = defaultdict(list)
    for answer in answers:
        by_task[answer.task_id].append(answer)
    pairs = [
        [schemas.carry(a.fields, a.schema_version).fields for a in group]
        for group in by_task.values()
        if len(group) > 1
    ]
    rows = []
    for f in schemas.now.fields:
        scores = [a.per_field[f.key] for a in agreements if f.key in a.per_field]
        rows.append(
            {
                "key": f.key,
                "agreement": round(sum(scores) / len(scores) * 100, 2) if scores else None,
                "alpha": _alpha([[g.get(f.key) for g in group] for group in pairs]),
                "count": len(scores),
            }
        )
    return rows


def _alpha(units: Sequence[Sequence[Any]]) -> float | None:
    """Krippendorff's alpha for nominal values; each unit holds the values given to one task."""
    labels: dict[str, int] = {}
    counts: list[dict[int, int]] = []
    for unit in units:
        row: dict[int, int] = defaultdict(int)
        for value in unit:
            text = fold(value) if isinstance(value, str) else "\0unknown"
            row[labels.setdefault(text, len(labels))] += 1
        counts.append(row)
    if not counts or len(labels) < 2:
        return None
    table = np.zeros((len(counts), len(labels)), dtype=int)
    for n, row in enumerate(counts):
        for label, count in row.items():
            table[n, label] = count
    return round(float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal")), 4)


def _annotators(
    project: Project, schemas: Schemas, answers: Sequence[Annotation]
) -> list[dict[str, Any]]:
    scores = dict(
        Agreement.objects.filter(task__in={answer.task_id for answer in answers}).values_list(
            "task", "score"
        )
    )
    arbitrated = Decision.objects.filter(
        task__project=project, superseded_at=None, source=Decision.Source.ARBITRATED
    ).order_by("-id")
    final = {
        task: schemas.carry(fields, version).fields
        for task, fields, version in arbitrated.values_list("task", "fields", "schema_version")[
            :LATEST
        ]
    }
    groups: dict[int, list[Annotation]] = defaultdict(list)
    for answer in answers:
        groups[answer.author_id].append(answer)
    names = {
        row.author_id: str(row.author)
        for row in Annotation.objects.filter(
            pk__in=[group[0].pk for group in groups.values()]
        ).select_related("author")
    }
    rows = []
    for author, group in groups.items():
        own = [scores[a.task_id] for a in group if a.task_id in scores]
        lost = sum(
            1
            for a in group
            if a.task_id in final
            and schemas.carry(a.fields, a.schema_version).fields != final[a.task_id]
        )
        rows.append(
            {
                "id": author,
                "name": names[author],
                "annotations": len(group),
                "agreement": round(sum(own) / len(own) * 100, 2) if own else None,
                "mean_active_seconds": round(sum(a.active_seconds for a in group) / len(group), 1),
                "disputes_lost": lost,
            }
        )
    return sorted(rows, key=lambda row: -row["annotations"])


def _disputes(project: Project) -> dict[str, int]:
    rows = Dispute.objects.filter(task__project=project)
    return {
        "open": rows.filter(closed_at=None).count(),
        "decided": rows.exclude(closed_at=None).count(),
    }


def _throughput(project: Project) -> list[dict[str, Any]]:
    days: dict[date, dict[str, Any]] = defaultdict(lambda: {"annotations": 0, "decided": 0})
    answered = (
        Annotation.objects.filter(task__project=project, withdrawn_at=None)
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values_list("day")
        .annotate(n=Count("pk"))
    )
    for day, n in answered:
        days[day]["annotations"] = n
    decided = (
        Decision.objects.filter(task__project=project, superseded_at=None)
        .annotate(day=TruncDate("created_at"))
        .order_by()
        .values_list("day")
        .annotate(n=Count("pk"))
    )
    for day, n in decided:
        days[day]["decided"] = n
    return [{"day": day.isoformat(), **row} for day, row in sorted(days.items())[-30:]]
