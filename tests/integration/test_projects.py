"""Projects, batches, instructions and members, as a site's admin keeps them."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Membership, Project, User
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.core.models import AuditEntry, Job
from annotator.labeling import handout
from annotator.labeling.batches import assign_batch
from annotator.labeling.models import NEVER, Batch, Task
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory(slug="main", guide="# 说明", overlap=3)


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN))


@pytest.fixture
def anna(project: Project) -> Any:
    return factories.member(project.site, Role.ANNOTATOR)


def test_a_project_is_made(project: Project, admin: Api) -> None:
    body = {"site": project.site_id, "slug": "frozen", "name": "冷冻品", "overlap": 1}
    made = admin.post("/projects", body)
    assert made.status_code == 201, made.content
    assert made.json()["overlap"] == 1
    assert made.json()["schema_version"] == 1
    assert made["ETag"] == '"1"'
    again = admin.post("/projects", body)
    assert again.status_code == 400
    assert [(e["field"], e["code"]) for e in again.json()["errors"]] == [("slug", "slug_taken")]
    bad = admin.post("/projects", {**body, "slug": "Not A Slug", "overlap": 12})
    assert {e["field"] for e in bad.json()["errors"]} == {"overlap"}
    bad = admin.post("/projects", {**body, "slug": "Not A Slug"})
    assert {e["field"] for e in bad.json()["errors"]} == {"slug"}
    assert Project.objects.filter(site=project.site).count() == 2


def test_a_change_names_the_version_it_saw(project: Project, admin: Api) -> None:
    etag = admin.get(f"/projects/{project.pk}")["ETag"]
    changed = admin.patch(
        f"/projects/{project.pk}", {"threshold": 0.9, "slug": "renamed"}, If_Match=etag
    )
    assert changed.status_code == 200
    assert (changed.json()["threshold"], changed.json()["slug"]) == (0.9, "renamed")
    late = admin.patch(f"/projects/{project.pk}", {"threshold": 0.5}, If_Match=etag)
    assert late.status_code == 412
    late = admin.patch(f"/projects/{project.pk}", {"threshold": 0.5, "version": 1})
    assert late.status_code == 412


def test_a_clone_takes_everything_but_the_tasks(project: Project, admin: Api) -> None:
    factories.TaskFactory(project=project)
    schema = admin.get(f"/projects/{project.pk}").json()["schema"]
    schema["fields"][0]["weight"] = 0.7
    admin.patch(f"/projects/{project.pk}", {"schema": schema, "label_duplicates_once": True})
    made = admin.post(f"/projects/{project.pk}/clone", {"slug": "second", "name": "第二个"})
    assert made.status_code == 201, made.content
    clone = Project.objects.get(pk=made.json()["id"])
    project.refresh_from_db()
    for key in ("overlap", "threshold", "guide", "schema", "label_duplicates_once"):
        assert getattr(clone, key) == getattr(project, key), key
    assert (clone.tasks.count(), clone.version, clone.schema_version) == (0, 1, 1)
    entry = AuditEntry.objects.get(action="project.cloned")
    assert (entry.object_id, entry.data) == (clone.pk, {"origin": project.pk})


def test_an_archived_project_hands_nothing_out_and_is_readable(
    project: Project, admin: Api, anna: Any
) -> None:
    factories.TaskFactory(project=project)
    assert admin.patch(f"/projects/{project.pk}", {"archived": True}).status_code == 200
    assert Api(anna).post(f"/projects/{project.pk}/next").status_code == 204
    assert admin.get(f"/projects/{project.pk}").json()["archived_at"]
    assert [p["id"] for p in admin.get("/projects").json()] == []
    assert [p["id"] for p in admin.get("/projects?archived=true").json()] == [project.pk]
    photo = SimpleUploadedFile("a.jpg", factories.picture_bytes(1))
    refused = admin.upload("/captures", project=project.pk, files=[photo])
    assert (refused.status_code, refused.json()["code"]) == (409, "project_archived")
    admin.patch(f"/projects/{project.pk}", {"archived": False})
    assert Api(anna).post(f"/projects/{project.pk}/next").status_code == 200


# --- instructions -----------------------------------------------------------------------------


def test_instructions_are_marked_until_they_are_read(
    project: Project, admin: Api, anna: Any
) -> None:
    reader = Api(anna)

    def unread() -> bool:
        return reader.get(f"/projects/{project.pk}").json()["my"]["guide_unread"]

    assert unread()
    assert reader.post(f"/projects/{project.pk}/guide/read").status_code == 204
    assert not unread()
    admin.patch(f"/projects/{project.pk}", {"threshold": 0.9})
    assert not unread(), "only the instructions count"
    admin.patch(f"/projects/{project.pk}", {"guide": "# 新的说明"})
    assert unread()


def test_pictures_of_the_instructions_are_decoded_and_re_encoded(
    project: Project, admin: Api, anna: Any
) -> None:
    path = f"/projects/{project.pk}/guide/pictures"
    good = SimpleUploadedFile("a.png", factories.picture_bytes(3, format="PNG"))
    stored = admin.upload(path, file=good)
    assert stored.status_code == 201, stored.content
    url = stored.json()["url"]
    shown = Api(anna).client.get(url)
    assert shown["Content-Type"] == "image/webp"
    assert b"".join(shown.streaming_content)[8:12] == b"WEBP"
    script = SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
    refused = admin.upload(path, file=script)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "file"


# --- batches ----------------------------------------------------------------------------------


def test_a_batch_orders_and_holds_its_tasks(project: Project, admin: Api, anna: Any) -> None:
    first, soon, later, held = factories.TaskFactory.create_batch(4, project=project)
    now = timezone.now()

    def batch(name: str, **settings: Any) -> Batch:
        made = admin.post(f"/projects/{project.pk}/batches", {"name": name, **settings})
        assert made.status_code == 201, made.content
        return Batch.objects.get(pk=made.json()["id"])

    b_soon = batch("明天", due_at=(now + timedelta(days=1)).isoformat())
    b_later = batch("下周", due_at=(now + timedelta(days=7)).isoformat())
    b_held = batch("暂停", state="paused", due_at=now.isoformat())
    assert admin.post(f"/projects/{project.pk}/batches", {"name": "明天"}).status_code == 400
    for task, row in ((soon, b_soon), (later, b_later), (held, b_held)):
        chosen = Task.objects.filter(pk=task.pk)
        assert assign_batch(tasks=chosen, batch=row, actor=None) == 1

    def order() -> list[int]:
        taken = []
        with transaction.atomic():
            while task := handout.take(project_id=project.pk, user_id=anna.pk):
                taken.append(task.pk)
            transaction.set_rollback(True)
        return taken

    assert order() == [soon.pk, later.pk, first.pk]
    changed = admin.patch(
        f"/batches/{b_held.pk}", {"state": "open", "priority": "urgent"}, If_Match='"1"'
    )
    assert changed.status_code == 200, changed.content
    assert order() == [held.pk, soon.pk, later.pk, first.pk]
    assert (
        admin.patch(f"/batches/{b_held.pk}", {"state": "closed"}, If_Match='"1"').status_code == 412
    )
    admin.patch(f"/batches/{b_later.pk}", {"due_at": None})
    assert order() == [held.pk, soon.pk, first.pk, later.pk]
    assign_batch(tasks=Task.objects.filter(pk=soon.pk), batch=None, actor=None)
    soon.refresh_from_db()
    assert (soon.batch, soon.due_at) == (None, NEVER)


def test_tasks_of_other_projects_stay_out_of_a_batch(project: Project) -> None:
    other = factories.TaskFactory()
    batch = Batch.objects.create(project=project, name="b")
    assert assign_batch(tasks=Task.objects.all(), batch=batch, actor=None) == 0
    other.refresh_from_db()
    assert other.batch is None


def test_many_tasks_are_put_in_a_batch_at_once(project: Project, admin: Api) -> None:
    tasks = factories.TaskFactory.create_batch(3, project=project)
    batch = Batch.objects.create(project=project, name="b", state="paused")
    foreign = Batch.objects.create(project=factories.ProjectFactory(), name="b")
    body = {"action": "batch", "selection": {"ids": [t.pk for t in tasks[:2]]}}
    path = f"/projects/{project.pk}/tasks/bulk"
    assert admin.post(path, {**body, "value": foreign.pk}).status_code == 400
    for value, held in ((batch.pk, 2), (None, 0)):
        started = admin.post(path, {**body, "value": value})
        assert started.status_code == 202, started.content
        outbox.drain("bulk", limit=5)
        assert Task.objects.filter(batch=batch, on_hold=True).count() == held
        listed = admin.get(f"/tasks?project={project.pk}&batch={batch.pk}").json()["results"]
        assert len(listed) == held


def test_photos_are_offered_to_a_batch(project: Project, admin: Api) -> None:
    due = timezone.now() + timedelta(days=2)
    batch = Batch.objects.create(project=project, name="b", due_at=due, priority=1)
    foreign = Batch.objects.create(project=factories.ProjectFactory(), name="b")
    photo = SimpleUploadedFile("a.jpg", factories.picture_bytes(1))
    refused = admin.upload("/captures", project=project.pk, batch=foreign.pk, files=[photo])
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == "batch_of_other_project"
    assert not Task.objects.exists()
    photo.seek(0)
    taken = admin.upload("/captures", project=project.pk, batch=batch.pk, files=[photo])
    assert taken.status_code == 200, taken.content
    task = Task.objects.get()
    assert (task.batch, task.due_at, task.priority) == (batch, due, 1)


def test_jobs_and_known_photos_fill_a_batch(project: Project, admin: Api) -> None:
    batch = Batch.objects.create(project=project, name="b", priority=1)
    foreign = Batch.objects.create(project=factories.ProjectFactory(), name="b")

    def send(**to: int) -> Any:
        return admin.upload("/captures/zip", file=SimpleUploadedFile("a.zip", packed), **to)

    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("1.jpg", factories.picture_bytes(1))
        packed = file.getvalue()
    refused = send(project=project.pk, batch=foreign.pk)
    assert refused.json()["errors"][0]["code"] == "batch_of_other_project"
    assert send(site=project.site_id, batch=batch.pk).status_code == 400, "a batch has a project"
    assert not Job.objects.exists()
    assert send(project=project.pk, batch=batch.pk).status_code == 202
    outbox.drain("bulk", limit=5)
    assert Job.objects.get().state == "done"
    assert Task.objects.get().batch == batch

    known = factories.CaptureFactory(site=project.site)
    body = {"project": project.pk, "batch": batch.pk, "sha256": [known.image.sha256]}
    assert len(admin.post("/captures/known", body).json()["known"]) == 1
    assert Task.objects.get(scene=known.scene).batch == batch

    Project.objects.filter(pk=project.pk).update(archived_at=timezone.now())
    assert send(project=project.pk).json()["code"] == "project_archived"
    assert Job.objects.count() == 1


def test_a_folder_is_taken_into_a_batch(project: Project, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(factories.picture_bytes(1))
    batch = Batch.objects.create(project=project, name="八月", state="paused")
    to = {"site": project.site.slug, "project": project.slug, "json": True}
    call_command("ingest", str(tmp_path), batch="八月", **to)
    task = Task.objects.get()
    assert (task.batch, task.on_hold) == (batch, True)
    with pytest.raises(CommandError, match="九月"):
        call_command("ingest", str(tmp_path), batch="九月", **{**to, "project": "other"})
    assert not Project.objects.filter(slug="other").exists()


def test_the_pace_of_a_batch(project: Project, admin: Api) -> None:
    """Ten tasks, made ten days ago; seven decided in the last week: one a day, three to go."""
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=10), tick=False):
        batch = Batch.objects.create(project=project, name="b", due_at=now + timedelta(days=2))
        factories.TaskFactory.create_batch(3, project=project, batch=batch)
        done = factories.TaskFactory.create_batch(7, project=project, batch=batch, state="decided")
    for n, task in enumerate(done):
        Task.objects.filter(pk=task.pk).update(decided_at=now - timedelta(days=n, hours=1))
    with time_machine.travel(now, tick=False):
        (row,) = admin.get(f"/projects/{project.pk}/batches").json()
        assert (row["counts"]["total"], row["done"], row["per_day"]) == (10, 7, 1.0)
        assert row["done_by"].startswith((now + timedelta(days=3)).date().isoformat())
        assert row["late"], "three days of work, due in two"
        admin.patch(f"/batches/{batch.pk}", {"due_at": (now + timedelta(days=4)).isoformat()})
        (row,) = admin.get(f"/projects/{project.pk}/batches").json()
        assert not row["late"]


def test_a_batch_without_decisions_promises_nothing(project: Project, admin: Api) -> None:
    batch = Batch.objects.create(project=project, name="b")
    factories.TaskFactory(project=project, batch=batch)
    (row,) = admin.get(f"/projects/{project.pk}/batches").json()
    assert (row["per_day"], row["done_by"], row["late"]) == (None, None, False)


# --- members ----------------------------------------------------------------------------------


def signs_in(username: str, password: str) -> bool:
    answer = Api().post("/session", {"username": username, "password": password})
    return answer.status_code == 200


def test_a_new_person_gets_a_password_once(project: Project, admin: Api) -> None:
    body = {"site": project.site_id, "username": "li", "display_name": "李雷",
            "roles": ["annotator", "reviewer"]}  # fmt: skip
    made = admin.post("/members", body)
    assert made.status_code == 201, made.content
    assert made.json()["roles"] == ["annotator", "reviewer"]
    assert signs_in("li", made.json()["password"])
    listed = admin.get(f"/members?site={project.site_id}").json()
    assert all("password" not in row for row in listed)
    again = admin.post("/members", body)
    assert [e["code"] for e in again.json()["errors"]] == ["already_member"]


def test_an_existing_person_is_added_without_a_password(project: Project, admin: Api) -> None:
    person = factories.member(factories.SiteFactory(), Role.ANNOTATOR, username="han")
    body = {"site": project.site_id, "username": "han", "roles": ["annotator"]}
    made = admin.post("/members", body)
    assert made.status_code == 201
    assert "password" not in made.json()
    assert not made.json()["manageable"], "han works on a site of somebody else's too"
    path = f"/members/{person.pk}"
    for answer in (
        admin.post(f"{path}/password?site={project.site_id}"),
        admin.patch(f"{path}?site={project.site_id}", {"active": False}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "works_elsewhere")
    person.refresh_from_db()
    assert person.is_active
    assert person.check_password("a-long-test-password")
    # What an admin of this site may do is end the membership here.
    assert admin.patch(f"{path}?site={project.site_id}", {"roles": []}).status_code == 204
    assert Membership.objects.filter(user=person).count() == 1


def test_roles_change_and_are_audited(project: Project, admin: Api, anna: Any) -> None:
    path = f"/members/{anna.pk}?site={project.site_id}"
    changed = admin.patch(path, {"roles": ["reviewer", "admin"]})
    assert changed.json()["roles"] == ["admin", "reviewer"]
    actions = AuditEntry.objects.filter(object_type="user", object_id=anna.pk)
    assert sorted(actions.values_list("action", flat=True)) == [
        "role.granted", "role.granted", "role.revoked",
    ]  # fmt: skip


def test_the_last_admin_stays(project: Project, admin: Api, anna: Any) -> None:
    boss = User.objects.get(memberships__site=project.site, memberships__role=Role.ADMIN)
    path = f"/members/{boss.pk}?site={project.site_id}"
    for change in ({"roles": ["annotator"]}, {"roles": []}, {"active": False}):
        refused = admin.patch(path, change)
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    assert set(boss.memberships.values_list("role", flat=True)) == {"admin"}
    admin.patch(f"/members/{anna.pk}?site={project.site_id}", {"roles": ["admin"], "active": False})
    refused = admin.patch(path, {"roles": []})
    assert refused.status_code == 409, "an admin whose account is closed is none"
    admin.patch(f"/members/{anna.pk}?site={project.site_id}", {"active": True})
    assert admin.patch(path, {"roles": []}).status_code in (204, 403)


def test_closing_an_account_and_a_new_password_end_the_sessions(
    project: Project, admin: Api, anna: Any
) -> None:
    open_session = Api(anna)
    assert open_session.get("/projects").status_code == 200
    path = f"/members/{anna.pk}"
    fresh = admin.post(f"{path}/password?site={project.site_id}").json()["password"]
    assert open_session.get("/projects").status_code == 401
    assert signs_in(anna.username, fresh)
    assert not signs_in(anna.username, "a-long-test-password")
    closed = admin.patch(f"{path}?site={project.site_id}", {"active": False})
    assert closed.json()["active"] is False
    assert not signs_in(anna.username, fresh)
    admin.patch(f"{path}?site={project.site_id}", {"active": True})
    assert signs_in(anna.username, fresh)


def test_an_admin_of_a_site_cannot_touch_the_operator(project: Project, admin: Api) -> None:
    operator = factories.member(project.site, Role.ADMIN, is_superuser=True)
    path = f"/members/{operator.pk}/password?site={project.site_id}"
    assert admin.post(path).status_code == 403
