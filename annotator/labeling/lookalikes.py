"""Look-alikes: tasks that show the same thing, handed to one person to be answered in one go. Each is
a lease of its own and is answered by a submit of its own (ADR 18)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotator.accounts.models import Project, User
from annotator.captures.models import Capture
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key
from annotator.core.errors import Conflict, NotFound
from annotator.suggestions.models import Suggestion
from annotator.suggestions.queries import best_suggestion, embedding_of, suggested_views_of

from . import handout, policies, queries, sparing
from .leases import lease_end, queue_up, release
from .models import Assignment, Task

NEAR = 0.75
"""The least cosine between two pictures that look alike. On real photos it keeps 83% of the pairs
of one SKU and a third of those of different ones; that the machine is sure of the same SKU comes first."""
_GROUPS_LOOKED_AT = 5
_MEMBERS_LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class Grid:
    """Look-alikes that one person holds, in the order in which they are shown."""

    id: str
    sku: Sku | None
    assignments: Sequence[Assignment]


@dataclass(frozen=True, slots=True)
class _Member:
    task_id: int
    views: list[Capture]
    suggestion: Suggestion


def largest_near(vectors: NDArray[np.float32], *, near: float = NEAR, most: int) -> list[int]:
    """The places of the vectors [N, D], of length one, that lie near one of them, where they are the
    most; that one first, then by nearness, at most ``most``."""
    if not len(vectors):
        return []
    cosines = vectors @ vectors.T
    centre = int(np.argmax((cosines >= near).sum(axis=1)))
    order = [int(n) for n in np.argsort(-cosines[centre], kind="stable") if n != centre]
    return [centre, *(n for n in order if cosines[centre, n] >= near)][:most]


def offer(*, project: Project | int, annotator: User) -> tuple[Sku | None, int] | None:
    """The SKU and number of the look-alikes that :func:`take` would hand out; nothing is leased."""
    desk = _desk(project, annotator)
    if held := queries.grid_of(desk.project, annotator):
        return _sku_of(held), len(held)
    found = next(_alike(desk, annotator), None)
    return (_sku(desk.project, found[0]), len(found[1])) if found else None


def take(*, project: Project | int, annotator: User) -> Grid | None:
    """Look-alikes for ``annotator``, leased: those that they hold, else new ones. None when there
    are none; raises NotFound for a project that the annotator does not work in."""
    with transaction.atomic():
        queue_up(annotator)
        desk = _desk(project, annotator)
        if held := queries.grid_of(desk.project, annotator):
            _extend(held, desk.project)
            views = suggested_views_of(row.task.scene_id for row in held)
            for row in held:
                row.views = views[row.task.scene_id]
            return Grid(held[0].grid, _sku_of(held), held)
        for proposed, members in _alike(desk, annotator):
            ids = list(members)
            taken = handout.take_these(
                project_id=desk.project.pk, user_id=annotator.pk, task_ids=ids
            )
            if taken:
                held = _lease(taken, members, desk, annotator)
                return Grid(held[0].grid, _sku(desk.project, proposed), held)
    return None


def extend(*, project: Project | int, annotator: User, grid: str) -> datetime:
    """Keep the grid's leases. Raises Conflict when none is left."""
    with transaction.atomic():
        desk = _desk(project, annotator)
        held = queries.grid_of(desk.project, annotator, grid)
        if not held:
            raise Conflict("lease_expired")
        return _extend(held, desk.project)


def give_back(
    *,
    project: Project | int,
    annotator: User,
    grid: str,
    keep: Sequence[int] = (),
    knocked_out: Sequence[int] = (),
) -> int:
    """Release the leases of a grid but those to ``keep``, whose answers are on their way. What was
    ``knocked_out`` comes singly, to this person never in a grid again. Returns how many were released."""
    released = 0
    for row in queries.grid_of(_desk(project, annotator).project, annotator, grid):
        if row.pk in keep:
            continue
        kept = row.grid if row.pk in knocked_out else ""
        try:
            release(assignment=row, annotator=annotator, token=row.token, grid=kept)
        except Conflict:
            continue  # answered or expired meanwhile
        released += 1
    return released


