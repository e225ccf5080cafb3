"""Work as rows: claimed once, retried, never lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from annotator.core import events, outbox
from annotator.core.events import Later, Now
from annotator.core.models import OutboxEvent
from annotator.core.outbox import TryLater
from annotator.pipeline.table import TABLE
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

Payloads = Sequence[Mapping[str, Any]]


class Worker:
    """A handler that keeps what it was given and does as told."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.fail_on: set[int] = set()
        self.busy = False

    def __call__(self, payloads: Payloads) -> None:
        numbers = [payload["n"] for payload in payloads]
        self.calls.append(numbers)
        if self.busy:
            raise TryLater("busy", after_s=7)
        if self.fail_on & set(numbers):
            raise ValueError(f"cannot do {numbers}")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(outbox, "_handlers", {**outbox._handlers})
    outbox.register("count", made, batch=4)
    return made


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as traveller:
        yield traveller


def add(*numbers: int, **options: Any) -> None:
    with transaction.atomic():
        for n in numbers:
            outbox.enqueue("count", queue="normal", payload={"n": n}, **options)


def test_work_is_done_in_batches_oldest_first_and_then_gone(worker: Worker) -> None:
    add(1, 2, 3, 4, 5, 6)
    assert outbox.waiting() == 6
    assert outbox.queues_with_due_work() == ["normal"]
    assert outbox.drain("urgent") == 0
    assert outbox.drain("normal") == 6
    assert worker.calls == [[1, 2, 3, 4], [5, 6]]
    assert not OutboxEvent.objects.exists()
    assert outbox.queues_with_due_work() == []


def test_work_that_was_rolled_back_is_not_done(worker: Worker) -> None:
    with transaction.atomic():
        outbox.enqueue("count", queue="normal", payload={"n": 1})
        transaction.set_rollback(True)
    assert outbox.drain("normal") == 0


def test_work_waits_for_its_time(worker: Worker, clock: Any) -> None:
    add(1, due_at=timezone.now() + timedelta(seconds=30))
    assert outbox.drain("normal") == 0
    assert (outbox.waiting(), outbox.queues_with_due_work()) == (1, [])
    clock.shift(31)
    assert outbox.drain("normal") == 1


def test_claimed_work_is_leased(worker: Worker, clock: Any) -> None:
    add(1, 2)
    rows = outbox.claim("normal")
    assert [row.payload["n"] for row in rows] == [1, 2]
    kept = OutboxEvent.objects.all()
    assert {row.leased_until for row in kept} == {timezone.now() + outbox.LEASE}
    assert {row.attempts for row in kept} == {1}
    assert outbox.claim("normal") == []


def test_work_of_a_dead_worker_comes_back_when_its_lease_ends(worker: Worker, clock: Any) -> None:
    add(1)
    assert outbox.claim("normal")
    clock.shift(outbox.LEASE - timedelta(seconds=1))
    assert outbox.drain("normal") == 0
    clock.shift(2)
    assert outbox.queues_with_due_work() == ["normal"]
    assert outbox.drain("normal") == 1
    assert worker.calls == [[1]]


def test_work_that_kills_its_worker_is_given_up(worker: Worker, clock: Any) -> None:
    add(1)
    for _ in range(outbox.MAX_ATTEMPTS):
        assert len(outbox.claim("normal")) == 1
        clock.shift(outbox.LEASE + timedelta(seconds=1))
    assert outbox.claim("normal") == []
    row = OutboxEvent.objects.get()
    assert row.failed_at is not None
    assert "worker" in row.last_error


def test_failures_are_retried_with_growing_pauses_and_then_given_up(
    worker: Worker, clock: Any
) -> None:
    worker.fail_on = {1}
    add(1)
    pauses = []
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        assert outbox.drain("normal") == 1
        row = OutboxEvent.objects.get()
        assert (row.attempts, row.leased_until) == (attempt, None)
        assert "cannot do [1]" in row.last_error
        if row.failed_at is None:
            pause = row.due_at - timezone.now()
            pauses.append(pause.total_seconds())
            clock.shift(pause - timedelta(seconds=0.5))
            assert outbox.drain("normal") == 0
            clock.shift(1)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    assert OutboxEvent.objects.get().failed_at == timezone.now()
    clock.shift(86_400)
    assert outbox.drain("normal") == 0
    assert (outbox.waiting(), outbox.queues_with_due_work()) == (0, [])
    assert len(worker.calls) == outbox.MAX_ATTEMPTS


def test_a_failed_batch_is_retried_one_by_one(worker: Worker, clock: Any) -> None:
    worker.fail_on = {2}
    add(1, 2, 3)
    assert outbox.drain("normal") == 3
    clock.shift(3)
    outbox.drain("normal")
    assert worker.calls == [[1, 2, 3], [1], [2], [3]]
    assert [row.payload["n"] for row in OutboxEvent.objects.all()] == [2]


def test_new_work_is_not_batched_with_work_that_failed(worker: Worker, clock: Any) -> None:
    worker.fail_on = {1}
    add(1)
    outbox.drain("normal")
    clock.shift(3)
    add(2, 3)
    outbox.drain("normal")
    assert worker.calls == [[1], [1], [2, 3]]


def test_trying_later_is_no_failure(worker: Worker, clock: Any) -> None:
    worker.busy = True
    add(1, 2)
    for _ in range(outbox.MAX_ATTEMPTS + 3):
        assert outbox.drain("normal") == 2
        assert {row.due_at for row in OutboxEvent.objects.all()} == {
            timezone.now() + timedelta(seconds=7)
        }
        clock.shift(7)
    rows = list(OutboxEvent.objects.all())
    assert {(row.attempts, row.failed_at, row.last_error) for row in rows} == {(0, None, "busy")}
    worker.busy = False
    assert outbox.drain("normal") == 2
    assert worker.calls[-1] == [1, 2]


