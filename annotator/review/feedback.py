"""Telling annotators what became of their answers, each only of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotator.labeling.models import Annotation, Task
from annotator.labeling.schemas import Schemas
from inference.captions import compare, values_from_json

from .models import Decision, Feedback


def tell(
    answers: Sequence[Annotation],
    outcome: Feedback.Outcome,
    *,
    comment: str = "",
    changed: Sequence[str] = (),
    decision: Decision | None = None,
) -> None:
    """The authors of ``answers`` are told the same."""
    Feedback.objects.bulk_create(
        Feedback(
            annotator_id=answer.author_id,
            annotation=answer,
            task_id=answer.task_id,
            decision=decision,
            outcome=outcome,
            changed=list(changed),
            comment=comment,
        )
        for answer in answers
    )


def tell_decision(task: Task, answers: Sequence[Annotation], decision: Decision) -> None:
    """Each author is told whether the decision upholds their answer, and where not."""
    schemas = Schemas(task.project)
    rows = []
    for answer in answers:
        changed = differing(schemas, answer, decision.fields)
        outcome = Feedback.Outcome.CORRECTED if changed else Feedback.Outcome.UPHELD
        rows.append(
            Feedback(
                annotator_id=answer.author_id,
                annotation=answer,
                task=task,
                decision=decision,
                outcome=outcome,
                changed=changed,
                comment=decision.note,
            )
        )
    Feedback.objects.bulk_create(rows)


def differing(schemas: Schemas, answer: Annotation, fields: Mapping[str, Any]) -> list[str]:
    """The fields that the author was asked for and in which the answer differs from ``fields``."""
    given = schemas.carry(answer.fields, answer.schema_version)
    values, decided = given.values, values_from_json(fields)
    return [
        field.key
        for field in schemas.now.fields
        if field.key in given.known
        and compare(field, values.get(field.key), decided.get(field.key)) < 1
    ]
