"""Who may settle a dispute, and how much hangs on one."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime

from annotator.accounts.models import User
from annotator.core.errors import Conflict, Forbidden
from annotator.labeling.models import Task
from annotator.labeling.states import Action, TaskState

from .models import Dispute, Severity

_SEVERE = ("sku_differs", "reopened")
_NOTABLE = ("quantity_differs", "condition_differs", "boxes_differ", "skipped", "flagged")


def check_is_disputed(task: Task, action: Action = Action.ARBITRATE) -> None:
    """Raise unless the task is on the reviewers' desk."""
    if task.state != TaskState.DISPUTED:
        raise Conflict("task_not_open", state=task.state, action=action.value)


def check_is_not_annotator(task: Task, reviewer: User) -> None:
    """Raise when the reviewer ever answered the task: nobody settles their own dispute. The database
    refuses it as well (see ``independence``)."""
    if task.annotations.filter(author=reviewer).exists():
        raise Forbidden("own_answer")


def check_is_free(dispute: Dispute, reviewer: User, *, now: datetime) -> None:
    """Raise when another reviewer works on the dispute."""
    held = dispute.claimed_until is not None and dispute.claimed_until > now
    if held and dispute.reviewer_id not in (None, reviewer.pk):
        raise Conflict("claimed", who=str(dispute.reviewer))


def check_claim(dispute: Dispute, reviewer: User, token: str) -> None:
    """Raise unless the reviewer holds the dispute with ``token``."""
    if dispute.reviewer_id != reviewer.pk or not token or dispute.token != token:
        raise Conflict("stale_token")


def severity_of(codes: Container[str]) -> Severity:
    """How much hangs on a dispute with these reasons: which article it is, or a decision that was in
    use already; how many there are and in what condition; the rest."""
    if any(code in codes for code in _SEVERE):
        return Severity.HIGH
    return Severity.MEDIUM if any(code in codes for code in _NOTABLE) else Severity.LOW
