"""What reviewers do: lock, check, change, audit, publish, in that order. What settles by itself is in
``settling``, and offered here as well."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import User
from annotator.accounts.states import Role
from annotator.core import audit, events
from annotator.core.errors import Conflict, Forbidden
from annotator.labeling.answers import Answer
from annotator.labeling.leases import count_places
from annotator.labeling.models import Agreement, Annotation, Task
from annotator.labeling.queries import standing
from annotator.labeling.returning import return_answer
from annotator.labeling.services import check_for_task, lock_task, take_transition
from annotator.labeling.states import Action

from . import feedback, policies
from .models import Decision, Dispute, Feedback
from .proposals import propose
from .settling import decision_row as decision_row
from .settling import dispute_skipped as dispute_skipped
from .settling import import_decision as import_decision
from .settling import open_dispute, record_decision
from .settling import retract_agreed as retract_agreed
from .settling import settle_task as settle_task
from .teaching import reteach as reteach
from .teaching import teach as teach

CLAIM = timedelta(minutes=15)


def claim_dispute(*, task: Task, reviewer: User) -> Dispute:
    """Take a dispute on the desk. Raises Conflict when somebody else has it, Forbidden for one's
    own answers."""
    with transaction.atomic():
        row = lock_task(task.pk)
        policies.check_is_disputed(row)
        policies.check_is_not_annotator(row, reviewer)
        dispute = (
            Dispute.objects.select_for_update(of=("self",)).select_related("reviewer").get(task=row)
        )
        policies.check_is_free(dispute, reviewer, now=timezone.now())
        if dispute.reviewer_id != reviewer.pk or not dispute.token:
            dispute.reviewer = reviewer
            dispute.token = secrets.token_hex(16)
        dispute.claimed_until = timezone.now() + CLAIM
        dispute.save(update_fields=["reviewer", "token", "claimed_until"])
    return dispute


def decide(
    *,
    task: Task,
    reviewer: User,
    token: str,
    fields: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    attributes: Mapping[str, Any],
    note: str = "",
) -> tuple[Decision, Task]:
    """Arbitrate a dispute that the reviewer holds."""
    with transaction.atomic():
        row = _held_task(task, reviewer, token, Action.ARBITRATE)
        answer = check_for_task(row, fields=fields, boxes=boxes, attributes=attributes)
        decision = _arbitrate(row, answer, standing(row), reviewer, note=note)
    return decision, row


def _arbitrate(
    row: Task,
    answer: Answer,
    answers: Sequence[Annotation],
    reviewer: User,
    *,
    note: str = "",
    ties: Sequence[str] = (),
    source: str = Decision.Source.ARBITRATED,
) -> Decision:
    take_transition(row, Action.ARBITRATE, actor=Role.REVIEWER)
    row.places_left = 0
    _is_known_to(row, reviewer)
    row.save(update_fields=["state", "decided_at", "places_left", "had"])
    decision = record_decision(
        row, answer, source=source, ties=ties, decided_by=reviewer, note=note
    )
    feedback.tell_decision(row, answers, decision)
    _close(row)
    return decision


def mend(*, task: Task, reviewer: User, answer: Answer, note: str) -> Decision:
    """Put ``answer`` in the place of what was decided of a locked task, as a revision that a spot check
    made: the task is reopened and settled in one go, so that all who follow decisions follow it."""
    reopen(task=task, actor=reviewer, role=Role.REVIEWER, note=note)
    row = lock_task(task.pk)
    return _arbitrate(
        row, answer, standing(row), reviewer, note=note, source=Decision.Source.CHECKED
    )


def _is_known_to(task: Task, reviewer: User) -> None:
    """Who judged a task is not handed it to answer; the caller saves it."""
    if f",{reviewer.pk}," not in task.had:
        task.had += f"{reviewer.pk},"


def send_back(*, task: Task, reviewer: User, token: str, note: str) -> Task:
    """Have the annotators look again: each gets their answer back, with the reviewer's words. A
    decision that stood no longer does. Raises Conflict where nobody answered."""
    with transaction.atomic():
        row = _held_task(task, reviewer, token, Action.SEND_BACK)
        answers = standing(row)
        if not answers:
            raise Conflict("nobody_to_ask")
        take_transition(row, Action.SEND_BACK, actor=Role.REVIEWER)
        _is_known_to(row, reviewer)
        Agreement.objects.filter(task=row).delete()
        Decision.objects.filter(task=row, superseded_at=None).update(superseded_at=timezone.now())
        for answer in answers:
            return_answer(row, answer, note=note, actor=reviewer)
        count_places(row)
        row.save(update_fields=["state", "decided_at", "places_left", "had"])
        feedback.tell(answers, Feedback.Outcome.SENT_BACK, comment=note)
        _close(row)
        audit.record(
            action="task.sent_back", on=row, actor=reviewer, site_id=row.project.site_id, note=note
        )
        events.publish("task.sent_back", task=row.pk, project=row.project_id)
    return row


def reject(*, task: Task, reviewer: User, token: str, reason: str, note: str = "") -> Task:
    """Set a task aside whose photo cannot be used."""
    with transaction.atomic():
        row = _held_task(task, reviewer, token, Action.REJECT)
        take_transition(row, Action.REJECT, actor=Role.REVIEWER)
        row.places_left = 0
        _is_known_to(row, reviewer)
        row.save(update_fields=["state", "places_left", "had"])
        feedback.tell(standing(row), Feedback.Outcome.REJECTED, comment=note)
        _close(row)
        audit.record(
            action="task.rejected",
            on=row,
            actor=reviewer,
            site_id=row.project.site_id,
            reason=reason,
            note=note,
        )
        events.publish("decision.retracted", task=row.pk, project=row.project_id)
    return row


def reopen(*, task: Task, actor: User, role: Role, note: str) -> Task:
    """Put a decided or rejected task back on the reviewers' desk. The decision stands until a new
    one replaces it, but no longer teaches the model."""
    with transaction.atomic():
        row = lock_task(task.pk)
        had = row.state
        open_dispute(
            row,
            action=Action.REOPEN,
            actor=role,
            reasons=[{"code": "reopened", "field": None, "params": {"note": note, "state": had}}],
            score=None,
            by=[answer.author_id for answer in standing(row)],
            reopened=True,
        )
        audit.record(
            action="task.reopened", on=row, actor=actor, site_id=row.project.site_id, note=note
        )
        events.publish("decision.retracted", task=row.pk, project=row.project_id)
    return row


def settle_trivial(*, task_id: int, seen: str, reviewer: User) -> str:
    """Decide a trivial dispute as proposed, if the proposal still is the caption that was ``seen``.
    Returns ``decided``, or why not: ``taken`` by another reviewer or settled already, ``changed``
    since it was looked at. Two who do so at once decide once."""
    try:
        with transaction.atomic():
            row = lock_task(task_id)
            policies.check_is_disputed(row)
            policies.check_is_not_annotator(row, reviewer)
            dispute = (
                Dispute.objects.select_for_update(of=("self",))
                .select_related("reviewer")
                .get(task=row)
            )
            policies.check_is_free(dispute, reviewer, now=timezone.now())
            answers = standing(row)
            if not dispute.trivial or len(answers) < 2:
                return "changed"
            answer, ties = propose(row, answers)
            if answer.caption != seen:
                return "changed"
            _arbitrate(row, answer, answers, reviewer, ties=ties)
    except (Conflict, Forbidden):
        return "taken"
    return "decided"


def _held_task(task: Task, reviewer: User, token: str, action: Action) -> Task:
    row = lock_task(task.pk)
    policies.check_is_disputed(row, action)
    dispute = Dispute.objects.select_for_update().get(task=row)
    policies.check_claim(dispute, reviewer, token)
    policies.check_is_not_annotator(row, reviewer)
    return row


def _close(task: Task) -> None:
    Dispute.objects.filter(task=task).update(closed_at=timezone.now(), token="")


def read_feedback(*, annotator: User, ids: Sequence[int] | None = None) -> int:
    """Note that ``annotator`` has seen what reviewers said: of some answers, else of all. Returns
    how many were new."""
    rows = Feedback.objects.filter(annotator=annotator, read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    return rows.update(read_at=timezone.now())
