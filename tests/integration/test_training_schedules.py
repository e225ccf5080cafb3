"""Runs that start by themselves, each once and with its reason; and the queue after a promotion."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.core.models import AuditEntry
from annotator.labeling.models import Task
from annotator.labeling.valuing import order_waiting
from annotator.labeling.worth import Waiting, values_of
from annotator.modelhub.models import LiveModel, ModelChange, ModelVersion
from annotator.quality.models import Dimension, Rollup
from annotator.review.models import Decision
from annotator.training import ordering, scheduling
from annotator.training.models import Schedule, TrainingRun
from annotator.training.states import RunState, Trigger
from annotator.training.tasks import tick
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


@pytest.fixture
def project() -> Iterator[Project]:
    with time_machine.travel(NOW, tick=False):
        yield factories.ProjectFactory()


def decide(project: Project, n: int = 1, sku: str = "SKU-A") -> None:
    for _ in range(n):
        task = factories.TaskFactory(project=project, state="decided")
        Decision.objects.create(
            task=task, fields={}, caption="", sku_code=sku, source=Decision.Source.IMPORTED
        )


def schedule(project: Project, **values: Any) -> Schedule:
    made: Schedule = Schedule.objects.create(
        site=project.site, project=project, timezone="UTC", last_slot=NOW, **values
    )
    return made


def end_runs() -> None:
    TrainingRun.objects.update(state=RunState.KEPT)


def test_by_the_clock_once_a_slot(project: Project) -> None:
    schedule(project, hour=12, arguments={"epochs": 2})
    decide(project)
    tick()
    assert not TrainingRun.objects.exists()
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tick()
        tick()
        run = TrainingRun.objects.get()
        assert run.trigger == Trigger.TIME and run.arguments == {"epochs": 2}
        assert run.trigger_facts["new_decisions"] == 1 and run.requested_by is None
        end_runs()
        decide(project)
        tick()
    assert TrainingRun.objects.count() == 1
    entry = AuditEntry.objects.get(action="training.asked")
    assert entry.data["trigger"] == "time" and entry.data["facts"]["slot"]


def test_a_slot_without_anything_new_passes(project: Project) -> None:
    schedule(project, hour=12)
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tick()
        decide(project)
        tick()  # at noon there was nothing to learn; it is not made up for in the afternoon
    assert not TrainingRun.objects.exists()


def test_what_is_due_while_another_run_is_at_work_waits_for_it(project: Project) -> None:
    schedule(project, hour=12)
    decide(project)
    busy = TrainingRun.objects.create(
        site=project.site, project=factories.ProjectFactory(site=project.site)
    )
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tick()
        assert TrainingRun.objects.get() == busy
        end_runs()
        tick()
    assert TrainingRun.objects.exclude(pk=busy.pk).get().trigger == Trigger.TIME


def test_by_the_count_of_new_decisions(project: Project) -> None:
    schedule(project, new_decisions=3)
    decide(project, 2)
    tick()
    assert not TrainingRun.objects.exists()
    decide(project)
    tick()
    run = TrainingRun.objects.get()
    assert (run.trigger, run.trigger_facts) == (Trigger.COUNT, {"new_decisions": 3, "asked": 3})
    # However it ended, the same decisions start nothing again.
    TrainingRun.objects.update(state=RunState.CANCELLED)
    decide(project, 2)
    tick()
    assert TrainingRun.objects.count() == 1
    decide(project)
    tick()
    assert TrainingRun.objects.count() == 2


def test_by_drift(project: Project) -> None:
    schedule(project, drift_fall=0.1)
    decide(project)
    promoted = NOW - timedelta(days=40)
    version = ModelVersion.objects.create(site=project.site, number=1, digest="d" * 64)
    LiveModel.objects.create(site=project.site, champion=version, revision=1)
    change = ModelChange.objects.create(
        site=project.site, kind=ModelChange.Kind.PROMOTED, after=version, revision=1
    )
    ModelChange.objects.filter(pk=change.pk).update(at=promoted)

    def accepted(day: datetime, n: int, total: int) -> None:
        Rollup.objects.create(
            project=project, dimension=Dimension.ALL, metric="accepted", day=day.date(),
            n=n, total=total, squares=total,
        )  # fmt: skip

    accepted(promoted + timedelta(days=1), 100, 90)
    accepted(NOW - timedelta(days=1), 40, 20)
    tick()
    assert not TrainingRun.objects.exists()  # too few answers
    accepted(NOW - timedelta(days=2), 60, 40)
    tick()
    run = TrainingRun.objects.get()
    assert run.trigger == Trigger.DRIFT
    assert run.trigger_facts == {"before": 90.0, "recent": 60.0, "asked": 10.0}
    end_runs()
    decide(project)
    tick()
    assert TrainingRun.objects.count() == 1


def test_two_beats_at_once_start_one_run(project: Project) -> None:
    schedule(project, new_decisions=1)
    decide(project)
    barrier = threading.Barrier(3)
    errors: list[BaseException] = []

    def beat() -> None:
        try:
            barrier.wait()
            scheduling.start_due(NOW)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and TrainingRun.objects.count() == 1


def test_a_schedule_is_set_and_edited_once(project: Project) -> None:
    admin = Api(factories.member(project.site, Role.ADMIN))
    path = f"/sites/{project.site_id}/training/schedule"
    none = admin.get(path)
    assert (none.status_code, none.headers["ETag"]) == (200, '"0"')
    off = {"project": project.pk, "enabled": False, "hour": None, "new_decisions": None}
    assert off.items() <= none.json().items() and not Schedule.objects.exists()
    said = {"project": project.pk, "hour": 2, "weekday": 0, "timezone": "Asia/Shanghai"}
    first = admin.put(path, {**said, "arguments": {"epochs": 4}})
    assert first.status_code == 200, first.content
    assert first.headers["ETag"] == '"1"' and first.json()["arguments"] == {"epochs": 4}
    row = Schedule.objects.get()
    assert row.last_slot == datetime(2026, 3, 1, 18, tzinfo=UTC)  # what has passed has passed
    assert admin.put(path, said, If_Match='"0"').status_code == 412
    assert admin.put(path, {**said, "enabled": False}, If_Match='"1"').json()["enabled"] is False
    for wrong in ({"timezone": "Mars/Olympus"}, {"hour": 24}, {"weekday": 7}, {"drift_fall": 0}):
        assert admin.put(path, {**said, **wrong}).status_code == 400, wrong
    assert admin.put(path, {**said, "project": None}).status_code == 404
    foreign = factories.ProjectFactory()
    Project.objects.filter(pk=foreign.pk).delete()
    other = Api(factories.member(foreign.site, Role.ADMIN))
    assert other.get(f"/sites/{foreign.site_id}/training/schedule").json()["project"] is None
    foreign = factories.ProjectFactory()
    assert admin.put(path, {**said, "project": foreign.pk}).status_code == 404
    assert AuditEntry.objects.filter(action="training.scheduled").count() == 2


def test_the_least_sure_and_least_seen_come_first() -> None:
    waiting = [
        Waiting(1, "A", 0.9),
        Waiting(2, "A", 0.5),
        Waiting(3, "A", 0.55),
        Waiting(4, "B", 0.9),
        Waiting(5, "", 0.0),
    ]
    values = values_of(waiting, {"A": 100})
    order = sorted(values, key=lambda task: -values[task])
    # Of an unknown kind, then of one never seen though it looks sure, then by doubt.
    assert order == [5, 4, 2, 3, 1]
    assert all(0 <= value <= 1 for value in values.values())
    # Equal doubts about one unseen SKU spread out: the second is worth less than the first.
    same = values_of([Waiting(n, "B", 0.5) for n in range(4)], {})
    assert sorted(same.values(), reverse=True) == list(same.values())
    assert len(set(same.values())) == 4


def test_a_change_of_the_model_orders_the_queue(project: Project) -> None:
    known = factories.SkuFactory(site=project.site, code="SKU-A")
    rare = factories.SkuFactory(site=project.site, code="SKU-B")
    decide(project, 20)
    sure = factories.alike_tasks(project, known, 2, confidence=0.95)
    new = factories.alike_tasks(project, rare, 2, confidence=0.95)
    Task.objects.update(value=0.0)
    with transaction.atomic():
        from annotator.core import events

        events.publish("model.changed", site=project.site_id, revision=1)
    assert outbox.drain("normal") == 0  # suggestions follow first
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        outbox.drain("normal")
    values = dict(Task.objects.values_list("pk", "value"))
    assert min(values[t.pk] for t in new) > max(values[t.pk] for t in sure) > 0
    other = factories.ProjectFactory()
    elsewhere = factories.TaskFactory(project=other)
    ordering.order_waiting([{"site": project.site_id}])
    elsewhere.refresh_from_db()
    assert elsewhere.value == 0.0
    assert order_waiting(site_id=project.site_id, seen={"SKU-A": 20}) == 0  # as it was
