"""What browsers ask every few seconds, and the views that people save."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core.models import Job
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    factories.TaskFactory.create_batch(3, project=made)
    return made


def test_staff_see_counts_and_jobs(project: Project) -> None:
    site = project.site_id
    running = Job.objects.create(site_id=site, kind="k", state="running")
    just = Job.objects.create(site_id=site, kind="k", state="done", ended_at=timezone.now())
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.create(site_id=site, kind="k", state="done", ended_at=long_ago)
    Job.objects.create(site_id=factories.SiteFactory().pk, kind="k", state="running")
    body = Api(factories.member(project.site, Role.REVIEWER)).get("/pulse").json()
    assert [job["id"] for job in body["jobs"]] == [just.pk, running.pk]
    assert body["projects"][0]["counts"]["ready"] == 3


def test_annotators_see_only_their_own_queue(project: Project) -> None:
    Job.objects.create(site_id=project.site_id, kind="k", state="running")
    body = Api(factories.member(project.site, Role.ANNOTATOR)).get("/pulse").json()
    assert body["jobs"] == []
    assert body["projects"][0]["counts"] is None
    assert body["projects"][0]["my"]["open"] == 3


def test_the_pulse_costs_the_same_however_much_there_is(project: Project) -> None:
    api = Api(factories.member(project.site, Role.ADMIN))
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/pulse").status_code == 200
        asked.append(len(queries))
        for _ in range(2):
            factories.TaskFactory(project=factories.ProjectFactory(site=project.site))
            Job.objects.create(site_id=project.site_id, kind="k", state="running")
    assert asked[0] == asked[1]


def test_views_are_saved_replaced_shared_and_forgotten(project: Project) -> None:
    site = project.site_id
    me = Api(factories.member(project.site, Role.REVIEWER))
    other = Api(factories.member(project.site, Role.ADMIN))
    view = {"site": site, "page": "tasks", "name": "紧急", "query": {"priority": "urgent"}}
    first = me.post("/views", view)
    assert first.status_code == 201
    assert other.get(f"/views?site={site}&page=tasks").json() == []
    again = me.post("/views", {**view, "query": {"state": "ready"}, "shared": True})
    assert again.json()["id"] == first.json()["id"]
    seen = other.get(f"/views?site={site}&page=tasks").json()
    assert [(v["query"], v["mine"]) for v in seen] == [({"state": "ready"}, False)]
    assert other.get(f"/views?site={site}&page=captures").json() == []
    assert other.delete(f"/views/{first.json()['id']}").status_code == 404
    assert me.delete(f"/views/{first.json()['id']}").status_code == 204
    assert me.get(f"/views?site={site}&page=tasks").json() == []


def test_annotators_save_for_themselves_only(project: Project) -> None:
    me = Api(factories.member(project.site, Role.ANNOTATOR))
    view = {"site": project.site_id, "page": "catalog", "name": "a", "query": {}}
    assert me.post("/views", view).status_code == 201
    assert me.post("/views", {**view, "shared": True}).status_code == 403
