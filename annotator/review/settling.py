"""Settling answers by machine: agreed ones decide themselves, the others go to a reviewer."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotator.accounts.models import User
from annotator.accounts.states import Role
from annotator.catalog.models import Sku
from annotator.catalog.queries import category_parents, sku_by_code
from annotator.core import audit, events
from annotator.core.errors import Conflict
from annotator.labeling import revalidation
from annotator.labeling.answers import Answer, boxes_of
from annotator.labeling.models import Agreement, Annotation, Task
from annotator.labeling.schemas import Carried, Schemas, schema_of
from annotator.labeling.services import lock_task, take_transition
from annotator.labeling.states import Action, Flag, TaskState
from inference.captions import Agreement as Score
from inference.captions import (
    Value,
    agreement_of_all,
    average_boxes,
    format_caption,
    settle,
    validate,
    values_to_json,
)

from .models import Decision, Dispute
from .policies import severity_of
from .trials import machine_on
from .trivial import trivial_kind

BY_THEMSELVES = (Decision.Source.AGREED, Decision.Source.SINGLE)
"""Sources of the decisions that no reviewer made and nobody imported."""
JUDGED = (Decision.Source.ARBITRATED, Decision.Source.CHECKED)
"""Of those that a reviewer made."""


def settle_task(*, task: Task, answers: Sequence[Annotation]) -> None:
    """``task.answered``: score the answers; decide what agrees, dispute what does not. Runs in the
    transaction of the last submit, which holds the task's lock; saves the task."""
    if revalidation.return_invalid(task, answers):
        return  # the schema changed, and somebody has to look again
    schemas = Schemas(task.project)
    given = [schemas.carry(answer.fields, answer.schema_version) for answer in answers]
    parents = parents_on(task.project.site_id)
    score = _score(task, answers, given, parents)
    if score is not None:
        _keep_agreement(task, score)
    alone = machine_on(task, answers[0]) if len(answers) == 1 else None
    if alone is not None and alone.disputed:
        differs = [reason.to_json() for reason in alone.reasons]
        open_dispute(
            task,
            action=Action.DISPUTE,
            reasons=[{"code": "machine_differs", "field": None, "params": {}}, *differs]
            + _asked_for_by(answers),
            score=alone,
            by=[answers[0].author_id],
        )
        return
    catalog = catalog_values_on(task.project.site_id)
    flags = _asked_for_by(answers)
    disputed = score is not None and score.disputed
    if disputed or flags:
        # What somebody wants a reviewer to look at is never trivial.
        trivial = ""
        if disputed and score is not None and not flags:
            trivial = trivial_kind([one.values for one in given], schemas.now, score, catalog)
        reasons = [reason.to_json() for reason in score.reasons] if score else []
        open_dispute(
            task,
            action=Action.DISPUTE,
            reasons=reasons + flags,
            score=score,
            by=[answer.author_id for answer in answers],
            trivial=trivial,
        )
        return
    answer, ties = agreed_answer(task, answers, given, parents, catalog)
    take_transition(task, Action.AGREE)
    task.save(update_fields=["state", "decided_at", "answers"])
    source = Decision.Source.AGREED if alone is None else Decision.Source.SINGLE
    record_decision(task, answer, source=source, ties=ties)


def _asked_for_by(answers: Sequence[Annotation]) -> list[dict[str, Any]]:
    """The notes of annotators who want a reviewer to look, however well they agree."""
    return [
        {"code": "flagged", "field": None, "params": {"note": answer.note}}
        for answer in answers
        if answer.flag == Flag.REVIEWER
    ]


def parents_on(site_id: int) -> Callable[[str], str | None]:
    """The parent of a category by its name; the tree is read when categories differ."""
    tree = functools.cache(lambda: category_parents(site_id))
    return lambda name: tree().get(name)


def catalog_values_on(site_id: int) -> Callable[[str], Mapping[str, Value]]:
    """What the catalog says of a SKU, by its code."""
    return lambda code: catalog_record(sku_by_code(site_id=site_id, code=code))


def catalog_record(sku: Sku | None) -> Mapping[str, Value]:
    """The caption values that hang on a SKU."""
    if sku is None:
        return {}
    return {"category": sku.category.name if sku.category else "", "spec": sku.spec}


def _keep_agreement(task: Task, score: Score) -> None:
    row = Agreement(
        task=task,
        score=round(score.score, 4),
        per_field={key: round(value, 4) for key, value in score.per_field.items()},
        reasons=[reason.to_json() for reason in score.reasons],
    )
    changed = ["score", "per_field", "reasons", "created_at"]
    Agreement.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["task"], update_fields=changed
    )


def _score(
    task: Task,
    answers: Sequence[Annotation],
    given: Sequence[Carried],
    parents: Callable[[str], str | None],
) -> Score | None:
    """The agreement of the answers, on the fields that both of a pair were asked for; None for a
    single one, which agrees with itself."""
    if len(answers) < 2:
        return None
    boxes = None
    if task.project.boxes_required:
        # Boxes of all views in one plane: views are set apart so that they never overlap.
        views = _boxed_views(answers)
        offset = max((b["x"] + b["w"] for a in answers for b in a.boxes), default=0) + 1.0
        boxes = [
            [
                (x + n * offset, y, w, h)
                for n, view in enumerate(views)
                for x, y, w, h in boxes_of(answer.boxes, view)
            ]
            for answer in answers
        ]
    return agreement_of_all(
        [answer.values for answer in given],
        schema_of(task.project),
        parents,
        threshold=task.project.threshold,
        boxes=boxes,
        known=[answer.known for answer in given],
    )


