"""Writing the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

from .models import AuditEntry

_gathered: ContextVar[list[AuditEntry] | None] = ContextVar("gathered", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Entries recorded inside are written in one statement at the end, in their order; none when
    the block raises. Must lie inside the transaction that they report."""
    if _gathered.get() is not None:
        yield
        return
    entries: list[AuditEntry] = []
    mark = _gathered.set(entries)
    try:
        yield
    finally:
        _gathered.reset(mark)
    AuditEntry.objects.bulk_create(entries)


def record(
    *, action: str, on: models.Model, actor: Any = None, site_id: int | None = None, **data: Any
) -> None:
    """Append one entry about ``on``, in the caller's transaction."""
    record_many(action=action, on=[on], actor=actor, site_id=site_id, **data)


def record_many(
    *,
    action: str,
    on: Sequence[models.Model],
    actor: Any = None,
    site_id: int | None = None,
    **data: Any,
) -> None:
    """Append the same entry about each of ``on``, in one statement."""
    record_each(action=action, on=[(one, data) for one in on], actor=actor, site_id=site_id)


def record_each(
    *,
    action: str,
    on: Iterable[tuple[models.Model, Mapping[str, Any]]],
    actor: Any = None,
    site_id: int | None = None,
) -> None:
    """Append an entry about each object, with its data, in one statement."""
    entries = [
        AuditEntry(
            site_id=site_id,
            actor_id=getattr(actor, "pk", None),
            action=action,
            object_type=row._meta.model_name or "",
            object_id=row.pk,
            data=dict(data),
        )
        for row, data in on
    ]
    gathered = _gathered.get()
    if gathered is None:
        AuditEntry.objects.bulk_create(entries)
    else:
        gathered.extend(entries)
