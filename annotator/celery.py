"""The Celery application: four queues, a broker on disk or a real one, and the beat schedule.

Messages are doorbells: the work itself is a row in the outbox. Losing a message costs at most one
sweep interval, never the work.
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from kombu.entity import Queue
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings.dev")

TRANSPORT_ALIASES["filesystem"] = "annotator.core.spool:Transport"

app = Celery("warevision")
app.config_from_object("django.conf:settings", namespace="CELERY")


if app.conf.broker_url.startswith("filesystem:"):
    for _folder in ("data_folder_in", "control_folder"):
        Path(app.conf.broker_transport_options[_folder]).mkdir(parents=True, exist_ok=True)

app.conf.update(
    task_queues=[Queue(name) for name in ("urgent", "normal", "bulk", "train")],  # type: ignore[no-untyped-call]
    task_default_queue="normal",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    task_serializer="json",
    accept_content=["json"],
    beat_schedule={
        "sweep": {"task": "core.sweep", "schedule": 5.0, "options": {"expires": 5}},
        "forget-answers": {"task": "core.forget_answers", "schedule": 3600.0},
        "forget-machine-answers": {"task": "suggestions.forget_old_answers", "schedule": 3600.0},
        "complete-descriptions": {
            "task": "suggestions.complete_descriptions",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "prune-sights": {"task": "suggestions.prune_sights", "schedule": 6 * 3600.0},
        "forget-exports": {"task": "datasets.forget_exports", "schedule": 3600.0},
        "expire-leases": {
            "task": "labeling.expire_leases",
            # A lease is offered again at most 5 s after its end: the interval and a second of work.
            "schedule": 4.0,
            "options": {"expires": 4, "queue": "urgent"},
        },
        "training": {"task": "training.tick", "schedule": 20.0, "options": {"expires": 20}},
        "compact-counts": {"task": "labeling.compact_counts", "schedule": 30.0},
    },
)
app.autodiscover_tasks()
