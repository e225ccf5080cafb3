"""The states of a training run and every way from one to another. The only place that knows them."""

from __future__ import annotations

from django.db import models


class RunState(models.TextChoices):
    QUEUED = "queued"
    FREEZING = "freezing"
    TRAINING = "training"
    JUDGING = "judging"
    EXPORTED = "exported"
    PROMOTED = "promoted"
    KEPT = "kept"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunAction(models.TextChoices):
    FREEZE = "freeze"
    TRAIN = "train"
    JUDGE = "judge"
    EXPORT = "export"
    PROMOTE = "promote"
    KEEP = "keep"
    FAIL = "fail"
    CANCEL = "cancel"
    REQUEUE = "requeue"
    RETRY = "retry"


class Method(models.TextChoices):
    """``lora``: an adapter on a base; ``joint``: all of its weights."""

    LORA = "lora"
    JOINT = "joint"


class Trigger(models.TextChoices):
    """Why a run was started."""

    PERSON = "person"
    TIME = "time"
    COUNT = "count"
    DRIFT = "drift"


_S = RunState
_A = RunAction
AT_WORK = frozenset({_S.FREEZING, _S.TRAINING, _S.JUDGING, _S.EXPORTED})
"""States in which a worker holds the run."""
ACTIVE = AT_WORK | {_S.QUEUED}
"""States of which a site has one run at most."""
ENDED = frozenset(_S) - ACTIVE

TRANSITIONS: dict[tuple[RunState, RunAction], RunState] = {
    (_S.QUEUED, _A.FREEZE): _S.FREEZING,
    (_S.FREEZING, _A.TRAIN): _S.TRAINING,
    (_S.TRAINING, _A.JUDGE): _S.JUDGING,
    (_S.JUDGING, _A.EXPORT): _S.EXPORTED,
    (_S.EXPORTED, _A.PROMOTE): _S.PROMOTED,
    (_S.EXPORTED, _A.KEEP): _S.KEPT,
    **{(state, _A.FAIL): _S.FAILED for state in (_S.QUEUED, *sorted(AT_WORK))},
    **{(state, _A.CANCEL): _S.CANCELLED for state in (_S.QUEUED, *sorted(AT_WORK))},
    # Its worker died or was stopped: another attempt goes on from what lies in the folder.
    **{(state, _A.REQUEUE): _S.QUEUED for state in sorted(AT_WORK)},
    (_S.FAILED, _A.RETRY): _S.QUEUED,
    (_S.CANCELLED, _A.RETRY): _S.QUEUED,
}


def next_state(state: str, action: RunAction) -> RunState | None:
    """Where ``action`` leads from ``state``; None when there is no such arrow."""
    return TRANSITIONS.get((RunState(state), action))
