"""Which tasks a list shows and a bulk action touches: one meaning of a filter for both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from annotator.accounts.models import Project
from annotator.captures.queries import scenes_named
from annotator.catalog.queries import complete
from annotator.labeling.models import Task

from .models import Decision

_NUMBER = re.compile(r"#?(\d{1,18})$")
NAMED_LIMIT = 50
"""How many products a search by name may mean."""

ORDERINGS: dict[str, tuple[str, ...]] = {
    "newest": ("-id",),
    "oldest": ("id",),
    "decided_last": ("-decided_at", "-id"),
    "decided_first": ("decided_at", "id"),
}


def select_tasks(project: Project, wanted: Mapping[str, Any]) -> QuerySet[Task]:
    """The tasks of ``project`` with the given ``state``, ``priority`` (a name), ``batch`` (an id),
    ``source`` and ``sku`` of their decision, that ``search`` finds, or whose ids are in ``ids``.
    Absent keys mean any."""
    rows = Task.objects.filter(project=project)
    if "ids" in wanted:
        rows = rows.filter(pk__in=wanted["ids"])
    if wanted.get("state"):
        rows = rows.filter(state=wanted["state"])
    if wanted.get("priority"):
        rows = rows.filter(priority=Task.Priority[wanted["priority"].upper()])
    if wanted.get("batch"):
        rows = rows.filter(batch=wanted["batch"])
    decided = {
        column: wanted[key]
        for key, column in (("source", "source"), ("sku", "sku_code"))
        if wanted.get(key)
    }
    if decided:
        rows = rows.filter(
            pk__in=Decision.objects.filter(
                task__project=project, superseded_at=None, **decided
            ).values("task")
        )
    if text := (wanted.get("search") or "").strip():
        rows = rows.filter(pk__in=_found(project, text))
    if wanted.get("sort", "").startswith("decided"):
        rows = rows.filter(decided_at__isnull=False)
    return rows


def _found(project: Project, text: str) -> QuerySet[Any]:
    """Ids of tasks by number, by the name of their scene or picture, or by their decided product
    (code, name, barcode, pinyin). Each part has an index, so that no task is read that is not found."""
    tasks = Task.objects.filter(project=project)
    found = tasks.filter(scene__in=scenes_named(project.site_id, text)).values("pk")
    codes = [
        one.sku.code for one in complete(site_id=project.site_id, text=text, limit=NAMED_LIMIT)
    ]
    if codes:
        found = found.union(
            Decision.objects.filter(
                task__project=project, superseded_at=None, sku_code__in=codes
            ).values("task")
        )
    if number := _NUMBER.match(text):
        found = found.union(tasks.filter(pk=int(number[1])).values("pk"))
    return found
