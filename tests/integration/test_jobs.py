"""Long work: reported, cancelled, resumed after a kill, never run twice at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import jobs, outbox
from annotator.core.errors import Conflict
from annotator.core.models import AuditEntry, Job, OutboxEvent
from annotator.pipeline.table import JOBS
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """As if the process had gone."""


class Counter:
    """A job that counts to ``params["to"]``, with a checkpoint at every tenth step."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.die_at: int | None = None
        self.fail_at: int | None = None

    def __call__(self, job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
        progress.total(job.params["to"])
        for n in range(progress.state.get("next", 0), job.params["to"]):
            if n == self.die_at:
                self.die_at = None
                raise Killed
            if n == self.fail_at:
                raise Conflict("conflict", detail=f"step {n}")
            self.seen.append(n)
            progress.advance(even=int(n % 2 == 0))
            if n % 10 == 9:
                progress.checkpoint({"next": n + 1})
        return {"sum": sum(range(job.params["to"]))}


@pytest.fixture
def counter() -> Iterator[Counter]:
    run = Counter()
    jobs.install({"count": run})
    yield run
    jobs.install(JOBS)


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    return made


def begin(project: Project, to: int = 25) -> Job:
    return jobs.start(kind="count", site_id=project.site_id, params={"to": to})


def test_a_job_runs_reports_and_ends(counter: Counter, project: Project) -> None:
    job = begin(project)
    assert job.state == "waiting"
    outbox.drain("bulk")
    job.refresh_from_db()
    assert (job.state, job.total, job.done, job.counts) == ("done", 25, 25, {"even": 13})
    assert job.result == {"sum": 300}
    assert job.ended_at is not None and job.leased_until is None
    assert not OutboxEvent.objects.exists()
    assert AuditEntry.objects.filter(action="job.started", object_id=job.pk).exists()


def test_a_killed_job_goes_on_from_its_checkpoint(counter: Counter, project: Project) -> None:
    job = begin(project)
    counter.die_at = 17
    with pytest.raises(Killed):
        outbox.drain("bulk")
    job.refresh_from_db()
    assert job.state == "running"
    outbox.drain("bulk")
    assert len(counter.seen) == 17, "its lease still stands"
    with time_machine.travel(timezone.now() + jobs.LEASE + timedelta(seconds=1), tick=False):
        jobs.wake()
        outbox.drain("bulk")
    job.refresh_from_db()
    assert counter.seen == [*range(17), *range(10, 25)]
    assert (job.state, job.done, job.counts) == ("done", 25, {"even": 13})


def test_a_job_that_runs_is_left_alone(counter: Counter, project: Project) -> None:
    job = begin(project)
    later = timezone.now() + timedelta(seconds=30)
    Job.objects.filter(pk=job.pk).update(state="running", leased_until=later)
    outbox.drain("bulk")
    assert counter.seen == []
    assert OutboxEvent.objects.get().due_at > timezone.now()


def test_two_jobs_at_once_are_enough(counter: Counter, project: Project) -> None:
    later = timezone.now() + timedelta(seconds=30)
    for _ in range(jobs.MAX_RUNNING):
        Job.objects.create(
            site_id=project.site_id, kind="count", state="running", leased_until=later
        )
    job = begin(project)
    outbox.drain("bulk")
    job.refresh_from_db()
    assert (job.state, counter.seen) == ("waiting", [])


def test_a_waiting_job_is_cancelled_at_once(counter: Counter, project: Project) -> None:
    job = begin(project)
    admin = factories.member(project.site, Role.ADMIN)
    answer = Api(admin).post(f"/jobs/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    outbox.drain("bulk")
    assert counter.seen == []
    again = Api(admin).post(f"/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_ended")


def test_a_running_job_stops_at_its_next_report(
    counter: Counter, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WRITE_EVERY_S", 0.0)
    job = begin(project)
    step = Counter.__call__

    def cancel_at_five(self: Counter, job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
        advance = progress.advance

        def advance_and_cancel(n: int = 1, **counts: int) -> None:
            if len(self.seen) == 5:
                jobs.cancel(job=job, actor=None)
            advance(n, **counts)

        monkeypatch.setattr(progress, "advance", advance_and_cancel)
        return step(self, job, progress)

    monkeypatch.setattr(Counter, "__call__", cancel_at_five)
    outbox.drain("bulk")
    job.refresh_from_db()
    assert (job.state, job.done, len(counter.seen)) == ("cancelled", 5, 5)
    assert not OutboxEvent.objects.exists()


def test_a_refusal_ends_the_job_with_its_words(counter: Counter, project: Project) -> None:
    counter.fail_at = 3
    job = begin(project)
    outbox.drain("bulk")
    job.refresh_from_db()
    assert (job.state, job.done) == ("failed", 3)
    assert job.error is not None and "step 3" in job.error["detail"]


def test_an_unexpected_error_is_tried_again_then_told(project: Project) -> None:
    def broken(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
        raise ZeroDivisionError("by zero")

    jobs.install({"broken": broken})
    try:
        job = jobs.start(kind="broken", site_id=project.site_id, params={})
        for minutes in range(jobs.MAX_ATTEMPTS):
            with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
                outbox.drain("bulk")
    finally:
        jobs.install(JOBS)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", jobs.MAX_ATTEMPTS)
    assert job.error == {"code": "job_broke", "detail": "ZeroDivisionError: by zero"}
    assert not OutboxEvent.objects.exists()


def test_the_list_shows_only_ones_own_site(counter: Counter, project: Project) -> None:
    mine = begin(project)
    begin(factories.ProjectFactory())
    api = Api(factories.member(project.site, Role.REVIEWER))
    assert [row["id"] for row in api.get("/jobs").json()["results"]] == [mine.pk]
    outbox.drain("bulk")
    assert api.get("/jobs?open=true").json()["results"] == []
    assert api.get(f"/jobs/{mine.pk}").json()["done"] == 25
