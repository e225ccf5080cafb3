"""A page of a list costs a fixed number of queries, however many rows it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Membership, Project
from annotator.accounts.services import create_token
from annotator.accounts.states import Role
from annotator.captures.models import Quarantine, Scene
from annotator.catalog.models import Category, ReferencePicture
from annotator.core import audit
from annotator.core.models import Job
from annotator.datasets.models import Snapshot
from annotator.labeling.models import Batch
from annotator.labeling.states import TaskState
from annotator.modelhub.models import ModelVersion
from annotator.review.models import Decision, Dispute
from annotator.suggestions.models import CaptureSuggestion, Evidence, MachineAnswer, Suggestion
from annotator.training.models import TrainingRun
from inference.contracts import Recognition
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def add_capture(project: Project) -> None:
    original = factories.CaptureFactory(site=project.site)
    capture = factories.CaptureFactory(site=project.site, duplicate_of=original)
    for row in (original, capture):
        suggestion = Suggestion.objects.create(
            capture=row,
            model_version="m",
            site_number=1,
            fields={},
            candidates=[{"sku_code": "A", "confidence": 0.5, "parts": {}, "words": []}],
            neighbours=[],
            flags=[],
            timings_ms={},
        )
        CaptureSuggestion.objects.create(capture=row, state="done", current=suggestion)


def add_group(project: Project) -> None:
    first, second = (factories.SceneFactory(site=project.site) for _ in range(2))
    for scene in (first, second):
        factories.CaptureFactory(site=project.site, scene=scene)
    Scene.objects.filter(pk__in=[first.pk, second.pk]).update(group=first)


def add_sku(project: Project) -> None:
    sku = factories.SkuFactory(site=project.site)
    sku.category = Category.objects.create(site=project.site, name=sku.code, path=sku.code)
    sku.save()
    for _ in range(2):
        image = factories.StoredImageFactory(site=project.site)
        ReferencePicture.objects.create(sku=sku, image=image)


def add_task(project: Project) -> None:
    task = factories.TaskFactory(project=project, state=TaskState.DECIDED)
    Decision.objects.create(
        task=task, fields={}, caption="【SKU】A", sku_code="A", source="imported"
    )


def add_dispute(project: Project) -> None:
    task = factories.TaskFactory(project=project, state=TaskState.DISPUTED)
    Dispute.objects.create(
        task=task,
        project=project,
        opened_at=timezone.now(),
        reviewer=factories.UserFactory(),
        score=0.5,
    )


def add_project(project: Project) -> None:
    factories.TaskFactory(project=factories.ProjectFactory(site=project.site))


def add_batch(project: Project) -> None:
    batch = Batch.objects.create(project=project, name=f"b{Batch.objects.count()}")
    factories.TaskFactory(project=project, batch=batch)


def add_quarantine(project: Project) -> None:
    Quarantine.objects.create(
        site=project.site,
        name="a.jpg",
        code="empty_file",
        size=0,
        sha256=f"{Quarantine.objects.count():064x}",
        source="test",
    )


def add_reason(project: Project) -> None:
    n = Quarantine.objects.count()
    Quarantine.objects.create(
        site=project.site, name="a", code=f"code{n}", size=0, sha256=f"{n:064x}", source="test"
    )


def add_audit(project: Project) -> None:
    audit.record(
        action="x", on=project, actor=factories.UserFactory(), site_id=project.site_id, n=1
    )


def add_member(project: Project) -> None:
    factories.member(project.site, Role.ANNOTATOR, Role.REVIEWER)


def add_token(project: Project) -> None:
    create_token(site=project.site, name="t", user=factories.member(project.site, Role.ADMIN))


def add_job(project: Project) -> None:
    Job.objects.create(site_id=project.site_id, kind="test", created_by=factories.UserFactory())


def add_snapshot(project: Project) -> None:
    job = Job.objects.create(site_id=project.site_id, kind="test")
    by = factories.UserFactory()
    Snapshot.objects.create(site=project.site, project=project, job=job, created_by=by)


def add_run(project: Project) -> None:
    by = factories.UserFactory()
    number = ModelVersion.objects.filter(site=project.site).count() + 1
    version = ModelVersion.objects.create(site=project.site, number=number, digest="d" * 64)
    TrainingRun.objects.create(
        site=project.site, project=project, requested_by=by, state="kept", version=version
    )


def add_answer(project: Project) -> None:
    MachineAnswer.objects.create(
        site=project.site,
        caller=factories.UserFactory(),
        request_id="r",
        evidence=Evidence.objects.create(site=project.site, digest=uuid4().hex, body=b""),
        image=factories.StoredImageFactory(site=project.site),
        recognition=Recognition("v", 0, {}).to_json(),
    )


def rows_of(answer: Any) -> list[Any]:
    body = answer.json()
    rows: list[Any] = body["results"] if isinstance(body, dict) else body
    return rows


# What every request costs: the session, and its person with their roles.
SIGNED_IN = 2

LISTS: dict[str, tuple[Callable[[Project], None], str, int]] = {
    "captures": (add_capture, "/captures", 1),
    "skus": (add_sku, "/skus", 2),
    "tasks": (add_task, "/tasks", 4),
    "disputes": (add_dispute, "/projects/{project}/disputes", 3),
    # projects; then their tasks' states, my answers, my open tasks, gold ones, what I read and my roles
    "projects": (add_project, "/projects", 7),
    # the project, its batches, their progress
    "batches": (add_batch, "/projects/{project}/batches", 3),
    # groups; then their covers
    "groups": (add_group, "/captures/groups", 2),
    "reasons": (add_reason, "/quarantine/reasons?site={site}", 2),
    "quarantine": (add_quarantine, "/quarantine", 1),
    "audit": (add_audit, "/audit", 1),
    "jobs": (add_job, "/jobs", 1),
    # the project, its snapshots with their jobs
    # the site, the runs
    "training": (add_run, "/sites/{site}/training/runs", 2),
    # the site, the answers
    "answers": (add_answer, "/sites/{site}/answers", 2),
    "snapshots": (add_snapshot, "/projects/{project}/snapshots", 2),
    # the site, its members, who of them works elsewhere, my roles
    "members": (add_member, "/members?site={site}", 4),
    "tokens": (add_token, "/tokens?site={site}", 2),
    "completions": (add_sku, "/skus/autocomplete?q=sku&site={site}", 4),
    "categories": (add_sku, "/categories?site={site}", 2),
}


@pytest.mark.parametrize("name", LISTS)
def test_queries_of_a_list(name: str) -> None:
    add, path, expected = LISTS[name]
    project = factories.ProjectFactory()
    user = factories.UserFactory()
    for role in (Role.ADMIN, Role.REVIEWER):
        Membership.objects.create(user=user, site=project.site, role=role)
    api = Api(user)
    address = path.format(project=project.pk, site=project.site_id)
    add(project)
    shown = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            answer = api.get(address)
        assert answer.status_code == 200, answer.content
        shown.append(len(rows_of(answer)))
        asked = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
        assert len(asked) == SIGNED_IN + expected, "\n".join(asked)
        add(project), add(project)
    assert shown[1] > shown[0] > 0
