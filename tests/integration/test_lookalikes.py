"""Look-alikes in one go: who is handed which, one blind answer a task, and two people at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Membership, Project
from annotator.accounts.states import Role
from annotator.catalog.models import Category, Sku
from annotator.catalog.services import merge_skus
from annotator.labeling import lookalikes, policies, services
from annotator.labeling.lookalikes import largest_near
from annotator.labeling.models import Annotation, Assignment, Batch, Task
from annotator.suggestions.models import CaptureSuggestion
from tests import factories
from tests.conftest import Api
from tests.integration.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


@pytest.fixture
def sku(project: Project) -> Sku:
    return factories.SkuFactory(site=project.site, code="COLA-330")


def annotator(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ANNOTATOR))


def address(project: Project, operation: str = "") -> str:
    return f"/projects/{project.pk}/lookalikes{operation}"


def take(api: Api, project: Project) -> Any:
    answer = api.post(address(project))
    assert answer.status_code == 200, answer.content
    return answer.json()


def submit(api: Api, assignment: Any, key: str = "", **fields: Any) -> Any:
    body = {
        "token": assignment["token"],
        "fields": {**factories.GOOD_FIELDS, "sku": "COLA-330", **fields},
        "active_seconds": 1.5,
        "suggestion_used": {"sku": True},
    }
    headers = {"Idempotency_Key": key} if key else {}
    return api.post(f"/assignments/{assignment['id']}/submit", body, **headers)


def tasks_in(grid: Any) -> set[int]:
    return {row["task"]["id"] for row in grid["assignments"]}


def test_look_alikes_are_offered_taken_and_answered_one_by_one(project: Project, sku: Sku) -> None:
    tasks = factories.alike_tasks(project, sku, 25)
    other = factories.alike_tasks(project, factories.SkuFactory(site=project.site), 2)
    api = annotator(project)
    offered = api.get(address(project))
    assert offered.json() == {"sku": {"code": sku.code, "name": sku.name}, "count": 20}
    assert not Assignment.objects.exists(), "an offer leases nothing"
    grid = take(api, project)
    assert len(grid["assignments"]) == policies.MOST_ALIKE == 20
    assert tasks_in(grid) <= {task.pk for task in tasks} - {task.pk for task in other}
    first = grid["assignments"][0]
    assert first["suggestion"]["candidates"][0]["name"] == sku.name
    assert first["suggestion_shown"] and first["captures"] and first["grid"] == grid["grid"]
    # Singly, the person goes on beside it as ever: two at a time, and none of these.
    single = api.post(f"/projects/{project.pk}/next").json()
    assert single["task"]["id"] not in tasks_in(grid) and single["grid"] == ""
    # A reload finds the same grid again.
    assert [row["id"] for row in take(api, project)["assignments"]] == [
        row["id"] for row in grid["assignments"]
    ]
    for n, row in enumerate(grid["assignments"]):
        assert submit(api, row, f"k{n}").status_code == 201
        assert submit(api, row, f"k{n}").status_code == 201, "sent again, it is taken in once"
    answers = Annotation.objects.filter(task__in=tasks)
    assert Counter(answers.values_list("task", flat=True)) == dict.fromkeys(tasks_in(grid), 1)
    assert set(answers.values_list("suggestion_shown", "active_seconds")) == {(True, 1.5)}
    assert answers[0].suggestion_used == {"sku": True}
    assert set(Task.objects.filter(pk__in=tasks_in(grid)).values_list("state")) == {("labeling",)}


def test_only_what_looks_the_same_comes_together(project: Project, sku: Sku) -> None:
    near = factories.alike_tasks(project, sku, 4)
    factories.alike_tasks(project, sku, 3, look=1)
    factories.alike_tasks(project, sku, 3, confidence=0.8)
    grid = take(annotator(project), project)
    assert tasks_in(grid) == {task.pk for task in near}


def test_the_largest_near_one_of_them() -> None:
    a, b = np.eye(8, dtype=np.float32)[:2]
    vectors = np.stack([b, a, 0.8 * a + 0.6 * b, a, a])
    assert largest_near(vectors, near=0.55, most=20) == [2, 1, 3, 4, 0]
    assert largest_near(vectors, near=0.9, most=20) == [1, 3, 4]
    assert largest_near(vectors, near=0.9, most=2) == [1, 3]
    assert largest_near(np.zeros((0, 8), np.float32), most=20) == []


def test_what_is_knocked_out_or_left_goes_back(project: Project, sku: Sku) -> None:
    tasks = factories.alike_tasks(project, sku, 6)
    api = annotator(project)
    grid = take(api, project)
    odd, kept, *left = grid["assignments"]
    body = {"grid": grid["grid"], "keep": [kept["id"]], "knocked_out": [odd["id"]]}
    assert api.post(address(project, "/give-back"), body).status_code == 204
    assert submit(api, kept).status_code == 201
    assert submit(api, odd).status_code == 409
    states = dict(Assignment.objects.values_list("task", "state"))
    assert states == {
        odd["task"]["id"]: "released",
        kept["task"]["id"]: "submitted",
        **{row["task"]["id"]: "released" for row in left},
    }
    free = Task.objects.filter(state="ready", places_left=2, had=",")
    assert free.count() == len(tasks) - 1
    # The odd one comes singly to this person, and in a grid to others.
    again = take(api, project)
    assert tasks_in(again) == {row["task"]["id"] for row in left}
    other = annotator(project)
    assert odd["task"]["id"] in tasks_in(take(other, project))
    assert api.post(f"/projects/{project.pk}/next").json()["task"]["id"] == odd["task"]["id"]


def test_a_withheld_guess_is_in_no_grid_however_often_one_asks(project: Project, sku: Sku) -> None:
    Project.objects.filter(pk=project.pk).update(withhold_rate=0.4)
    tasks = factories.alike_tasks(project, sku, 12)
    user = factories.member(project.site, Role.ANNOTATOR)
    project.refresh_from_db()
    withheld = {t.pk for t in tasks if policies.is_withheld(t.pk, of=user, project=project)}
    assert 0 < len(withheld) < 10
    api = Api(user)
    grid = take(api, project)
    assert tasks_in(grid) == {task.pk for task in tasks} - withheld
    for row in grid["assignments"]:
        assert submit(api, row).status_code == 201
    # They come singly and without the guess; giving one back is no second draw.
    for _ in withheld:
        single = api.post(f"/projects/{project.pk}/next").json()
        assert single["task"]["id"] in withheld and single["suggestion"] is None
        released = api.post(f"/assignments/{single['id']}/release", {"token": single["token"]})
        assert released.status_code == 204
        again = api.post(f"/projects/{project.pk}/next").json()
        assert (again["task"]["id"], again["suggestion_withheld"]) == (single["task"]["id"], True)
        assert submit(api, again).status_code == 201


def test_the_share_that_is_withheld(project: Project) -> None:
    project.withhold_rate = 0.3
    user = factories.member(project.site, Role.ANNOTATOR)
    drawn = [policies.is_withheld(n, of=user, project=project) for n in range(4000)]
    assert 0.26 < sum(drawn) / len(drawn) < 0.34
    other = factories.member(project.site, Role.ANNOTATOR)
    both = [policies.is_withheld(n, of=other, project=project) and drawn[n] for n in range(4000)]
    assert 0.06 < sum(both) / len(both) < 0.12, "one person's draw says nothing of another's"


@pytest.mark.parametrize(
    "setting",
    [{"lookalikes": False}, {"boxes_required": True}, {"archived_at": timezone.now()}],
    ids=lambda setting: next(iter(setting)),
)
def test_where_there_is_no_grid(project: Project, sku: Sku, setting: dict[str, Any]) -> None:
    factories.alike_tasks(project, sku, 5)
    api = annotator(project)
    assert api.get(address(project)).status_code == 200
    Project.objects.filter(pk=project.pk).update(**setting)
    assert api.get(address(project)).status_code == 204
    assert api.post(address(project)).status_code == 204
    assert not Assignment.objects.exists()


def test_the_same_rules_of_who_may_have_what(project: Project, sku: Sku) -> None:
    drinks = Category.objects.create(site=project.site, name="饮料", path="饮料")
    Sku.objects.filter(pk=sku.pk).update(category=drinks)
    food = Category.objects.create(site=project.site, name="食品", path="食品")
    tasks = factories.alike_tasks(project, sku, 5)
    paused = Batch.objects.create(project=project, name="b", state="paused")
    held_back = factories.alike_tasks(project, sku, 1)[0]
    Task.objects.filter(pk=held_back.pk).update(batch=paused, on_hold=True)
    user = factories.member(project.site, Role.ANNOTATOR)
    api, limits = Api(user), Membership.objects.filter(user=user)
    limits.update(categories=[food.pk])
    assert api.get(address(project)).status_code == 204
    limits.update(categories=[], languages=["ja"])
    assert api.get(address(project)).status_code == 204
    limits.update(categories=[drinks.pk], languages=[])
    # One that this person had already is none of them.
    mine = api.post(f"/projects/{project.pk}/next").json()
    assert submit(api, mine).status_code == 201
    assert tasks_in(take(api, project)) == {t.pk for t in tasks} - {mine["task"]["id"]}
    for stranger in (Role.REVIEWER, Role.ADMIN):
        refused = Api(factories.member(project.site, stranger)).post(address(project))
        assert refused.status_code == 403
    foreign = annotator(factories.ProjectFactory())
    assert foreign.post(address(project)).status_code == 404


def test_a_new_guess_and_a_merged_sku_are_followed(project: Project, sku: Sku) -> None:
    tasks = factories.alike_tasks(project, sku, 4)
    status = CaptureSuggestion.objects.select_related("current").get(
        capture__scene=tasks[0].scene_id
    )
    assert status.current is not None
    status.current.candidates[0]["confidence"] = 0.5
    status.current.save()  # what the task says may be older than the suggestion: that one counts
    api = annotator(project)
    grid = take(api, project)
    assert tasks_in(grid) == {task.pk for task in tasks[1:]}
    lookalikes.give_back(project=project, annotator=api_user(api), grid=grid["grid"])
    target = factories.SkuFactory(site=project.site, code="COLA-NEW")
    merge_skus(source=sku, target=target, actor=factories.member(project.site, Role.ADMIN))
    assert set(Task.objects.values_list("proposed", flat=True)) == {target.code_key}


def api_user(api: Api) -> Any:
    from annotator.accounts.models import User

    return User.objects.get(pk=api.client.session["_auth_user_id"])


def test_leases_of_a_grid_are_kept_and_run_out(project: Project, sku: Sku) -> None:
    factories.alike_tasks(project, sku, 3)
    api = annotator(project)
    grid = take(api, project)
    kept = api.post(address(project, "/keep"), {"grid": grid["grid"]})
    assert (
        kept.status_code == 200 and kept.json()["expires_at"] > grid["assignments"][0]["expires_at"]
    )
    Assignment.objects.update(expires_at=timezone.now() - timezone.timedelta(seconds=1))
    assert services.expire_leases(now=timezone.now()) == 3
    lost = api.post(address(project, "/keep"), {"grid": grid["grid"]})
    assert (lost.status_code, lost.json()["code"]) == (409, "lease_expired")
    assert len(take(api, project)["assignments"]) == 3, "what ran out may be had again"
    assert api.post(address(project, "/keep"), {}).status_code == 400


def test_taking_an_answer_back_opens_the_grid_again(project: Project, sku: Sku) -> None:
    factories.alike_tasks(project, sku, 3)
    api = annotator(project)
    grid = take(api, project)
    done = [submit(api, row).json()["annotation"]["id"] for row in grid["assignments"]]
    back = api.post(f"/annotations/{done[0]}/withdraw").json()["assignment"]
    assert back["grid"] == grid["grid"]
    assert [row["id"] for row in take(api, project)["assignments"]] == [back["id"]]


def test_statements_do_not_grow_with_the_grid(project: Project, sku: Sku) -> None:
    asked = []
    for count in (3, 20):
        fresh = factories.ProjectFactory(site=project.site)
        factories.alike_tasks(fresh, sku, count)
        api = annotator(fresh)
        with CaptureQueriesContext(connection) as captured:
            assert len(take(api, fresh)["assignments"]) == count
        control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
        asked.append([q["sql"] for q in captured if not q["sql"].startswith(control)])
    assert len(asked[0]) == len(asked[1]) <= 12, "\n".join(asked[1])


# --- two people at once -----------------------------------------------------------------------


def test_people_at_once_share_the_look_alikes(sku: Sku) -> None:
    project = factories.ProjectFactory(site=sku.site, overlap=1)
    factories.alike_tasks(project, sku, 40)
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(6)]
    results = at_once(
        *[lambda p=p: lookalikes.take(project=project, annotator=p) for p in people],
        *[lambda p=p: lookalikes.take(project=project, annotator=p) for p in people[:2]],
        *[lambda p=p: services.next_assignment(project=project, annotator=p) for p in people],
    )
    assert not [r for r in results if isinstance(r, Exception)], results
    held = Assignment.objects.filter(state="active")
    assert Counter(held.values_list("task", flat=True)).most_common(1)[0][1] == 1
    assert not Task.objects.exclude(places_left=0).filter(assignments__state="active").exists()
    assert held.exclude(grid="").count() >= 20
    # Two tabs of one person have one grid.
    for person, first, second in zip(people, results[:2], results[6:8], strict=False):
        ids = [grid.id for grid in (first, second) if grid]
        assert len(set(ids)) <= 1, person
    mine = Counter(held.exclude(grid="").values_list("annotator", flat=True))
    assert max(mine.values()) <= policies.MOST_ALIKE


def test_giving_back_races_with_submitting(sku: Sku) -> None:
    project = factories.ProjectFactory(site=sku.site, overlap=1)
    person = factories.member(project.site, Role.ANNOTATOR)
    factories.alike_tasks(project, sku, 6)
    grid = lookalikes.take(project=project, annotator=person)
    assert grid is not None

    def answer(row: Assignment) -> Any:
        return services.submit_annotation(
            assignment=row.pk,
            annotator=person,
            token=row.token,
            fields=factories.GOOD_FIELDS,
            boxes=[],
            attributes={},
            active_seconds=1,
        )

    results = at_once(
        lambda: lookalikes.give_back(project=project, annotator=person, grid=grid.id),
        *[lambda r=row: answer(r) for row in grid.assignments],
    )
    answered = Annotation.objects.count()
    refused = sum(isinstance(r, Exception) for r in results[1:])
    assert (results[0], answered) == (refused, 6 - refused), results
    assert Task.objects.filter(state="ready", places_left=1, had=",").count() == refused
    assert Task.objects.filter(state="decided").count() == answered
