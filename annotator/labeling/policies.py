"""Who may do what to a task, and when. Each rule raises and says why."""

from __future__ import annotations

from datetime import datetime, timedelta

from annotator.accounts.models import User
from annotator.core.errors import Conflict, Forbidden

from .models import Annotation, Assignment, Task
from .states import Action, Actor, AssignmentState, may_take, next_state

WITHDRAW_WITHIN = timedelta(seconds=10)
MAX_HELD = 2
"""The task on the screen and the one loaded ahead."""


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


def check_can_withdraw(annotation: Annotation, *, user: User, now: datetime) -> None:
    """Raise unless the author still may take the answer back."""
    if annotation.author_id != user.pk:
        raise Forbidden()
    if annotation.withdrawn_at is not None or now > annotation.created_at + WITHDRAW_WITHIN:
        raise Conflict("too_late", seconds=int(WITHDRAW_WITHIN.total_seconds()))
