"""The task decorator, which owns queue, acknowledgement and clean-up, and the outbox's two tasks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.db import close_old_connections

from . import outbox


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
                return function(*args, **kwargs)
            finally:
                close_old_connections()

        return run

    return decorate


@task("core.work")
def work(queue: str) -> int:
    """Answer the doorbell of ``queue``."""
    return outbox.drain(queue)


@task("core.sweep")
def sweep() -> None:
    """Ring again for work whose doorbell was lost or whose worker died."""
    for queue in outbox.queues_with_due_work():
        outbox.ring(queue)
