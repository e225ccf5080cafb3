"""The reviewer's desk: looking, sending back, telling annotators, trivial disputes, independence."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.catalog.models import Category
from annotator.labeling.models import Agreement, Annotation, Assignment, Task
from annotator.review import services
from annotator.review.models import Decision, Dispute, Feedback, Severity
from tests import factories
from tests.acting import at_once, submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    drinks = Category.objects.create(site=made.site, name="饮料", path="饮料")
    factories.SkuFactory(site=made.site, code="SKU-A", category=drinks, spec="500ml×6瓶/箱")
    return made


@pytest.fixture
def people(project: Project) -> dict[str, Api]:
    """Two annotators, two reviewers, each with the person behind."""
    made = {}
    for name in ("anna", "ben"):
        made[name] = Api(factories.member(project.site, Role.ANNOTATOR, display_name=name))
    for name in ("rita", "rolf"):
        made[name] = Api(factories.member(project.site, Role.REVIEWER, display_name=name))
    return made


def answer(
    people: dict[str, Api], project: Project, first: dict[str, Any], second: dict[str, Any]
) -> Task:
    """A task that Anna and Ben answered."""
    factories.TaskFactory(project=project)
    taken = take(people["anna"], project)
    assert submit(people["anna"], taken, **first).status_code == 201
    assert submit(people["ben"], take(people["ben"], project), **second).status_code == 201
    return Task.objects.get(pk=taken["task"]["id"])


def dispute(people: dict[str, Api], project: Project, quantity: str = "3箱") -> Task:
    return answer(people, project, {}, {"quantity": quantity})


def claim(reviewer: Api, task: Task) -> Any:
    opened = reviewer.post(f"/tasks/{task.pk}/dispute")
    assert opened.status_code == 200, opened.content
    return opened.json()


def decide(reviewer: Api, task: Task, note: str = "", **fields: Any) -> Any:
    token = claim(reviewer, task)["claim"]["token"]
    body = {"token": token, "fields": {**factories.GOOD_FIELDS, **fields}, "note": note}
    decided = reviewer.post(f"/tasks/{task.pk}/decide", body)
    assert decided.status_code == 200, decided.content
    return decided.json()


def test_looking_leaves_a_dispute_to_others(people: dict[str, Api], project: Project) -> None:
    task = dispute(people, project)
    seen = people["rita"].get(f"/tasks/{task.pk}/dispute")
    assert seen.status_code == 200
    assert seen.json()["claim"] is None
    assert [a["author"] for a in seen.json()["answers"]] == [None, None]
    opened = claim(people["rolf"], task)
    assert {**seen.json(), "claim": opened["claim"]} == opened
    assert people["rita"].get(f"/tasks/{task.pk}/dispute").json()["claim"] is None
    decide(people["rolf"], task)
    assert people["rita"].get(f"/tasks/{task.pk}/dispute").status_code == 409


def test_names_and_records_appear_with_the_decision(
    people: dict[str, Api], project: Project
) -> None:
    first, second = dispute(people, project), dispute(people, project)
    rows = people["rita"].get(f"/projects/{project.pk}/disputes").content.decode()
    assert "anna" not in rows and "ben" not in rows
    decide(people["rita"], first, quantity="3箱")
    told = decide(people["rita"], second)["authors"]
    assert told == [
        {"label": "A", "name": "anna", "upheld": True, "record": {"upheld": 1, "decided": 2}},
        {"label": "B", "name": "ben", "upheld": False, "record": {"upheld": 1, "decided": 2}},
    ]
    sides = people["rita"].get(f"/tasks/{second.pk}").json()["answers"]
    assert [side["record"] for side in sides] == [{"upheld": 1, "decided": 2}] * 2


def test_a_decision_that_is_replaced_no_longer_counts_in_a_record(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute(people, project)
    decide(people["rita"], task)
    assert people["rita"].post(f"/tasks/{task.pk}/reopen", {"note": "?"}).status_code == 200
    told = decide(people["rita"], task, quantity="3箱")["authors"]
    assert [one["record"] for one in told] == [
        {"upheld": 0, "decided": 1},
        {"upheld": 1, "decided": 1},
    ]


def test_a_pair_is_a_sign_that_names_nobody(people: dict[str, Api], project: Project) -> None:
    first, second = dispute(people, project), dispute(people, project, quantity="4箱")
    people["carl"] = Api(factories.member(project.site, Role.ANNOTATOR))
    other = answer({**people, "ben": people["carl"]}, project, {}, {"sku": "SKU-A1"})
    signs = dict(Dispute.objects.values_list("task", "pair"))
    assert signs[first.pk] == signs[second.pk] != signs[other.pk]
    assert all(len(sign) == 5 for sign in signs.values())
    list_of = f"/projects/{project.pk}/disputes"
    rows = people["rita"].get(f"{list_of}?pair={signs[first.pk]}").json()["results"]
    assert [row["task"]["id"] for row in rows] == [first.pk, second.pk]
    summary = people["rita"].get(f"{list_of}/summary").json()
    assert summary["pairs"] == [
        {"pair": signs[first.pk], "count": 2},
        {"pair": signs[other.pk], "count": 1},
    ]
    assert summary["total"] == 3
    assert summary["severities"] == {"low": 0, "medium": 2, "high": 1}
    assert summary["fields"] == {"quantity": 2, "sku": 1}


def test_severity_is_what_hangs_on_it(people: dict[str, Api], project: Project) -> None:
    wrong_article = answer(people, project, {}, {"sku": "SKU-B"})
    miscounted = dispute(people, project)
    elsewhere = answer(people, project, {}, {"category": "零食", "spec": "1L"})
    levels = dict(Dispute.objects.values_list("task", "severity"))
    assert levels == {
        wrong_article.pk: Severity.HIGH,
        miscounted.pk: Severity.MEDIUM,
        elsewhere.pk: Severity.LOW,
    }
    rows = people["rita"].get(f"/projects/{project.pk}/disputes?sort=worst").json()["results"]
    assert [row["severity"] for row in rows] == ["high", "medium", "low"]
    rows = people["rita"].get(f"/projects/{project.pk}/disputes?field=spec").json()["results"]
    assert [row["task"]["id"] for row in rows] == [elsewhere.pk]


# --- sending back ----------------------------------------------------------------------------------


def send_back(reviewer: Api, task: Task, note: str = "请数第二层") -> Any:
    token = claim(reviewer, task)["claim"]["token"]
    return reviewer.post(f"/tasks/{task.pk}/send-back", {"token": token, "note": note})


def test_both_annotators_look_again(people: dict[str, Api], project: Project) -> None:
    task = dispute(people, project)
    sent = send_back(people["rita"], task)
    assert (sent.status_code, sent.json()) == (200, {"task_state": "labeling"})
    task.refresh_from_db()
    assert (task.state, task.answers, task.places_left) == ("labeling", 0, 0)
    assert people["rita"].get(f"/projects/{project.pk}/disputes").json()["results"] == []
    for name, quantity in (("anna", "2箱"), ("ben", "3箱")):
        back = take(people[name], project)
        assert back["task"]["id"] == task.pk
        assert back["returned"]["note"] == "请数第二层"
        assert back["draft"]["fields"]["quantity"] == quantity
        [said] = people[name].get(f"/projects/{project.pk}/recent").json()
        assert said["returned"], "it was not withdrawn by its author"
        # What one gives back stays one's own, and a draft does not shorten the time for it.
        draft = {"token": back["token"], "draft": {"fields": back["draft"]["fields"]}}
        kept = people[name].put(f"/assignments/{back['id']}/draft", draft).json()
        assert kept["expires_at"] >= back["expires_at"]
        given = people[name].post(f"/assignments/{back['id']}/release", {"token": back["token"]})
        assert given.status_code == 204
        assert submit(people[name], back, quantity="3箱").status_code == 201
    task.refresh_from_db()
    assert (task.state, task.answers) == ("decided", 2)
    assert Agreement.objects.get(task=task).score == 1.0
    assert Decision.objects.get(task=task, superseded_at=None).fields["quantity"] == "3箱"
    outcomes = Feedback.objects.values_list("outcome", "comment")
    assert list(outcomes) == [("sent_back", "请数第二层")] * 2


def test_still_at_odds_it_is_back_on_the_desk(people: dict[str, Api], project: Project) -> None:
    task = dispute(people, project)
    send_back(people["rita"], task)
    for name, quantity in (("anna", "2箱"), ("ben", "4箱")):
        assert (
            submit(people[name], take(people[name], project), quantity=quantity).status_code == 201
        )
    opened = claim(people["rolf"], task)
    assert [a["fields"]["quantity"] for a in opened["answers"]] == ["2箱", "4箱"]
    assert Annotation.objects.filter(task=task).count() == 4, "nothing that was said is lost"
    acts = [entry["action"] for entry in opened["history"]]
    assert Counter(acts)["annotation.returned"] == 2
    assert "task.sent_back" in acts


def test_a_reopened_decision_that_is_sent_back_stands_no_longer(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute(people, project)
    decide(people["rita"], task)
    people["rita"].post(f"/tasks/{task.pk}/reopen", {"note": "?"})
    assert send_back(people["rita"], task).status_code == 200
    assert not Decision.objects.filter(task=task, superseded_at=None).exists()
    for name in ("anna", "ben"):
        assert submit(people[name], take(people[name], project), quantity="5箱").status_code == 201
    assert Decision.objects.get(task=task, superseded_at=None).source == "agreed"


def test_what_nobody_answered_cannot_be_sent_back(people: dict[str, Api], project: Project) -> None:
    factories.TaskFactory(project=project)
    taken = take(people["anna"], project)
    body = {"token": taken["token"], "reason": "unreadable"}
    assert people["anna"].post(f"/assignments/{taken['id']}/skip", body).status_code == 200
    task = Task.objects.get()
    assert task.state == "disputed"
    refused = send_back(people["rita"], task)
    assert (refused.status_code, refused.json()["code"]) == (409, "nobody_to_ask")
    assert Task.objects.get().state == "disputed"
    assert Dispute.objects.get().closed_at is None


def test_sending_back_wants_words(people: dict[str, Api], project: Project) -> None:
    assert send_back(people["rita"], dispute(people, project), note="").status_code == 400


# --- feedback --------------------------------------------------------------------------------------


def test_annotators_learn_what_became_of_their_answer_only(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute(people, project)
    decide(people["rita"], task, note="左后方还有一箱", quantity="4箱")
    for name, own in (("anna", "2箱"), ("ben", "3箱")):
        assert people[name].get("/pulse").json()["unread_feedback"] == 1
        (row,) = people[name].get("/feedback").json()["results"]
        assert (row["outcome"], row["changed"], row["read"]) == ("corrected", ["quantity"], False)
        assert row["comment"] == "左后方还有一箱"
        detail = people[name].get(f"/feedback/{row['id']}")
        body = detail.json()
        assert body["mine"]["fields"]["quantity"] == own
        assert body["decision"]["fields"]["quantity"] == "4箱"
        words = json.dumps(body, ensure_ascii=False)
        other, theirs = ("ben", "3箱") if name == "anna" else ("anna", "2箱")
        assert other not in words and theirs not in words and "rita" not in words
        assert people[name].get("/pulse").json()["unread_feedback"] == 0
        assert people[name].get("/feedback?unread=true").json()["results"] == []
        foreign = Feedback.objects.exclude(pk=row["id"]).get()
        assert people[name].get(f"/feedback/{foreign.pk}").status_code == (404)


def test_who_is_asked_again_is_not_told_the_old_decision(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute(people, project)
    decide(people["rita"], task)
    people["rita"].post(f"/tasks/{task.pk}/reopen", {"note": "?"})
    row = people["ben"].get("/feedback").json()["results"][0]
    assert people["ben"].get(f"/feedback/{row['id']}").json()["decision"] is None


def test_feedback_is_marked_as_read_all_at_once(people: dict[str, Api], project: Project) -> None:
    for _ in range(3):
        decide(people["rita"], dispute(people, project))
    assert people["ben"].post("/feedback/read").json() == {"read": 3}
    assert people["ben"].post("/feedback/read").json() == {"read": 0}
    assert people["anna"].get("/pulse").json()["unread_feedback"] == 3
    rows = people["anna"].get("/feedback?outcome=upheld").json()["results"]
    assert len(rows) == 3
    assert people["anna"].get("/feedback?outcome=corrected").json()["results"] == []


def test_unusable_photos_are_told_too(people: dict[str, Api], project: Project) -> None:
    task = dispute(people, project)
    token = claim(people["rita"], task)["claim"]["token"]
    body = {"token": token, "reason": "unreadable", "note": "糊了"}
    assert people["rita"].post(f"/tasks/{task.pk}/reject", body).status_code == 200
    assert list(Feedback.objects.values_list("outcome", "comment")) == [("rejected", "糊了")] * 2


def test_queries_of_feedback_do_not_grow(people: dict[str, Api], project: Project) -> None:
    asked = []
    for n in range(1, 4):
        decide(people["rita"], dispute(people, project))
        with CaptureQueriesContext(connection) as queries:
            assert len(people["anna"].get("/feedback").json()["results"]) == n
        asked.append(len(queries))
    assert asked == [4, 4, 4]  # the session, the person, the rows, their thumbs


# --- trivial disputes ------------------------------------------------------------------------------


def trivial(people: dict[str, Api], project: Project) -> Task:
    """The SKU is the same; the catalog knows category and spec."""
    return answer(people, project, {"category": "零食", "spec": "1L"}, {})


def test_what_is_trivial(people: dict[str, Api], project: Project) -> None:
    held = trivial(people, project)
    counted = dispute(people, project)
    unknown = answer(
        people, project, {"sku": "SKU-Z", "category": "零食", "spec": "1L"}, {"sku": "SKU-Z"}
    )
    unseen = answer(people, project, {"category": {"unknown": "unreadable"}, "spec": "1L"}, {})
    kinds = dict(Dispute.objects.values_list("task", "trivial"))
    assert kinds == {held.pk: "catalog", counted.pk: "", unknown.pk: "", unseen.pk: ""}


def test_other_writing_and_minor_fields_are_trivial(
    people: dict[str, Api], project: Project
) -> None:
    note = {"zh": "备注", "en": "Note", "ja": "備考"}
    fields = [
        {"key": "sku", "kind": "sku", "label": note, "weight": 0.5},
        {"key": "note", "kind": "text", "label": note, "weight": 0.4},
        {"key": "extra", "kind": "text", "label": note, "weight": 0.1},
    ]
    for n, field in enumerate(fields):
        field["label"] = {k: f"{v}{n}" for k, v in note.items()}
    project.schema, project.threshold = {"fields": fields}, 1.0
    project.save()

    def said(**second: str) -> str:
        first = {"sku": "SKU-A", "note": "Hand wash", "extra": "red"}
        factories.TaskFactory(project=project)
        for name, values in (("anna", first), ("ben", {**first, **second})):
            taken = take(people[name], project)
            body = {"token": taken["token"], "fields": values, "active_seconds": 1}
            answer = people[name].post(f"/assignments/{taken['id']}/submit", body)
            assert answer.status_code == 201, answer.content
        return Dispute.objects.latest("pk").trivial

    assert said(note="hand-wash.") == "writing"
    assert said(extra="blue") == "minor"
    assert said(note="soap") == ""


def test_what_somebody_wants_a_reviewer_to_see_is_not_trivial(
    people: dict[str, Api], project: Project
) -> None:
    factories.TaskFactory(project=project)
    for name, flag in (("anna", "reviewer"), ("ben", "")):
        taken = take(people[name], project)
        body = {"token": taken["token"], "fields": factories.GOOD_FIELDS, "active_seconds": 1}
        body |= {"flag": flag, "note": "包装像是换过" if flag else ""}
        answer = people[name].post(f"/assignments/{taken['id']}/submit", body)
        assert answer.status_code == 201, answer.content
    row = Dispute.objects.get()
    assert (row.trivial, row.severity, row.gap) == ("", Severity.MEDIUM, 0.0)


def test_many_are_settled_with_a_look(people: dict[str, Api], project: Project) -> None:
    tasks = [trivial(people, project) for _ in range(3)]
    path = f"/projects/{project.pk}/disputes/trivial"
    rows = people["rita"].get(path).json()["results"]
    assert [row["task"]["id"] for row in rows] == [task.pk for task in tasks]
    assert rows[0]["differing"] == ["category", "spec"]
    assert [said["fields"] for said in rows[0]["answers"]] == [
        {"category": "零食", "spec": "1L"},
        {"category": "饮料", "spec": "500ml×6瓶/箱"},
    ]
    assert rows[0]["fields"] == {"category": "饮料", "spec": "500ml×6瓶/箱"}
    assert "anna" not in json.dumps(rows)
    claim(people["rolf"], tasks[1])  # somebody else works on this one
    items = [{"task": row["task"]["id"], "caption": row["caption"]} for row in rows]
    items[2]["caption"] += "!"  # not what is proposed now
    answer = people["rita"].post(path, {"items": items}).json()["results"]
    assert [row["outcome"] for row in answer] == ["decided", "taken", "changed"]
    decision = Decision.objects.get()
    assert (decision.task_id, decision.source) == (tasks[0].pk, "arbitrated")
    assert decision.caption == rows[0]["caption"]
    outcomes = dict(Feedback.objects.values_list("annotator__display_name", "outcome"))
    assert outcomes == {"anna": "corrected", "ben": "upheld"}


def test_queries_of_trivial_disputes_do_not_grow(people: dict[str, Api], project: Project) -> None:
    asked = []
    for n in range(1, 4):
        trivial(people, project)
        with CaptureQueriesContext(connection) as queries:
            path = f"/projects/{project.pk}/disputes/trivial"
            assert len(people["rita"].get(path).json()["results"]) == n
        asked.append(len(queries))
    assert len(set(asked)) == 1, asked
    assert asked[0] <= 9


def test_only_tasks_of_the_project_are_settled(people: dict[str, Api], project: Project) -> None:
    task = trivial(people, project)
    other = factories.ProjectFactory(site=project.site)
    (row,) = people["rita"].get(f"/projects/{project.pk}/disputes/trivial").json()["results"]
    item = {"task": task.pk, "caption": row["caption"]}
    refused = people["rita"].post(f"/projects/{other.pk}/disputes/trivial", {"items": [item]})
    assert refused.status_code == 404
    assert not Decision.objects.exists()


def test_two_reviewers_settle_the_same_page_at_once(
    people: dict[str, Api], project: Project
) -> None:
    tasks = [trivial(people, project) for _ in range(6)]
    path = f"/projects/{project.pk}/disputes/trivial"
    seen = {row["task"]["id"]: row["caption"] for row in people["rita"].get(path).json()["results"]}
    reviewers = [factories.member(project.site, Role.REVIEWER) for _ in range(3)]

    def settle(reviewer: Any, order: list[int]) -> list[str]:
        return [
            services.settle_trivial(task_id=pk, seen=seen[pk], reviewer=reviewer) for pk in order
        ]

    ids = [task.pk for task in tasks]
    results = at_once(
        lambda: settle(reviewers[0], ids),
        lambda: settle(reviewers[1], ids),
        lambda: settle(reviewers[2], ids[::-1]),
    )
    assert not [r for r in results if isinstance(r, Exception)], results
    outcomes = Counter(one for result in results for one in result)
    assert outcomes == {"decided": 6, "taken": 12}
    assert Decision.objects.filter(superseded_at=None).count() == 6
    assert Feedback.objects.count() == 12


def test_a_decision_and_a_look_at_once_decide_once(
    people: dict[str, Api], project: Project
) -> None:
    task = trivial(people, project)
    rita, rolf = (factories.member(project.site, Role.REVIEWER) for _ in range(2))
    path = f"/projects/{project.pk}/disputes/trivial"
    (row,) = people["rita"].get(path).json()["results"]
    token = services.claim_dispute(task=task, reviewer=rita).token
    Dispute.objects.update(claimed_until=timezone.now())  # the claim has just run out
    at_once(
        lambda: services.settle_trivial(task_id=task.pk, seen=row["caption"], reviewer=rolf),
        lambda: services.decide(
            task=task, reviewer=rita, token=token, fields=factories.GOOD_FIELDS, boxes=[],
            attributes={},
        ),
    )  # fmt: skip
    assert Decision.objects.filter(task=task).count() == 1
    assert Feedback.objects.filter(task=task).count() == 2


# --- independence ----------------------------------------------------------------------------------


def test_the_database_refuses_a_judge_who_is_a_party(
    people: dict[str, Api], project: Project
) -> None:
    task = dispute(people, project)
    party = Annotation.objects.filter(task=task).latest("pk").author
    outsider = factories.member(project.site, Role.REVIEWER)
    made = {"task": task, "fields": {}, "caption": "", "source": "arbitrated"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(**made, decided_by=party)
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(**made)  # by nobody
    decision = Decision.objects.create(**made, decided_by=outsider)
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(decided_by=party)
    answer = Annotation.objects.filter(task=task).latest("pk")
    with pytest.raises(IntegrityError), transaction.atomic():
        Annotation.objects.filter(pk=answer.pk).update(author=outsider)
    # An import is no judgement, and agreement nobody's.
    Decision.objects.filter(pk=decision.pk).update(source="imported", decided_by=party)
    Decision.objects.filter(pk=decision.pk).update(source="agreed", decided_by=None)


def test_an_answer_taken_back_still_makes_a_party(people: dict[str, Api], project: Project) -> None:
    both = factories.member(project.site, Role.ANNOTATOR, Role.REVIEWER)
    people["anna"] = Api(both)
    task = dispute(people, project)
    Annotation.objects.filter(author=both).update(withdrawn_at=timezone.now())
    refused = people["anna"].post(f"/tasks/{task.pk}/dispute")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_answer")
    assert people["anna"].get(f"/tasks/{task.pk}/dispute").status_code == 403
    assert people["anna"].get(f"/projects/{project.pk}/disputes").json()["results"] == []


def test_who_judged_a_task_is_not_handed_it(people: dict[str, Api], project: Project) -> None:
    both = factories.member(project.site, Role.ANNOTATOR, Role.REVIEWER)
    people["rita"] = Api(both)
    task = dispute(people, project)
    send_back(people["rita"], task)
    # Ben's lease runs out; his place is anybody's, but for the reviewer.
    Assignment.objects.filter(task=task).update(expires_at=timezone.now())
    from annotator.labeling.services import expire_leases

    assert expire_leases(now=timezone.now()) == 2
    assert people["rita"].post(f"/projects/{project.pk}/next").status_code == 204
    assert take(people["ben"], project)["task"]["id"] == task.pk
