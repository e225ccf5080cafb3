"""Telling annotators what became of their answers, each only of their own."""

from __future__ import annotations

from collections.abc import Sequence

from annotator.labeling.models import Annotation, Task
from annotator.labeling.schemas import Schemas
from inference.captions import compare, values_from_json

from .models import Decision, Feedback


def tell(answers: Sequence[Annotation], outcome: Feedback.Outcome, *, comment: str = "") -> None:
    """The authors of ``answers`` are told the same."""
    Feedback.objects.bulk_create(
        Feedback(
            annotator_id=answer.author_id,
            annotation=answer,
            task_id=answer.task_id,
            outcome=outcome,
            comment=comment,
        )
        for answer in answers
    )


def tell_decision(task: Task, answers: Sequence[Annotation], decision: Decision) -> None:
    """Each author is told whether the decision upholds their answer, and where not."""
    schemas = Schemas(task.project)
    rows = []
    for answer in answers:
        changed = _changed(schemas, answer, decision)
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


def _changed(schemas: Schemas, answer: Annotation, decision: Decision) -> list[str]:
    """The fields that the author was asked for and that were decided otherwise."""
    given = schemas.carry(answer.fields, answer.schema_version)
    values, decided = given.values, values_from_json(decision.fields)
    return [
        field.key
        for field in schemas.now.fields
        if field.key in given.known
        and compare(field, values.get(field.key), decided.get(field.key)) < 1
    ]