def _desk(project: Project | int, annotator: User) -> queries.Desk:
    desk = queries.desk_of(project if isinstance(project, int) else project.pk, annotator)
    if desk is None:
        raise NotFound()
    return desk


def _alike(desk: queries.Desk, annotator: User) -> Iterator[tuple[str, Mapping[int, _Member]]]:
    """The groups of look-alikes that ``annotator`` may be handed, the first to be offered first."""
    project = desk.project
    if project.archived_at is not None or not project.lookalikes or project.boxes_required:
        return
    if desk.languages and project.language not in desk.languages:
        return
    mine: dict[str, Any] = {
        "project_id": project.pk,
        "user_id": annotator.pk,
        "categories": desk.categories,
    }
    for proposed in handout.groups(**mine, fewest=policies.FEWEST_ALIKE, most=_GROUPS_LOOKED_AT):
        rows = handout.members(**mine, proposed=proposed, most=_MEMBERS_LOOKED_AT)
        members = _sure_of(proposed, rows, project, annotator)
        vectors = np.array([_look(member) for member in members], np.float32)
        near = largest_near(vectors, most=policies.MOST_ALIKE)
        if len(near) >= policies.FEWEST_ALIKE:
            yield proposed, {members[n].task_id: members[n] for n in near}


def _sure_of(
    proposed: str, rows: Sequence[tuple[int, int]], project: Project, annotator: User
) -> list[_Member]:
    """The tasks whose suggestion, as it is now, is sure of the SKU, and is not withheld."""
    views = suggested_views_of(scene for _, scene in rows)
    found = []
    for task_id, scene in rows:
        suggestion = best_suggestion(views.get(scene, ()))
        top = suggestion.candidates[0] if suggestion and suggestion.candidates else None
        if (
            suggestion is not None
            and top is not None
            and top["confidence"] >= policies.SURE_FROM
            and code_key(top["sku_code"]) == proposed
            and not policies.is_withheld(task_id, of=annotator, project=project)
            and any(embedding_of(view) for view in views[scene])
        ):
            found.append(_Member(task_id, views[scene], suggestion))
    return found


def _look(member: _Member) -> NDArray[np.float32]:
    """How the suggested view looks, else the first that was described: a vector of length one."""
    views = sorted(member.views, key=lambda view: view.pk != member.suggestion.capture_id)
    packed = next(found for view in views if (found := embedding_of(view)))
    vector = np.frombuffer(packed, "<f2").astype(np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _lease(
    tasks: Sequence[Task], members: Mapping[int, _Member], desk: queries.Desk, annotator: User
) -> list[Assignment]:
    grid = secrets.token_hex(8)
    until = lease_end(desk.project)
    for task in tasks:
        task.project = desk.project
        suggestion = members[task.pk].suggestion
        sparing.consider(task, annotator, suggestion, skill=desk.skill, further=desk.third)
    rows = Assignment.objects.bulk_create(
        Assignment(
            task=task,
            annotator=annotator,
            token=secrets.token_hex(16),
            expires_at=until,
            suggestion=members[task.pk].suggestion,
            suggestion_shown=True,
            grid=grid,
        )
        for task in tasks
    )
    for row in rows:
        row.views = members[row.task_id].views
    return rows


def _extend(held: Sequence[Assignment], project: Project) -> datetime:
    until = lease_end(project)
    Assignment.objects.filter(pk__in=[row.pk for row in held], state="active").update(
        expires_at=until
    )
    for row in held:
        row.expires_at = until
    return until


def _sku(project: Project, key: str) -> Sku | None:
    return Sku.objects.filter(site=project.site_id, code_key=key).first()


def _sku_of(held: Sequence[Assignment]) -> Sku | None:
    suggestion = held[0].suggestion
    if suggestion is None or not suggestion.candidates:
        return None
    return _sku(held[0].task.project, code_key(suggestion.candidates[0]["sku_code"]))
