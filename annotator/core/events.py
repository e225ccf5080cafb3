"""Events: how a room tells the rooms below it that something happened, without importing them.

``publish`` is called inside the transaction that changed state. Handlers come from the one table in
``annotator.pipeline.table``: *now* handlers run at once, in the same transaction (their failure undoes
the change); *later* handlers become outbox rows, run by Celery after the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from . import outbox


@dataclass(frozen=True, slots=True)
class Now:
    """Run in the publisher's transaction. One that handles ``many`` takes the payloads of all
    events that are published together, as a list. An event that only such handlers hear may carry
    the publisher's locked rows themselves, so that nobody reads them again."""

    handler: Callable[..., None]
    many: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """Run after the commit. ``handler`` takes a list of payloads, at most ``batch`` at a time.
    ``dedupe`` names the payload keys that make two waiting runs one; ``delay_s`` holds it back."""

    name: str
    handler: Callable[[Sequence[Mapping[str, Any]]], None]
    queue: str = "normal"
    batch: int = 1
    delay_s: float = 0.0
    dedupe: tuple[str, ...] = ()


Handler = Now | Later


@dataclass(slots=True)
class _Registry:
    table: dict[str, tuple[Handler, ...]] = field(default_factory=dict)


_registry = _Registry()


def install(table: Mapping[str, Sequence[Handler]]) -> None:
    """Install the event table (done once, when the pipeline app is ready)."""
    _registry.table = {name: tuple(handlers) for name, handlers in table.items()}
    for handlers in _registry.table.values():
        for handler in handlers:
            if isinstance(handler, Later):
                outbox.register(handler.name, handler.handler, batch=handler.batch)


def publish(event: str, **payload: Any) -> None:
    """Tell whoever listens that ``event`` happened. Must run inside a transaction."""
    publish_many(event, [payload])


def publish_many(event: str, payloads: Sequence[Mapping[str, Any]]) -> None:
    """Tell that ``event`` happened to each of many things, in few statements."""
    if event not in _registry.table:
        raise LookupError(f"Event {event!r} is not in the pipeline's table.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"Event {event!r} must be published inside the transaction it reports.")
    if not payloads:
        return
    for handler in _registry.table[event]:
        if isinstance(handler, Later):
            outbox.enqueue_many(
                handler.name,
                queue=handler.queue,
                payloads=payloads,
                due_at=timezone.now() + timedelta(seconds=handler.delay_s),
                dedupe=handler.dedupe,
            )
        elif handler.many:
            handler.handler(payloads)
        else:
            for payload in payloads:
                handler.handler(**payload)
