"""Reading disputes and decisions."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from annotator.accounts.models import Project, Site, User
from annotator.core.models import AuditEntry
from annotator.labeling.models import Annotation, Task
from annotator.labeling.states import TaskState

from .models import Decision, Dispute


def open_disputes(project: Project, reviewer: User) -> QuerySet[Dispute]:
    """The disputes that ``reviewer`` may settle, urgent first, then oldest."""
    own = Annotation.objects.filter(task=OuterRef("task"), author=reviewer, withdrawn_at=None)
    return (
        Dispute.objects.filter(
            ~Exists(own),
            task__project=project,
            closed_at__isnull=True,
            task__state=TaskState.DISPUTED,
        )
        .select_related("task", "task__project", "reviewer")
        .order_by("-task__priority", "opened_at", "id")
    )


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


def tasks_with_decisions(sites: QuerySet[Site], tasks: QuerySet[Task]) -> dict[int, Decision]:
    """The standing decisions of ``tasks`` by task id."""
    rows = Decision.objects.filter(
        task__in=tasks, task__project__site__in=sites, superseded_at=None
    )
    return {row.task_id: row for row in rows}