def _boxed_views(answers: Sequence[Annotation]) -> list[int]:
    """The captures on which anybody drew, in the order in which they came."""
    return list(dict.fromkeys(box["capture"] for answer in answers for box in answer.boxes))


def agreed_answer(
    task: Task,
    answers: Sequence[Annotation],
    given: Sequence[Carried],
    parents: Callable[[str], str | None],
    catalog: Callable[[str], Mapping[str, Value]],
) -> tuple[Answer, list[str]]:
    """What the answers come to, and the fields on which they differed without a majority."""
    schema = schema_of(task.project)
    settled = settle(
        [answer.values for answer in given],
        schema,
        catalog,
        parents,
        known=[answer.known for answer in given],
    )
    boxes = []
    for view in _boxed_views(answers):
        for x, y, w, h in average_boxes([boxes_of(a.boxes, view) for a in answers]):
            box = {"x": x, "y": y, "w": w, "h": h}
            boxes.append({"capture": view, **{k: round(v, 2) for k, v in box.items()}})
    attributes: dict[str, Any] = {}
    for answer in answers:
        attributes = {**answer.attributes, **attributes}
    # A value of an earlier version is canonical in that one; it is made so in the one in force.
    values, _ = validate(settled.values, schema, complete=False)
    return Answer(values, boxes, attributes, format_caption(values, schema)), list(settled.ties)


def dispute_skipped(*, task: int) -> None:
    """``task.skipped_out``: people passed on the task; a reviewer looks."""
    row = lock_task(task)
    reasons = [
        {"code": "skipped", "field": None, "params": {"reason": reason, "detail": detail}}
        for reason, detail in row.assignments.filter(state="skipped").values_list(
            "skip_reason", "skip_detail"
        )
    ]
    open_dispute(row, action=Action.DISPUTE, reasons=reasons, score=None)


def open_dispute(
    task: Task,
    *,
    action: Action,
    reasons: list[dict[str, Any]],
    score: Score | None,
    by: Iterable[int] = (),
    trivial: str = "",
    actor: Role | str = "system",
    reopened: bool = False,
) -> None:
    """Put a locked task on the reviewers' desk. ``by`` are the people who answered it."""
    take_transition(task, action, actor=actor)
    task.save(update_fields=["state", "decided_at", "answers"])
    per_field = score.per_field if score else {}
    differing = {reason["field"] for reason in reasons if reason["field"]}
    differing |= {key for key, value in per_field.items() if value < 1}
    row = Dispute(
        task=task,
        project=task.project,
        reasons=reasons,
        differing=f",{','.join(sorted(differing))},"[:500] if differing else "",
        score=score.score if score else None,
        severity=severity_of({reason["code"] for reason in reasons}),
        gap=round(1 - score.score, 4) if score else 1.0,
        pair=pair_of(task.project_id, by),
        trivial=trivial,
        reopened=reopened,
        opened_at=timezone.now(),
    )
    # One that was closed opens anew: every field is as of a new one.
    fresh = [f.name for f in Dispute._meta.concrete_fields if f.name not in ("id", "task")]
    Dispute.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["task"], update_fields=fresh
    )
    audit.record(
        action="dispute.opened",
        on=task,
        site_id=task.project.site_id,
        reasons=[reason["code"] for reason in reasons],
    )
    events.publish("dispute.opened", task=task.pk, project=task.project_id)


def pair_of(project_id: int, people: Iterable[int]) -> str:
    """A short sign for the people who answered, the same for the same people in a project; nothing
    for fewer than two. Nobody can tell from it who they are."""
    ids = sorted(set(people))
    if len(ids) < 2:
        return ""
    digest = salted_hmac("review.pair", f"{project_id}:{ids}").digest()
    return base64.b32encode(digest)[:5].decode()


def record_decision(
    task: Task,
    answer: Answer,
    *,
    source: str,
    ties: Sequence[str] = (),
    decided_by: User | None = None,
    note: str = "",
) -> Decision:
    """Save the decision of a locked task, and tell."""
    if source in JUDGED:  # after a reopening there is one before it
        Decision.objects.filter(task=task, superseded_at=None).update(superseded_at=timezone.now())
    decision = decision_row(
        task, answer, source=source, ties=ties, decided_by=decided_by, note=note
    )
    decision.save()
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


def decision_row(
    task: Task,
    answer: Answer,
    *,
    source: str,
    ties: Sequence[str] = (),
    decided_by: User | None = None,
    note: str = "",
) -> Decision:
    """A decision that is not saved yet."""
    skus = [answer.values.get(f.key) for f in schema_of(task.project).of_kind("sku")]
    return Decision(
        task=task,
        fields=values_to_json(answer.values),
        schema_version=task.project.schema_version,
        boxes=answer.boxes,
        attributes=answer.attributes,
        caption=answer.caption,
        sku_code=next((code for code in skus if isinstance(code, str)), ""),
        source=source,
        ties=list(ties),
        decided_by=decided_by,
        note=note,
    )


def import_decision(*, task: int, answer: Answer, actor: User | None = None) -> Decision:
    """Take over a decision made elsewhere. The task must not have been handed out."""
    row = lock_task(task)
    take_transition(row, Action.IMPORT)
    row.places_left = 0
    row.save(update_fields=["state", "decided_at", "places_left"])
    return record_decision(row, answer, source=Decision.Source.IMPORTED, decided_by=actor)


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
        if decision is None or decision.source not in BY_THEMSELVES:
            raise Conflict("too_late", seconds=10)
        Decision.objects.filter(pk=decision.pk).update(superseded_at=timezone.now())
        events.publish("decision.retracted", task=row.pk, project=row.project_id)
    Agreement.objects.filter(task=row).delete()
