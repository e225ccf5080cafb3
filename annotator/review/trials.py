"""Deciding on one answer that agrees with the machine, and learning from audits how often that would be
wrong (ADR 33)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.core import audit
from annotator.labeling import risk, sparing
from annotator.labeling.models import Annotation, Task, Trial, Trust
from annotator.labeling.schemas import Schemas
from annotator.labeling.states import Flag, TaskState
from annotator.suggestions.models import Suggestion
from inference.captions import Agreement as Score
from inference.captions import agreement_of_all

from .feedback import differing
from .models import Decision


def against_machine(
    project: Project, schemas: Schemas, answer: Annotation, suggestion: Suggestion
) -> Score:
    """The agreement of an answer with what the machine proposed, as of two people, on the fields of which
    it proposed something."""
    given = schemas.carry(answer.fields, answer.schema_version)
    said = {
        key: str(value["value"])
        for key, value in suggestion.fields.items()
        if isinstance(value, Mapping) and value.get("value")
    }
    proposed = schemas.carry(said, schemas.current)
    return agreement_of_all(
        [given.values, proposed.values],
        schemas.now,
        threshold=project.threshold,
        known=[given.known, frozenset(proposed.fields)],
    )


def machine_on(task: Task, answer: Annotation) -> Score | None:
    """What the machine makes of the only answer that was asked for; None where others were asked too."""
    if task.overlap >= task.project.overlap:
        return None
    trial = Trial.objects.filter(task=task, alone=True).select_related("suggestion").first()
    if trial is None:
        return None
    return against_machine(task.project, Schemas(task.project), answer, trial.suggestion)


def follow(payloads: Sequence[Mapping[str, Any]]) -> None:
    """Something happened to tasks: what audits among them say is noted, and where enough has gathered
    the certificates are looked at. What counts is how things stand now."""
    rows = Trial.objects.filter(task__in={payload["task"] for payload in payloads})
    trials = list(rows.select_related("task__project", "suggestion").order_by("pk"))
    kinds = {(t.project_id, t.model_version, t.schema_version) for t in trials if t.counted}
    for trial in trials:
        trial.agrees, trial.wrong = None, None
    by_project: dict[int, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_project[trial.project_id].append(trial)
    for group in by_project.values():
        _judge(group)
    Trial.objects.bulk_update(trials, ["agrees", "wrong"])
    for project_id, model_version, schema_version in sorted(kinds):
        project = Project.objects.get(pk=project_id)
        if sparing.applies_to(project) and schema_version == project.schema_version:
            look(project, model_version)


def _judge(trials: Sequence[Trial]) -> None:
    """Whether each first answer agrees with the machine, and whether what was decided in the end differs
    from it. On the reviewers' desk or set aside, it counts as wrong."""
    project = trials[0].task.project
    schemas = Schemas(project)
    ids = [trial.task_id for trial in trials]
    answers = {
        (row.task_id, row.author_id): row
        for row in Annotation.objects.filter(task__in=ids, withdrawn_at=None)
    }
    decisions = Decision.objects.filter(task__in=ids, superseded_at=None)
    decided = {row.task_id: row for row in decisions}
    for trial in trials:
        answer = answers.get((trial.task_id, trial.annotator_id))
        if answer is None:
            continue
        found = against_machine(project, schemas, answer, trial.suggestion)
        trial.agrees = not found.disputed and answer.flag != Flag.REVIEWER
        if trial.task.state == TaskState.DECIDED and trial.task_id in decided:
            trial.wrong = bool(differing(schemas, answer, decided[trial.task_id].fields))
        elif trial.task.state in (TaskState.DISPUTED, TaskState.REJECTED):
            trial.wrong = True


def look(project: Project, model_version: str) -> Trust:
    """Certify anew what audits of a model version show, when a step of them has come since the last
    look; withdraw the certificate at once when too many of the latest are wrong."""
    limit = project.rules.single_limit
    with transaction.atomic():
        trust, _ = Trust.objects.select_for_update().get_or_create(
            project=project,
            model_version=model_version,
            schema_version=project.schema_version,
            limit=limit,
        )
        counted = _counted(trust)
        if not trust.grid:
            _lay_grid(trust, counted)
        settled = counted.filter(pk__gt=trust.since, wrong__isnull=False)
        if trust.threshold is not None and risk.alarming(
            _latest_judged(settled), trust.threshold, limit
        ):
            _alarm(trust, counted)
        elif trust.grid and settled.filter(pk__gt=trust.seen).count() >= risk.step(limit):
            _look(trust, settled)
    return trust


def _counted(trust: Trust) -> QuerySet[Trial]:
    return Trial.objects.filter(
        project=trust.project_id,
        model_version=trust.model_version,
        schema_version=trust.schema_version,
        counted=True,
    )


def _lay_grid(trust: Trust, counted: QuerySet[Trial]) -> None:
    first = list(counted.order_by("pk").values_list("pk", "score")[: risk.GRID_FROM])
    if len(first) == risk.GRID_FROM:
        trust.grid = risk.grid_of([score for _, score in first])
        trust.since = trust.seen = first[-1][0]
        trust.save(update_fields=["grid", "since", "seen"])


def _look(trust: Trust, settled: QuerySet[Trial]) -> None:
    """The newest step of audits is left to ripen: what reviewers still have would count as wrong."""
    limit, before = trust.limit, trust.threshold
    newest = settled.order_by("-pk").values_list("pk", "score", "agrees", "wrong")
    rows = list(newest[risk.step(limit) : risk.step(limit) + risk.window(limit)])
    found = risk.certify(_audits(row[1:] for row in rows), trust.grid, limit)
    trust.threshold, trust.bound = found.threshold, found.bound
    trust.audits, trust.errors = found.audits, found.errors
    trust.checked_at = timezone.now()
    trust.seen = newest[0][0]
    trust.save()
    if trust.threshold != before:
        _record("overlap.certified" if trust.threshold is not None else "overlap.lapsed", trust)


def _alarm(trust: Trust, counted: QuerySet[Trial]) -> None:
    """Everything is answered twice again, and only what comes from now on counts."""
    last = counted.order_by("-pk").values_list("pk", flat=True).first()
    trust.since = trust.seen = last or trust.since
    trust.threshold, trust.bound, trust.audits, trust.errors = None, None, 0, 0
    trust.checked_at = trust.alarmed_at = timezone.now()
    trust.save()
    _record("overlap.alarmed", trust)


def _latest_judged(settled: QuerySet[Trial]) -> list[risk.Audit]:
    """The latest audits on which a reviewer or a second annotator has spoken, oldest first."""
    pending = Task.objects.filter(pk=OuterRef("task"), state=TaskState.DISPUTED)
    rows = settled.filter(~Exists(pending), agrees=True).order_by("-pk")
    return _audits(rows.values_list("score", "agrees", "wrong")[:2000])[::-1]


def _audits(rows: Iterable[tuple[Any, ...]]) -> list[risk.Audit]:
    return [risk.Audit(score, bool(agrees), bool(wrong)) for score, agrees, wrong in rows]


def _record(action: str, trust: Trust) -> None:
    audit.record(
        action=action,
        on=trust,
        site_id=trust.project.site_id,
        project=trust.project_id,
        model_version=trust.model_version,
        threshold=trust.threshold,
        bound=trust.bound,
        audits=trust.audits,
        errors=trust.errors,
    )
