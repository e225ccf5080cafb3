"""Writing the audit log."""

from __future__ import annotations

from typing import Any

from django.db import models

from .models import AuditEntry


def record(
    *, action: str, on: models.Model, actor: Any = None, site_id: int | None = None, **data: Any
) -> None:
    """Append one entry about ``on``, in the caller's transaction."""
    AuditEntry.objects.create(
        site_id=site_id,
        actor_id=getattr(actor, "pk", None),
        action=action,
        object_type=on._meta.model_name or "",
        object_id=on.pk,
        data=data,
    )
