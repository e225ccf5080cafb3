"""The states of a task and every way from one to another. The only place that knows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from annotator.accounts.states import Role


class TaskState(models.TextChoices):
    NEW = "new"
    READY = "ready"
    LABELING = "labeling"
    DISPUTED = "disputed"
    DECIDED = "decided"
    REJECTED = "rejected"
    GOLD = "gold"


class Action(models.TextChoices):
    PREPARE = "prepare"
    LEASE = "lease"
    SUBMIT = "submit"
    VACATE = "vacate"
    AGREE = "agree"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"
    RETURN = "return"
    ARBITRATE = "arbitrate"
    SEND_BACK = "send_back"
    REJECT = "reject"
    REOPEN = "reopen"
    IMPORT = "import"


SYSTEM = "system"
Actor = Role | str


@dataclass(frozen=True, slots=True)
class Transition:
    """One arrow of the diagram: who may take it and where it leads."""

    to: TaskState
    by: frozenset[Actor]


_SYSTEM = frozenset({SYSTEM})
_LABELERS = frozenset({Role.ANNOTATOR})
_REVIEWERS = frozenset({Role.REVIEWER})
_STAFF = frozenset({Role.REVIEWER, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN, SYSTEM})

_S = TaskState
_A = Action
TRANSITIONS: dict[tuple[TaskState, Action], Transition] = {
    (_S.NEW, _A.PREPARE): Transition(_S.READY, _SYSTEM),
    (_S.READY, _A.LEASE): Transition(_S.LABELING, _LABELERS),
    (_S.LABELING, _A.LEASE): Transition(_S.LABELING, _LABELERS),
    (_S.LABELING, _A.SUBMIT): Transition(_S.LABELING, _LABELERS),
    # Nobody holds the task any more and nobody has answered it.
    (_S.LABELING, _A.VACATE): Transition(_S.READY, _SYSTEM),
    (_S.LABELING, _A.AGREE): Transition(_S.DECIDED, _SYSTEM),
    (_S.LABELING, _A.DISPUTE): Transition(_S.DISPUTED, _SYSTEM),
    (_S.LABELING, _A.WITHDRAW): Transition(_S.LABELING, _LABELERS),
    # An answer is its author's again: the schema changed and it cannot stand under the new one, or
    # a reviewer sent the task back.
    (_S.LABELING, _A.RETURN): Transition(_S.LABELING, _SYSTEM),
    (_S.DISPUTED, _A.WITHDRAW): Transition(_S.LABELING, _LABELERS),
    (_S.DECIDED, _A.WITHDRAW): Transition(_S.LABELING, _LABELERS),
    (_S.DISPUTED, _A.ARBITRATE): Transition(_S.DECIDED, _REVIEWERS),
    (_S.DISPUTED, _A.SEND_BACK): Transition(_S.LABELING, _REVIEWERS),
    (_S.DISPUTED, _A.REJECT): Transition(_S.REJECTED, _REVIEWERS),
    (_S.NEW, _A.REJECT): Transition(_S.REJECTED, _STAFF),
    (_S.READY, _A.REJECT): Transition(_S.REJECTED, _STAFF),
    (_S.DECIDED, _A.REOPEN): Transition(_S.DISPUTED, _STAFF),
    (_S.REJECTED, _A.REOPEN): Transition(_S.DISPUTED, _STAFF),
    # Its answer is known: annotators are measured by it, and nothing is ever decided.
    (_S.GOLD, _A.LEASE): Transition(_S.GOLD, _LABELERS),
    (_S.GOLD, _A.SUBMIT): Transition(_S.GOLD, _LABELERS),
    (_S.GOLD, _A.WITHDRAW): Transition(_S.GOLD, _LABELERS),
    (_S.NEW, _A.IMPORT): Transition(_S.DECIDED, _ADMINS),
    (_S.READY, _A.IMPORT): Transition(_S.DECIDED, _ADMINS),
}

OPEN_STATES = frozenset({TaskState.READY, TaskState.LABELING})
"""States in which a task may be handed out."""


ORDINARY = frozenset(TaskState) - {TaskState.GOLD}
"""States of the tasks that are labeled to be decided."""


class AssignmentState(models.TextChoices):
    ACTIVE = "active"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    RELEASED = "released"


HOLDING = frozenset({AssignmentState.ACTIVE, AssignmentState.SUBMITTED})
"""Assignment states that take up one of a task's places."""


class SkipReason(models.TextChoices):
    UNREADABLE = "unreadable"
    NOT_GOODS = "not_goods"
    SEVERAL_GOODS = "several_goods"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Flag(models.TextChoices):
    """Who is to look at an answered photo again."""

    REVIEWER = "reviewer"
    SELF = "self"


def next_state(state: str, action: Action) -> TaskState | None:
    """Where ``action`` leads from ``state``; None when there is no such arrow."""
    transition = TRANSITIONS.get((TaskState(state), action))
    return transition.to if transition else None


def may_take(state: str, action: Action, actor: Actor) -> bool:
    """Whether ``actor`` may take ``action`` from ``state``."""
    transition = TRANSITIONS.get((TaskState(state), action))
    return transition is not None and actor in transition.by


def mermaid() -> str:
    """The diagram of :data:`TRANSITIONS`, for ``docs/states.md``."""
    lines = ["stateDiagram-v2", "    [*] --> new", "    [*] --> gold"]
    for (state, action), transition in TRANSITIONS.items():
        who = ", ".join(sorted(str(actor) for actor in transition.by))
        lines.append(f"    {state} --> {transition.to}: {action} ({who})")
    return "\n".join(lines)
