"""Starting, holding and ending training runs: lock, check, change, audit, in that order.

A run is held by the attempt that its ``fence`` names. Everything that an attempt writes goes through
:func:`beat` or :func:`advance`, which raise :class:`Lost` when another attempt holds the run by now.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotator.accounts.models import Project, Site, User
from annotator.core import audit, outbox
from annotator.core.errors import Conflict, FieldError, Invalid
from annotator.datasets.models import Snapshot

from . import policies, queries
from .models import TrainingRun
from .states import ACTIVE, AT_WORK, ENDED, Method, RunAction, RunState, Trigger, next_state

QUEUE = "train"
HANDLER = "run_training"
LEASE = timedelta(seconds=60)
"""So long after its last heartbeat an attempt counts as dead."""
MAX_ATTEMPTS = 5
"""Attempts that died without an epoch done before a run is given up."""
_GROWING = ("stage", "done", "total", "figures")


class Lost(Exception):
    """Another attempt holds the run, or it was ended: this one must not write any more."""


class Cancelled(Exception):
    """Somebody asked the run to stop."""


def start_run(
    *,
    project: Project,
    method: str = Method.LORA,
    arguments: Mapping[str, Any] | None = None,
    snapshot: Snapshot | None = None,
    actor: User | None = None,
    trigger: Trigger = Trigger.PERSON,
    facts: Mapping[str, Any] | None = None,
) -> TrainingRun:
    """Ask for a run on what is decided in ``project``, or on a ``snapshot`` of it that was made. Raises
    Conflict while the site has one at work, and when there is nothing to learn from."""
    chosen = policies.check_arguments(arguments or {})
    if snapshot is not None and (snapshot.project_id != project.pk or not snapshot.sha256):
        raise Invalid([FieldError("snapshot", "snapshot_not_usable", {"id": snapshot.pk})])
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=project.site_id)
        _check_none_active(project.site_id)
        latest = queries.latest_decision(project.pk)
        if latest is None:
            raise Conflict("nothing_decided")
        run = TrainingRun(
            site_id=project.site_id,
            project=project,
            method=method,
            arguments=chosen,
            snapshot=snapshot,
            requested_by=actor,
            trigger=trigger,
            trigger_facts=dict(facts or {}),
            decisions_up_to=latest,
        )
        _save_active(run)
        run.folder = f"training/{run.site_id}/{run.pk}"
        run.save(update_fields=["folder"])
        said = {"method": method, "trigger": trigger, "facts": run.trigger_facts}
        audit.record(action="training.asked", on=run, actor=actor, site_id=run.site_id, **said)
        _ring(run)
    return run


def _check_none_active(site_id: int) -> None:
    active = TrainingRun.objects.filter(site=site_id, state__in=ACTIVE).first()
    if active is not None:
        raise Conflict("training_under_way", id=active.pk)


def _save_active(run: TrainingRun) -> None:
    """The database's word on one active run a site, should the lock ever not be taken."""
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        raise Conflict("training_under_way", id=0) from error


def _ring(run: TrainingRun) -> None:
    outbox.enqueue(HANDLER, queue=QUEUE, payload={"run": run.pk}, dedupe=str(run.pk))


def cancel_run(*, run: TrainingRun, actor: User | None) -> TrainingRun:
    """Ask a run to stop. One that waits stops at once, one at work at its next heartbeat; what it has
    learned so far stays in its folder. Raises Conflict for one that has ended."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().get(pk=run.pk)
        if run.state in ENDED:
            raise Conflict("training_ended", state=run.state)
        run.cancel_requested_at = timezone.now()
        if run.state == RunState.QUEUED:
            _take(run, RunAction.CANCEL)
        run.save()
        audit.record(action="training.cancel_asked", on=run, actor=actor, site_id=run.site_id)
    return run


def retry_run(*, run: TrainingRun, actor: User | None) -> TrainingRun:
    """Another attempt of a run that failed or was cancelled; it goes on from what lies in its folder."""
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=run.site_id)
        run = TrainingRun.objects.select_for_update().get(pk=run.pk)
        _check_transition(run, RunAction.RETRY)
        _check_none_active(run.site_id)
        _take(run, RunAction.RETRY)
        run.attempts, run.error, run.gate = 0, None, None
        run.cancel_requested_at = run.ended_at = None
        _save_active(run)
        audit.record(action="training.retried", on=run, actor=actor, site_id=run.site_id)
        _ring(run)
    return run


# --- held by an attempt ---------------------------------------------------------------------------


def claim(run_id: int) -> TrainingRun | None:
    """Hold a waiting run for this process, under a new fence; None when it does not wait."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().get(pk=run_id)
        if run.state != RunState.QUEUED:
            return None
        if run.attempts >= MAX_ATTEMPTS:
            error = {"code": "training_died", "params": {"attempts": run.attempts}}
            _take(run, RunAction.FAIL)
            run.error = error
            run.save()
            audit.record(action="training.failed", on=run, site_id=run.site_id, error=error)
            return None
        _take(run, RunAction.FREEZE)
        run.fence += 1
        run.attempts += 1
        run.host, run.pid = socket.gethostname(), os.getpid()
        run.heartbeat_at = now = timezone.now()
        run.started_at = run.started_at or now
        run.stage, run.done, run.total = "", 0, None
        run.save()
        _say(run, "training.attempted", attempt=run.fence, host=run.host)
    return TrainingRun.objects.select_related("site", "project__site", "snapshot").get(pk=run.pk)


