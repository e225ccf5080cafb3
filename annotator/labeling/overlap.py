"""Changing how many answers the open tasks of a live project want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.core import events, jobs
from annotator.core.jobs import Progress
from annotator.core.models import Job

from . import queries
from .leases import count_places, lock_task
from .models import Task
from .states import OPEN_STATES, AssignmentState, TaskState

JOB = "follow_overlap"
SLICE = 500
_FOLLOWING = (TaskState.NEW, *OPEN_STATES)


def start_following(*, project: Project, actor: User) -> None:
    """``overlap.changed``: open tasks follow in the background."""
    jobs.start(kind=JOB, site_id=project.site_id, project_id=project.pk, params={}, actor=actor)


def follow_overlap(job: Job, progress: Progress) -> Mapping[str, Any]:
    """Bring every open task of the job's project to the project's overlap. Decided and disputed
    ones stay as they are. What a change in the meantime asks for is followed as well."""
    assert job.project_id is not None
    behind = queries.behind_overlap(job.project_id)
    progress.total(behind.count())
    after = int(progress.state.get("after", 0))
    followed = settled = 0
    while ids := list(behind.filter(pk__gt=after).values_list("pk", flat=True)[:SLICE]):
        closed = follow(project_id=job.project_id, task_ids=ids)
        followed, settled, after = followed + len(ids), settled + closed, ids[-1]
        progress.advance(len(ids), settled=closed)
        progress.checkpoint({"after": after})
    return {"followed": followed, "settled": settled}


def follow(*, project_id: int, task_ids: Sequence[int]) -> int:
    """Bring tasks to their project's overlap; returns how many had enough answers and were settled.
    Untouched ones in one statement, the others one by one under their lock."""
    overlap = Project.objects.values_list("overlap", flat=True).get(pk=project_id)
    untouched = Task.objects.filter(pk__in=task_ids, state__in=_FOLLOWING, had=",")
    untouched.update(overlap=overlap, places_left=overlap)
    touched = queries.behind_overlap(project_id).filter(pk__in=task_ids)
    return sum(_follow_one(pk, overlap) for pk in list(touched.values_list("pk", flat=True)))


def _follow_one(task_id: int, overlap: int) -> bool:
    with transaction.atomic():
        task = lock_task(task_id)
        if task.state not in _FOLLOWING:
            return False
        task.overlap = overlap
        enough = 0 < overlap <= task.answers and task.state == TaskState.LABELING
        if enough:
            _end_leases(task)
        count_places(task)
        task.save(update_fields=["overlap", "places_left", "had", "state"])
        if enough:
            events.publish("task.answered", task=task, answers=queries.standing(task))
    return enough


def _end_leases(task: Task) -> None:
    """Nobody waits for these answers any more: who still writes one is told when they submit."""
    active = task.assignments.filter(state=AssignmentState.ACTIVE)
    for person in active.values_list("annotator", flat=True):
        task.had = task.had.replace(f",{person},", ",", 1)
    active.update(state=AssignmentState.RELEASED, ended_at=timezone.now())
