"""What beat does for exports."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from annotator.core.tasks import task

from . import jobs


@task("datasets.forget_exports")
def forget_exports() -> int:
    """Keep exported files for a week."""
    return jobs.forget_exports(before=timezone.now() - timedelta(days=7))
