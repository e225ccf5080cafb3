"""Idempotent requests: the same key gets the same answer, however often it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from .errors import Conflict
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
        kept = _kept(user_id, key, fingerprint)
        if kept is not None:
            return kept
        with transaction.atomic():
            status, body = act()
            KeptAnswer.objects.create(
                user_id=user_id, key=key[:128], fingerprint=fingerprint, status=status, body=body
            )
            return status, body
    except (IntegrityError, Conflict):
        # The twin of this request got there first: its answer is ours too.
        kept = _kept(user_id, key, fingerprint)
        if kept is None:
            raise
        return kept


def _kept(user_id: int, key: str, fingerprint: str) -> Answer | None:
    kept = KeptAnswer.objects.filter(user_id=user_id, key=key[:128]).first()
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise Conflict("idempotency_mismatch")
    return kept.status, kept.body