def beat(run: TrainingRun, **growing: Any) -> None:
    """Say that the attempt is alive, and how far it is. Raises :class:`Lost` or :class:`Cancelled`."""
    if unknown := set(growing) - {*_GROWING, "attempts"}:
        raise TypeError(f"A heartbeat does not change {sorted(unknown)}")
    held = _held(run)
    if not held.update(heartbeat_at=timezone.now(), **growing):
        raise Lost(f"Training run {run.pk} is held by another attempt.")
    for name, value in growing.items():
        setattr(run, name, value)
    if held.filter(cancel_requested_at__isnull=False).exists():
        raise Cancelled


def advance(run: TrainingRun, action: RunAction, **changes: Any) -> None:
    """Take ``action``, with what it changes. Raises :class:`Lost`, and Conflict where there is no
    such arrow."""
    with transaction.atomic():
        locked = _held(run).select_for_update().first()
        if locked is None:
            raise Lost(f"Training run {run.pk} is held by another attempt.")
        _check_transition(locked, action)
        _take(locked, action)
        for name, value in changes.items():
            setattr(locked, name, value)
        if locked.state in AT_WORK:
            locked.heartbeat_at = timezone.now()
        locked.save()
        said = {"error": locked.error} if action == RunAction.FAIL else {}
        _say(locked, f"training.{locked.state}", **said)
    run.state = locked.state
    for name, value in changes.items():
        setattr(run, name, value)


def put_back(run: TrainingRun, *, counts: bool = False) -> None:
    """Let another attempt go on; ``counts`` where this one was to blame. No harm when it was lost."""
    with transaction.atomic():
        locked = _held(run).select_for_update().first()
        if locked is None:
            return
        _take(locked, RunAction.REQUEUE)
        locked.heartbeat_at = None
        locked.attempts -= 0 if counts else 1
        locked.save()
        _say(locked, "training.put_back")
        _ring(locked)


def sweep() -> int:
    """Take the runs of dead workers away from them and queue them again; returns how many."""
    now = timezone.now()
    stale = TrainingRun.objects.filter(state__in=AT_WORK, heartbeat_at__lt=now - LEASE)
    found = 0
    for run in list(stale[:100]):
        with transaction.atomic():
            locked = stale.select_for_update().filter(pk=run.pk, fence=run.fence).first()
            if locked is None:
                continue
            _take(locked, RunAction.REQUEUE)
            locked.fence += 1  # whoever comes back from a long sleep has lost it
            locked.heartbeat_at = None
            locked.save()
            _say(locked, "training.found_dead", host=locked.host)
            _ring(locked)
            found += 1
    return found


def folder_of(run: TrainingRun) -> Path:
    """Where a run keeps what it makes."""
    return Path(settings.HOME) / run.folder


def _held(run: TrainingRun) -> Any:
    return TrainingRun.objects.filter(pk=run.pk, fence=run.fence, state__in=AT_WORK)


def _check_transition(run: TrainingRun, action: RunAction) -> None:
    if next_state(run.state, action) is None:
        raise Conflict("training_not_so", state=run.state, action=action.value)


def _take(run: TrainingRun, action: RunAction) -> None:
    to = next_state(run.state, action)
    assert to is not None, (run.state, action)
    run.state = to
    if to in ENDED:
        run.ended_at = timezone.now()
        run.pid = None


def _say(run: TrainingRun, action: str, **data: Any) -> None:
    audit.record(action=action, on=run, actor=None, site_id=run.site_id, **data)
