"""Gold tasks: tasks whose answer is known, by which annotators are measured (ADR 30).

A gold task is a second task of its scene. It is opened together with ordinary ones, so that neither its
number nor its time tells it from them, and waits for its scene to be decided beyond doubt. The
queue does not know it: now and then it is handed out instead of what is next.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core import audit

from . import policies
from .models import Assignment, CarriedOver, Gold, Task
from .states import Action, TaskState, next_state

MOST_HAD = 240
"""So long ``Task.had`` may grow: some thirty people. Then the task has served."""


def twins_for(project: Project, tasks: Sequence[Task]) -> list[Task]:
    """Unsaved gold tasks for a random share of new tasks."""
    rate = project.rules.gold_rate
    return [_twin(task) for task in tasks if random.random() < rate]


def _twin(task: Task, **changes: Any) -> Task:
    return Task(
        project_id=task.project_id,
        scene_id=task.scene_id,
        state=TaskState.GOLD,
        overlap=task.overlap,
        places_left=0,
        priority=task.priority,
        batch_id=task.batch_id,
        due_at=task.due_at,
        **changes,
    )


def confirm(*, task: Task, fields: Mapping[str, Any], schema_version: int) -> Gold | None:
    """What a locked task was decided to be is beyond doubt: its gold task, where it has one, can be
    handed out."""
    twin = Task.objects.filter(
        project=task.project_id, scene=task.scene_id, state=TaskState.GOLD
    ).first()
    if twin is None or twin.pk == task.pk:
        return None
    return _know(twin, task, fields, schema_version)


def make(*, task: Task, fields: Mapping[str, Any], schema_version: int, actor: User) -> Gold:
    """Measure annotators by a decided task: it gets a gold task now, if it had none."""
    with transaction.atomic():
        of_scene = Task.objects.filter(
            project=task.project_id, scene=task.scene_id, state=TaskState.GOLD
        )
        twin = of_scene.first() or _in_unseen_place(task)
        gold = _know(twin, task, fields, schema_version)
        audit.record(action="gold.made", on=task, actor=actor, site_id=task.project.site_id)
    return gold


_UNSEEN_LOOKED_AT = 500


def _in_unseen_place(task: Task) -> Task:
    """A gold task of ``task``'s scene that takes the row of a task that nobody has seen, drawn by chance;
    what was to be labeled there is opened under the next number. So late numbers are of ordinary tasks,
    and a gold task of an old photo has any number. Where all were seen it gets the next one."""
    twin = _twin(task)
    seen = Assignment.objects.filter(task=OuterRef("pk"))
    unseen = Task.objects.filter(
        ~Exists(seen), project=task.project_id, state__in=(TaskState.NEW, TaskState.READY), had=","
    )
    ids = list(unseen.order_by("pk").values_list("pk", flat=True)[:_UNSEEN_LOOKED_AT])
    locked = unseen.select_for_update(skip_locked=True, of=("self",))
    place = locked.filter(pk=random.choice(ids)).first() if ids else None
    if place is None:
        twin.save()
        return twin
    columns = [f.attname for f in Task._meta.concrete_fields if not f.primary_key]
    moved = Task(**{name: getattr(place, name) for name in columns})
    twin.pk, twin.created_at, twin.shuffle = place.pk, place.created_at, place.shuffle
    twin.save(force_update=True)
    moved.save()
    Task.objects.filter(pk=moved.pk).update(created_at=place.created_at)
    CarriedOver.objects.filter(task=twin).update(task=moved)
    audit.record(action="task.opened", on=moved, site_id=task.project.site_id, place_of=place.pk)
    return twin


def _know(twin: Task, origin: Task, fields: Mapping[str, Any], schema_version: int) -> Gold:
    """Nobody who answered or judged the origin is asked again."""
    had = {person for task in (twin, origin) for person in task.had.split(",") if person}
    had |= {str(pk) for pk in origin.annotations.values_list("author", flat=True)}
    twin.had = f",{','.join(sorted(had))}," if had else ","
    twin.save(update_fields=["had"])
    gold, _ = Gold.objects.update_or_create(
        task=twin,
        defaults={
            "origin": origin,
            "fields": dict(fields),
            "schema_version": schema_version,
            "retired_at": None,
        },
    )
    return gold


def retire(*, task: Task, actor: User | None = None) -> int:
    """Measure nobody further by the gold task of ``task``'s scene; returns whether there was one."""
    with transaction.atomic():
        rows = Gold.objects.filter(project_and_scene(task), retired_at=None)
        retired = rows.update(retired_at=timezone.now())
        if retired:
            audit.record(action="gold.retired", on=task, actor=actor, site_id=task.project.site_id)
    return retired


def is_measured_by(task: Task) -> bool:
    """Whether annotators are measured by what ``task`` was decided to be."""
    return Gold.objects.filter(project_and_scene(task), retired_at=None).exists()


def project_and_scene(task: Task) -> Q:
    """The gold task of a task's scene."""
    return Q(task__project=task.project_id, task__scene=task.scene_id)


def open_to(project_ids: Iterable[int], user: User) -> QuerySet[Gold]:
    """The gold tasks by which ``user`` may still be measured."""
    return Gold.objects.filter(
        ~Q(task__had__contains=f",{user.pk},"),
        task__project__in=list(project_ids),
        retired_at=None,
    )


def left_for(project_ids: Iterable[int], user: User) -> dict[int, int]:
    """Their number by project."""
    rows = open_to(project_ids, user).order_by().values_list("task__project")
    return dict(rows.annotate(n=Count("pk")))


def take(project: Project, user: User) -> Task | None:
    """Lease a gold task to ``user``, under its row lock; None when there is none for them. Must run
    in a transaction."""
    ids = list(open_to([project.pk], user).values_list("task", flat=True)[:500])
    random.shuffle(ids)
    rows = Task.objects.select_for_update(skip_locked=True, of=("self",))
    for pk in ids[:5]:
        task = rows.filter(~Q(had__contains=f",{user.pk},"), pk=pk).first()
        if task is None:
            continue
        if len(task.had) > MOST_HAD:
            Gold.objects.filter(task=task).update(retired_at=timezone.now())
            continue
        policies.check_transition(task, Action.LEASE, Role.ANNOTATOR)
        task.had += f"{user.pk},"
        task.save(update_fields=["had"])
        return task
    return None


assert next_state(TaskState.GOLD, Action.LEASE) == TaskState.GOLD
