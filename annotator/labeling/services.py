"""Handing out tasks and taking in answers: lock, check, change, audit, publish, in that order."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Membership, Project, User
from annotator.accounts.states import Role
from annotator.captures.models import Capture
from annotator.captures.queries import captures_of_scene
from annotator.catalog.queries import skus_by_code
from annotator.core import audit, events
from annotator.core.errors import Conflict, EditConflict, FieldError, Invalid
from annotator.suggestions import services as suggestions
from annotator.suggestions.models import CaptureSuggestion, SuggestionState
from annotator.suggestions.queries import current_suggestion

from . import policies, queries
from .answers import Answer, check_answer
from .models import Annotation, Assignment, Task
from .schemas import schema_of
from .states import SYSTEM, Action, Actor, AssignmentState, SkipReason, TaskState, next_state

MAX_SKIPS = 2
MAX_ACTIVE_SECONDS = 86_400.0


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


# --- the life of a task before anybody sees it -------------------------------------------------


def open_task(*, capture: int, scene: int, project: int) -> None:
    """``capture.offered``: the scene has a task in the project."""
    owner = Project.objects.get(pk=project)
    task, created = Task.objects.get_or_create(
        project=owner,
        scene_id=scene,
        defaults={"overlap": owner.overlap, "places_left": owner.overlap},
    )
    if created:
        audit.record(action="task.opened", on=task, site_id=owner.site_id, capture=capture)
    done = CaptureSuggestion.objects.filter(
        capture__scene=scene, state__in=(SuggestionState.DONE, SuggestionState.FAILED)
    )
    if task.state == TaskState.NEW and done.exists():
        _prepare(task.pk)


def prepare_tasks(*, scene: int, confidence: float) -> None:
    """``suggestion.stored``: tasks of the scene may be handed out. The less sure the machine is,
    the more an answer is worth."""
    for task_id in Task.objects.filter(scene=scene, state=TaskState.NEW).values_list(
        "pk", flat=True
    ):
        _prepare(task_id, value=round(1.0 - confidence, 4))


def _prepare(task_id: int, value: float | None = None) -> None:
    task = lock_task(task_id)
    if task.state == TaskState.NEW:
        take_transition(task, Action.PREPARE)
        task.value = task.value if value is None else value
        task.save(update_fields=["state", "value"])


def refresh_suggestions(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``decision.made``: what was just learned reaches the tasks that come next."""
    for payload in payloads:
        scenes = (
            Task.objects.filter(
                project=payload["project"],
                state__in=(TaskState.READY, TaskState.LABELING),
                places_left__gt=0,
            )
            .order_by("-priority", "-answers", "-value", "id")
            .values_list("scene", flat=True)[:48]
        )
        captures = Capture.objects.filter(
            scene__in=list(scenes), image__description__isnull=False
        ).select_related("image")
        suggestions.suggest(list(captures), only_changes=True)


# --- leases -----------------------------------------------------------------------------------


def next_assignment(
    *, project: Project, annotator: User, exclude: Sequence[int] = ()
) -> Assignment | None:
    """The next task for ``annotator``, leased. An open lease that the page does not know of
    (``exclude``) is given back first, so that a reload resumes. None when nothing is left."""
    with transaction.atomic():
        # One person's requests queue up here: two tabs cannot both pass the limit.
        User.objects.select_for_update().only("pk").get(pk=annotator.pk)
        held = queries.held_by(project, annotator)
        for assignment in held:
            if assignment.pk not in exclude:
                assignment.expires_at = _lease_end(project)
                assignment.save(update_fields=["expires_at"])
                return assignment
        if len(held) >= policies.MAX_HELD:
            return None
        locked = queries.takeable(project, annotator).select_for_update(skip_locked=True)
        task = locked.first() or _one_without_suggestion(project)
        if task is None:
            return None
        task.project = project
        return _lease(task, annotator)


def _one_without_suggestion(project: Project) -> Task | None:
    """When nothing is ready, a task whose suggestion is late: better no guess than no work."""
    task = queries.waiting_in_vain(project).select_for_update(skip_locked=True).first()
    if task is not None:
        take_transition(task, Action.PREPARE)
    return task


def _lease(task: Task, annotator: User) -> Assignment:
    take_transition(task, Action.LEASE, actor=Role.ANNOTATOR)
    task.places_left -= 1
    task.save(update_fields=["state", "places_left"])
    captures = [c.pk for c in captures_of_scene(task.scene_id)]
    suggestion = current_suggestion(captures)
    token = secrets.token_hex(16)
    # A share of tasks is answered without seeing the guess, to measure how much it sways people.
    withheld = int(token[:8], 16) / 2**32 < task.project.withhold_rate
    return Assignment.objects.create(
        task=task,
        annotator=annotator,
        token=token,
        expires_at=_lease_end(task.project),
        suggestion=suggestion,
        suggestion_shown=suggestion is not None and not withheld,
    )


