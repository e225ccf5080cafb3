"""What decisions teach the recognizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from annotator.captures.queries import captures_of_scene
from annotator.catalog.services import count_uses
from annotator.core import events
from annotator.labeling.models import Task
from annotator.labeling.states import TaskState
from annotator.suggestions import services as suggestions

from .models import Decision


def reteach(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``describer.changed``: every decided scene of the site is taught again."""
    for payload in payloads:
        decided = Task.objects.filter(project__site=payload["site"], state=TaskState.DECIDED)
        with transaction.atomic():
            for task, project in decided.values_list("pk", "project"):
                events.publish("decision.imported", task=task, project=project)


def teach(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``decision.made`` and ``decision.retracted``: the recognizer learns what a scene shows, or
    forgets it. What counts is how things stand now, so order and repetition do not matter."""
    projects: set[int] = set()
    for payload in payloads:
        task = Task.objects.select_related("project").filter(pk=payload["task"]).first()
        if task is None:
            continue
        decision = None
        if task.state == TaskState.DECIDED:
            decision = Decision.objects.filter(task=task, superseded_at=None).first()
        suggestions.learn_scene(
            site_id=task.project.site_id,
            captures=captures_of_scene(task.scene_id),
            sku_code=decision.sku_code or None if decision else None,
            caption=decision.caption if decision else "",
        )
        if decision and decision.sku_code and decision.source != Decision.Source.IMPORTED:
            count_uses(site_id=task.project.site_id, codes=[decision.sku_code])
        projects.add(task.project_id)
    with transaction.atomic():
        for project in projects:
            events.publish("scenes.taught", project=project)
