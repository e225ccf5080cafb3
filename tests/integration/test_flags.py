"""An answer that asks for another look, and looking at one's own answers again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.labeling.models import Task
from annotator.review.models import Decision
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


def answer(api: Api, project: Project, **extra: Any) -> Any:
    assignment = api.post(f"/projects/{project.pk}/next").json()
    body = {"token": assignment["token"], "fields": factories.GOOD_FIELDS, "active_seconds": 2}
    done = api.post(f"/assignments/{assignment['id']}/submit", {**body, **extra})
    assert done.status_code == 201, done.content
    return done.json()["annotation"]


def test_a_flag_for_the_reviewer_brings_an_agreed_task_there(project: Project) -> None:
    task = factories.TaskFactory(project=project)
    a, b = (Api(factories.member(project.site, Role.ANNOTATOR)) for _ in range(2))
    answer(a, project, flag="reviewer", note="包装改版了，目录要更新")
    assert answer(b, project)["task"] == task.pk
    task.refresh_from_db()
    assert task.state == "disputed" and not Decision.objects.exists()
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    (row,) = reviewer.get(f"/projects/{project.pk}/disputes").json()["results"]
    assert row["reasons"] == [
        {"code": "flagged", "field": None, "params": {"note": "包装改版了，目录要更新"}}
    ]
    # The other annotator learns nothing of it.
    assert "包装" not in b.get(f"/projects/{project.pk}/recent").content.decode()


def test_a_flag_for_oneself_changes_nothing_but_is_found_again(project: Project) -> None:
    factories.TaskFactory.create_batch(3, project=project)
    a, b = (Api(factories.member(project.site, Role.ANNOTATOR)) for _ in range(2))
    mine = answer(a, project, flag="self", note="规格看一下")
    answer(a, project, note="没有标记就没有备注")
    answer(b, project)
    assert Task.objects.get(pk=mine["task"]).state == "decided"
    recent = a.get(f"/projects/{project.pk}/recent").json()
    assert [(row["flag"], row["note"]) for row in recent] == [("", ""), ("self", "规格看一下")]
    flagged = a.get(f"/projects/{project.pk}/recent?flagged=true").json()
    assert [row["annotation"] for row in flagged] == [mine["id"]]
    assert b.get(f"/projects/{project.pk}/recent?flagged=true").json() == []


def test_a_flag_comes_back_with_what_is_withdrawn_and_with_drafts(project: Project) -> None:
    factories.TaskFactory(project=project)
    api = Api(factories.member(project.site, Role.ANNOTATOR))
    done = answer(api, project, flag="reviewer", note="看右下角")
    back = api.post(f"/annotations/{done['id']}/withdraw").json()["assignment"]
    assert (back["draft"]["flag"], back["draft"]["note"]) == ("reviewer", "看右下角")
    draft = {"fields": {}, "flag": "self", "note": "n"}
    path, body = f"/assignments/{back['id']}/draft", {"token": back["token"], "draft": draft}
    assert api.put(path, body).status_code == 200
    again = api.get(f"/assignments/{back['id']}").json()["draft"]
    assert (again["flag"], again["note"]) == ("self", "n")
    bad = {**body, "draft": {"fields": {}, "flag": "everybody"}}
    assert api.put(path, bad).status_code == 400


def test_ones_own_answer_is_there_to_look_at(project: Project) -> None:
    task = factories.TaskFactory(project=project)
    a, b = (Api(factories.member(project.site, Role.ANNOTATOR)) for _ in range(2))
    capture = task.scene.captures.get()
    box = {"capture": capture.pk, "x": 1, "y": 2, "w": 30, "h": 40}
    mine = answer(a, project, boxes=[box], attributes={"stack_level": 2})
    path = f"/annotations/{mine['id']}"
    before = a.get(path).json()
    assert before["fields"]["quantity"] == "2箱" and before["boxes"] == [box]
    assert before["attributes"] == {"stack_level": 2}
    assert before["captures"][0]["id"] == capture.pk
    until = datetime.fromisoformat(before["withdraw_until"])
    assert until == datetime.fromisoformat(mine["withdraw_until"])
    answer(b, project)
    assert Task.objects.get().state == "decided"
    assert a.get(path).json() == before, "nothing that the other answered shows in it"
    assert b.get(path).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        late = a.post(f"{path}/withdraw")
        assert (late.status_code, late.json()["code"]) == (409, "too_late")
        assert a.get(path).json()["caption"] == mine["caption"]
