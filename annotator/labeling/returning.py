"""Giving an answer back to its author: the same lease is theirs again, with the answer as its draft."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from annotator.accounts.models import User
from annotator.core import audit

from . import policies
from .leases import take_transition
from .models import Annotation, Assignment, Task
from .states import Action, AssignmentState


def draft_of(annotation: Annotation) -> dict[str, Any]:
    """What an answer says, as a draft."""
    said = ("fields", "boxes", "attributes", "active_seconds", "schema_version", "flag", "note")
    return {name: getattr(annotation, name) for name in said}


def return_answer(
    task: Task,
    annotation: Annotation,
    *,
    note: str = "",
    actor: User | None = None,
    **why: Any,
) -> Assignment:
    """Give a standing answer of a locked task back; ``note`` is what its author is told."""
    now = timezone.now()
    annotation.withdrawn_at = now
    annotation.save(update_fields=["withdrawn_at"])
    assignment = Assignment.objects.select_for_update().get(pk=annotation.assignment_id)
    assignment.state = AssignmentState.ACTIVE
    assignment.ended_at = None
    assignment.expires_at = now + policies.RETURNED_LEASE
    assignment.returned_at, assignment.returned_note = now, note
    assignment.draft = draft_of(annotation)
    assignment.draft_version += 1
    assignment.save(
        update_fields=[
            "state", "ended_at", "expires_at", "returned_at", "returned_note", "draft",
            "draft_version",
        ]
    )  # fmt: skip
    take_transition(task, Action.RETURN)
    task.answers -= 1
    task.save(update_fields=["answers", "state", "decided_at"])
    audit.record(
        action="annotation.returned",
        on=task,
        actor=actor,
        site_id=task.project.site_id,
        annotation=annotation.pk,
        **why,
    )
    return assignment
