"""Who may settle a dispute, and how much hangs on one."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime

from django.utils.crypto import salted_hmac

from annotator.accounts.models import User
from annotator.accounts.rules import QualityRules
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


EXPECTED_ERROR = 0.007
"""What is allowed among agreed decisions: the sample is sized for it."""
WEIGHT = {"tie": 3.0, "single": 2.0}
"""Ties, and what one person said, are drawn so many times as often as others."""
Z95 = 1.959964


def spot_share(rules: QualityRules, stratum: str, *, population: int) -> float:
    """The probability with which an agreed decision is looked at again, so that the 95% interval of
    the error among ``population`` has the wanted width (Cochran, 1977, for a finite population)."""
    n = Z95**2 * EXPECTED_ERROR * (1 - EXPECTED_ERROR) / rules.spot_half_width**2
    population = max(population, 1)
    share = min(rules.spot_most, 1 / (1 + (population - 1) / n)) if n else 0.0
    return min(1.0, share * WEIGHT.get(stratum, 1.0))


def is_drawn(decision_id: int, share: float) -> bool:
    """Whether chance falls on a decision. The same whenever it is asked, and known to nobody before."""
    drawn = salted_hmac("annotator.review.spot", str(decision_id)).hexdigest()
    return int(drawn[:8], 16) / 2**32 < share
