"""The task decorator, which owns queue, acknowledgement and clean-up, and the outbox's two tasks."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from inference.logs import bound, new_request_id

from . import idempotency, jobs, outbox


def task(name: str, *, queue: str = "normal", time_limit_s: int = 300) -> Callable[..., Any]:
    """Declare a Celery task: acknowledged late, bounded in time, fresh database connections.

    A task carries ids, loads, calls a service; running it twice does no harm.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @shared_task(name=name, queue=queue, acks_late=True, time_limit=time_limit_s)
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            close_old_connections()
            try:
                # What a row of the outbox was made for is known when the row is run.
                with bound(new_request_id()):
                    return function(*args, **kwargs)
            finally:
                close_old_connections()

        return run

    return decorate


SEATS = {"normal": threading.BoundedSemaphore(2), "bulk": threading.BoundedSemaphore(2)}
"""How many threads of one worker may serve a queue; the rest are left for urgent work, which has no
bound. One that finds no seat goes: those seated take the new rows as well."""


@task("core.work")
def work(queue: str) -> int:
    """Answer the doorbell of ``queue``."""
    seat = SEATS.get(queue)
    if seat is None:
        return outbox.drain(queue)
    if not seat.acquire(blocking=False):
        return 0
    try:
        return outbox.drain(queue)
    finally:
        seat.release()


@task("core.sweep")
def sweep() -> None:
    """Ring again for work whose doorbell was lost or whose worker died."""
    jobs.wake()
    for queue in outbox.queues_with_due_work():
        outbox.ring(queue)


@task("core.forget_answers")
def forget_answers() -> int:
    """Keep answers to idempotent requests for a week."""
    return idempotency.forget_answers(before=timezone.now() - timedelta(days=7))
