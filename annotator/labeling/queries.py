"""Reading tasks. What one person may see of another's answers is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator.accounts.models import Project, Site, User
from annotator.accounts.queries import sites_where
from annotator.accounts.states import STAFF
from annotator.core.models import OutboxEvent
from annotator.suggestions.models import Suggestion

from .models import Annotation, Assignment, Task
from .states import OPEN_STATES, AssignmentState, TaskState

SETTLED = (TaskState.DISPUTED, TaskState.DECIDED, TaskState.REJECTED)
_TAKEN = (AssignmentState.ACTIVE, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)


def visible_to(user: User) -> QuerySet[Annotation]:
    """The answers that ``user`` may see: their own; and those of other people once nobody blind is
    left, that is to reviewers and admins of the site, when the task is settled and they hold no
    open lease on it."""
    holds = Assignment.objects.filter(
        task=OuterRef("task"), annotator=user, state=AssignmentState.ACTIVE
    )
    others = Q(task__state__in=SETTLED, task__project__site__in=sites_where(user, STAFF)) & ~Exists(
        holds
    )
    return Annotation.objects.filter(Q(author=user) | others)


def standing(task: Task) -> list[Annotation]:
    """The answers of a task that were not withdrawn, in the order of submission."""
    return list(task.annotations.filter(withdrawn_at=None).order_by("id"))


def _takeable(user: User) -> QuerySet[Task]:
    mine = Assignment.objects.filter(task=OuterRef("pk"), annotator=user, state__in=_TAKEN)
    return Task.objects.filter(~Exists(mine), state__in=OPEN_STATES, places_left__gt=0)


def takeable(project: Project, user: User) -> QuerySet[Task]:
    """Open tasks that ``user`` has not had yet, best first: urgent, half answered, worth most."""
    return _takeable(user).filter(project=project).order_by("-priority", "-answers", "-value", "id")


def tasks_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Task]:
    """Tasks with their project and scene."""
    return Task.objects.filter(project__site__in=sites).select_related("project", "scene")


def state_counts(project_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """The number of tasks in each state, by project, in one query."""
    ids = list(project_ids)
    counts: dict[int, dict[str, int]] = {pk: dict.fromkeys(TaskState.values, 0) for pk in ids}
    rows = (
        Task.objects.filter(project__in=ids)
        .order_by()
        .values_list("project", "state")
        .annotate(n=Count("pk"))
    )
    for project_id, state, n in rows:
        counts[project_id][state] = n
    for row in counts.values():
        row["total"] = sum(row.values())
    return counts


def my_progress(project_ids: Sequence[int], user: User) -> dict[int, dict[str, Any]]:
    """By project: today's answers of ``user``, their mean active seconds, and how many tasks are
    left to take. Two queries, however many projects."""
    progress: dict[int, dict[str, Any]] = {
        pk: {"today": 0, "mean_active_seconds": None, "open": 0} for pk in project_ids
    }
    today = (
        Annotation.objects.filter(
            author=user,
            task__project__in=project_ids,
            withdrawn_at=None,
            created_at__gte=_start_of_day(),
        )
        .order_by()
        .values_list("task__project")
        .annotate(n=Count("pk"), mean=Avg("active_seconds"))
    )
    for project_id, n, mean in today:
        progress[project_id] |= {"today": n, "mean_active_seconds": round(mean, 1)}
    left = (
        _takeable(user)
        .filter(project__in=project_ids)
        .order_by()
        .values_list("project")
        .annotate(n=Count("pk"))
    )
    for project_id, n in left:
        progress[project_id]["open"] = n
    return progress


def _start_of_day() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def recent_of(project: Project, user: User, limit: int = 10) -> list[Annotation]:
    """The last answers of ``user`` in a project, newest first."""
    return list(
        Annotation.objects.filter(author=user, task__project=project)
        .select_related("task")
        .order_by("-id")[:limit]
    )


def held_by(project: Project, user: User) -> list[Assignment]:
    """The open leases of ``user`` in a project, oldest first."""
    return list(
        Assignment.objects.filter(
            annotator=user, task__project=project, state=AssignmentState.ACTIVE
        )
        .select_related("task", "suggestion")
        .order_by("id")
    )


def overdue(now: datetime, limit: int = 200) -> list[Assignment]:
    """Leases that ran out."""
    return list(
        Assignment.objects.filter(state=AssignmentState.ACTIVE, expires_at__lt=now)
        .order_by("expires_at")
        .only("pk", "task_id")[:limit]
    )


def waiting_in_vain(project: Project) -> QuerySet[Task]:
    """Tasks that wait for a suggestion that is not coming, oldest first: the site has had none for
    a while, the recognizer has refused work for 20 s or nobody has asked it for two minutes."""
    now = timezone.now()
    refused = OutboxEvent.objects.filter(handler="suggest").exclude(last_error="").exists()
    since = now - timedelta(seconds=20 if refused else 120)
    recent = Suggestion.objects.filter(
        capture__site=project.site_id, created_at__gte=now - timedelta(seconds=20)
    )
    return Task.objects.filter(
        ~Exists(recent), project=project, state=TaskState.NEW, created_at__lt=since
    ).order_by("-priority", "id")
