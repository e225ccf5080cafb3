"""Lists of tasks, and what is done to many tasks at once."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures.intake import take_in
from annotator.core import outbox
from annotator.core.models import AuditEntry, Job
from annotator.datasets.jobs import forget_exports
from annotator.labeling.models import Task
from annotator.labeling.states import TaskState
from annotator.review import bulk
from annotator.review.models import Decision, Dispute
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    return made


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN))


def decided(project: Project, code: str, source: str = "agreed", minutes_ago: int = 0) -> Task:
    task: Task = factories.TaskFactory(
        project=project,
        state=TaskState.DECIDED,
        decided_at=timezone.now() - timedelta(minutes=minutes_ago),
    )
    Decision.objects.create(
        task=task, fields={}, caption=f"【SKU】{code}", sku_code=code, source=source
    )
    return task


def listed(api: Api, project: Project, **query: Any) -> list[int]:
    answer = api.get(
        f"/tasks?project={project.pk}&" + "&".join(f"{key}={value}" for key, value in query.items())
    )
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_filters_and_sorts_of_the_list(project: Project, admin: Api) -> None:
    plain = factories.TaskFactory(project=project)
    urgent = factories.TaskFactory(project=project, priority=Task.Priority.URGENT)
    old = decided(project, "A-1", "imported", minutes_ago=9)
    new = decided(project, "B-2", minutes_ago=1)
    middle = decided(project, "A-1", minutes_ago=5)
    factories.TaskFactory()  # another site's
    every = [plain.pk, urgent.pk, old.pk, new.pk, middle.pk]
    assert listed(admin, project) == every[::-1]
    assert listed(admin, project, sort="oldest") == every
    assert listed(admin, project, sort="decided_last") == [new.pk, middle.pk, old.pk]
    assert listed(admin, project, sort="decided_first") == [old.pk, middle.pk, new.pk]
    assert listed(admin, project, priority="urgent") == [urgent.pk]
    assert listed(admin, project, sku="A-1") == [middle.pk, old.pk]
    assert listed(admin, project, sku="A-1", source="imported") == [old.pk]
    assert listed(admin, project, state="ready", sort="oldest") == [plain.pk, urgent.pk]


def test_search_finds_numbers_pictures_and_products(project: Project, admin: Api) -> None:
    factories.SkuFactory(site=project.site, code="A-1", name="洗发水")
    one = decided(project, "A-1")
    other = factories.TaskFactory(project=project)
    scene = other.scene
    image_id = scene.captures.get().image_id_text
    assert listed(admin, project, search=f"%23{one.pk}") == [one.pk]
    assert listed(admin, project, search=scene.key) == [other.pk]
    assert listed(admin, project, search=image_id) == [other.pk]
    assert listed(admin, project, search="洗发") == [one.pk]
    assert listed(admin, project, search="xfs") == [one.pk]
    assert listed(admin, project, search="no such thing") == []


def test_a_superseded_decision_finds_nothing(project: Project, admin: Api) -> None:
    task = decided(project, "A-1")
    Decision.objects.update(superseded_at=timezone.now())
    Decision.objects.create(task=task, fields={}, caption="", sku_code="B-2", source="imported")
    assert listed(admin, project, sku="A-1") == []
    assert listed(admin, project, sku="B-2") == [task.pk]


def test_disputes_by_field_and_severity(project: Project) -> None:
    rows = [("sku", 0.2, False, 3), ("quantity", 0.7, False, 2), ("sku", None, True, 3)]
    disputes = []
    for n, (field, score, reopened, severity) in enumerate(rows):
        task = factories.TaskFactory(project=project, state=TaskState.DISPUTED)
        disputes.append(
            Dispute.objects.create(
                task=task,
                project=project,
                differing=f",{field},",
                score=score,
                gap=1 - (score or 0),
                severity=severity,
                reopened=reopened,
                opened_at=timezone.now() + timedelta(seconds=n),
            )
        )
    first, second, third = (dispute.task_id for dispute in disputes)
    reviewer = Api(factories.member(project.site, Role.REVIEWER))

    def ask(query: str) -> list[int]:
        page = reviewer.get(f"/projects/{project.pk}/disputes?{query}").json()
        return [row["task"]["id"] for row in page["results"]]

    assert ask("") == [first, second, third]
    assert ask("sort=newest") == [third, second, first]
    assert ask("sort=worst") == [third, first, second]
    assert ask("sort=oldest") == [first, second, third]
    assert ask("severity=high&sort=newest") == [third, first]
    assert ask("severity=medium") == [second]
    assert ask("field=sku") == [first, third]
    assert ask("reopened=true") == [third]


@pytest.mark.parametrize("sort", ["urgent", "newest", "worst", "oldest"])
def test_disputes_page_by_page(project: Project, sort: str) -> None:
    for n in range(5):
        task = factories.TaskFactory(project=project, state=TaskState.DISPUTED, priority=n % 2)
        opened = timezone.now() + timedelta(seconds=n)
        Dispute.objects.create(
            task=task, project=task.project, score=0.1 * (n % 3), opened_at=opened
        )
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    whole = reviewer.get(f"/projects/{project.pk}/disputes?sort={sort}").json()["results"]
    path, seen = f"/projects/{project.pk}/disputes?sort={sort}&page_size=2", []
    while path:
        page = reviewer.get(path).json()
        seen += page["results"]
        path = page["next"].split("/api/v1")[1] if page["next"] else ""
    assert seen == whole
    assert len(seen) == 5


def run(api: Api, project: Project, action: str, **body: Any) -> Job:
    answer = api.post(
        f"/projects/{project.pk}/tasks/bulk", {"action": action, "selection": {}, **body}
    )
    assert answer.status_code == 202, answer.content
    outbox.drain("bulk")
    job = Job.objects.get(pk=answer.json()["job"])
    assert job.state == "done", job.error
    return job


def test_priority_of_many(project: Project, admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SLICE", 2)
    open_tasks = factories.TaskFactory.create_batch(5, project=project)
    settled = decided(project, "A-1")
    job = run(admin, project, "priority", value="urgent")
    assert (job.total, job.done, job.counts) == (6, 6, {"changed": 5, "left_alone": 1})
    assert set(Task.objects.filter(priority=1)) == set(open_tasks)
    settled.refresh_from_db()
    assert settled.priority == Task.Priority.NORMAL
    assert AuditEntry.objects.filter(action="task.priority").count() == 5


def test_only_the_chosen_ones(project: Project, admin: Api) -> None:
    one, _ = factories.TaskFactory.create_batch(2, project=project)
    foreign = factories.TaskFactory()
    run(admin, project, "priority", value="urgent", selection={"ids": [one.pk, foreign.pk]})
    assert list(Task.objects.filter(priority=1)) == [one]


def test_rejecting_leaves_begun_tasks_alone(project: Project, admin: Api) -> None:
    fresh = factories.TaskFactory(project=project)
    begun = factories.TaskFactory(project=project, state=TaskState.LABELING)
    job = run(admin, project, "reject", selection={"search": ""})
    assert job.counts == {"changed": 1, "left_alone": 1}
    states = dict(Task.objects.values_list("pk", "state"))
    assert states == {fresh.pk: "rejected", begun.pk: "labeling"}


def test_moving_to_another_project(project: Project, admin: Api) -> None:
    target = factories.ProjectFactory(site=project.site, overlap=1)
    goes = factories.TaskFactory(project=project)
    twin = factories.TaskFactory(project=project)
    factories.TaskFactory(project=target, scene=twin.scene)
    begun = factories.TaskFactory(project=project, state=TaskState.LABELING, answers=1)
    job = run(admin, project, "move", value=target.pk)
    assert job.counts == {"changed": 1, "left_alone": 2}
    goes.refresh_from_db()
    assert (goes.project_id, goes.overlap, goes.places_left) == (target.pk, 1, 1)
    begun.refresh_from_db()
    assert begun.project_id == project.pk


@pytest.mark.parametrize(("action", "value"), [("priority", "soon"), ("move", 0), ("move", None)])
def test_bad_values_are_refused(project: Project, admin: Api, action: str, value: Any) -> None:
    body = {"action": action, "selection": {}, "value": value}
    answer = admin.post(f"/projects/{project.pk}/tasks/bulk", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "value")
    assert not Job.objects.exists()


def test_tasks_cannot_move_to_another_site(project: Project, admin: Api) -> None:
    foreign = factories.ProjectFactory()
    body = {"action": "move", "selection": {}, "value": foreign.pk}
    assert admin.post(f"/projects/{project.pk}/tasks/bulk", body).status_code == 400


def test_an_export_of_a_selection_is_made_and_fetched(project: Project, admin: Api) -> None:
    for n, code in enumerate(("A-1", "B-2")):
        taken = take_in(
            site=project.site,
            name=f"{code}.jpg",
            data=factories.picture_bytes(n),
            source="test",
            project=project,
        )
        assert taken.capture is not None
        task = Task.objects.get(scene=taken.capture.scene)
        Task.objects.filter(pk=task.pk).update(state="decided", decided_at=timezone.now())
        Decision.objects.create(
            task=task, fields={}, caption=f"【SKU】{code}", sku_code=code, source="agreed"
        )
    path = f"/projects/{project.pk}/dataset.zip"
    answer = admin.post(path, {"selection": {"sku": "B-2"}})
    assert answer.status_code == 202
    outbox.drain("bulk")
    job = admin.get(f"/jobs/{answer.json()['job']}").json()
    assert (job["state"], job["total"], job["done"]) == ("done", 1, 1)
    fetched = admin.get(job["file"].removeprefix("/api/v1"))
    content = b"".join(fetched.streaming_content)
    assert len(content) == job["result"]["bytes"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("images/")]
        records = b"".join(archive.read(f"annotations/{s}.jsonl") for s in ("train", "val", "test"))
    assert len(pictures) == 1
    assert "【SKU】B-2" in records.decode()

    name = Job.objects.get().result["file"]
    assert forget_exports(before=timezone.now() - timedelta(days=1)) == 0
    assert forget_exports(before=timezone.now() + timedelta(days=1)) == 1
    assert not default_storage.exists(name)
    assert admin.get(f"/jobs/{job['id']}/file").status_code == 404
