"""Sparing the second annotator: who is asked of a task is settled when it is handed out for the first time
(ADR 33).

What it depends on is known before anybody answers: the machine's confidence, who the first person is, and
chance. So whether somebody else meets the task says nothing of what the first one answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotator.accounts.models import Project, User
from annotator.suggestions.models import Suggestion

from . import risk
from .models import Task, Trial, Trust
from .schemas import schema_of
from .states import TaskState

VALID_FOR = timedelta(days=90)
"""A certificate that was not renewed for so long is none."""


def applies_to(project: Project) -> bool:
    """Whether the project spares second annotators at all. Boxes are drawn by people only."""
    return project.rules.single_limit > 0 and project.overlap == 2 and not project.boxes_required


def consider(
    task: Task,
    annotator: User,
    suggestion: Suggestion | None,
    *,
    skill: float | None,
    further: bool = False,
) -> None:
    """Settle for a task that was just taken, and that nobody else holds, whether its first answer may do.
    ``skill`` is how often the annotator is right; ``further`` says that one more is asked after them."""
    project = task.project
    if task.state == TaskState.GOLD or task.overlap - task.places_left != 1:
        return
    if task.overlap < project.overlap:  # it was spared for somebody who gave it back
        Trial.objects.filter(task=task).delete()
        _want(task, project.overlap + further)
    if further or task.answers or not applies_to(project):
        return
    score = score_by(project, suggestion, skill)
    if score is None or suggestion is None:
        return
    trust = in_force(project, suggestion.model_version)
    drawn = is_drawn(task.pk, project.rules.audit_share)
    alone = trust is not None and not drawn and score >= (trust.threshold or 0.0)
    Trial.objects.update_or_create(
        task=task,
        defaults={
            "project": project,
            "annotator": annotator,
            "suggestion": suggestion,
            "score": score,
            "model_version": suggestion.model_version,
            "schema_version": project.schema_version,
            "alone": alone,
            "counted": drawn or trust is None,
        },
    )
    if alone:
        _want(task, 1)


def does(task: Task) -> bool:
    """Whether the first answer to a locked task, given just now, is all that is asked for. Where what
    spoke for that no longer holds, a second one is asked for after all: the caller saves the task."""
    if task.overlap >= task.project.overlap:
        return False
    trial = Trial.objects.filter(task=task).first()
    if trial is not None and trial.alone and applies_to(task.project):
        trust = in_force(task.project, trial.model_version)
        if (
            trust is not None
            and trial.score >= (trust.threshold or 0.0)
            and trial.schema_version == task.project.schema_version
        ):
            return True
    Trial.objects.filter(task=task).update(alone=False)
    _set_places(task, task.project.overlap)
    return False


def score_by(project: Project, suggestion: Suggestion | None, skill: float | None) -> float | None:
    """The score of a task by its suggestion: the confidences in what makes a dispute, SKU and quantity.
    None where the machine proposes no SKU."""
    if suggestion is None:
        return None
    schema = schema_of(project)
    proposed = [suggestion.fields.get(f.key) for f in schema.of_kind("sku")]
    if not proposed or not all(map(_says, proposed)):
        return None
    proposed += [suggestion.fields.get(f.key) for f in schema.of_kind("quantity")]
    confidence = 1.0
    for value in proposed:
        if value is not None and _says(value):
            confidence *= float(value["confidence"])
    return round(risk.score_of(confidence, skill), 6)


def _says(proposal: Mapping[str, Any] | None) -> bool:
    return bool(proposal) and isinstance(proposal, Mapping) and bool(proposal.get("value"))


def in_force(project: Project, model_version: str) -> Trust | None:
    """The certificate that holds now for what this model says under the schema in force."""
    return Trust.objects.filter(
        project=project,
        model_version=model_version,
        schema_version=project.schema_version,
        limit=project.rules.single_limit,
        threshold__isnull=False,
        checked_at__gte=timezone.now() - VALID_FOR,
    ).first()


def is_drawn(task_id: int, share: float) -> bool:
    """Whether chance has a task answered twice whatever speaks for one answer. The same whenever it is
    asked, and known to nobody before."""
    drawn = salted_hmac("annotator.labeling.audit", str(task_id)).hexdigest()
    return int(drawn[:8], 16) / 2**32 < share


def _want(task: Task, overlap: int) -> None:
    if task.overlap != overlap:
        _set_places(task, overlap)
        task.save(update_fields=["overlap", "places_left"])


def _set_places(task: Task, overlap: int) -> None:
    held = task.overlap - task.places_left
    task.overlap, task.places_left = overlap, max(0, overlap - held)
