"""Settling answers: agreed ones decide themselves, the others go to a reviewer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import User
from annotator.accounts.states import Role
from annotator.captures.queries import captures_of_scene
from annotator.catalog.queries import category_parents, skus_by_code
from annotator.core import audit, events
from annotator.core.errors import Conflict
from annotator.labeling import queries as labeling_queries
from annotator.labeling.answers import Answer, boxes_of
from annotator.labeling.models import Agreement, Annotation, Task
from annotator.labeling.schemas import schema_of
from annotator.labeling.services import check_for_task, lock_task, take_transition
from annotator.labeling.states import Action, TaskState
from annotator.suggestions import services as suggestions
from inference.captions import Agreement as Score
from inference.captions import (
    Value,
    agreement_of_all,
    average_boxes,
    format_caption,
    settle,
    values_from_json,
    values_to_json,
)

from . import policies
from .models import Decision, Dispute

CLAIM = timedelta(minutes=15)


# --- settling by machine ----------------------------------------------------------------------


def settle_task(*, task: int) -> None:
    """``task.answered``: score the answers; decide what agrees, dispute what does not. Runs in the
    transaction of the last submit, which holds the task's lock."""
    row = lock_task(task)
    answers = labeling_queries.standing(row)
    score = _score(row, answers)
    if score is not None:
        Agreement.objects.update_or_create(
            task=row,
            defaults={
                "score": round(score.score, 4),
                "per_field": {key: round(value, 4) for key, value in score.per_field.items()},
                "reasons": [reason.to_json() for reason in score.reasons],
            },
        )
    if score is not None and score.disputed:
        _open_dispute(
            row,
            action=Action.DISPUTE,
            reasons=[reason.to_json() for reason in score.reasons],
            score=score.score,
        )
        return
    answer, ties = _agreed_answer(row, answers)
    take_transition(row, Action.AGREE)
    row.save(update_fields=["state", "decided_at"])
    _decide(row, answer, source=Decision.Source.AGREED, ties=ties)


def _score(task: Task, answers: Sequence[Annotation]) -> Score | None:
    """The agreement of the answers; None for a single one, which agrees with itself."""
    if len(answers) < 2:
        return None
    captures = captures_of_scene(task.scene_id)
    boxes = None
    if task.project.boxes_required:
        # Boxes of all views in one plane: views are set apart so that they never overlap.
        offset = max((c.image.width for c in captures), default=0) + 1.0
        boxes = [
            [
                (x + n * offset, y, w, h)
                for n, capture in enumerate(captures)
                for x, y, w, h in boxes_of(answer.boxes, capture.pk)
            ]
            for answer in answers
        ]
    return agreement_of_all(
        [values_from_json(answer.fields) for answer in answers],
        schema_of(task.project),
        category_parents(task.project.site_id),
        threshold=task.project.threshold,
        boxes=boxes,
    )


def _agreed_answer(task: Task, answers: Sequence[Annotation]) -> tuple[Answer, list[str]]:
    schema = schema_of(task.project)

    def catalog_values(code: str) -> Mapping[str, Value]:
        sku = skus_by_code(site_id=task.project.site_id, codes=[code]).get(code)
        if sku is None:
            return {}
        return {"category": sku.category.name if sku.category else "", "spec": sku.spec}

    settled = settle(
        [values_from_json(answer.fields) for answer in answers],
        schema,
        catalog_values,
        category_parents(task.project.site_id),
    )
    boxes = []
    for capture in captures_of_scene(task.scene_id):
        for x, y, w, h in average_boxes([boxes_of(a.boxes, capture.pk) for a in answers]):
            box = {"x": x, "y": y, "w": w, "h": h}
            boxes.append({"capture": capture.pk, **{k: round(v, 2) for k, v in box.items()}})
    attributes: dict[str, Any] = {}
    for answer in answers:
        attributes = {**answer.attributes, **attributes}
    caption = format_caption(settled.values, schema)
    return Answer(dict(settled.values), boxes, attributes, caption), list(settled.ties)


def dispute_skipped(*, task: int) -> None:
    """``task.skipped_out``: people passed on the task; a reviewer looks."""
    row = lock_task(task)
    reasons = [
        {"code": "skipped", "field": None, "params": {"reason": reason, "detail": detail}}
        for reason, detail in row.assignments.filter(state="skipped").values_list(
            "skip_reason", "skip_detail"
        )
    ]
    _open_dispute(row, action=Action.DISPUTE, reasons=reasons, score=None)


