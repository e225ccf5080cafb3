"""Opening tasks and taking in answers: lock, check, change, audit, publish, in that order. What is
about leases alone is in ``leases``, and offered here as well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Membership, User
from annotator.accounts.states import Role
from annotator.captures.models import Capture
from annotator.catalog.models import Category, Sku
from annotator.catalog.naming import code_key
from annotator.core import audit, events
from annotator.core.errors import Conflict, FieldError, Invalid
from annotator.suggestions import services as suggestions

from . import policies, queries, sparing
from .answers import Answer, check_answer
from .leases import end_lease, holding_of, lease_end
from .leases import expire_leases as expire_leases
from .leases import extend as extend
from .leases import hold as hold
from .leases import lock_task as lock_task
from .leases import next_assignment as next_assignment
from .leases import next_on_site as next_on_site
from .leases import release as release
from .leases import reveal as reveal
from .leases import save_draft as save_draft
from .leases import take_transition as take_transition
from .models import Annotation, Assignment, Task
from .returning import draft_of
from .schemas import Schemas, schema_of
from .states import OPEN_STATES, Action, AssignmentState, Flag, SkipReason, TaskState
from .worth import value_of

MAX_SKIPS = 2
MAX_ACTIVE_SECONDS = 86_400.0


# --- the life of a task before anybody sees it -------------------------------------------------


def prepare_tasks(*, scene: int, confidence: float, sku_code: str | None = None) -> None:
    """``suggestion.stored``: tasks of the scene may be handed out. The less sure the machine is,
    the more an answer is worth; what it takes the scene for says who may label it and, where it is
    sure, among which look-alikes."""
    tasks = Task.objects.filter(scene=scene, state__in=(TaskState.NEW, *OPEN_STATES))
    value = value_of(confidence, 0)
    if sku_code is not None:
        sku = Sku.objects.filter(site__scenes=scene, code_key=code_key(sku_code)).first()
        value = value_of(confidence, round(sku.uses) if sku else 0)
        sure = sku is not None and confidence >= policies.SURE_FROM
        tasks.update(
            category=sku.category_id if sku else None,
            proposed=sku.code_key if sku and sure else "",
            value=value,
        )
    for task_id in tasks.filter(state=TaskState.NEW).values_list("pk", flat=True):
        prepare(task_id, value=value)


def follow_merge(*, site: int, source: int, target: int) -> None:
    """``sku.merged``: who was proposed the source is proposed the target."""
    keys = dict(Sku.objects.filter(pk__in=(source, target)).values_list("pk", "code_key"))
    open_ones = Task.objects.filter(project__site=site, state__in=(TaskState.NEW, *OPEN_STATES))
    open_ones.filter(proposed=keys[source]).update(proposed=keys[target])


def prepare(task_id: int, value: float | None = None) -> None:
    """A new task may be handed out."""
    task = lock_task(task_id)
    if task.state == TaskState.NEW:
        take_transition(task, Action.PREPARE)
        task.value = task.value if value is None else value
        task.save(update_fields=["state", "value"])


def refresh_suggestions(payloads: Sequence[Mapping[str, Any]]) -> None:
    """``scenes.taught``: what was just learned reaches the tasks that come next."""
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


# --- people --------------------------------------------------------------------------------------


def limit_annotator(
    *, membership: Membership, categories: Sequence[int], languages: Sequence[str], actor: User
) -> Membership:
    """Hand a person only tasks of some categories (each with all below it) and languages. What they
    hold stays theirs."""
    wanted = sorted(set(categories))
    if Category.objects.filter(site=membership.site_id, pk__in=wanted).count() != len(wanted):
        raise Invalid([FieldError("categories", "not_found")])
    with transaction.atomic():
        row = Membership.objects.select_for_update().get(pk=membership.pk)
        row.categories, row.languages = wanted, sorted(set(languages))
        row.save(update_fields=["categories", "languages"])
        audit.record(
            action="member.limited",
            on=row,
            actor=actor,
            site_id=row.site_id,
            categories=row.categories,
            languages=row.languages,
        )
    return row


# --- answers ----------------------------------------------------------------------------------


def surroundings_for(
    task: Task, *, fields: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]]
) -> queries.Surroundings:
    """What an answer to the locked task is checked against."""
    keys = [f.key for f in schema_of(task.project).of_kind("sku")]
    typed = [fields[key] for key in keys if isinstance(fields.get(key), str)]
    return queries.surroundings_of(task, codes=typed, boxed=bool(boxes))


def check_for_task(
    task: Task,
    *,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
    within: queries.Surroundings | None = None,
) -> Answer:
    """Check an answer against the task's project, pictures and catalog. Raises Invalid."""
    within = within or surroundings_for(task, fields=fields, boxes=boxes)
    schema = schema_of(task.project)
    codes = {
        str(value).strip(): within.codes[code_key(str(value))]
        for f in schema.of_kind("sku")
        if (value := fields.get(f.key)) and code_key(str(value)) in within.codes
    }
    return check_answer(
        schema=schema,
        fields=fields,
        boxes=boxes,
        attributes=attributes,
        sizes_px=within.sizes_px,
        boxes_required=task.project.boxes_required,
        known_codes=codes,
    )


