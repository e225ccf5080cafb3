"""What an admin does to many tasks at once, as a job: in slices, each in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core import audit, jobs
from annotator.core.errors import FieldError, Invalid
from annotator.core.models import Job
from annotator.labeling.batches import assign_batch, batch_of_offer
from annotator.labeling.models import NEVER, Batch, Task
from annotator.labeling.services import take_transition
from annotator.labeling.states import ORDINARY, Action, TaskState, may_take

from .selection import select_tasks

KIND = "bulk_tasks"
SLICE = 200
UNTOUCHED = (TaskState.NEW, TaskState.READY)

Apply = Callable[[Sequence[Task], Mapping[str, Any], User | None], list[Task]]


def start_bulk(
    *, project: Project, action: str, wanted: Mapping[str, Any], value: Any, actor: User
) -> Job:
    """Start ``action`` on the tasks that ``wanted`` selects. Raises Invalid for a value that the
    action cannot use."""
    params: dict[str, Any] = {"action": action, "wanted": dict(wanted)}
    if action == "priority":
        if value not in Task.Priority.names and str(value).upper() not in Task.Priority.names:
            raise Invalid([FieldError("value", "bad_attribute", {"key": action, "value": value})])
        params["value"] = str(value).upper()
    elif action == "move":
        target = Project.objects.filter(
            site=project.site_id, pk=value, archived_at__isnull=True
        ).first()
        if target is None or target.pk == project.pk:
            raise Invalid([FieldError("value", "bad_attribute", {"key": action, "value": value})])
        params["value"] = target.pk
    elif action == "batch":
        batch = batch_of_offer(project, value)
        params["value"] = batch.pk if batch else None
    return jobs.start(
        kind=KIND, site_id=project.site_id, project_id=project.pk, params=params, actor=actor
    )


def run_bulk(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job. Tasks in a state that does not allow the action are left alone and counted."""
    assert job.project_id is not None
    project = Project.objects.get(pk=job.project_id)
    apply = _ACTIONS[job.params["action"]]
    rows = select_tasks(project, job.params["wanted"]).order_by("pk")
    last = progress.state.get("last", 0)
    if not last:
        progress.total(rows.count())
    actor = job.created_by
    while ids := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:SLICE]):
        with transaction.atomic():
            tasks = list(
                Task.objects.select_for_update(of=("self",))
                .select_related("project")
                .filter(pk__in=ids, project=project)
                .order_by("pk")
            )
            changed = apply(tasks, job.params, actor)
        last = ids[-1]
        progress.advance(len(ids), changed=len(changed), left_alone=len(ids) - len(changed))
        progress.checkpoint({"last": last})
    return {}


def _prioritise(tasks: Sequence[Task], params: Mapping[str, Any], actor: User | None) -> list[Task]:
    priority = Task.Priority[params["value"]]
    settled = (TaskState.DECIDED, TaskState.REJECTED)
    changed = [t for t in tasks if t.state not in settled and t.priority != priority]
    for task in changed:
        task.priority = priority
    Task.objects.bulk_update(changed, ["priority"])
    _record("task.priority", changed, actor, priority=int(priority))
    return changed


def _reject(tasks: Sequence[Task], params: Mapping[str, Any], actor: User | None) -> list[Task]:
    """Set aside what nobody has begun."""
    changed = [t for t in tasks if may_take(t.state, Action.REJECT, Role.ADMIN)]
    for task in changed:
        take_transition(task, Action.REJECT, actor=Role.ADMIN)
        task.places_left = 0
    Task.objects.bulk_update(changed, ["state", "places_left"])
    _record("task.rejected", changed, actor, reason="bulk")
    return changed


def _move(tasks: Sequence[Task], params: Mapping[str, Any], actor: User | None) -> list[Task]:
    """Put what nobody has begun into another project of the site, which may not have it yet."""
    target = Project.objects.get(pk=params["value"])
    there = set(
        Task.objects.filter(
            project=target, scene__in=[t.scene_id for t in tasks], state__in=ORDINARY
        ).values_list("scene", flat=True)
    )
    changed = [
        t
        for t in tasks
        if t.state in UNTOUCHED and t.scene_id not in there and not (t.answers or t.skips)
    ]
    for task in changed:
        task.project = target
        task.overlap = task.places_left = target.overlap
        task.batch, task.due_at, task.on_hold = None, NEVER, False
    Task.objects.bulk_update(
        changed, ["project", "overlap", "places_left", "batch", "due_at", "on_hold"]
    )
    _record("task.moved", changed, actor, project=target.pk)
    return changed


def _put_in_batch(
    tasks: Sequence[Task], params: Mapping[str, Any], actor: User | None
) -> list[Task]:
    """Put tasks into a batch; without one, out of theirs."""
    batch = Batch.objects.filter(pk=params["value"]).first() if params["value"] else None
    if batch is None and params["value"]:
        return []  # it has gone meanwhile
    changed = [t for t in tasks if t.batch_id != params["value"]]
    rows = Task.objects.filter(pk__in=[t.pk for t in changed])
    assign_batch(tasks=rows, batch=batch, actor=actor)
    return changed


_ACTIONS: dict[str, Apply] = {
    "priority": _prioritise,
    "reject": _reject,
    "move": _move,
    "batch": _put_in_batch,
}
ACTIONS = tuple(_ACTIONS)


def _record(action: str, tasks: Sequence[Task], actor: User | None, **data: Any) -> None:
    audit.record_many(
        action=action,
        on=tasks,
        actor=actor,
        site_id=tasks[0].project.site_id if tasks else None,
        **data,
    )
