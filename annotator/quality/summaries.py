"""Figures that are no sums: worked out from the latest tasks, and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from annotator.accounts.models import Project
from annotator.labeling.models import Agreement, Annotation
from annotator.labeling.schemas import Schemas

from . import beyond_chance
from .models import Summary

LATEST = 5000
"""Of so many of the latest tasks that were answered twice."""


def summarise_projects(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Tasks of these projects were measured."""
    for project in Project.objects.filter(pk__in={p["project"] for p in payloads}):
        summarise(project)


def summarise(project: Project) -> Summary:
    """Work out and keep what is no sum."""
    figures = {"fields": _fields(project)}
    row, _ = Summary.objects.update_or_create(
        project=project, defaults={"figures": figures, "computed_at": timezone.now()}
    )
    return row


def _fields(project: Project) -> dict[str, Any]:
    schemas = Schemas(project)
    latest = Agreement.objects.filter(task__project=project).order_by("-task")[:LATEST]
    tasks = list(latest.values_list("task", flat=True))
    answers: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    rows = Annotation.objects.filter(task__in=tasks, withdrawn_at=None).order_by("pk")
    for task, fields, version in rows.values_list("task", "fields", "schema_version"):
        answers[task].append(schemas.carry(fields, version).fields)
    units = [answers[task] for task in sorted(answers)]
    return {
        f.key: _field([[a.get(f.key) for a in unit] for unit in units]) for f in schemas.now.fields
    }


def _field(units: Sequence[Sequence[Any]]) -> dict[str, Any]:
    table = beyond_chance.counts_of(units)
    alpha, interval = beyond_chance.alpha(table), beyond_chance.alpha_interval(table)
    kappa = beyond_chance.kappa(units)
    return {
        "alpha": None if alpha is None else round(alpha, 4),
        "alpha_interval": None if interval is None else [round(bound, 4) for bound in interval],
        "kappa": None if kappa is None else round(kappa, 4),
        "units": len(units),
    }
