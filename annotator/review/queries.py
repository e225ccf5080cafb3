"""Reading disputes, decisions and feedback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotator.accounts.models import Project, Site, User
from annotator.core.models import AuditEntry
from annotator.labeling.models import Annotation, Task
from annotator.labeling.states import TaskState

from .models import Decision, Dispute, Feedback, Severity, Trivial

DISPUTE_ORDERINGS: dict[str, tuple[str, ...]] = {
    "urgent": ("-task__priority", "opened_at", "id"),
    "worst": ("-severity", "-gap", "opened_at", "id"),
    "oldest": ("opened_at", "id"),
    "newest": ("-opened_at", "-id"),
}


def open_disputes(project: Project, reviewer: User) -> QuerySet[Dispute]:
    """The disputes that ``reviewer`` may settle."""
    own = Annotation.objects.filter(task=OuterRef("task"), author=reviewer)
    return Dispute.objects.filter(
        ~Exists(own),
        project=project,
        closed_at__isnull=True,
        task__state=TaskState.DISPUTED,
    ).select_related("task", "task__project", "reviewer")


def narrowed(rows: QuerySet[Dispute], wanted: dict[str, Any]) -> QuerySet[Dispute]:
    """Disputes with a ``field`` in question, a ``severity`` (a name), of a ``pair``, ``reopened`` or
    not. Absent keys mean any."""
    if wanted.get("field"):
        rows = rows.filter(differing__contains=f",{wanted['field']},")
    if wanted.get("severity"):
        rows = rows.filter(severity=Severity[wanted["severity"].upper()])
    if wanted.get("pair"):
        rows = rows.filter(pair=wanted["pair"])
    if wanted.get("reopened") is not None:
        rows = rows.filter(reopened=wanted["reopened"])
    return rows


MANY_PAIRS = 30
"""So many pairs are named, those with the most disputes first."""


def dispute_summary(project: Project, reviewer: User) -> dict[str, Any]:
    """How many open disputes there are of each severity, with each field in question, of each pair,
    and how many a look settles; in one query."""
    found = (
        open_disputes(project, reviewer)
        .select_related(None)
        .order_by()
        .values_list("severity", "differing", "pair", "trivial")
        .annotate(n=Count("pk"))
    )
    severities, fields, pairs = Counter[int](), Counter[str](), Counter[str]()
    total = trivial = 0
    for severity, differing, pair, kind, n in found:
        total += n
        severities[severity] += n
        trivial += n if kind else 0
        fields.update(dict.fromkeys(filter(None, differing.split(",")), n))
        if pair:
            pairs[pair] += n
    return {
        "total": total,
        "trivial": trivial,
        "severities": {level.label: severities[level] for level in Severity},
        "fields": dict(fields),
        "pairs": [{"pair": pair, "count": n} for pair, n in pairs.most_common(MANY_PAIRS)],
    }


def trivial_disputes(project: Project, reviewer: User, kind: str = "") -> QuerySet[Dispute]:
    """Open disputes that a look settles."""
    rows = open_disputes(project, reviewer).filter(~Q(trivial=""))
    return rows.filter(trivial=Trivial(kind)) if kind else rows


def standing_of(tasks: Iterable[int]) -> dict[int, list[Annotation]]:
    """The standing answers of tasks, in the order of submission."""
    found: dict[int, list[Annotation]] = {}
    rows = Annotation.objects.filter(task__in=list(tasks), withdrawn_at=None)
    for row in rows.order_by("id"):
        found.setdefault(row.task_id, []).append(row)
    return found


def current_decision(task: Task) -> Decision | None:
    """The decision that stands."""
    return (
        Decision.objects.filter(task=task, superseded_at=None).select_related("decided_by").first()
    )


def current_decisions(projects: QuerySet[Project] | Iterable[int]) -> QuerySet[Decision]:
    """The standing decisions of decided tasks."""
    return Decision.objects.filter(
        task__project__in=projects, task__state=TaskState.DECIDED, superseded_at=None
    )


def history_of(task: Task) -> QuerySet[AuditEntry]:
    """What happened to a task, oldest first."""
    return (
        AuditEntry.objects.filter(object_type="task", object_id=task.pk)
        .select_related("actor")
        .order_by("id")
    )


def decisions_by_task(tasks: Iterable[int]) -> dict[int, Decision]:
    """The standing decisions of tasks, by task id."""
    rows = Decision.objects.filter(task__in=list(tasks), superseded_at=None)
    return {row.task_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Record:
    """Of how many arbitrated answers of a person how many were upheld."""

    upheld: int = 0
    decided: int = 0


_JUDGED = (Feedback.Outcome.UPHELD, Feedback.Outcome.CORRECTED)


def records_of(people: Sequence[int], project_id: int) -> dict[int, Record]:
    """How annotators' answers to disputed tasks fared in a project, by person; the last word on each
    task counts."""
    rows = (
        Feedback.objects.filter(
            annotator__in=people,
            task__project=project_id,
            outcome__in=_JUDGED,
            decision__superseded_at=None,
        )
        .exclude(task__state=TaskState.GOLD)
        .order_by()
        .values_list("annotator")
        .annotate(upheld=Count("pk", filter=Q(outcome=Feedback.Outcome.UPHELD)), n=Count("pk"))
    )
    return {person: Record(upheld, n) for person, upheld, n in rows}


def corrected_by(decision: Decision) -> set[int]:
    """The answers that a decision does not uphold."""
    rows = Feedback.objects.filter(decision=decision, outcome=Feedback.Outcome.CORRECTED)
    return set(rows.values_list("annotation", flat=True))


def feedback_of(annotator: User, sites: QuerySet[Site]) -> QuerySet[Feedback]:
    """What reviewers said of one's own answers."""
    return Feedback.objects.filter(annotator=annotator, task__project__site__in=sites)


def unread_feedback(annotator: User, projects: Iterable[int]) -> int:
    """How much of it is new."""
    rows = Feedback.objects.filter(annotator=annotator, read_at=None, task__project__in=projects)
    return rows.count()
