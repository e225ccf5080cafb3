"""Figures that are no sums: worked out from the latest tasks, and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.labeling import standings
from annotator.labeling.models import Agreement, Annotation, Gold
from annotator.labeling.schemas import Schemas

from . import alerts, beyond_chance, intervals
from .models import Reliability, Summary
from .queries import FEW
from .reliability import Answers, right_by_answer

LATEST = 5000
"""Of so many of the latest tasks that were answered twice."""


def summarise_projects(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Tasks of these projects were measured."""
    for project in Project.objects.filter(pk__in={p["project"] for p in payloads}):
        summarise(project)


def summarise(project: Project) -> Summary:
    """Work out and keep what is no sum: agreement beyond chance, the reliability of people, and what
    about them somebody should look at."""
    units = _Units(project)
    figures = {
        "fields": {key: _field(rows) for key, rows in units.by_field().items()},
    }
    with transaction.atomic():
        row, _ = Summary.objects.update_or_create(
            project=project, defaults={"figures": figures, "computed_at": timezone.now()}
        )
        Reliability.objects.filter(project=project).delete()
        skills = list(_reliability(project, units))
        Reliability.objects.bulk_create(skills)
        _keep_skills(project, skills, [f.key for f in units.schemas.now.of_kind("sku")])
        alerts.raise_alerts(project)
    return row


def _keep_skills(project: Project, rows: Iterable[Reliability], keys: Sequence[str]) -> None:
    """What the queue knows of how often people name the right SKU."""
    standings.know_skills(
        project=project,
        skills={row.annotator_id: row.low for row in rows if row.field in keys and row.n >= FEW},
    )


class _Units:
    """What people answered to the latest tasks that several of them did, and to gold tasks, field by
    field in the schema in force."""

    def __init__(self, project: Project) -> None:
        self.schemas = Schemas(project)
        latest = Agreement.objects.filter(task__project=project).order_by("-task")[:LATEST]
        tasks = list(latest.values_list("task", flat=True))
        self.answers = self._read(Annotation.objects.filter(task__in=tasks))
        gold = Gold.objects.filter(task__project=project).order_by("-task")[:LATEST]
        self.truth = {
            task: self.schemas.carry(fields, version).fields
            for task, fields, version in gold.values_list("task", "fields", "schema_version")
        }
        self.gold = self._read(Annotation.objects.filter(task__in=list(self.truth)))

    def _read(self, rows: Any) -> dict[int, list[tuple[int, Mapping[str, Any]]]]:
        found: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
        rows = rows.filter(withdrawn_at=None).order_by("task", "pk")
        for task, author, fields, version in rows.values_list(
            "task", "author", "fields", "schema_version"
        ):
            found[task].append((author, self.schemas.carry(fields, version).fields))
        return found

    def by_field(self) -> dict[str, list[list[Any]]]:
        """For each field the values given to each task, without gold."""
        return {
            f.key: [[fields.get(f.key) for _, fields in unit] for unit in self.answers.values()]
            for f in self.schemas.now.fields
        }


def _reliability(project: Project, units: _Units) -> Iterable[Reliability]:
    for f in units.schemas.now.fields:
        rows = [
            (task, author, beyond_chance.label_of(fields.get(f.key)))
            for given in (units.answers, units.gold)
            for task, unit in given.items()
            for author, fields in unit
        ]
        if not rows:
            continue
        known = {
            task: beyond_chance.label_of(fields[f.key])
            for task, fields in units.truth.items()
            if f.key in fields
        }
        answers, people = Answers.of(rows, known)
        right = right_by_answer(answers)
        hits = np.bincount(answers.people, right)
        for person, hit, n in zip(people, hits, np.bincount(answers.people), strict=True):
            interval = intervals.wilson(float(hit), int(n))
            assert interval is not None
            yield Reliability(
                project=project,
                annotator_id=person,
                field=f.key,
                n=int(n),
                skill=round(float(hit) / int(n), 4),
                low=round(interval[0], 4),
                high=round(interval[1], 4),
            )


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