def test_the_same_work_waits_once(worker: Worker) -> None:
    add(1, 1, 1, dedupe="1")
    add(2, dedupe="2")
    assert outbox.waiting() == 2
    assert outbox.drain("normal") == 2


def test_work_asked_for_while_it_runs_is_done_again(worker: Worker, clock: Any) -> None:
    add(1, dedupe="1")
    (running,) = outbox.claim("normal")
    add(1, dedupe="1")
    assert OutboxEvent.objects.count() == 2
    # The run fails: the row that came in the meantime stands for both.
    worker.fail_on = {1}
    outbox.run_batch([running])
    left = OutboxEvent.objects.get()
    assert (left.pk != running.pk, left.attempts) == (True, 0)
    worker.fail_on = set()
    assert outbox.drain("normal") == 1


def test_work_that_failed_for_good_can_be_asked_for_again(worker: Worker) -> None:
    add(1, dedupe="1")
    OutboxEvent.objects.update(failed_at=timezone.now())
    add(1, dedupe="1")
    assert outbox.drain("normal") == 1
    assert OutboxEvent.objects.get().failed_at is not None


def test_rows_of_an_unknown_handler_are_left_alone(worker: Worker) -> None:
    with transaction.atomic():
        outbox.enqueue("of_a_later_version", queue="normal", payload={})
    add(1)
    assert outbox.drain("normal") == 1
    assert OutboxEvent.objects.get().handler == "of_a_later_version"


def test_two_workers_never_have_the_same_row(worker: Worker) -> None:
    add(*range(40))
    barrier = threading.Barrier(2)
    claimed: list[int] = []
    errors: list[BaseException] = []

    def work() -> None:
        barrier.wait()
        try:
            while rows := outbox.claim("normal"):
                claimed.extend(row.payload["n"] for row in rows)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert Counter(claimed) == Counter(range(40))


def test_the_doorbell_rings_after_the_commit(
    worker: Worker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotator.core import tasks

    rung: list[str] = []
    settings.OUTBOX_RING = True
    monkeypatch.setattr(outbox, "_last_ring", {})
    monkeypatch.setattr(
        tasks.work, "apply_async", lambda args, queue, **options: rung.append(queue)
    )
    with transaction.atomic():
        outbox.enqueue("count", queue="normal", payload={"n": 1})
        assert rung == []
    assert rung == ["normal"]
    monkeypatch.setattr(outbox, "_last_ring", {})
    tasks.sweep()
    assert rung == ["normal", "normal"]


def test_a_broken_doorbell_loses_nothing(
    worker: Worker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotator.core import tasks

    def no_broker(**options: Any) -> None:
        raise ConnectionRefusedError

    settings.OUTBOX_RING = True
    monkeypatch.setattr(outbox, "_last_ring", {})
    monkeypatch.setattr(tasks.work, "apply_async", no_broker)
    add(1)
    assert tasks.work("normal") == 1


def test_an_event_is_published_inside_the_transaction_that_it_reports() -> None:
    with pytest.raises(RuntimeError, match=r"sku\.changed.*inside the transaction"):
        events.publish("sku.changed", sku=1, site=1)
    with transaction.atomic(), pytest.raises(LookupError, match=r"sku\.chnaged"):
        events.publish("sku.chnaged", sku=1, site=1)
    assert not OutboxEvent.objects.exists()


def test_what_must_happen_now_undoes_the_change_when_it_fails(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**payload: Any) -> None:
        raise ValueError(payload)

    table = {"counted": (Later("count", worker, dedupe=("n",)), Now(refuse))}
    monkeypatch.setattr(events._registry, "table", table)
    with pytest.raises(ValueError, match="'n': 3"), transaction.atomic():
        events.publish("counted", n=3)
    assert not OutboxEvent.objects.exists()


def test_every_handler_of_the_table_is_known_to_the_workers() -> None:
    assert events._registry.table == TABLE
    later = {h.name: h for row in TABLE.values() for h in row if isinstance(h, Later)}
    assert later
    for name, handler in later.items():
        assert outbox._handlers[name] == (handler.handler, handler.batch)
        assert handler.queue in ("urgent", "normal", "bulk", "train")


def test_slow_work_leaves_threads_for_urgent_work(monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator.core import tasks

    drained: list[str] = []
    monkeypatch.setattr(outbox, "drain", lambda queue: drained.append(queue) or 1)
    seat = tasks.SEATS["normal"]
    assert seat.acquire(blocking=False) and seat.acquire(blocking=False)
    try:
        assert tasks.work("normal") == 0
        assert tasks.work("urgent") == 1
        assert tasks.work("bulk") == 1
    finally:
        seat.release(), seat.release()
    assert tasks.work("normal") == 1
    assert drained == ["urgent", "bulk", "normal"]


def test_answers_are_kept_for_a_week() -> None:
    from annotator.core.models import KeptAnswer
    from annotator.core.tasks import forget_answers

    person = factories.UserFactory()
    for key, days in (("old", 8), ("young", 6)):
        kept = KeptAnswer.objects.create(user=person, key=key, fingerprint="", status=200, body={})
        KeptAnswer.objects.filter(pk=kept.pk).update(
            created_at=timezone.now() - timedelta(days=days)
        )
    assert forget_answers() == 1
    assert KeptAnswer.objects.get().key == "young"
