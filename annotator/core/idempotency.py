"""Idempotent requests: the same key gets the same answer, however often it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from .errors import Conflict, DomainError
from .models import KeptAnswer

Answer = tuple[int, Any]


def answer_once(*, user_id: int, key: str, request: object, act: Callable[[], Answer]) -> Answer:
    """Run ``act`` once for ``key`` and keep its answer (status, JSON body) in the same transaction.

    ``request`` is what the client asked (JSON-like); the same key with other content raises
    :class:`Conflict`. Without a key, ``act`` simply runs in a transaction.
    """
    if not key:
        with transaction.atomic():
            return act()
    fingerprint = hashlib.sha256(
        json.dumps(request, sort_keys=True, ensure_ascii=False, default=str).encode()
    ).hexdigest()
    try:
        # Most requests are no repetition, so none is looked for: one that is either is refused,
        # since the state has moved on, or fails to keep its answer a second time and is undone.
        with transaction.atomic():
            status, body = act()
            KeptAnswer.objects.create(
                user_id=user_id, key=key[:128], fingerprint=fingerprint, status=status, body=body
            )
            return status, body
    except (IntegrityError, DomainError):
        # If a twin of this request got there first, its answer is ours too.
        kept = _kept(user_id, key, fingerprint)
        if kept is None:
            raise
        return kept


def forget_answers(*, before: datetime) -> int:
    """Drop the answers kept before ``before``: nobody repeats a request that old."""
    return KeptAnswer.objects.filter(created_at__lt=before).delete()[0]


def _kept(user_id: int, key: str, fingerprint: str) -> Answer | None:
    kept = KeptAnswer.objects.filter(user_id=user_id, key=key[:128]).first()
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise Conflict("idempotency_mismatch")
    return kept.status, kept.body
