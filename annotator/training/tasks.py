"""What beat does for training, and how a worker that ends lets its run go."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_shutting_down

from annotator.core.tasks import task

from . import scheduling, services, supervision


@task("training.tick")
def tick() -> None:
    """Find the runs of dead workers, and start what is due."""
    services.sweep()
    scheduling.start_due()


@worker_shutting_down.connect
def let_go(**kwargs: Any) -> None:
    """The run at work is put back, and its trainer ended, before this worker is."""
    supervision.stopping.set()
