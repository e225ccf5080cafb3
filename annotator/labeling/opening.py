"""Opening tasks for the scenes that are offered to a project."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Q

from annotator.accounts.models import Project
from annotator.captures.models import Capture, Scene
from annotator.core import audit
from annotator.core.errors import Conflict
from annotator.suggestions.models import CaptureSuggestion, SuggestionState

from . import batches, gold
from .models import Batch, CarriedOver, Task
from .services import prepare
from .states import ORDINARY, TaskState


def open_tasks(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``capture.offered``: each scene has a task in its project, in ``batch`` when it is new. The
    publisher holds the site's lock, so nobody else opens the same tasks."""
    offered: dict[tuple[int, int | None], dict[int, int]] = {}
    for payload in payloads:
        to = (payload["project"], payload.get("batch"))
        offered.setdefault(to, {})[payload["scene"]] = payload["capture"]
    for (project_id, batch), captures in offered.items():
        _open(Project.objects.get(pk=project_id), captures, batch)


def check_destination(*, project: Project, batch: int | None) -> None:
    """``intake.asked``: raises Conflict for an archived project, Invalid for another's batch."""
    _destination(project, batch)


def _destination(project: Project, batch: int | None) -> Batch | None:
    """The batch of ``project`` that photos go to."""
    if project.archived_at is not None:
        raise Conflict("project_archived")
    return batches.batch_of_offer(project, batch)


def _open(project: Project, captures: Mapping[int, int], batch: int | None) -> None:
    """``captures``: the offered capture of each scene."""
    start = batches.on_new_task(_destination(project, batch))
    open_already = set(
        Task.objects.filter(project=project, scene__in=captures, state__in=ORDINARY).values_list(
            "scene", flat=True
        )
    )
    new = [scene for scene in captures if scene not in open_already]
    if project.label_duplicates_once:
        duplicates = _only_duplicates(new)
        _create(project, [scene for scene in new if scene not in duplicates], captures, start)
        _create(project, _first_of_groups(project, duplicates), captures, start)
        _carry_over(project, duplicates)
    else:
        _create(project, new, captures, start)
    spoken_of = CaptureSuggestion.objects.filter(
        capture__scene__in=captures, state__in=(SuggestionState.DONE, SuggestionState.FAILED)
    )
    waiting = Task.objects.filter(
        project=project, state=TaskState.NEW, scene__in=spoken_of.values("capture__scene")
    )
    for task_id in waiting.values_list("pk", flat=True):
        prepare(task_id)


def _create(
    project: Project,
    scenes: Sequence[int],
    captures: Mapping[int, int],
    start: Mapping[str, Any],
) -> None:
    ordinary = [
        Task(
            project=project,
            scene_id=scene,
            overlap=project.overlap,
            places_left=project.overlap,
            **start,
        )
        for scene in scenes
    ]
    tasks = ordinary + gold.twins_for(project, ordinary)
    random.shuffle(tasks)  # or a gold task would be known by its number
    Task.objects.bulk_create(tasks)
    audit.record_each(
        action="task.opened",
        on=((task, {"capture": captures[task.scene_id]}) for task in tasks),
        site_id=project.site_id,
    )
    # A scene that was carried over and has got a view of its own.
    CarriedOver.objects.filter(project=project, scene__in=scenes).delete()


def _only_duplicates(scenes: Sequence[int]) -> dict[int, int]:
    """Those of ``scenes`` whose every view near-duplicates another scene's, with their group."""
    views = Capture.objects.filter(scene__in=scenes)
    own = set(
        views.filter(Q(duplicate_of__isnull=True) | Q(duplicate_of__scene=F("scene"))).values_list(
            "scene", flat=True
        )
    )
    grouped = Scene.objects.filter(pk__in=set(scenes) - own, group__isnull=False)
    rows = grouped.order_by("pk").values_list("pk", "group")
    return {scene: group for scene, group in rows if group is not None}


def _tasks_of(project: Project, groups: Iterable[int]) -> dict[int, tuple[int, int]]:
    """The first task of each group in a project, with its scene."""
    rows = Task.objects.filter(
        project=project, scene__group__in=set(groups), state__in=ORDINARY
    ).order_by("-pk")
    return {
        group: (task, scene)
        for group, task, scene in rows.values_list("scene__group", "pk", "scene")
        if group is not None
    }


def _first_of_groups(project: Project, scenes: Mapping[int, int]) -> list[int]:
    """The first scene of each group that has no task in the project: the original is not in it."""
    tasks = _tasks_of(project, scenes.values())
    first: dict[int, int] = {}
    for scene, group in scenes.items():
        if group not in tasks:
            first.setdefault(group, scene)
    return list(first.values())


def _carry_over(project: Project, scenes: Mapping[int, int]) -> None:
    """Link each scene to the first task of its group."""
    tasks = _tasks_of(project, scenes.values())
    CarriedOver.objects.bulk_create(
        [
            CarriedOver(project=project, scene_id=scene, task_id=tasks[group][0])
            for scene, group in scenes.items()
            if tasks[group][1] != scene
        ],
        ignore_conflicts=True,
    )
