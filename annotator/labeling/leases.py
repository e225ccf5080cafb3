"""Leases: handing tasks out, keeping, extending and ending what people hold."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from annotator.accounts.models import Project, Site, User
from annotator.accounts.states import Role, WithholdMode
from annotator.core.errors import Conflict, EditConflict, NotFound
from annotator.suggestions.queries import best_suggestion, suggested_views

from . import gold, handout, policies, queries, sparing
from .models import Assignment, Task, Turn
from .states import HOLDING, SYSTEM, Action, Actor, AssignmentState, TaskState, next_state

# The last tasks may be in the hands of others for a moment, who leave a place on them. They are not
# waited for by their locks: two who wait so would hold what the other wants.
_TRIES = 20
_TRY_AGAIN_S = 0.01


def take_transition(task: Task, action: Action, *, actor: Actor = SYSTEM) -> None:
    """Move a locked task along the table; the caller saves it."""
    policies.check_transition(task, action, actor)
    state = next_state(task.state, action)
    assert state is not None
    task.state = state
    if state == TaskState.DECIDED:
        task.decided_at = timezone.now()
    elif state in (TaskState.DISPUTED, TaskState.LABELING):
        task.decided_at = None


def lock_task(task_id: int) -> Task:
    """The task under a row lock, with its project. Whoever counts its children holds this."""
    return Task.objects.select_for_update(of=("self",)).select_related("project").get(pk=task_id)


def next_assignment(
    *, project: Project | int, annotator: User, exclude: Sequence[int] = ()
) -> Assignment | None:
    """The next task for ``annotator``, leased. An open lease that the page does not know of
    (``exclude``) is given back first, so that a reload resumes. None when nothing is left or the
    project is archived; raises NotFound for a project that the annotator does not work in."""
    with transaction.atomic():
        queue_up(annotator)
        desk = queries.desk_of(_id_of(project), annotator)
        if desk is None:
            raise NotFound()
        if desk.project.archived_at is not None:
            return None
        if desk.paused is not None:
            raise Conflict("paused", reason=desk.paused)
        if (resumed := _resume(desk.held, exclude)) is not None:
            return resumed
        return None if len(desk.held) >= policies.MAX_HELD else _hand_out(desk, annotator)


def next_on_site(
    *, site: Site | int, annotator: User, exclude: Sequence[int] = ()
) -> Assignment | None:
    """The next task for ``annotator`` from the site's projects, which take turns by their shares.
    One without work for this person gives its turn away."""
    with transaction.atomic():
        queue_up(annotator)
        held = queries.held_on(_id_of(site), annotator)
        if (resumed := _resume(held, exclude)) is not None:
            return resumed
        if len(held) >= policies.MAX_HELD:
            return None
        shares, passed = queries.turns_on(_id_of(site), annotator)
        for project_id, then in policies.in_turn(shares, passed).items():
            desk = queries.desk_of(project_id, annotator)
            if (
                desk is not None
                and desk.paused is None
                and (assignment := _hand_out(desk, annotator)) is not None
            ):
                Turn.objects.update_or_create(
                    annotator=annotator, project_id=project_id, defaults={"passed": then}
                )
                return assignment
    return None


def _id_of(row: Model | int) -> int:
    return row if isinstance(row, int) else row.pk


def queue_up(annotator: User) -> None:
    """One person's requests wait for each other: two tabs cannot both pass the limit. SQLite has
    one writer anyway. A key lock would stop what refers to the person; this one does not."""
    if connection.features.has_select_for_update:
        User.objects.select_for_update(no_key=True).only("pk").get(pk=annotator.pk)


def _resume(held: Sequence[int], exclude: Sequence[int]) -> Assignment | None:
    """The oldest open lease that the page does not know of, extended."""
    unknown = [pk for pk in held if pk not in exclude]
    if not unknown:
        return None
    rows = Assignment.objects.select_related("task__project", "suggestion")
    assignment = rows.get(pk=unknown[0])
    assignment.expires_at = _extended(assignment)
    assignment.save(update_fields=["expires_at"])
    return assignment


def _hand_out(desk: queries.Desk, annotator: User) -> Assignment | None:
    project = desk.project
    if desk.languages and project.language not in desk.languages:
        return None

    mine: dict[str, Any] = {
        "project_id": project.pk,
        "user_id": annotator.pk,
        "categories": desk.categories,
    }
    if random.random() < desk.gold_rate and handout.any_left(**mine):
        known = gold.take(project, annotator)
        if known is not None:
            known.project = project
            return _lease(known, annotator, desk)
    for _ in range(_TRIES):
        at_random = random.random() < project.random_share
        task = handout.take(**mine, at_random=at_random)
        if task is not None or not handout.any_left(**mine):
            break
        time.sleep(_TRY_AGAIN_S)
    if task is None and not desk.categories:
        task = _one_without_suggestion(project, annotator)
    if task is None:
        return None
    task.project = project
    if desk.third and task.overlap == project.overlap:
        task.overlap, task.places_left = task.overlap + 1, task.places_left + 1
        task.save(update_fields=["overlap", "places_left"])
    return _lease(task, annotator, desk)


def _one_without_suggestion(project: Project, annotator: User) -> Task | None:
    """When nothing is ready, a task whose suggestion is late: better no guess than no work."""
    task = queries.waiting_in_vain(project).select_for_update(skip_locked=True).first()
    if task is not None:
        take_transition(task, Action.PREPARE)
        take_transition(task, Action.LEASE, actor=Role.ANNOTATOR)
        task.places_left -= 1
        task.had += f"{annotator.pk},"
        task.save(update_fields=["state", "places_left", "had"])
    return task


def _lease(task: Task, annotator: User, desk: queries.Desk) -> Assignment:
    views = suggested_views(task.scene_id)
    suggestion = best_suggestion(views)
    sparing.consider(task, annotator, suggestion, skill=desk.skill, further=desk.third)
    token = secrets.token_hex(16)
    sampled = policies.is_withheld(task.pk, of=annotator, project=task.project)
    delayed = sampled and task.project.withhold_mode == WithholdMode.DELAYED
    assignment = Assignment.objects.create(
        task=task,
        annotator=annotator,
        token=token,
        expires_at=lease_end(task.project),
        suggestion=suggestion,
        suggestion_shown=suggestion is not None and not sampled,
        suggestion_delayed=suggestion is not None and delayed,
    )
    assignment.views = views
    return assignment


def lease_end(project: Project) -> datetime:
    return timezone.now() + timedelta(seconds=project.lease_seconds)


def _extended(assignment: Assignment) -> datetime:
    """The end of a lease from now on. What was returned to its author waits longer than that."""
    end = lease_end(assignment.task.project)
    return max(end, assignment.expires_at) if assignment.returned_at else end


def hold(*, assignment: Assignment | int, annotator: User, token: str) -> Assignment:
    """The assignment under the lock of its task, which ``annotator`` holds with ``token``. Raises
    NotFound for another's, Conflict for a lost lease."""
    row = queries.own_with_locked_task(_id_of(assignment), annotator)
    if row is None:
        raise NotFound()
    policies.check_holds(row, user=annotator, token=token)
    return row


