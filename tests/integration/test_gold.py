"""Gold tasks and spot checks: what is drawn, what is measured, and that nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core import events, outbox
from annotator.core.models import AuditEntry
from annotator.labeling import gold, standings
from annotator.labeling.models import Annotation, Gold, Task
from annotator.labeling.queries import desk_of
from annotator.labeling.states import TaskState
from annotator.quality import queries
from annotator.quality.models import Fact
from annotator.review import spotting
from annotator.review.models import Decision, Feedback, SpotCheck
from annotator.review.services import reopen
from tests import factories
from tests.acting import submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    project = factories.ProjectFactory(quality={"gold_rate": 1.0, "newcomer_gold_rate": 1.0})
    factories.SkuFactory(site=project.site, code="SKU-A", code_key="sku-a")
    return project


def person(project: Project, role: Role = Role.ANNOTATOR) -> User:
    return factories.member(project.site, role)


def offer(project: Project) -> list[Task]:
    """One photo comes in; its tasks."""
    capture = factories.CaptureFactory(site=project.site)
    with transaction.atomic():
        payload = {"capture": capture.pk, "scene": capture.scene_id, "project": project.pk}
        events.publish_many("capture.offered", [payload])
    Task.objects.filter(state="new").update(state="ready")
    return list(Task.objects.filter(scene=capture.scene_id).order_by("pk"))


def run_later() -> None:
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=20)):
        outbox.drain("bulk")


def known_task(project: Project, **fields: Any) -> Task:
    """A gold task whose answer is ``factories.GOOD_FIELDS`` and that nobody had."""
    [task] = factories.TaskFactory.create_batch(1, project=project, state="gold", places_left=0)
    Gold.objects.create(task=task, fields={**factories.GOOD_FIELDS, **fields}, schema_version=1)
    return task


def shape(value: Any) -> Any:
    """What an answer looks like, without what it says."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def test_a_gold_task_is_told_from_others_by_nothing(project: Project) -> None:
    """Every answer of the API about a gold task has the shape and the constant values of one about an
    ordinary task: next, draft, withdraw, submit, skip, recent, own answer, task, pulse."""
    opened = [task for _ in range(3) for task in offer(project)]
    golden = {task.pk for task in opened if task.state == TaskState.GOLD}
    assert len(golden) == 3 and {t.pk for t in opened} - golden
    numbers = [task.pk for task in opened]
    assert numbers == sorted(numbers), "opened together, numbered together"
    reviewer_known = Task.objects.filter(pk=min(golden))
    Gold.objects.create(task=reviewer_known.get(), fields=factories.GOOD_FIELDS, schema_version=1)
    api = Api(person(project))
    seen: dict[bool, list[Any]] = {True: [], False: []}
    for _ in range(2):  # gold comes first, since its rate is 1; then there is none left
        before = my_open(api, project)
        held = take(api, project)
        answers = [held]
        path = f"/assignments/{held['id']}"
        draft = {"fields": factories.GOOD_FIELDS}
        answers.append(api.put(f"{path}/draft", {"token": held["token"], "draft": draft}).json())
        answers.append(api.get(path).json())
        answers.append(my_open(api, project) - before)
        sent = submit(api, held)
        answers.append((sent.status_code, sent.json()))
        done = sent.json()["annotation"]["id"]
        back = api.post(f"/annotations/{done}/withdraw")
        answers.append((back.status_code, back.json()))
        again = submit(api, back.json()["assignment"], sku="SKU-B")
        done = again.json()["annotation"]["id"]
        answers += [api.get(f"/annotations/{done}").json()]
        answers += [api.get(f"/tasks/{held['task']['id']}").json()]
        answers += [api.get(f"/projects/{project.pk}/recent").json()[:1]]
        answers += [api.get("/feedback").json(), my_open(api, project) - before]
        is_gold = held["task"]["id"] in golden
        seen[is_gold].append([shape(a) if not isinstance(a, int) else a for a in answers])
        assert held["task"]["state"] == sent.json()["task_state"] == "labeling"
    assert len(seen[True]) == len(seen[False]) == 1
    assert seen[True] == seen[False]
    skipped = take(api, project)
    answer = api.post(
        f"/assignments/{skipped['id']}/skip", {"token": skipped["token"], "reason": "unreadable"}
    )
    assert answer.json() == {"task_state": "labeling"}


def my_open(api: Api, project: Project) -> int:
    pulse = api.get(f"/projects/{project.pk}").json()
    assert pulse["quality"] is None and pulse["counts"] is None
    return int(pulse["my"]["open"])


