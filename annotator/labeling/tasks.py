"""Recurring work on leases and counts."""

from __future__ import annotations

from django.utils import timezone

from annotator.core.tasks import task

from . import counting, services


@task("labeling.expire_leases", queue="urgent", time_limit_s=60)
def expire_leases() -> int:
    """Offer again what people left lying."""
    return services.expire_leases(now=timezone.now())


@task("labeling.compact_counts", time_limit_s=120)
def compact_counts() -> int:
    """Sum up what changes of tasks have written."""
    return counting.compact()
