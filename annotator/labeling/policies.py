"""Who may do what to a task, and when. Each rule raises and says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.crypto import salted_hmac

from annotator.accounts.models import Project, User
from annotator.accounts.states import WithholdMode
from annotator.core.errors import Conflict, Forbidden

from .models import Annotation, Assignment, Task
from .states import Action, Actor, AssignmentState, may_take, next_state

WITHDRAW_WITHIN = timedelta(seconds=10)
MAX_HELD = 2
"""The task on the screen and the one loaded ahead."""
SURE_FROM = 0.85
"""From this confidence on a proposal may be confirmed among look-alikes."""
FEWEST_ALIKE, MOST_ALIKE = 3, 20
MAX_OWED = 10
"""So many tasks a project makes up for when it has work again."""


RETURNED_LEASE = timedelta(days=3)
"""How long an answer that was given back waits for its author before others may answer."""


def check_transition(task: Task, action: Action, actor: Actor) -> None:
    """Raise unless ``actor`` may take ``action`` in the task's state."""
    if next_state(task.state, action) is None:
        raise Conflict("task_not_open", state=task.state, action=action.value)
    if not may_take(task.state, action, actor):
        raise Forbidden()


def check_holds(assignment: Assignment, *, user: User, token: str) -> None:
    """Raise unless ``user`` holds the lease that ``token`` fences."""
    if assignment.annotator_id != user.pk or assignment.token != token:
        raise Conflict("stale_token")
    if assignment.state == AssignmentState.EXPIRED:
        raise Conflict("lease_expired")
    if assignment.state != AssignmentState.ACTIVE:
        raise Conflict("stale_token")


def is_withheld(task_id: int, *, of: User, project: Project) -> bool:
    """Whether this person answers the task without seeing the guess, or sees it only later, to measure
    how much it sways people. The same whenever they get it, singly or among look-alikes: who passes it
    on or sees it again draws no second time."""
    if project.withhold_mode == WithholdMode.OFF:
        return False
    drawn = salted_hmac("annotator.labeling.withheld", f"{task_id}:{of.pk}").hexdigest()
    return int(drawn[:8], 16) / 2**32 < project.withhold_rate


def check_may_reveal(assignment: Assignment, *, now: datetime) -> None:
    """Raise unless a delayed suggestion is due: so many seconds after the task was handed out, or once
    a draft with an entry has been kept. A suggestion that is withheld never is."""
    if assignment.suggestion_id is None or not assignment.suggestion_delayed:
        raise Conflict("no_delayed_suggestion")
    seconds = assignment.task.project.withhold_delay_s
    if seconds:
        if now < assignment.created_at + timedelta(seconds=seconds):
            raise Conflict("suggestion_not_due")
    elif not has_entry(assignment.draft):
        raise Conflict("suggestion_not_due")


def has_entry(draft: Mapping[str, Any] | None) -> bool:
    """Whether somebody has begun to answer."""
    if not draft:
        return False
    return any((draft.get("fields") or {}).values()) or bool(draft.get("boxes"))


def in_turn(shares: Mapping[int, float], passed: Mapping[int, float]) -> dict[int, float]:
    """The projects of a site in the order in which they may hand out the next task, each with where
    it then stands: who handed out least for its share comes first.

    ``passed`` counts a project's handouts divided by its share. A new one starts level with the one
    that is next, before it; one that had no work is owed at most :data:`MAX_OWED` tasks. Deterministic.
    """
    known = [passed[pk] for pk in shares if pk in passed] or [0.0]
    at = {
        pk: max(passed.get(pk, min(known)), max(known) - MAX_OWED / share)
        for pk, share in shares.items()
    }
    order = sorted(shares, key=lambda pk: (at[pk], pk in passed, pk))
    return {pk: at[pk] + 1 / shares[pk] for pk in order}


def check_can_withdraw(annotation: Annotation, *, user: User, now: datetime) -> None:
    """Raise unless the author still may take the answer back."""
    if annotation.author_id != user.pk:
        raise Forbidden()
    if annotation.withdrawn_at is not None or now > annotation.created_at + WITHDRAW_WITHIN:
        raise Conflict("too_late", seconds=int(WITHDRAW_WITHIN.total_seconds()))