def test_skipping_gold_leaves_it_for_others(project: Project) -> None:
    task, _ = known_task(project), factories.TaskFactory(project=project)
    for _ in range(4):
        api = Api(person(project))
        held = take(api, project)
        assert held["task"]["id"] == task.pk
        api.post(
            f"/assignments/{held['id']}/skip", {"token": held["token"], "reason": "unreadable"}
        )
    task.refresh_from_db()
    assert (task.state, task.skips) == ("gold", 0)


def test_answers_to_gold_are_measured_and_told_later(project: Project) -> None:
    known_task(project)
    factories.TaskFactory(project=project)
    user = person(project)
    held = take(Api(user), project)
    submit(Api(user), held, sku="SKU-B")
    run_later()
    fact = Fact.objects.get(task=held["task"]["id"])
    assert fact.readings["gold"] == fact.readings["gold:sku"] == 0
    assert fact.readings["gold:quantity"] == 1 and "time" not in fact.readings
    [row] = queries.people(project)
    assert (row["gold"]["value"], row["gold"]["count"], row["low_evidence"]) == (0.0, 1, True)
    assert not Feedback.objects.exists(), "it would be known for what it is"
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=7)):
        outbox.drain("bulk")
    told = Feedback.objects.get()
    assert (told.annotator, told.outcome, told.changed) == (user, "corrected", ["sku"])
    detail = Api(user).get(f"/feedback/{told.pk}").json()
    assert "gold" not in str(detail).lower()


def test_newcomers_meet_gold_more_often(project: Project) -> None:
    project.quality = {"gold_rate": 0.1, "newcomer_gold_rate": 0.5, "newcomer_tasks": 1}
    project.save()
    known_task(project)
    factories.TaskFactory.create_batch(2, project=project)
    user = person(project)

    def rate() -> float:
        desk = desk_of(project.pk, user)
        assert desk is not None
        return desk.gold_rate

    assert rate() == 0.5
    submit(Api(user), take(Api(user), project))
    assert rate() == 0.1
    standings.watch(project=project, annotator=user.pk, gold_rate=0.3)
    assert rate() == 0.3
    Gold.objects.all().update(retired_at=timezone.now())
    assert rate() == 0.0


def decided(project: Project, **fields: Any) -> Task:
    """A task that two people agreed on."""
    task = factories.TaskFactory(project=project)
    for _ in range(2):
        api = Api(person(project))
        submit(api, take(api, project), **fields)
    task.refresh_from_db()
    assert task.state == "decided"
    return task


def test_gold_is_made_of_what_is_beyond_doubt(project: Project) -> None:
    project.quality = {"gold_rate": 0.0}
    project.save()
    task = decided(project)
    twin = Task.objects.create(
        project=project, scene=task.scene, state="gold", overlap=2, places_left=0
    )
    run_later()
    assert not Gold.objects.exists(), "two may agree on what is wrong"
    check = SpotCheck.objects.filter(task=task).first() or SpotCheck.objects.create(
        decision=Decision.objects.get(task=task), task=task, project=project, stratum="independent",
        share=0.2,
    )  # fmt: skip
    reviewer = person(project, Role.REVIEWER)
    spotting.check(spot_check=check.pk, reviewer=reviewer, wrong=False)
    run_later()
    known = Gold.objects.get(task=twin, retired_at=None)
    assert (known.origin, known.fields["sku"]) == (task, "SKU-A")
    authors = Annotation.objects.filter(task=task).values_list("author", flat=True)
    for author in authors:
        assert not gold.open_to([project.pk], User.objects.get(pk=author)).exists()
    reopen(task=task, actor=reviewer, role=Role.REVIEWER, note="?")
    run_later()
    assert not Gold.objects.filter(retired_at=None).exists()


def test_an_admin_makes_and_retires_gold(project: Project) -> None:
    task = decided(project)
    api = Api(person(project, Role.ADMIN))
    assert api.post(f"/tasks/{task.pk}/gold").status_code == 204
    twin = Task.objects.get(state="gold")
    assert (twin.scene_id, twin.truth.origin) == (task.scene_id, task)
    assert api.delete(f"/tasks/{task.pk}/gold").status_code == 204
    assert not Gold.objects.filter(retired_at=None).exists()
    assert set(AuditEntry.objects.filter(action__startswith="gold").values_list("action")) == {
        ("gold.made",), ("gold.retired",),
    }  # fmt: skip
    counts = api.get(f"/projects/{project.pk}").json()["counts"]
    assert (counts["total"], counts["decided"]) == (1, 1), "a gold task is no task of the project"


GOOD = "【SKU】SKU-A|【品类】饮料|【规格】500ml×6瓶/箱|【数量】{n}箱|【状态】完好无损"


