"""The queue at size: what next and submit cost, who is handed what, in which order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Membership, Project, User
from annotator.accounts.states import Role
from annotator.captures.models import Scene
from annotator.catalog.models import Category
from annotator.celery import app
from annotator.core.errors import Conflict, NotFound
from annotator.labeling import handout, leases, services
from annotator.labeling.models import Assignment, Task
from annotator.labeling.states import AssignmentState
from annotator.labeling.tasks import expire_leases
from annotator.suggestions.models import CaptureSuggestion, PictureDescription, Suggestion
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

# Transaction statements and savepoints are not counted; everything else is: session, person, roles.
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
MOST_FOR_NEXT, MOST_FOR_SUBMIT = 8, 13


@contextmanager
def at_most(n: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as captured:
        yield
    asked = [q["sql"] for q in captured if not q["sql"].startswith(CONTROL)]
    assert 1 < len(asked) <= n, f"{len(asked)} statements:\n" + "\n".join(asked)


def suggest(task: Task) -> None:
    """A proposal that mentions everything a page shows: SKUs, pictures, barcodes, printed words."""
    capture = task.scene.captures.get()
    sku = factories.SkuFactory(site=task.project.site, barcode=f"69{task.pk:06d}")
    area = [[0, 0], [9, 0], [9, 9], [0, 9]]
    PictureDescription.objects.create(
        image=capture.image,
        describer="d",
        embedding=b"x",
        barcodes=[{"text": sku.barcode, "format": "EAN13", "polygon": area}],
        ocr_lines=[{"text": "净含量", "confidence": 0.9, "polygon": area}],
    )
    suggestion = Suggestion.objects.create(
        capture=capture,
        model_version="m",
        site_number=1,
        fields={"sku": {"value": sku.code, "confidence": 0.9}},
        candidates=[{"sku_code": sku.code, "confidence": 0.9, "parts": {}, "words": []}],
        neighbours=[
            {"key": "ref:1", "sku_code": sku.code, "kind": "reference", "similarity": 0.9},
            {"key": f"cap:{capture.pk}", "sku_code": sku.code, "kind": "capture", "similarity": 1},
        ],
        flags=[],
        timings_ms={},
    )
    CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)


def take(api: Api, project: Project, exclude: list[int] | None = None) -> Any:
    answer = api.post(f"/projects/{project.pk}/next", {"exclude": exclude or []})
    assert answer.status_code == 200, answer.content
    return answer.json()


def submit(api: Api, assignment: Any, key: str, **fields: Any) -> None:
    box = {"capture": assignment["captures"][0]["id"], "x": 10, "y": 10, "w": 100, "h": 80}
    body = {
        "token": assignment["token"],
        "fields": {**factories.GOOD_FIELDS, **fields},
        "boxes": [box],
        "attributes": {},
        "active_seconds": 5,
    }
    answer = api.post(f"/assignments/{assignment['id']}/submit", body, Idempotency_Key=key)
    assert answer.status_code == 201, answer.content


@pytest.mark.parametrize("quantity", ["2箱", "3箱"], ids=["agreed", "disputed"])
def test_what_next_and_submit_ask_of_the_database(quantity: str) -> None:
    project = factories.ProjectFactory()
    a, b = (Api(factories.member(project.site, Role.ANNOTATOR)) for _ in range(2))
    for task in factories.TaskFactory.create_batch(3, project=project):
        suggest(task)
    with at_most(MOST_FOR_NEXT):
        first = take(a, project)
    shown = first["suggestion"]
    assert shown["candidates"][0]["name"] and shown["barcodes"][0]["sku_code"]
    assert shown["neighbours"][1]["picture"] and shown["ocr_lines"]
    with at_most(MOST_FOR_NEXT):  # the page loads ahead
        ahead = take(a, project, [first["id"]])
    with at_most(MOST_FOR_NEXT):  # a reload resumes
        assert take(a, project)["id"] == first["id"]
    with at_most(MOST_FOR_SUBMIT):
        submit(a, first, "first")
    with at_most(MOST_FOR_NEXT):
        second = take(b, project, [ahead["id"]])
    assert second["task"]["id"] == first["task"]["id"]
    with at_most(MOST_FOR_SUBMIT):
        submit(b, second, "second", quantity=quantity)
    state = Task.objects.get(pk=first["task"]["id"]).state
    assert state == ("decided" if quantity == "2箱" else "disputed")


# --- nobody wades through what they had ---------------------------------------------------------


def fill(project: Project, count: int, **values: Any) -> None:
    """Ready tasks in bulk, without pictures."""
    start = Scene.objects.count()
    scenes = Scene.objects.bulk_create(
        Scene(site=project.site, key=f"bulk-{start + n}") for n in range(count)
    )
    Task.objects.bulk_create(
        Task(
            project=project,
            scene=scene,
            value=1.0 - n / 1e6,
            **{"state": "ready", "overlap": 2, "places_left": 2, **values},
        )
        for n, scene in enumerate(scenes)
    )


def effort(project: Project, user: User, **choice: Any) -> int:
    """What choosing a task costs the database: pages touched on PostgreSQL, steps of SQLite's
    virtual machine. Deterministic, unlike time."""
    categories = choice.get("categories", ())
    statement = handout._take_statement(categories, at_random=choice.get("at_random", False))
    params = handout._params(project.pk, user.pk, categories)
    with transaction.atomic(), connection.cursor() as cursor:
        mark = transaction.savepoint()
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", params)
            plan = cursor.fetchone()[0]
            plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
            cost = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        else:
            steps = Counter[str]()
            connection.connection.set_progress_handler(lambda: steps.update("n"), 10)
            cursor.execute(statement, params)
            assert cursor.fetchall()
            connection.connection.set_progress_handler(None, 0)
            cost = steps["n"]
        transaction.savepoint_rollback(mark)
    assert cost > 0
    return cost


def test_twenty_thousand_answers_that_wait_for_somebody_else() -> None:
    project = factories.ProjectFactory()
    busy, other = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    food = Category.objects.create(site=project.site, name="食品", path="食品")
    waits = {"state": "labeling", "places_left": 1, "answers": 1, "category": food}
    # enough for PostgreSQL to use its indexes before and after
    fill(project, 2_000, had=f",{busy.pk},", **waits)
    fill(project, 2_000, category=food)
    ways: list[dict[str, Any]] = [{}, {"at_random": True}, {"categories": [food.pk]}]

    def analyze() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    analyze()
    before = [effort(project, busy, **way) for way in ways]
    fill(project, 20_000, had=f",{busy.pk},", **waits)
    analyze()
    after = [effort(project, busy, **way) for way in ways]
    assert all(b <= 1.5 * a + 20 for a, b in zip(before, after, strict=True)), (before, after)
    # They stand at the head for everybody else, and the other's next is one of them.
    with transaction.atomic():
        mine = handout.take(project_id=project.pk, user_id=busy.pk)
        others = handout.take(project_id=project.pk, user_id=other.pk)
    assert mine is not None and mine.answers == 0
    assert others is not None and others.answers == 1
    assert others.had == f",{busy.pk},{other.pk},"


def test_many_lanes_of_three_people_each() -> None:
    project = factories.ProjectFactory(overlap=3)
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(8)]
    for a in people[:7]:
        for b in people[:7]:
            if a != b:
                had = f",{a.pk},{b.pk},"
                fill(project, 3, overlap=3, state="labeling", places_left=1, answers=2, had=had)
    seen = set()
    with transaction.atomic():
        while (task := handout.take(project_id=project.pk, user_id=people[0].pk)) is not None:
            assert task.had.count(f",{people[0].pk},") == 1
            seen.add(task.pk)
    assert len(seen) == 6 * 5 * 3


# --- order --------------------------------------------------------------------------------------


def order_of(project: Project, user: User, **limits: Any) -> list[int]:
    """The tasks in the order in which ``user`` would take them."""
    order = []
    with transaction.atomic():
        mark = transaction.savepoint()
        while (task := handout.take(project_id=project.pk, user_id=user.pk, **limits)) is not None:
            order.append(task.pk)
        transaction.savepoint_rollback(mark)
    return order


def test_a_random_share_is_independent_of_value() -> None:
    project = factories.ProjectFactory(random_share=0.25)
    person = factories.member(project.site, Role.ANNOTATOR)
    fill(project, 400)
    by_value = list(Task.objects.order_by("-value").values_list("pk", flat=True))
    by_chance = list(Task.objects.order_by("shuffle").values_list("pk", flat=True))
    assert order_of(project, person)[:20] == by_value[:20]
    assert order_of(project, person, at_random=True)[:20] == by_chance[:20]
    ranks = []
    for _ in range(120):
        assignment = services.next_assignment(project=project, annotator=person)
        assert assignment is not None
        ranks.append(by_value.index(assignment.task_id))
        leases.end_lease(assignment, AssignmentState.SKIPPED)
    # In value order the n-th would have a rank below n; a quarter is drawn from everywhere.
    assert 10 <= sum(rank >= 120 for rank in ranks) <= 40
    urgent = factories.TaskFactory(project=project, priority=Task.Priority.URGENT)
    assert order_of(project, person, at_random=True)[0] == urgent.pk


def test_limits_of_a_person() -> None:
    project = factories.ProjectFactory(language="ja")
    site = project.site
    drinks = Category.objects.create(site=site, name="饮料", path="饮料")
    juice = Category.objects.create(site=site, name="果汁", path="饮料/果汁", parent=drinks)
    like = Category.objects.create(site=site, name="饮料机", path="饮料机")
    tasks = {
        category: factories.TaskFactory(project=project, category=category, value=value)
        for value, category in enumerate([drinks, juice, like, None])
    }
    person = factories.member(site, Role.ANNOTATOR)
    everything = [tasks[c].pk for c in (None, like, juice, drinks)]
    assert order_of(project, person) == everything
    assert order_of(project, person, categories=[juice.pk]) == [tasks[juice].pk]
    # A category means all below it; one given twice, or with its parent, is no different.
    below = [tasks[juice].pk, tasks[drinks].pk]
    assert order_of(project, person, categories=[drinks.pk]) == below
    assert order_of(project, person, categories=[drinks.pk, juice.pk]) == below
    Membership.objects.filter(user=person).update(categories=[like.pk], languages=["ja", "en"])
    assignment = services.next_assignment(project=project, annotator=person)
    assert assignment is not None and assignment.task_id == tasks[like].pk
    assert (
        services.next_assignment(project=project, annotator=person, exclude=[assignment.pk]) is None
    )
    services.release(assignment=assignment, annotator=person, token=assignment.token)
    Membership.objects.filter(user=person).update(languages=["en"])
    assert services.next_assignment(project=project, annotator=person) is None


def test_the_machine_says_what_a_task_is_of() -> None:
    task = factories.TaskFactory(state="new")
    drinks = Category.objects.create(site=task.project.site, name="饮料", path="饮料")
    sku = factories.SkuFactory(site=task.project.site, category=drinks)
    with transaction.atomic():
        services.prepare_tasks(scene=task.scene_id, confidence=0.4, sku_code=sku.code)
    task.refresh_from_db()
    assert (task.state, task.value, task.category) == ("ready", 0.76, drinks)
    with transaction.atomic():  # a better guess, later
        services.prepare_tasks(scene=task.scene_id, confidence=0.9, sku_code="NOT-IN-CATALOG")
    task.refresh_from_db()
    assert (task.state, task.value, task.category) == ("ready", 0.46, None)


def test_admins_set_limits() -> None:
    site = factories.SiteFactory()
    admin, person = factories.member(site, Role.ADMIN), factories.member(site, Role.ANNOTATOR)
    drinks = Category.objects.create(site=site, name="饮料", path="饮料")
    foreign = Category.objects.create(site=factories.SiteFactory(), name="茶", path="茶")
    api, path = Api(admin), f"/members/{person.pk}/limits?site={site.pk}"
    assert api.get(path).json() == {"categories": [], "languages": []}
    wanted = {"categories": [drinks.pk], "languages": ["ja"]}
    assert api.put(path, wanted).json() == wanted
    assert api.get(path).json() == wanted
    refused = api.put(path, {"categories": [foreign.pk], "languages": []})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "categories")
    assert api.put(path, {"categories": [], "languages": ["xx"]}).status_code == 400
    assert api.put(f"/members/{admin.pk}/limits?site={site.pk}", wanted).status_code == 404

    def listed(user: User) -> dict[str, Any]:
        rows = Api(user).get(f"/members?site={site.pk}").json()
        return {row["user"]["username"]: row["limits"] for row in rows}

    assert listed(admin) == {admin.username: None, person.username: wanted}
    reviewer = factories.member(site, Role.REVIEWER)
    assert listed(reviewer)[person.username] is None


# --- projects of a site take turns --------------------------------------------------------------


def worked(site_id: int, person: User, rounds: int) -> Counter[int]:
    done: Counter[int] = Counter()
    for _ in range(rounds):
        assignment = services.next_on_site(site=site_id, annotator=person)
        assert assignment is not None
        done[assignment.task.project_id] += 1
        leases.end_lease(assignment, AssignmentState.SKIPPED)
    return done


def test_projects_take_turns_by_their_shares() -> None:
    site = factories.SiteFactory()
    three, one, none = (factories.ProjectFactory(site=site, share=share) for share in (3, 1, 0))
    person = factories.member(site, Role.ANNOTATOR)
    for project in (three, one, none):
        fill(project, 300)
    for _ in range(3):
        assert abs(worked(site.pk, person, 40)[three.pk] - 30) <= 1
    # One without work gives its turns away; with work again, it soon has its share.
    Task.objects.filter(project=three, places_left__gt=0).update(state="new")
    assert worked(site.pk, person, 20) == {one.pk: 20}
    Task.objects.filter(project=three, state="new").update(state="ready")
    catching_up = worked(site.pk, person, 60)
    assert catching_up[three.pk] in range(46, 50)  # 45, and something for what it missed
    assert abs(worked(site.pk, person, 40)[three.pk] - 30) <= 1


def test_next_on_a_site_through_the_api() -> None:
    project = factories.ProjectFactory()
    factories.TaskFactory.create_batch(4, project=project)
    api = Api(factories.member(project.site, Role.ANNOTATOR))
    path = f"/sites/{project.site_id}/next"
    first = api.post(path).json()
    assert api.post(path).json()["id"] == first["id"]
    second = api.post(path, {"exclude": [first["id"]]}).json()
    assert second["id"] != first["id"]
    assert api.post(path, {"exclude": [first["id"], second["id"]]}).status_code == 204
    assert api.post(f"/sites/{factories.SiteFactory().pk}/next").status_code == 404


# --- leases -------------------------------------------------------------------------------------


def test_a_lease_is_offered_again_within_five_seconds_of_its_end() -> None:
    entry = app.conf.beat_schedule["expire-leases"]
    assert entry["task"] == expire_leases.name
    assert entry["schedule"] <= 4.0  # which leaves a second for the queue and the work
    project = factories.ProjectFactory(lease_seconds=60, overlap=1)
    a, b = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    task = factories.TaskFactory(project=project, overlap=1, places_left=1)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        assert services.next_assignment(project=project, annotator=a) is not None
        offered = False
        while not offered and timezone.now() - start < timedelta(minutes=3):
            clock.shift(timedelta(seconds=entry["schedule"]))
            services.expire_leases(now=timezone.now())
            offered = Task.objects.filter(pk=task.pk, places_left=1, had=",").exists()
        assert 60 < (timezone.now() - start).total_seconds() <= 60 + 5
        again = services.next_assignment(project=project, annotator=b)
        assert again is not None and again.task_id == task.pk


def test_all_leases_that_ran_out_end_in_one_go() -> None:
    project = factories.ProjectFactory()
    person = factories.member(project.site, Role.ANNOTATOR)
    fill(project, 250, state="labeling", places_left=1, had=f",{person.pk},")
    past = timezone.now() - timedelta(seconds=1)
    Assignment.objects.bulk_create(
        Assignment(task=task, annotator=person, token="t", expires_at=past)
        for task in Task.objects.all()
    )
    assert services.expire_leases(now=timezone.now()) == 250
    assert set(Task.objects.values_list("state", "places_left", "had")) == {("ready", 2, ",")}


def test_a_lost_lease_says_what_to_do_and_activity_keeps_it() -> None:
    project = factories.ProjectFactory(lease_seconds=60)
    factories.TaskFactory(project=project)
    api = Api(factories.member(project.site, Role.ANNOTATOR, language="en"))
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        held = take(api, project)
        path, body = f"/assignments/{held['id']}", {"token": held["token"]}
        clock.shift(timedelta(seconds=50))
        extended = api.post(f"{path}/extend", body)
        assert extended.status_code == 200, extended.content
        assert extended.json()["expires_at"] > held["expires_at"]
        clock.shift(timedelta(seconds=50))
        assert services.expire_leases(now=timezone.now()) == 0
        clock.shift(timedelta(seconds=50))
        assert services.expire_leases(now=timezone.now()) == 1
    for operation, code in (("extend", "lease_expired"), ("release", "lease_expired")):
        lost = api.post(f"{path}/{operation}", body)
        assert (lost.status_code, lost.json()["code"]) == (409, code)
        assert "take the next" in lost.json()["detail"]
    stale = api.post(f"{path}/extend", {"token": "other"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_token")
    assert "take the next" in stale.json()["detail"].lower()


def test_the_end_of_a_lease_is_checked_where_it_is_written() -> None:
    project = factories.ProjectFactory()
    person = factories.member(project.site, Role.ANNOTATOR)
    factories.TaskFactory(project=project)
    assignment = services.next_assignment(project=project, annotator=person)
    assert assignment is not None
    # Between the read and the write somebody ends it.
    Assignment.objects.update(state="expired")
    with pytest.raises(Conflict) as lost:
        leases.end_lease(assignment, AssignmentState.SUBMITTED)
    assert lost.value.code == "lease_expired"
    assert Assignment.objects.get().state == AssignmentState.EXPIRED


def test_only_annotators_of_the_project_are_handed_anything() -> None:
    project = factories.ProjectFactory()
    factories.TaskFactory(project=project)
    for stranger in (
        factories.member(project.site, Role.REVIEWER),
        factories.member(factories.SiteFactory(), Role.ANNOTATOR),
    ):
        with pytest.raises(NotFound):
            services.next_assignment(project=project, annotator=stranger)
