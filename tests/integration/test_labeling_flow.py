"""The working loop through the API: next, draft, submit, agreement, dispute, decision, reopening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import append_only, audit, outbox
from annotator.core.models import AuditEntry
from annotator.labeling import services
from annotator.labeling.models import Agreement, Annotation, Assignment, Task
from annotator.review.models import Decision
from tests import factories
from tests.acting import submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


@pytest.fixture
def people(project: Project) -> dict[str, Api]:
    site = project.site
    return {
        "a": Api(factories.member(site, Role.ANNOTATOR)),
        "b": Api(factories.member(site, Role.ANNOTATOR)),
        "c": Api(factories.member(site, Role.ANNOTATOR)),
        "reviewer": Api(factories.member(site, Role.REVIEWER)),
        "reviewer2": Api(factories.member(site, Role.REVIEWER)),
        "admin": Api(factories.member(site, Role.ADMIN)),
    }


def dispute_of(people: dict[str, Api], project: Project) -> Any:
    """A task on which A and B counted differently."""
    factories.TaskFactory(project=project)
    first = take(people["a"], project)
    assert submit(people["a"], first).status_code == 201
    assert submit(people["b"], take(people["b"], project), quantity="3箱").status_code == 201
    return Task.objects.get(pk=first["task"]["id"])


def test_two_equal_answers_decide(people: dict[str, Api], project: Project) -> None:
    task = factories.TaskFactory(project=project)
    capture = task.scene.captures.get()
    box = {"capture": capture.pk, "x": 10, "y": 10, "w": 100, "h": 80}
    first = take(people["a"], project)
    assert submit(people["a"], first, boxes=[box]).json()["annotation"]["caption"] == (
        "【SKU】SKU-A|【品类】饮料|【规格】500ml×6瓶/箱|【数量】2箱|【状态】完好无损"
    )
    task.refresh_from_db()
    assert (task.state, task.answers, task.places_left) == ("labeling", 1, 1)
    second = take(people["b"], project)
    assert second["task"]["id"] == task.pk
    # Loosely typed, the same thing: half a litre, two cases in Chinese numerals.
    shifted = {**box, "x": 14}
    answer = submit(people["b"], second, boxes=[shifted], spec="0.5L*6瓶／箱", quantity="两箱")
    assert answer.status_code == 201
    task.refresh_from_db()
    assert task.state == "decided"
    decision = Decision.objects.get(task=task)
    assert decision.source == "agreed"
    assert decision.sku_code == "SKU-A"
    assert decision.boxes == [{"capture": capture.pk, "x": 12.0, "y": 10.0, "w": 100.0, "h": 80.0}]
    assert decision.attributes == {"package_type": "carton", "stack_level": 2}
    assert Agreement.objects.get(task=task).score == 1.0
    actions = list(
        AuditEntry.objects.filter(object_type="task", object_id=task.pk).values_list(
            "action", flat=True
        )
    )
    assert actions == ["annotation.submitted", "annotation.submitted", "decision.agreed"]


def test_a_difference_in_quantity_goes_to_a_reviewer(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute_of(people, project)
    assert task.state == "disputed"
    rows = people["reviewer"].get(f"/projects/{project.pk}/disputes").json()["results"]
    assert [row["task"]["id"] for row in rows] == [task.pk]
    assert "quantity_differs" in {reason["code"] for reason in rows[0]["reasons"]}
    opened = people["reviewer"].post(f"/tasks/{task.pk}/dispute").json()
    assert [(a["label"], a["author"]) for a in opened["answers"]] == [("A", None), ("B", None)]
    assert [a["fields"]["quantity"] for a in opened["answers"]] == ["2箱", "3箱"]
    assert opened["fields"]["quantity"] < 1
    assert not any(
        entry["actor"] for entry in opened["history"] if entry["action"] == "annotation.submitted"
    )
    # The desk is taken: the other reviewer hears by whom.
    taken = people["reviewer2"].post(f"/tasks/{task.pk}/dispute")
    assert (taken.status_code, taken.json()["code"]) == (409, "claimed")
    body = {
        "token": opened["claim"]["token"],
        "fields": {**factories.GOOD_FIELDS, "quantity": "3箱"},
        "note": "B 数对了",
    }
    stale = people["reviewer2"].post(f"/tasks/{task.pk}/decide", body)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_token")
    decided = people["reviewer"].post(f"/tasks/{task.pk}/decide", body, Idempotency_Key="k1")
    assert decided.status_code == 200, decided.content
    assert decided.json()["decision"]["source"] == "arbitrated"
    again = people["reviewer"].post(f"/tasks/{task.pk}/decide", body, Idempotency_Key="k1")
    assert again.json() == decided.json()
    assert Decision.objects.filter(task=task).count() == 1
    detail = people["reviewer"].get(f"/tasks/{task.pk}").json()
    assert all(a["author"] for a in detail["answers"])


def test_nobody_settles_their_own_dispute(people: dict[str, Api], project: Project) -> None:
    both = factories.member(project.site, Role.ANNOTATOR, Role.REVIEWER)
    people["a"] = Api(both)
    task = dispute_of(people, project)
    assert people["a"].get(f"/projects/{project.pk}/disputes").json()["results"] == []
    refused = people["a"].post(f"/tasks/{task.pk}/dispute")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_answer")


def test_reopening_supersedes_only_by_a_new_decision(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute_of(people, project)
    opened = people["reviewer"].post(f"/tasks/{task.pk}/dispute").json()
    body = {"token": opened["claim"]["token"], "fields": factories.GOOD_FIELDS}
    assert people["reviewer"].post(f"/tasks/{task.pk}/decide", body).status_code == 200
    assert people["reviewer"].post(f"/tasks/{task.pk}/decide", body).status_code == 409
    assert people["a"].post(f"/tasks/{task.pk}/reopen", {"note": "n"}).status_code == 403
    reopened = people["admin"].post(f"/tasks/{task.pk}/reopen", {"note": "数量有疑问"})
    assert reopened.json() == {"task_state": "disputed"}
    opened = people["reviewer"].post(f"/tasks/{task.pk}/dispute").json()
    assert opened["previous_decision"]["fields"]["quantity"] == "2箱"
    body = {
        "token": opened["claim"]["token"],
        "fields": {**factories.GOOD_FIELDS, "quantity": "4箱"},
    }
    assert people["reviewer"].post(f"/tasks/{task.pk}/decide", body).status_code == 200
    decisions = Decision.objects.filter(task=task).order_by("id")
    assert [d.superseded_at is None for d in decisions] == [False, True]


def test_submitting_twice_is_submitting_once(people: dict[str, Api], project: Project) -> None:
    factories.TaskFactory(project=project)
    assignment = take(people["a"], project)
    first = submit(people["a"], assignment, key="same")
    again = submit(people["a"], assignment, key="same")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Annotation.objects.count() == 1
    other = submit(people["a"], assignment, key="same", quantity="9箱")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    without = submit(people["a"], assignment)
    assert (without.status_code, without.json()["code"]) == (409, "stale_token")


def test_bad_answers_name_everything_that_is_wrong(
    people: dict[str, Api], project: Project
) -> None:
    factories.TaskFactory(project=project)
    assignment = take(people["a"], project)
    capture = assignment["captures"][0]["id"]
    answer = submit(
        people["a"],
        assignment,
        quantity="许多",
        colour="red",
        boxes=[{"capture": capture, "x": 5000, "y": 0, "w": 10, "h": 10}],
    )
    assert answer.status_code == 400
    assert {e["field"] for e in answer.json()["errors"]} == {"quantity", "colour", "boxes.0"}
    assert all(e["message"] for e in answer.json()["errors"])
    assert Annotation.objects.count() == 0
    # Nothing was lost: the lease still stands.
    assert submit(people["a"], assignment).status_code == 201


def test_unknown_is_an_answer(people: dict[str, Api], project: Project) -> None:
    factories.TaskFactory(project=project)
    answer = submit(people["a"], take(people["a"], project), spec={"unknown": "反光"})
    assert "【规格】看不清(反光)" in answer.json()["annotation"]["caption"].replace("\\", "")


def test_the_next_task_is_held_beside_the_current_one(
    people: dict[str, Api], project: Project
) -> None:
    factories.TaskFactory.create_batch(4, project=project)
    first = take(people["a"], project)
    # A reload resumes.
    assert take(people["a"], project)["id"] == first["id"]
    second = people["a"].post(f"/projects/{project.pk}/next", {"exclude": [first["id"]]}).json()
    assert second["id"] != first["id"]
    held = [first["id"], second["id"]]
    third = people["a"].post(f"/projects/{project.pk}/next", {"exclude": held})
    assert third.status_code == 204


def test_urgent_then_half_answered_then_valuable(people: dict[str, Api], project: Project) -> None:
    dull = factories.TaskFactory(project=project, value=0.1)
    worth = factories.TaskFactory(project=project, value=0.9)
    half = take(people["b"], project)
    assert half["task"]["id"] == worth.pk
    submit(people["b"], half)
    urgent = factories.TaskFactory(project=project, priority=Task.Priority.URGENT)
    order = []
    for _ in range(3):
        assignment = take(people["a"], project)
        order.append(assignment["task"]["id"])
        submit(people["a"], assignment)
    assert order == [urgent.pk, worth.pk, dull.pk]
    assert people["a"].post(f"/projects/{project.pk}/next").status_code == 204


def test_drafts_extend_the_lease_and_notice_a_second_tab(
    people: dict[str, Api], project: Project
) -> None:
    factories.TaskFactory(project=project)
    assignment = take(people["a"], project)
    url = f"/assignments/{assignment['id']}/draft"
    draft = {"fields": {"sku": "SK"}, "boxes": [], "attributes": {}, "active_seconds": 3}
    body = {"token": assignment["token"], "draft": draft}
    saved = people["a"].put(url, body, If_Match=assignment["etag"])
    assert saved.status_code == 200, saved.content
    assert saved.json()["expires_at"] > assignment["expires_at"]
    assert people["a"].put(url, body, If_Match=assignment["etag"]).status_code == 412
    assert people["a"].put(url, body, If_Match=saved.json()["etag"]).status_code == 200
    assert take(people["a"], project)["draft"]["fields"] == {"sku": "SK"}
    assert people["b"].get(f"/assignments/{assignment['id']}").status_code == 404


def test_a_lease_that_ran_out_is_offered_again(people: dict[str, Api], project: Project) -> None:
    task = factories.TaskFactory(project=project)
    Project.objects.filter(pk=project.pk).update(overlap=1)
    Task.objects.filter(pk=task.pk).update(overlap=1, places_left=1)
    assignment = take(people["a"], project)
    assert people["b"].post(f"/projects/{project.pk}/next").status_code == 204
    with time_machine.travel(timezone.now() + timedelta(seconds=project.lease_seconds + 1)):
        assert services.expire_leases(now=timezone.now()) == 1
        assert services.expire_leases(now=timezone.now()) == 0
        task.refresh_from_db()
        assert (task.state, task.places_left) == ("ready", 1)
        late = submit(people["a"], assignment)
        assert (late.status_code, late.json()["code"]) == (409, "lease_expired")
        other = take(people["b"], project)
        assert other["task"]["id"] == task.pk
        assert other["token"] != assignment["token"]


def test_withdrawing_within_ten_seconds(people: dict[str, Api], project: Project) -> None:
    factories.TaskFactory(project=project)
    first = take(people["a"], project)
    submit(people["a"], first)
    done = submit(people["b"], take(people["b"], project)).json()["annotation"]
    task = Task.objects.get(pk=first["task"]["id"])
    assert task.state == "decided"
    assert people["a"].post(f"/annotations/{done['id']}/withdraw").status_code == 404
    taken_back = people["b"].post(f"/annotations/{done['id']}/withdraw")
    assert taken_back.status_code == 200, taken_back.content
    task.refresh_from_db()
    assert (task.state, task.answers) == ("labeling", 1)
    assert not Decision.objects.filter(task=task, superseded_at=None).exists()
    assignment = taken_back.json()["assignment"]
    assert assignment["draft"]["fields"]["quantity"] == "2箱"
    assert submit(people["b"], assignment, quantity="5箱").status_code == 201
    task.refresh_from_db()
    assert task.state == "disputed"
    again = Annotation.objects.latest("id").pk
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        late = people["b"].post(f"/annotations/{again}/withdraw")
    assert (late.status_code, late.json()["code"]) == (409, "too_late")


def test_no_withdrawing_once_a_reviewer_looks(people: dict[str, Api], project: Project) -> None:
    task = dispute_of(people, project)
    last = task.annotations.latest("id")
    people["reviewer"].post(f"/tasks/{task.pk}/dispute")
    refused = people["b"].post(f"/annotations/{last.pk}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_late")


def test_what_two_people_pass_on_goes_to_a_reviewer(
    people: dict[str, Api], project: Project
) -> None:
    task = factories.TaskFactory(project=project)
    for who in ("a", "b"):
        assignment = take(people[who], project)
        body = {"token": assignment["token"], "reason": "unreadable"}
        skipped = people[who].post(f"/assignments/{assignment['id']}/skip", body)
        assert skipped.status_code == 200, skipped.content
    task.refresh_from_db()
    assert task.state == "disputed"
    opened = people["reviewer"].post(f"/tasks/{task.pk}/dispute").json()
    assert [r["params"]["reason"] for r in opened["reasons"]] == ["unreadable", "unreadable"]
    body = {"token": opened["claim"]["token"], "reason": "unreadable"}
    assert people["reviewer"].post(f"/tasks/{task.pk}/reject", body).json() == {
        "task_state": "rejected"
    }


def test_a_skipped_task_does_not_wait_for_people_who_are_not_there() -> None:
    project = factories.ProjectFactory()
    a = Api(factories.member(project.site, Role.ANNOTATOR))
    b = Api(factories.member(project.site, Role.ANNOTATOR))
    task = factories.TaskFactory(project=project)
    submit(a, take(a, project))
    assignment = take(b, project)
    b.post(
        f"/assignments/{assignment['id']}/skip", {"token": assignment["token"], "reason": "other"}
    )
    task.refresh_from_db()
    assert task.state == "disputed"


def test_releasing_gives_the_place_back(people: dict[str, Api], project: Project) -> None:
    task = factories.TaskFactory(project=project)
    assignment = take(people["a"], project)
    body = {"token": assignment["token"]}
    assert people["a"].post(f"/assignments/{assignment['id']}/release", body).status_code == 204
    task.refresh_from_db()
    assert (task.state, task.places_left) == ("ready", 2)
    assert take(people["a"], project)["task"]["id"] == task.pk


@pytest.mark.parametrize(("overlap", "answers", "state"), [(1, 1, "decided"), (3, 3, "decided")])
def test_overlap(people: dict[str, Api], overlap: int, answers: int, state: str) -> None:
    project = Project.objects.get()
    project.overlap = overlap
    project.save()
    task = factories.TaskFactory(project=project)
    for who in "abc"[:answers]:
        assert submit(people[who], take(people[who], project)).status_code == 201
    task.refresh_from_db()
    assert task.state == state


@pytest.fixture(autouse=True)
def _one_project(project: Project) -> None:
    """The parametrised tests look the project up."""


def test_an_annotator_learns_nothing_of_the_other_answer(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute_of(people, project)
    mine = people["a"].get(f"/tasks/{task.pk}").json()
    assert mine["state"] == "labeling"
    assert [a["fields"]["quantity"] for a in mine["answers"]] == ["2箱"]
    assert (mine["decision"], mine["history"], mine["decided_at"]) == (None, [], None)
    assert people["a"].get(f"/projects/{project.pk}").json()["counts"] is None
    assert people["c"].get(f"/tasks/{task.pk}").status_code == 404


def test_queries_of_the_working_loop(
    people: dict[str, Api],
    project: Project,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    factories.TaskFactory.create_batch(3, project=project)
    with CaptureQueriesContext(
        connection,
    ) as few:
        first = take(people["a"], project)
    factories.TaskFactory.create_batch(40, project=project)
    submit(people["a"], first)
    with CaptureQueriesContext(connection) as many:
        second = take(people["a"], project)
    assert len(many) == len(few), [q["sql"] for q in many]
    with django_assert_max_num_queries(40):
        submit(people["a"], second)


def test_decisions_are_queued_for_teaching(people: dict[str, Api], project: Project) -> None:
    dispute_of(people, project)
    factories.TaskFactory(project=project)
    submit(people["a"], take(people["a"], project))
    submit(people["b"], take(people["b"], project))
    rows = outbox.OutboxEvent.objects.filter(handler="teach")
    assert [row.payload["task"] for row in rows] == [Task.objects.get(state="decided").pk]


def test_suggestions_are_withheld_on_a_share(people: dict[str, Api], project: Project) -> None:
    from annotator.suggestions.models import CaptureSuggestion, Suggestion

    Project.objects.filter(pk=project.pk).update(withhold_rate=1.0)
    task = factories.TaskFactory(project=project)
    capture = task.scene.captures.get()
    heat = {"quantity": factories.heat_map(2, 3, (0.5, 0.5))}
    attributes = {"package_type": {"value": "tray", "confidence": 0.9, "source": "minigpt"}}
    suggestion = Suggestion.objects.create(
        capture=capture, model_version="m", site_number=1, candidates=[], neighbours=[], flags=[],
        fields={"quantity": {"value": "2箱", "confidence": 0.9, "source": "minigpt"}},
        timings_ms={}, heat=heat, attributes=attributes,
    )  # fmt: skip
    CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)
    withheld = take(people["a"], project)
    assert (withheld["suggestion"], withheld["suggestion_shown"]) == (None, False)
    assert heat["quantity"]["data"] not in str(withheld), "nor where the machine looked"
    Project.objects.filter(pk=project.pk).update(withhold_rate=0.0)
    shown = take(people["b"], project)
    assert shown["suggestion"]["id"] == suggestion.pk
    assert shown["suggestion"]["heat"] == heat
    assert shown["suggestion"]["attributes"] == attributes
    # What was shown is kept with the answer, so that its influence can be measured.
    submit(people["a"], withheld)
    kept = Annotation.objects.get()
    assert (kept.suggestion_id, kept.suggestion_shown) == (suggestion.pk, False)


@pytest.fixture
def guessed(project: Project) -> Any:
    """A task with a suggestion, in a project that delays all of them."""
    from annotator.suggestions.models import CaptureSuggestion, Suggestion

    Project.objects.filter(pk=project.pk).update(withhold_rate=1.0, withhold_mode="delayed")
    capture = factories.TaskFactory(project=project).scene.captures.get()
    suggestion = Suggestion.objects.create(
        capture=capture, model_version="m", site_number=1, candidates=[], neighbours=[], flags=[],
        fields={"quantity": {"value": "4321箱", "confidence": 0.9, "source": "minigpt"}},
        timings_ms={}, heat={},
    )  # fmt: skip
    CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)
    return suggestion


def test_a_delayed_suggestion_comes_with_the_first_entry(
    people: dict[str, Api], project: Project, guessed: Any
) -> None:
    held = take(people["a"], project)
    assert (held["suggestion"], held["suggestion_shown"]) == (None, False)
    assert (held["suggestion_delayed"], held["suggestion_withheld"]) == (True, False)
    assert "4321" not in str(held)
    path, token = f"/assignments/{held['id']}", {"token": held["token"]}
    early = people["a"].post(f"{path}/suggestion", token)
    assert (early.status_code, early.json()["code"]) == (409, "suggestion_not_due")
    blank = {"fields": {"sku": ""}, "boxes": [], "attributes": {}, "active_seconds": 1}
    people["a"].put(f"{path}/draft", {**token, "draft": blank})
    assert people["a"].post(f"{path}/suggestion", token).status_code == 409, "nothing is entered"
    people["a"].put(f"{path}/draft", {**token, "draft": {**blank, "fields": {"sku": "SKU-A"}}})
    assert people["b"].post(f"{path}/suggestion", token).status_code == 404, "another's"
    wrong = people["a"].post(f"{path}/suggestion", {"token": "x" * 32})
    assert wrong.json()["code"] == "stale_token"
    for _ in range(2):
        due = people["a"].post(f"{path}/suggestion", token).json()
        assert due["suggestion"]["id"] == guessed.pk and due["suggestion_shown"]
    assert people["a"].get(path).json()["suggestion"]["id"] == guessed.pk, "a reload keeps it"
    submit(people["a"], held)
    kept = Annotation.objects.get()
    assert (kept.suggestion_shown, kept.suggestion_delayed) == (True, True)


def test_a_delayed_suggestion_comes_after_some_seconds(
    people: dict[str, Api], project: Project, guessed: Any
) -> None:
    Project.objects.filter(pk=project.pk).update(withhold_delay_s=20)
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as clock:
        held = take(people["a"], project)
        path, token = f"/assignments/{held['id']}", {"token": held["token"]}
        assert held["suggestion_after_s"] == 20
        clock.shift(19)
        assert people["a"].post(f"{path}/suggestion", token).status_code == 409
        clock.shift(1)
        assert people["a"].post(f"{path}/suggestion", token).status_code == 200
        Project.objects.filter(pk=project.pk).update(withhold_mode="withheld")
        never = take(people["b"], project)
        clock.shift(60)
        no = people["b"].post(f"/assignments/{never['id']}/suggestion", {"token": never["token"]})
        assert (no.status_code, no.json()["code"]) == (409, "no_delayed_suggestion")


def test_sampling_can_be_off(people: dict[str, Api], project: Project, guessed: Any) -> None:
    Project.objects.filter(pk=project.pk).update(withhold_mode="off")
    assert take(people["a"], project)["suggestion"]["id"] == guessed.pk


def test_the_audit_log_is_append_only(people: dict[str, Api], project: Project) -> None:
    dispute_of(people, project)
    entry = AuditEntry.objects.first()
    assert entry is not None
    with pytest.raises(Exception, match="append-only"):
        AuditEntry.objects.filter(pk=entry.pk).update(action="x")
    with pytest.raises(Exception, match="append-only"):
        AuditEntry.objects.filter(pk=entry.pk).delete()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its triggers")
def test_migrating_puts_the_audit_logs_triggers_back(project: Project) -> None:
    audit.record(action="x", on=project)
    append_only.remove(connection)
    call_command("migrate", verbosity=0)
    with pytest.raises(Exception, match="append-only"):
        AuditEntry.objects.all().delete()


def test_an_assignment_is_only_its_own(people: dict[str, Api], project: Project) -> None:
    factories.TaskFactory(project=project)
    assignment = take(people["a"], project)
    assert submit(people["b"], assignment).status_code == 404
    assert Assignment.objects.get().state == "active"