def save_draft(
    *,
    assignment: Assignment | int,
    annotator: User,
    token: str,
    draft: Mapping[str, Any],
    version: int | None = None,
) -> Assignment:
    """Keep what was typed so far and extend the lease. Raises Conflict for a lost lease,
    EditConflict when ``version`` is not the kept one (a second tab wrote)."""
    with transaction.atomic():
        row = _own(assignment, annotator, token)
        if version is not None and version != row.draft_version:
            raise EditConflict()
        row.draft = dict(draft)
        row.draft_version += 1
        row.expires_at = _extended(row)
        row.save(update_fields=["draft", "draft_version", "expires_at"])
    return row


def extend(*, assignment: Assignment | int, annotator: User, token: str) -> Assignment:
    """Extend the lease of somebody who reads but does not type. Raises Conflict for a lost one."""
    with transaction.atomic():
        row = _own(assignment, annotator, token)
        row.expires_at = _extended(row)
        row.save(update_fields=["expires_at"])
    return row


def reveal(*, assignment: Assignment | int, annotator: User, token: str) -> Assignment:
    """Give a delayed suggestion away; again, where it was given before. Raises Conflict before it is
    due, for one that is withheld and for a lost lease."""
    with transaction.atomic():
        row = _own(assignment, annotator, token)
        if not row.suggestion_shown:
            policies.check_may_reveal(row, now=timezone.now())
            row.suggestion_shown = True
            row.save(update_fields=["suggestion_shown"])
    return row


def _own(assignment: Assignment | int, annotator: User, token: str) -> Assignment:
    """The held assignment under its own lock, for what leaves the task alone."""
    rows = queries.own_assignment(_id_of(assignment), annotator)
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound()
    policies.check_holds(row, user=annotator, token=token)
    return row


def release(*, assignment: Assignment | int, annotator: User, token: str, **changes: Any) -> None:
    """Give a task back unanswered. One whose answer was returned stays with its author. ``changes``
    are written on the ended lease."""
    with transaction.atomic():
        row = hold(assignment=assignment, annotator=annotator, token=token)
        if row.returned_at is not None:
            row.expires_at = timezone.now() + policies.RETURNED_LEASE
            row.save(update_fields=["expires_at"])
            return
        end_lease(row, AssignmentState.RELEASED, **changes)
        free_place(row.task, of=annotator.pk)


def expire_leases(*, now: datetime) -> int:
    """End the leases that ran out before ``now``; their tasks are offered again."""
    ended = 0
    while stale := queries.overdue(now):
        for row in stale:
            with transaction.atomic():
                task = lock_task(row.task_id)
                overdue = Assignment.objects.filter(
                    pk=row.pk, state=AssignmentState.ACTIVE, expires_at__lt=now
                )
                if overdue.update(state=AssignmentState.EXPIRED, ended_at=timezone.now()):
                    free_place(task, of=row.annotator_id)
                    ended += 1
    return ended


def end_lease(assignment: Assignment, state: AssignmentState, **changes: Any) -> None:
    """End a lease that was read as active. The read may be older than the lock on the task, so the
    write itself checks that it still is; raises Conflict when it is not."""
    still = Assignment.objects.filter(
        pk=assignment.pk, state=AssignmentState.ACTIVE, token=assignment.token
    )
    if not still.update(state=state, ended_at=timezone.now(), **changes):
        ended = Assignment.objects.get(pk=assignment.pk).state == AssignmentState.EXPIRED
        raise Conflict("lease_expired" if ended else "stale_token")


def free_place(task: Task, *, of: int) -> None:
    """Offer the place of ``of``, whose lease has ended, to whoever comes next, them included."""
    task.had = task.had.replace(f",{of},", ",", 1)
    count_places(task)
    task.save(update_fields=["places_left", "had", "state"])


def count_places(task: Task) -> None:
    """Set the places left on a locked task by who holds it, and whether it waits untouched; the
    caller saves it. More people may hold it than a lowered overlap asks for."""
    holding = holding_of(task)
    task.places_left = max(0, task.overlap - holding)
    if not holding and task.state == TaskState.LABELING:
        take_transition(task, Action.VACATE)


def holding_of(task: Task) -> int:
    """How many places of a locked task are taken up."""
    return task.assignments.filter(state__in=HOLDING).count()