def test_gold_is_imported(project: Project) -> None:
    admin = Api(person(project, Role.ADMIN))
    standing, fresh, other, held = (
        decided(project),
        *(factories.TaskFactory(project=project) for _ in range(3)),
    )
    Task.objects.filter(pk=held.pk).update(state="labeling")
    names = [t.scene.captures.get().image_id_text for t in (standing, fresh, other, held)]
    now = Decision.objects.get(task=standing)
    foreign = factories.TaskFactory().scene.captures.get().image_id_text

    def send(*rows: tuple[str, str]) -> Any:
        lines = "".join(f"{name},{caption}\n" for name, caption in rows)
        file = SimpleUploadedFile("gold.csv", f"image_id,caption\n{lines}".encode())
        answer = admin.upload(f"/projects/{project.pk}/gold", file=file)
        assert answer.status_code == 200, answer.content
        return answer.json()

    bad = send(
        (names[0], GOOD.format(n=9)),
        (names[1], GOOD.format(n=1)),
        (names[1], GOOD.format(n=2)),
        (foreign, GOOD.format(n=1)),
        (names[2], "【SKU】SKU-A"),
        (names[3], GOOD.format(n=1)),
        (names[2], ""),
    )
    told = {(e["line"], e["column"], e["code"]) for e in bad["errors"]}
    assert told >= {
        (2, "caption", "gold_contradicts"),
        (4, "image_id", "named_twice"),
        (5, "image_id", "no_such_photo"),
        (6, "caption", "missing_field"),
        (7, "caption", "cannot_decide"),
        (8, "caption", "required"),
    }
    assert all(e["message"] for e in bad["errors"]) and bad["made"] == 0
    assert not Gold.objects.exists() and Decision.objects.count() == 1

    answer = send((names[0], now.caption), (names[1], GOOD.format(n=2)))
    assert answer == {"made": 2, "decided": 1, "errors": []}
    made = Decision.objects.get(task=fresh)
    assert (made.source, made.fields["quantity"]) == ("imported", "2箱")
    assert set(Gold.objects.values_list("origin", flat=True)) == {standing.pk, fresh.pk}
    assert AuditEntry.objects.filter(action="gold.imported").count() == 1
    assert AuditEntry.objects.filter(action="gold.made").count() == 2
    assert send((names[1], GOOD.format(n=2)))["decided"] == 0


def test_gold_of_an_old_photo_has_any_number(project: Project) -> None:
    """What an admin makes gold today is not known by the last number: the row of a task that nobody has
    seen becomes the gold one, and that task is opened anew."""
    project.quality = {"gold_rate": 0.0}
    project.save()
    old = decided(project)
    waiting = factories.TaskFactory.create_batch(3, project=project, value=0.4)
    held = take(Api(person(project)), project)["task"]["id"]
    scenes = {task.scene_id for task in waiting}
    ages = dict(Task.objects.values_list("scene", "created_at"))
    assert Api(person(project, Role.ADMIN)).post(f"/tasks/{old.pk}/gold").status_code == 204
    twin = Task.objects.get(state="gold")
    assert twin.scene_id == old.scene_id and twin.truth.origin == old
    assert twin.pk in {task.pk for task in waiting} - {held}, "any, but none that somebody has seen"
    still = Task.objects.filter(project=project, state__in=["ready", "labeling"])
    assert {task.scene_id for task in still} == scenes, "nothing that was to be labeled is lost"
    moved = still.get(pk__gt=max(task.pk for task in waiting))
    assert (moved.value, moved.created_at) == (0.4, ages[moved.scene_id])
    admin = Api(person(project, Role.ADMIN))
    assert admin.post(f"/tasks/{old.pk}/gold").status_code == 204, "twice is once"
    assert admin.get(f"/tasks/{old.pk}").json()["gold"] is True
    assert Api(person(project, Role.REVIEWER)).get(f"/tasks/{old.pk}").json()["gold"] is None
    assert Task.objects.filter(state="gold").count() == 1
    counts = admin.get(f"/projects/{project.pk}").json()["counts"]
    assert (counts["total"], counts["decided"]) == (4, 1)


def test_spot_checks_are_drawn_and_find_errors(project: Project) -> None:
    project.quality = {"gold_rate": 0.0, "spot_most": 1.0}
    project.save()
    tasks = [decided(project) for _ in range(3)]
    run_later()
    assert SpotCheck.objects.count() == 3, "with so few decided, the interval needs them all"
    reviewer = Api(person(project, Role.REVIEWER))
    page = reviewer.get(f"/projects/{project.pk}/spot-checks").json()["results"]
    assert {row["task"] for row in page} == {task.pk for task in tasks}
    assert "stratum" not in page[0] and page[0]["captures"]
    right, wrong = page[0], page[1]
    assert reviewer.post(f"/spot-checks/{right['id']}", {"wrong": False}).status_code == 200
    answer = reviewer.post(
        f"/spot-checks/{wrong['id']}", {"wrong": True, "changed": ["quantity"], "note": "3箱"}
    )
    assert answer.status_code == 200
    assert reviewer.post(f"/spot-checks/{right['id']}", {"wrong": True}).status_code == 409
    assert Task.objects.get(pk=wrong["task"]).state == "disputed"
    run_later()
    found = next(m for m in queries.report(project)["metrics"] if m["key"] == "spot_check_error")
    assert (found["value"], found["count"], found["passes"]) == (50.0, 2, False)
    low, high = found["interval"]
    assert low < 50 < high
    assert AuditEntry.objects.filter(action="spot.checked").count() == 2


