"""The outbox: work as rows, claimed in small batches, retried with growing pauses.

A worker that dies in the middle leaves its rows leased; they come back when the lease ends. Handlers
must therefore bear being run twice.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from inference.logs import REQUEST_ID, bound, shared

from .models import OutboxEvent

log = logging.getLogger(__name__)

BatchHandler = Callable[[Sequence[Mapping[str, Any]]], None]

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
_handlers: dict[str, tuple[BatchHandler, int]] = {}
_last_ring: dict[str, float] = {}


class TryLater(Exception):
    """A handler cannot work now through no fault of its payload; tried again without limit."""

    def __init__(self, detail: str, *, after_s: float = 5.0) -> None:
        super().__init__(detail)
        self.after_s = after_s


def register(name: str, handler: BatchHandler, *, batch: int) -> None:
    """Make ``handler`` known under the name that rows carry."""
    _handlers[name] = (handler, batch)


def enqueue(
    handler: str,
    *,
    queue: str,
    payload: Mapping[str, Any],
    due_at: datetime | None = None,
    dedupe: str | None = None,
) -> None:
    """Add a row in the caller's transaction and ring the doorbell when it commits."""
    rows = [_row(handler, queue, payload, due_at, dedupe)]
    _add(rows, queue)


def enqueue_many(
    handler: str,
    *,
    queue: str,
    payloads: Sequence[Mapping[str, Any]],
    due_at: datetime | None = None,
    dedupe: Sequence[str] = (),
) -> None:
    """Add a row for each payload. ``dedupe`` names the keys that make two waiting rows one."""
    rows = [
        _row(handler, queue, p, due_at, ":".join(str(p[key]) for key in dedupe) or None)
        for p in payloads
    ]
    _add(rows, queue)


def _row(
    handler: str,
    queue: str,
    payload: Mapping[str, Any],
    due_at: datetime | None,
    dedupe: str | None,
) -> OutboxEvent:
    return OutboxEvent(
        handler=handler,
        queue=queue,
        payload=dict(payload),
        due_at=due_at or timezone.now(),
        dedupe=dedupe,
        request_id=REQUEST_ID.get(),
    )


def _add(rows: list[OutboxEvent], queue: str) -> None:
    OutboxEvent.objects.bulk_create(rows, ignore_conflicts=rows[0].dedupe is not None)
    if rows[0].dedupe is None or rows[0].due_at <= timezone.now():
        transaction.on_commit(lambda: ring(queue))


def ring(queue: str) -> None:
    """Tell a worker to look. Losing this costs a sweep interval, so errors are only logged."""
    if not settings.OUTBOX_RING or _rang_just_now(queue):
        return
    from .tasks import work

    try:
        work.apply_async(args=[queue], queue=queue, retry=False, ignore_result=True)
    except Exception as error:
        log.warning("The doorbell of queue %s did not ring: %s", queue, error)


def _rang_just_now(queue: str) -> bool:
    """One ring in a tenth of a second is enough: the worker empties the whole queue. A row that
    slips through is found by the sweep."""
    now = time.monotonic()
    if now - _last_ring.get(queue, -1.0) < 0.1:
        return True
    _last_ring[queue] = now
    return False


def claim(queue: str) -> list[OutboxEvent]:
    """Lease the next due rows of one handler, oldest first."""
    now = timezone.now()
    with transaction.atomic():
        due = OutboxEvent.objects.select_for_update(skip_locked=True).filter(
            Q(leased_until__isnull=True) | Q(leased_until__lt=now),
            queue=queue,
            due_at__lte=now,
            failed_at__isnull=True,
            handler__in=list(_handlers),
        )
        while (first := due.order_by("due_at", "id").first()) is not None:
            if first.attempts < MAX_ATTEMPTS:
                break
            # Every worker that took it died with it.
            detail = f"{first.attempts} workers died while they ran this."
            _put_back(first, failed_at=now, last_error=detail)
        if first is None:
            return []
        # A row that failed before runs alone, so that it cannot fail its neighbours again.
        size = 1 if first.attempts else _handlers[first.handler][1]
        rows = [first]
        if size > 1:
            rows += (
                due.filter(handler=first.handler, attempts=0)
                .exclude(pk=first.pk)
                .order_by("due_at", "id")[: size - 1]
            )
        OutboxEvent.objects.filter(pk__in=[row.pk for row in rows]).update(
            leased_until=now + LEASE, attempts=F("attempts") + 1
        )
        return rows


def run_batch(rows: Sequence[OutboxEvent]) -> None:
    """Run claimed rows, on behalf of the requests that made them; done rows are deleted, failed ones
    come back later."""
    with bound(shared(row.request_id for row in rows)):
        _run_batch(rows)


def _run_batch(rows: Sequence[OutboxEvent]) -> None:
    handler, _ = _handlers[rows[0].handler]
    ids = [row.pk for row in rows]
    try:
        handler([row.payload for row in rows])
    except TryLater as later:
        due_at = timezone.now() + timedelta(seconds=later.after_s)
        for row in rows:
            _put_back(row, attempts=0, due_at=due_at, last_error=str(later))
    except Exception as error:
        log.exception("Outbox handler %s failed", rows[0].handler)
        trace = "".join(traceback.format_exception(error))[-4000:]
        for row in rows:
            attempts = row.attempts + 1
            if attempts >= MAX_ATTEMPTS:
                _put_back(row, failed_at=timezone.now(), last_error=trace)
            else:
                pause = timedelta(seconds=2.0**attempts)
                _put_back(row, due_at=timezone.now() + pause, last_error=trace)
    else:
        OutboxEvent.objects.filter(pk__in=ids).delete()


def _put_back(row: OutboxEvent, **changes: Any) -> None:
    try:
        with transaction.atomic():
            OutboxEvent.objects.filter(pk=row.pk).update(leased_until=None, **changes)
    except IntegrityError:
        # The same work was asked for again in the meantime: that row stands for both.
        OutboxEvent.objects.filter(pk=row.pk).delete()


def drain(queue: str, *, limit: int = 1000) -> int:
    """Run everything that is due in ``queue``; returns the number of rows handled."""
    handled = 0
    while handled < limit and (rows := claim(queue)):
        run_batch(rows)
        handled += len(rows)
    return handled


def queues_with_due_work() -> list[str]:
    """The queues that hold rows a worker should look at now."""
    now = timezone.now()
    return list(
        OutboxEvent.objects.filter(
            Q(leased_until__isnull=True) | Q(leased_until__lt=now),
            due_at__lte=now,
            failed_at__isnull=True,
        )
        .order_by()
        .values_list("queue", flat=True)
        .distinct()
    )


def waiting() -> int:
    """How many rows are still to be handled, now or later."""
    return OutboxEvent.objects.filter(failed_at__isnull=True, handler__in=list(_handlers)).count()