def _lease_end(project: Project) -> datetime:
    return timezone.now() + timedelta(seconds=project.lease_seconds)


def save_draft(
    *,
    assignment: Assignment,
    annotator: User,
    token: str,
    draft: Mapping[str, Any],
    version: int | None = None,
) -> Assignment:
    """Keep what was typed so far and extend the lease. Raises Conflict for a lost lease,
    EditConflict when ``version`` is not the kept one (a second tab wrote)."""
    with transaction.atomic():
        assignment = (
            Assignment.objects.select_for_update(of=("self",))
            .select_related("task__project")
            .get(pk=assignment.pk)
        )
        policies.check_holds(assignment, user=annotator, token=token)
        if version is not None and version != assignment.draft_version:
            raise EditConflict()
        assignment.draft = dict(draft)
        assignment.draft_version += 1
        assignment.expires_at = _lease_end(assignment.task.project)
        assignment.save(update_fields=["draft", "draft_version", "expires_at"])
    return assignment


def release(*, assignment: Assignment, annotator: User, token: str) -> None:
    """Give a task back unanswered."""
    with transaction.atomic():
        task = lock_task(assignment.task_id)
        assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
        policies.check_holds(assignment, user=annotator, token=token)
        _end(assignment, AssignmentState.RELEASED)
        _free_place(task)


def expire_leases(*, now: datetime) -> int:
    """End the leases that ran out before ``now``; their tasks are offered again."""
    ended = 0
    for stale in queries.overdue(now):
        with transaction.atomic():
            task = lock_task(stale.task_id)
            assignment = Assignment.objects.select_for_update().get(pk=stale.pk)
            if assignment.state != AssignmentState.ACTIVE or assignment.expires_at >= now:
                continue
            _end(assignment, AssignmentState.EXPIRED)
            _free_place(task)
            ended += 1
    return ended


def _end(assignment: Assignment, state: AssignmentState) -> None:
    assignment.state = state
    assignment.ended_at = timezone.now()
    assignment.save(update_fields=["state", "ended_at", "skip_reason", "skip_detail"])


def _free_place(task: Task) -> None:
    task.places_left += 1
    if task.places_left == task.overlap and task.state == TaskState.LABELING:
        take_transition(task, Action.VACATE)
    task.save(update_fields=["places_left", "state", "skips"])


# --- answers ----------------------------------------------------------------------------------


def check_for_task(
    task: Task,
    *,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
) -> Answer:
    """Check an answer against the task's project, pictures and catalog. Raises Invalid."""
    project = task.project
    schema = schema_of(project)
    codes = [
        str(fields[f.key]) for f in schema.of_kind("sku") if isinstance(fields.get(f.key), str)
    ]
    known = skus_by_code(site_id=project.site_id, codes=[code.strip() for code in codes])
    sizes = {c.pk: (c.image.width, c.image.height) for c in captures_of_scene(task.scene_id)}
    return check_answer(
        schema=schema,
        fields=fields,
        boxes=boxes,
        attributes=attributes,
        sizes_px=sizes,
        boxes_required=project.boxes_required,
        known_codes={code: sku.code for code, sku in known.items()},
    )


def submit_annotation(
    *,
    assignment: Assignment,
    annotator: User,
    token: str,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
    active_seconds: float,
    suggestion_used: Mapping[str, Any] | None = None,
) -> tuple[Annotation, Task]:
    """Take in an answer. The last one that a task waits for settles it in the same transaction.

    Raises Conflict for a lost lease, Invalid for a bad answer. Returns the task as it is after.
    """
    if not math.isfinite(active_seconds) or not 0 <= active_seconds <= MAX_ACTIVE_SECONDS:
        raise Invalid([FieldError("active_seconds", "bad_number", {"value": active_seconds})])
    with transaction.atomic():
        task = lock_task(assignment.task_id)
        assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
        policies.check_holds(assignment, user=annotator, token=token)
        policies.check_transition(task, Action.SUBMIT, Role.ANNOTATOR)
        answer = check_for_task(task, fields=fields, boxes=boxes, attributes=attributes)
        annotation = Annotation.objects.create(
            assignment=assignment,
            task=task,
            author=annotator,
            fields=answer.fields,
            boxes=answer.boxes,
            attributes=answer.attributes,
            caption=answer.caption,
            active_seconds=active_seconds,
            suggestion_id=assignment.suggestion_id,
            suggestion_shown=assignment.suggestion_shown,
            suggestion_used=dict(suggestion_used or {}),
        )
        _end(assignment, AssignmentState.SUBMITTED)
        take_transition(task, Action.SUBMIT, actor=Role.ANNOTATOR)
        task.answers += 1
        task.save(update_fields=["answers", "state"])
        audit.record(
            action="annotation.submitted",
            on=task,
            actor=annotator,
            site_id=task.project.site_id,
            annotation=annotation.pk,
        )
        if task.answers >= task.overlap:
            events.publish("task.answered", task=task.pk)
            task.refresh_from_db()
        else:
            _escalate_if_stuck(task)
    return annotation, task


