"""How an annotator is handed a project's tasks: paused with a reason, more gold tasks, a further annotator
on theirs. Every change is logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.core import audit
from annotator.core.errors import FieldError, Invalid

from .models import Standing


def standing_of(project: Project, annotator: int) -> Standing:
    """What holds for somebody; an unsaved row where nothing was decided."""
    row = Standing.objects.filter(project=project, annotator=annotator).first()
    return row or Standing(project=project, annotator_id=annotator)


def change(
    *,
    project: Project,
    annotator: int,
    actor: User | None,
    paused: bool | None = None,
    reason: str = "",
    **settings: Any,
) -> Standing:
    """Pause with a ``reason`` or let work again, and set ``gold_rate`` (None: the project's) and
    ``third``. What they hold stays theirs. Raises Invalid for a pause without a reason."""
    if paused and not reason.strip():
        raise Invalid([FieldError("reason", "required")])
    with transaction.atomic():
        row, _ = Standing.objects.select_for_update().get_or_create(
            project=project, annotator_id=annotator
        )
        if paused is not None:
            row.paused_at = (row.paused_at or timezone.now()) if paused else None
            row.paused_reason = reason.strip()[:500] if paused else ""
        for key, value in settings.items():
            setattr(row, key, value)
        row.save()
        audit.record(
            action="standing.changed",
            on=row,
            actor=actor,
            site_id=project.site_id,
            annotator=annotator,
            paused=row.paused_at is not None,
            reason=row.paused_reason,
            gold_rate=row.gold_rate,
            third=row.third,
        )
    return row


def watch(*, project: Project, annotator: int, gold_rate: float) -> None:
    """More gold tasks and a further annotator on every task, where that is not so already."""
    now = standing_of(project, annotator)
    if now.third and (now.gold_rate or 0.0) >= gold_rate:
        return
    change(
        project=project,
        annotator=annotator,
        actor=None,
        gold_rate=max(gold_rate, now.gold_rate or 0.0),
        third=True,
    )


def know_skills(*, project: Project, skills: Mapping[int, float]) -> None:
    """How often people are right, for whom it is known; the queue scores tasks by it."""
    Standing.objects.bulk_create(
        [Standing(project=project, annotator_id=pk, skill=skill) for pk, skill in skills.items()],
        update_conflicts=True,
        unique_fields=["annotator", "project"],
        update_fields=["skill"],
    )
