"""Batches: a named set of tasks with a due date. What the queue needs of it is copied to its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.core import audit
from annotator.core.errors import EditConflict, FieldError, Invalid

from .models import NEVER, Batch, Task
from .states import ORDINARY, TaskState

PACE_DAYS = 7
SETTLED = (TaskState.DECIDED, TaskState.REJECTED)


def create_batch(*, project: Project, actor: User, **settings: Any) -> Batch:
    """A new, empty batch. Raises Invalid when the project has one of that name."""
    with transaction.atomic():
        project = Project.objects.select_for_update().get(pk=project.pk)
        batch = Batch(project=project, **settings)
        _check_name(batch)
        batch.save()
        audit.record(
            action="batch.created",
            on=batch,
            actor=actor,
            site_id=project.site_id,
            name=batch.name,
        )
    return batch


def change_batch(
    *, batch: Batch, changes: Mapping[str, Any], actor: User, version: int | None = None
) -> Batch:
    """Apply settings to a batch and its tasks. Raises EditConflict when ``version`` is old."""
    with transaction.atomic():
        batch = (
            Batch.objects.select_for_update(of=("self",)).select_related("project").get(pk=batch.pk)
        )
        if version is not None and version != batch.version:
            raise EditConflict()
        for key, value in changes.items():
            setattr(batch, key, value)
        _check_name(batch)
        batch.version += 1
        batch.save()
        if {"due_at", "priority", "state"} & set(changes):
            _open(Task.objects.filter(batch=batch)).update(**_on_tasks(batch))
        audit.record(
            action="batch.changed",
            on=batch,
            actor=actor,
            site_id=batch.project.site_id,
            after={key: str(value) for key, value in changes.items()},
        )
    return batch


def assign_batch(*, tasks: QuerySet[Task], batch: Batch | None, actor: User | None) -> int:
    """Put tasks into ``batch``, or with None out of theirs. Tasks of other projects are left alone.
    Returns how many were. Due date, priority and hold reach open tasks at once."""
    with transaction.atomic():
        if batch is not None:
            # Whoever changes the batch meanwhile waits, so that its tasks get what it says.
            batch = (
                Batch.objects.select_for_update(of=("self",))
                .select_related("project")
                .get(pk=batch.pk)
            )
            tasks = tasks.filter(project=batch.project_id)
        ids = list(tasks.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(ids), 500):
            some = Task.objects.filter(pk__in=ids[start : start + 500])
            some.update(batch=batch)
            _open(some).update(**_on_tasks(batch))
        if ids and batch is not None:
            audit.record(
                action="batch.filled",
                on=batch,
                actor=actor,
                site_id=batch.project.site_id,
                tasks=len(ids),
            )
    return len(ids)


def batch_of_offer(project: Project, batch: int | None) -> Batch | None:
    """The batch that photos are offered to. Raises Invalid for another project's."""
    if batch is None:
        return None
    row = Batch.objects.filter(pk=batch, project=project).first()
    if row is None:
        raise Invalid([FieldError("batch", "batch_of_other_project", {"batch": batch})])
    return row


def batch_named(project: Project, name: str) -> Batch:
    """The batch of that name. Raises Invalid when the project has none."""
    row = Batch.objects.filter(project=project, name=name).first()
    if row is None:
        raise Invalid([FieldError("batch", "batch_unknown", {"name": name})])
    return row


def on_new_task(batch: Batch | None) -> dict[str, Any]:
    """What a task that is opened in ``batch`` starts with."""
    return {"batch": batch, **_on_tasks(batch)} if batch else {}


def batches_of(project: Project) -> list[Batch]:
    """The batches of a project: open, paused, closed; among them the one due first, first."""
    order = {state: n for n, state in enumerate(Batch.State.values)}
    rows = Batch.objects.filter(project=project).order_by("-pk")[:500]
    return sorted(rows, key=lambda b: (order[b.state], b.due_at or NEVER, -b.pk))


def progress_of(batches: Sequence[Batch]) -> dict[int, dict[str, Any]]:
    """By batch: its tasks by state, how many were decided a day over the last week (or since it
    was made), and when the rest will be at that pace. One query, however many batches."""
    now = timezone.now()
    recent = now - timedelta(days=PACE_DAYS)
    rows = (
        Task.objects.filter(batch__in=batches, state__in=ORDINARY)
        .order_by()
        .values("batch", "state")
        .annotate(
            n=Count("pk"),
            recent=Count("pk", filter=Q(decided_at__gte=recent)),
        )
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        counts = found.setdefault(row["batch"], {"states": dict.fromkeys(TaskState.values, 0)})
        counts["states"][row["state"]] = row["n"]
        counts["recent"] = counts.get("recent", 0) + row["recent"]
    progress = {}
    for batch in batches:
        counts = found.get(batch.pk, {"states": dict.fromkeys(TaskState.values, 0)})
        states = counts["states"]
        total = sum(states.values())
        done = sum(states[state] for state in SETTLED)
        days = min(float(PACE_DAYS), max((now - batch.created_at) / timedelta(days=1), 1 / 24))
        pace = counts.get("recent", 0) / days
        done_by = now + timedelta(days=(total - done) / pace) if pace and total > done else None
        progress[batch.pk] = {
            "counts": {**states, "total": total},
            "done": done,
            "per_day": round(pace, 1) if pace else None,
            "done_by": done_by,
            "late": bool(batch.due_at and total > done and (done_by or now) > batch.due_at),
        }
    return progress


def _open(tasks: QuerySet[Task]) -> QuerySet[Task]:
    return tasks.exclude(state__in=SETTLED)


def _on_tasks(batch: Batch | None) -> dict[str, Any]:
    if batch is None:
        return {"due_at": NEVER, "on_hold": False}
    return {
        "due_at": batch.due_at or NEVER,
        "on_hold": batch.state != Batch.State.OPEN,
        "priority": batch.priority,
    }


def _check_name(batch: Batch) -> None:
    others = Batch.objects.filter(project=batch.project_id, name=batch.name).exclude(pk=batch.pk)
    if others.exists():
        raise Invalid([FieldError("name", "name_taken", {"name": batch.name})])