def submit_annotation(
    *,
    assignment: Assignment | int,
    annotator: User,
    token: str,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
    active_seconds: float,
    suggestion_used: Mapping[str, Any] | None = None,
    schema_version: int | None = None,
    flag: str = "",
    note: str = "",
) -> tuple[Annotation, Task]:
    """Take in an answer. The last one that a task waits for settles it in the same transaction.
    ``schema_version`` is the one that the annotator's page showed: the one in force unless given.
    ``flag`` (of :class:`Flag`) asks for another look, ``note`` says at what.

    Raises Conflict for a lost lease, Invalid for a bad answer. Returns the task as it is after.
    """
    if not math.isfinite(active_seconds) or not 0 <= active_seconds <= MAX_ACTIVE_SECONDS:
        raise Invalid([FieldError("active_seconds", "bad_number", {"value": active_seconds})])
    with transaction.atomic(), audit.together():
        held = hold(assignment=assignment, annotator=annotator, token=token)
        task = held.task
        policies.check_transition(task, Action.SUBMIT, Role.ANNOTATOR)
        version = task.project.schema_version
        if schema_version is not None and schema_version < version:
            fields = Schemas(task.project).carry(fields, schema_version).fields
        within = surroundings_for(task, fields=fields, boxes=boxes)
        answer = check_for_task(
            task, fields=fields, boxes=boxes, attributes=attributes, within=within
        )
        annotation = Annotation.objects.create(
            assignment=held,
            task=task,
            author=annotator,
            fields=answer.fields,
            schema_version=version,
            boxes=answer.boxes,
            attributes=answer.attributes,
            caption=answer.caption,
            active_seconds=active_seconds,
            suggestion_id=held.suggestion_id,
            suggestion_shown=held.suggestion_shown,
            suggestion_delayed=held.suggestion_delayed,
            suggestion_used=dict(suggestion_used or {}),
            flag=Flag(flag) if flag else "",
            note=note[:500] if flag else "",
        )
        end_lease(held, AssignmentState.SUBMITTED)
        take_transition(task, Action.SUBMIT, actor=Role.ANNOTATOR)
        task.answers += task.state != TaskState.GOLD
        audit.record(
            action="annotation.submitted",
            on=task,
            actor=annotator,
            site_id=task.project.site_id,
            annotation=annotation.pk,
        )
        if task.state == TaskState.GOLD:
            events.publish("gold.answered", task=task.pk, annotation=annotation.pk)
        elif task.answers >= task.overlap and (
            task.overlap >= task.project.overlap or sparing.does(task)
        ):
            events.publish("task.answered", task=task, answers=[*within.standing, annotation])
        else:
            task.save(update_fields=["answers", "state", "overlap", "places_left"])
            _escalate_if_stuck(task)
    return annotation, task


def skip(
    *,
    assignment: Assignment | int,
    annotator: User,
    token: str,
    reason: SkipReason,
    detail: str = "",
) -> Task:
    """Pass on a task with a reason. When several people pass, or nobody is left to take it, it
    goes to a reviewer."""
    with transaction.atomic():
        held = hold(assignment=assignment, annotator=annotator, token=token)
        task = held.task
        end_lease(held, AssignmentState.SKIPPED, skip_reason=reason, skip_detail=detail[:500])
        if task.state != TaskState.GOLD:
            task.skips += 1
            task.places_left = max(0, task.overlap - holding_of(task))
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
        if task.state == TaskState.GOLD:
            events.publish("gold.answered", task=task.pk, annotation=annotation.pk)
        elif task.state != TaskState.LABELING:
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
        assignment.expires_at = lease_end(task.project)
        assignment.draft = draft_of(annotation)
        assignment.draft_version += 1
        assignment.save()
        take_transition(task, Action.WITHDRAW, actor=Role.ANNOTATOR)
        task.answers -= task.state != TaskState.GOLD
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
