"""Long work that somebody waits for: started as a row, run by a worker, resumed after a kill.

A job runs through the outbox, so losing a message or a worker loses nothing. Its function is a
service ``run(job, progress)``; ``annotator.pipeline.table.JOBS`` names them all. What it did before
its last checkpoint is not repeated; what it did after it is, so every step must bear being run twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from . import audit, outbox
from .errors import Conflict, DomainError
from .models import Job, JobState, OutboxEvent
from .outbox import TryLater

log = logging.getLogger(__name__)

QUEUE = "bulk"
HANDLER = "run_job"
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
"""Failures since the last checkpoint before a job is given up."""
MAX_DEATHS = 6
"""Starts since the last checkpoint, whatever ended them."""
MAX_RUNNING = 2
"""Jobs that run at once in all workers: the rest of a worker's threads serve people."""
WRITE_EVERY_S = 1.0
OPEN = (JobState.WAITING, JobState.RUNNING)

Run = Callable[[Job, "Progress"], Mapping[str, Any]]
_runs: dict[str, Run] = {}


class Cancelled(Exception):
    """Somebody asked the job to stop; what was done stays done."""


def install(table: Mapping[str, Run]) -> None:
    """Install the table of job kinds (done once, when the pipeline app is ready)."""
    _runs.clear()
    _runs.update(table)
    outbox.register(HANDLER, run_jobs, batch=1)


class Progress:
    """What a running job reports. Written at most once a second; each write renews the lease, so a
    job must report at least once a minute."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._done = int(job.checkpoint.get("done", 0))
        self._counts = Counter[str](job.checkpoint.get("counts", {}))
        self._written = 0.0

    @property
    def state(self) -> dict[str, Any]:
        """What the last checkpoint kept; empty at the start."""
        kept: dict[str, Any] = self._job.checkpoint.get("state", {})
        return kept

    def total(self, n: int | None) -> None:
        """How many steps there will be, where that is known."""
        self._job.total = n
        self._write()

    def advance(self, n: int = 1, **counts: int) -> None:
        """``n`` steps are done; ``counts`` are added up by name. Raises :class:`Cancelled`."""
        self._done += n
        self._counts.update(counts)
        if time.monotonic() - self._written >= WRITE_EVERY_S:
            self._write()

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Everything up to here is committed: go on from ``state`` after a kill."""
        self._job.checkpoint = {
            "state": dict(state),
            "done": self._done,
            "counts": dict(self._counts),
        }
        self._job.attempts = 0
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        self._save()
        if Job.objects.filter(pk=self._job.pk, cancel_requested_at__isnull=False).exists():
            raise Cancelled

    def _save(self) -> None:
        job = self._job
        job.done, job.counts = self._done, dict(self._counts)
        job.leased_until = timezone.now() + LEASE
        job.save(
            update_fields=["total", "done", "counts", "checkpoint", "attempts", "leased_until"]
        )


def start(
    *,
    kind: str,
    site_id: int,
    params: Mapping[str, Any],
    actor: Any = None,
    project_id: int | None = None,
) -> Job:
    """Put a job on its way, in the caller's transaction if there is one."""
    if kind not in _runs:
        raise LookupError(f"No job kind {kind!r} in the pipeline's table.")
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            site_id=site_id,
            project_id=project_id,
            params=dict(params),
            created_by=actor,
        )
        audit.record(action="job.started", on=job, actor=actor, site_id=site_id, kind=kind)
        outbox.enqueue(HANDLER, queue=QUEUE, payload={"job": job.pk}, dedupe=str(job.pk))
    return job


def cancel(*, job: Job, actor: Any) -> Job:
    """Ask a job to stop. One that waits stops at once; one that runs, at its next report. What it
    did until then stays. Raises Conflict for a job that has ended."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if job.state not in OPEN:
            raise Conflict("job_ended", state=job.state)
        job.cancel_requested_at = timezone.now()
        job.save(update_fields=["cancel_requested_at"])
        if job.state == JobState.WAITING:
            _end(job, JobState.CANCELLED)
        audit.record(action="job.cancelled", on=job, actor=actor, site_id=job.site_id)
    return job


def run_jobs(payloads: Sequence[Mapping[str, Any]]) -> None:
    """The outbox handler."""
    for payload in payloads:
        job = _claim(payload["job"])
        if job is not None:
            _run(job)


def _claim(pk: int) -> Job | None:
    now = timezone.now()
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=pk)
        if job.state not in OPEN:
            return None
        if job.cancel_requested_at is not None:
            _end(job, JobState.CANCELLED)
            return None
        if job.leased_until is not None and job.leased_until > now:
            raise TryLater("Another worker runs it.", after_s=LEASE.total_seconds())
        if job.attempts >= MAX_DEATHS:
            _fail(job, "job_broke", f"{job.attempts} workers died while they ran this.")
            return None
        running = Job.objects.filter(state=JobState.RUNNING, leased_until__gt=now).count()
        if running >= MAX_RUNNING:
            raise TryLater(f"{running} jobs are running.", after_s=3.0)
        job.state = JobState.RUNNING
        job.started_at = job.started_at or now
        job.leased_until = now + LEASE
        job.attempts += 1
        job.save(update_fields=["state", "started_at", "leased_until", "attempts"])
    return job


def _run(job: Job) -> None:
    progress = Progress(job)
    try:
        result = _runs[job.kind](job, progress)
        progress._save()
    except Cancelled:
        progress._save()
        _end(job, JobState.CANCELLED)
    except DomainError as error:
        progress._save()
        _fail(job, error.code, error.detail)
    except Exception as error:
        if job.attempts < MAX_ATTEMPTS:
            Job.objects.filter(pk=job.pk).update(leased_until=None)
            raise
        log.exception("Job %s (%s) failed for good", job.pk, job.kind)
        _fail(job, "job_broke", f"{type(error).__name__}: {error}"[:500])
    else:
        job.result = dict(result)
        job.save(update_fields=["result"])
        _end(job, JobState.DONE)


def _fail(job: Job, code: str, detail: str) -> None:
    job.error = {"code": code, "detail": detail}
    job.save(update_fields=["error"])
    _end(job, JobState.FAILED)


def _end(job: Job, state: JobState) -> None:
    job.state = state
    job.ended_at = timezone.now()
    job.leased_until = None
    job.save(update_fields=["state", "ended_at", "leased_until"])


def wake() -> None:
    """Make the jobs of dead workers due again, without waiting for the outbox's longer lease."""
    dead = Job.objects.filter(state=JobState.RUNNING, leased_until__lt=timezone.now())
    keys = [str(pk) for pk in dead.values_list("pk", flat=True)[:100]]
    if keys:
        OutboxEvent.objects.filter(
            handler=HANDLER, dedupe__in=keys, leased_until__isnull=False
        ).update(leased_until=None)