def _open_dispute(
    task: Task,
    *,
    action: Action,
    reasons: list[dict[str, Any]],
    score: float | None,
    actor: Role | str = "system",
    reopened: bool = False,
) -> None:
    take_transition(task, action, actor=actor)
    task.save(update_fields=["state", "decided_at"])
    Dispute.objects.update_or_create(
        task=task,
        defaults={
            "reasons": reasons,
            "score": score,
            "reopened": reopened,
            "opened_at": timezone.now(),
            "closed_at": None,
            "reviewer": None,
            "token": "",
            "claimed_until": None,
        },
    )
    audit.record(
        action="dispute.opened",
        on=task,
        site_id=task.project.site_id,
        reasons=[reason["code"] for reason in reasons],
    )
    events.publish("dispute.opened", task=task.pk, project=task.project_id)


def _decide(
    task: Task,
    answer: Answer,
    *,
    source: str,
    ties: Sequence[str] = (),
    decided_by: User | None = None,
    note: str = "",
) -> Decision:
    Decision.objects.filter(task=task, superseded_at=None).update(superseded_at=timezone.now())
    skus = [answer.values.get(f.key) for f in schema_of(task.project).of_kind("sku")]
    decision = Decision.objects.create(
        task=task,
        fields=values_to_json(answer.values),
        boxes=answer.boxes,
        attributes=answer.attributes,
        caption=answer.caption,
        sku_code=next((code for code in skus if isinstance(code, str)), ""),
        source=source,
        ties=list(ties),
        decided_by=decided_by,
        note=note,
    )
    audit.record(
        action=f"decision.{source}",
        on=task,
        actor=decided_by,
        site_id=task.project.site_id,
        decision=decision.pk,
        caption=answer.caption,
    )
    imported = source == Decision.Source.IMPORTED
    events.publish(
        "decision.imported" if imported else "decision.made",
        task=task.pk,
        project=task.project_id,
    )
    return decision


def import_decision(
    *, task: int, answer: Answer, actor: User | None = None, note: str = ""
) -> Decision:
    """Take over a decision made elsewhere. The task must not have been handed out."""
    row = lock_task(task)
    take_transition(row, Action.IMPORT)
    row.places_left = 0
    row.save(update_fields=["state", "decided_at", "places_left"])
    return _decide(row, answer, source=Decision.Source.IMPORTED, decided_by=actor, note=note)


def retract_agreed(*, task: int) -> None:
    """``annotation.withdrawing``: undo what the last submit settled, unless a reviewer acted."""
    row = lock_task(task)
    if row.state == TaskState.DISPUTED:
        dispute = Dispute.objects.select_for_update().get(task=row)
        if dispute.reviewer_id is not None:
            raise Conflict("too_late", seconds=10)
        Dispute.objects.filter(pk=dispute.pk).delete()
    else:
        decision = Decision.objects.filter(task=row, superseded_at=None).first()
        if decision is None or decision.source != Decision.Source.AGREED:
            raise Conflict("too_late", seconds=10)
        Decision.objects.filter(pk=decision.pk).update(superseded_at=timezone.now())
        events.publish("decision.retracted", task=row.pk, project=row.project_id)
    Agreement.objects.filter(task=row).delete()


# --- the reviewer -----------------------------------------------------------------------------


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
        take_transition(row, Action.ARBITRATE, actor=Role.REVIEWER)
        row.places_left = 0
        row.save(update_fields=["state", "decided_at", "places_left"])
        decision = _decide(
            row, answer, source=Decision.Source.ARBITRATED, decided_by=reviewer, note=note
        )
        _close(row)
    return decision, row


def reject(*, task: Task, reviewer: User, token: str, reason: str, note: str = "") -> Task:
    """Set a task aside whose photo cannot be used."""
    with transaction.atomic():
        row = _held_task(task, reviewer, token, Action.REJECT)
        take_transition(row, Action.REJECT, actor=Role.REVIEWER)
        row.places_left = 0
        row.save(update_fields=["state", "places_left"])
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
        _open_dispute(
            row,
            action=Action.REOPEN,
            actor=role,
            reasons=[{"code": "reopened", "field": None, "params": {"note": note, "state": had}}],
            score=None,
            reopened=True,
        )
        audit.record(
            action="task.reopened", on=row, actor=actor, site_id=row.project.site_id, note=note
        )
        events.publish("decision.retracted", task=row.pk, project=row.project_id)
    return row


def _held_task(task: Task, reviewer: User, token: str, action: Action) -> Task:
    row = lock_task(task.pk)
    policies.check_is_disputed(row, action)
    dispute = Dispute.objects.select_for_update().get(task=row)
    policies.check_claim(dispute, reviewer, token)
    policies.check_is_not_annotator(row, reviewer)
    return row


def _close(task: Task) -> None:
    Dispute.objects.filter(task=task).update(closed_at=timezone.now(), token="")


# --- teaching ---------------------------------------------------------------------------------


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
        )
        projects.add(task.project_id)
    with transaction.atomic():
        for project in projects:
            events.publish("scenes.taught", project=project)
