"""Recurring work on leases."""

from __future__ import annotations

from django.utils import timezone

from annotator.core.tasks import task

from . import services


@task("labeling.expire_leases", queue="urgent", time_limit_s=60)
def expire_leases() -> int:
    """Offer again what people left lying."""
    return services.expire_leases(now=timezone.now())