def test_who_finds_an_error_mends_it(project: Project) -> None:
    project.quality = {"gold_rate": 0.0, "spot_most": 1.0}
    project.save()
    task = decided(project)
    run_later()
    user = person(project, Role.REVIEWER)
    reviewer = Api(user)
    [row] = reviewer.get(f"/projects/{project.pk}/spot-checks").json()["results"]
    path = f"/spot-checks/{row['id']}"

    def refused(**body: Any) -> tuple[int, str]:
        answer = reviewer.post(path, body)
        return answer.status_code, answer.json()["errors"][0]["code"]

    assert refused(wrong=True, fields=row["fields"]) == (400, "nothing_mended")
    assert refused(wrong=False, fields={**row["fields"], "quantity": "3箱"})[0] == 400
    code, _ = refused(wrong=True, fields={**row["fields"], "quantity": "很多"})
    assert code == 400 and SpotCheck.objects.get().checked_at is None
    body = {"wrong": True, "fields": {**row["fields"], "quantity": "三箱"}, "note": "后面还有一箱"}
    assert reviewer.post(path, body).status_code == 200
    before, now = Decision.objects.order_by("pk")
    assert before.superseded_at is not None and before.source == "agreed"
    assert (now.source, now.fields["quantity"], now.boxes) == ("checked", "3箱", before.boxes)
    assert (now.decided_by, now.superseded_at, now.note) == (user, None, "后面还有一箱")
    task.refresh_from_db()
    assert (task.state, f",{user.pk}," in task.had) == ("decided", True)
    check = SpotCheck.objects.get()
    assert (check.wrong, check.changed) == (True, ["quantity"])
    # Its authors learn of it, the figures follow, and what a person judged is not drawn again.
    told = Feedback.objects.filter(task=task).values_list("outcome", "changed")
    assert list(told) == [("corrected", ["quantity"])] * 2
    run_later()
    facts = Fact.objects.filter(task=task)
    assert [f.readings["right:quantity"] for f in facts.exclude(annotation=None)] == [0, 0]
    whole = facts.get(annotation=None)
    assert (whole.readings["spot_check_error"], whole.reviewer) == (1, user.pk)
    assert SpotCheck.objects.count() == 1
    assert reviewer.get(f"/projects/{project.pk}/spot-checks").json()["results"] == []
    events_of = AuditEntry.objects.filter(object_id=str(task.pk)).values_list("action", flat=True)
    assert {"spot.checked", "task.reopened", "decision.checked"} <= set(events_of)
    assert reviewer.get(f"/projects/{project.pk}/disputes").json()["results"] == []
    listed = reviewer.get(f"/tasks?project={project.pk}&source=checked").json()["results"]
    assert [one["id"] for one in listed] == [task.pk]


def test_nobody_checks_what_they_answered(project: Project) -> None:
    both = factories.member(project.site, Role.ANNOTATOR, Role.REVIEWER)
    factories.TaskFactory(project=project)
    submit(Api(both), take(Api(both), project))
    api = Api(person(project))
    submit(api, take(api, project))
    decision = Decision.objects.get()
    check = SpotCheck.objects.create(
        decision=decision, task=decision.task, project=project, stratum="tie", share=1.0
    )
    assert Api(both).get(f"/projects/{project.pk}/spot-checks").json()["results"] == []
    assert Api(both).post(f"/spot-checks/{check.pk}", {"wrong": False}).status_code == 403


def test_pausing_says_why_and_a_third_is_asked(project: Project) -> None:
    user, admin = person(project), Api(person(project, Role.ADMIN))
    task = factories.TaskFactory(project=project)
    path = f"/projects/{project.pk}/quality/people/{user.pk}/standing"
    assert admin.put(path, {"paused": True}).status_code == 400, "a reason is asked for"
    assert admin.put(path, {"paused": True, "reason": "先看指南"}).status_code == 200
    refused = Api(user).post(f"/projects/{project.pk}/next")
    assert refused.status_code == 409 and "先看指南" in refused.json()["detail"]
    assert admin.put(path, {"paused": False, "third": True}).status_code == 200
    take(Api(user), project)
    task.refresh_from_db()
    assert (task.overlap, task.places_left) == (3, 2)
    assert AuditEntry.objects.filter(action="standing.changed").count() == 2