def skip(
    *,
    assignment: Assignment,
    annotator: User,
    token: str,
    reason: SkipReason,
    detail: str = "",
) -> Task:
    """Pass on a task with a reason. When several people pass, or nobody is left to take it, it
    goes to a reviewer."""
    with transaction.atomic():
        task = lock_task(assignment.task_id)
        assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
        policies.check_holds(assignment, user=annotator, token=token)
        assignment.skip_reason = reason
        assignment.skip_detail = detail[:500]
        _end(assignment, AssignmentState.SKIPPED)
        task.skips += 1
        task.places_left += 1
        task.save(update_fields=["places_left", "skips"])
        audit.record(
            action="task.skipped",
            on=task,
            actor=annotator,
            site_id=task.project.site_id,
            reason=str(reason),
            detail=detail[:500],
        )
        _escalate_if_stuck(task)
        if task.state == TaskState.LABELING and task.places_left == task.overlap:
            take_transition(task, Action.VACATE)
            task.save(update_fields=["state"])
    return task


def _escalate_if_stuck(task: Task) -> None:
    """Send a task to a reviewer that enough people passed on, or that nobody is left to take."""
    if not task.skips:
        return
    people = task.assignments.values_list("annotator", "state")
    if any(state == AssignmentState.ACTIVE for _, state in people):
        return
    had = {
        person
        for person, state in people
        if state in (AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
    }
    left = (
        Membership.objects.filter(
            site=task.project.site_id, role=Role.ANNOTATOR, user__is_active=True
        )
        .exclude(user__in=had)
        .count()
    )
    if task.skips >= MAX_SKIPS or left < task.places_left:
        events.publish("task.skipped_out", task=task.pk)
        task.refresh_from_db()


def withdraw(*, annotation: Annotation, author: User) -> Assignment:
    """Take an answer back within seconds of giving it; the lease is open again, with the answer as
    its draft. Raises Conflict when it is too late or a reviewer has acted."""
    now = timezone.now()
    with transaction.atomic():
        task = lock_task(annotation.task_id)
        annotation = Annotation.objects.select_for_update().get(pk=annotation.pk)
        policies.check_can_withdraw(annotation, user=author, now=now)
        policies.check_transition(task, Action.WITHDRAW, Role.ANNOTATOR)
        if task.state != TaskState.LABELING:
            events.publish("annotation.withdrawing", task=task.pk)
        annotation.withdrawn_at = now
        annotation.save(update_fields=["withdrawn_at"])
        assignment = (
            Assignment.objects.select_for_update(of=("self",))
            .select_related("task", "suggestion")
            .get(pk=annotation.assignment_id)
        )
        assignment.state = AssignmentState.ACTIVE
        assignment.ended_at = None
        assignment.expires_at = _lease_end(task.project)
        assignment.draft = {
            "fields": annotation.fields,
            "boxes": annotation.boxes,
            "attributes": annotation.attributes,
            "active_seconds": annotation.active_seconds,
        }
        assignment.draft_version += 1
        assignment.save()
        take_transition(task, Action.WITHDRAW, actor=Role.ANNOTATOR)
        task.answers -= 1
        task.save(update_fields=["answers", "state", "decided_at"])
        audit.record(
            action="annotation.withdrawn",
            on=task,
            actor=author,
            site_id=task.project.site_id,
            annotation=annotation.pk,
        )
    assignment.task = task
    return assignment


def change_priority(*, task: Task, priority: int, actor: User) -> Task:
    """Make a task urgent, or normal again."""
    with transaction.atomic():
        task = lock_task(task.pk)
        if task.state in (TaskState.DECIDED, TaskState.REJECTED):
            raise Conflict("task_not_open", state=task.state, action="priority")
        task.priority = priority
        task.save(update_fields=["priority"])
        audit.record(
            action="task.priority",
            on=task,
            actor=actor,
            site_id=task.project.site_id,
            priority=priority,
        )
    return task
