"""The quality figures of a small world, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.catalog.models import Sku
from annotator.core import outbox
from annotator.core.models import AuditEntry
from annotator.labeling import services
from annotator.labeling.models import Gold, Task
from annotator.quality import people, queries, summaries
from annotator.quality import services as quality
from annotator.quality.models import Fact, Rollup
from annotator.review import services as review
from annotator.review.models import Decision
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

UNKNOWN = {"unknown": "反光"}


@pytest.fixture
def project() -> Project:
    project = factories.ProjectFactory(threshold=0.85)
    for code in ("SKU-A", "SKU-B"):
        factories.SkuFactory(site=project.site, code=code, code_key=factories.code_key(code))
    return project


def answer(task: Task, author: Any, seconds: float, **fields: Any) -> None:
    assignment = services.next_assignment(project=task.project, annotator=author)
    assert assignment is not None and assignment.task_id == task.pk
    services.submit_annotation(
        assignment=assignment,
        annotator=author,
        token=assignment.token,
        fields={**factories.GOOD_FIELDS, **fields},
        boxes=[],
        attributes={},
        active_seconds=seconds,
    )


@pytest.fixture
def world(project: Project) -> dict[str, Any]:
    """Four tasks of two annotators: agreed; agreed on a SKU that the catalog lacks; arbitrated for
    its quantity, in favour of B; open, because A saw less."""
    site = project.site
    a, b = (factories.member(site, Role.ANNOTATOR, username=name) for name in ("anna", "bo"))
    reviewer = factories.member(site, Role.REVIEWER)
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as clock:
        answers: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({}, {}),
            ({"sku": "SKU-X"}, {"sku": "SKU-X"}),
            ({"quantity": "2箱"}, {"quantity": "3箱"}),
            ({"sku": UNKNOWN}, {"sku": "SKU-B"}),
        ]
        for n, (first, second) in enumerate(answers):
            task = factories.TaskFactory(project=project)
            answer(task, a, 10.0 * (n + 1), **first)
            answer(task, b, 100.0, **second)
            if n == 2:
                dispute = review.claim_dispute(task=task, reviewer=reviewer)
                review.decide(
                    task=task,
                    reviewer=reviewer,
                    token=dispute.token,
                    fields={**factories.GOOD_FIELDS, "quantity": "3箱"},
                    boxes=[],
                    attributes={},
                )
            if n == 1:
                clock.shift(86_400)
    return report(project)


def report(project: Project) -> dict[str, Any]:
    quality.rebuild(project)
    summaries.summarise(project)
    return queries.report(project)


def metric(world: dict[str, Any], key: str) -> dict[str, Any]:
    return next(m for m in world["metrics"] if m["key"] == key)


def test_completeness(world: dict[str, Any]) -> None:
    # One of eight answers lacks its SKU; none of three decisions does.
    found = metric(world, "completeness")
    assert (found["count"], found["value"], found["passes"]) == (8, 87.5, False)
    low, high = found["interval"]
    assert (low, high) == pytest.approx((52.91, 97.76), abs=0.02)
    decided = metric(world, "completeness_decided")
    assert (decided["count"], decided["value"], decided["passes"]) == (3, 100.0, True)


def test_sku_accuracy(world: dict[str, Any]) -> None:
    found = metric(world, "sku_accuracy")
    assert (found["count"], found["value"], found["passes"]) == (3, 66.67, False)
    days = [(t["day"], t["value"], t["count"]) for t in found["trend"]]
    assert days == [("2026-03-02", 50.0, 2), ("2026-03-03", 100.0, 1)]


def test_what_is_decided_is_held_against_the_catalog_and_the_boxes(
    world: dict[str, Any], project: Project
) -> None:
    # Of three decisions, two name a SKU of the catalog.
    assert metric(world, "consistency")["count"] == 2
    Sku.objects.filter(code="SKU-A").update(spec="2L/瓶")
    assert metric(report(project), "consistency")["value"] == 0.0
    spec = factories.GOOD_FIELDS["spec"]
    Sku.objects.filter(code="SKU-A").update(spec=spec)
    assert metric(report(project), "consistency")["value"] == 100.0
    # the arbitrated one counts three
    decision = Decision.objects.get(source=Decision.Source.ARBITRATED)
    box = {"capture": 1, "x": 0, "y": 0, "w": 9, "h": 9}
    Decision.objects.filter(pk=decision.pk).update(boxes=[box, {**box, "x": 20}])
    assert metric(report(project), "consistency")["value"] == 50.0
    Decision.objects.filter(pk=decision.pk).update(boxes=[box, {**box, "capture": 2}])
    assert metric(report(project), "consistency")["value"] == 100.0, "two views of the same"


def test_quantity_consistency(world: dict[str, Any]) -> None:
    found = metric(world, "quantity_consistency")
    assert (found["count"], found["value"]) == (4, 75.0)


def test_agreement(world: dict[str, Any]) -> None:
    found = metric(world, "agreement")
    # 1, 1, less the quantity's .20, less the SKU's .40
    assert (found["count"], found["value"]) == (4, 85.0)
    assert (found["threshold"], found["passes"]) == (85.0, True)
    by_field = {f["key"]: f for f in world["fields"]}
    assert by_field["sku"]["agreement"] == by_field["quantity"]["agreement"] == 75.0
    assert by_field["category"]["agreement"] == 100.0
    # Quantity: 2箱 seven times, 3箱 once, in one pair that differs.
    # By Krippendorff's formula: 1 − (n − 1)·o_ck/(n_c·n_k) = 1 − 7·1/(7·1) = 0.
    assert by_field["quantity"]["alpha"] == pytest.approx(0.0, abs=1e-4)
    assert by_field["category"]["alpha"] is None


def test_time_per_picture(world: dict[str, Any]) -> None:
    # (10 + 20 + 30 + 40 + 4·100) / 8
    found = metric(world, "time")
    assert (found["count"], found["value"], found["unit"], found["passes"]) == (8, 62.5, "s", True)


def test_fluency_of_decisions(world: dict[str, Any]) -> None:
    found = metric(world, "fluency")
    assert (found["count"], found["value"], found["passes"]) == (3, 100.0, True)


def test_annotators(world: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in world["annotators"]}
    anna, bo = rows["员工 anna"], rows["员工 bo"]
    assert (anna["annotations"], anna["mean_active_seconds"]) == (4, 25.0)
    assert (bo["annotations"], bo["mean_active_seconds"]) == (4, 100.0)
    assert anna["agreement"]["value"] == bo["agreement"]["value"] == 85.0
    # Of three decisions, the arbitrated one does not uphold Anna's quantity.
    assert [(r["right"]["value"], r["right"]["count"]) for r in (anna, bo)] == [
        (66.67, 3),
        (100.0, 3),
    ]
    assert anna["low_evidence"] and bo["low_evidence"]


def test_where_a_figure_comes_from(world: dict[str, Any], project: Project) -> None:
    time = {
        row["label"]: (row["value"], row["count"], row["passes"])
        for row in queries.breakdown(project, metric="time", by="annotator")
    }
    assert time == {"员工 anna": (25.0, 4, True), "员工 bo": (100.0, 4, False)}
    [reviewed] = queries.breakdown(project, metric="sku_accuracy", by="reviewer")
    assert (reviewed["value"], reviewed["count"]) == (100.0, 1)
    [category] = queries.breakdown(project, metric="sku_accuracy", by="category")
    assert (category["at"], category["count"]) == ("饮料", 3)
    [week] = queries.breakdown(project, metric="sku_accuracy", by="week")
    assert (week["at"], week["value"]) == ("2026-03-02", 66.67)
    fields = queries.breakdown(project, metric="right:quantity", by="annotator")
    assert {row["label"]: row["value"] for row in fields} == {"员工 anna": 66.67, "员工 bo": 100.0}


def test_a_figure_leads_to_its_tasks(world: dict[str, Any], project: Project) -> None:
    api = Api(factories.member(project.site, Role.REVIEWER))
    tasks = list(Task.objects.order_by("pk").values_list("pk", flat=True))
    address = f"/projects/{project.pk}/quality/tasks?metric="

    def found(query: str) -> list[int]:
        answer = api.get(address + query)
        assert answer.status_code == 200, answer.content
        return [row["task"]["id"] for row in answer.json()["results"]]

    assert found("sku_accuracy") == [tasks[2], tasks[1], tasks[0]]
    assert found("sku_accuracy&flawed=true") == [tasks[1]]
    assert found("quantity_consistency&flawed=true&by=week&at=2026-03-02") == [tasks[2]]
    assert found("quantity_consistency&flawed=true&by=week&at=2026-03-09") == []
    bo = queries.people(project)[-1]["id"]
    slow = found(f"time&flawed=true&by=annotator&at={bo}")
    assert sorted(slow) == tasks
    assert api.get(address + "nonsense").status_code == 400


def test_the_table_has_every_figure(world: dict[str, Any], project: Project) -> None:
    api = Api(factories.member(project.site, Role.REVIEWER))
    answer = api.get(f"/projects/{project.pk}/quality.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("metric,by,at,count,value,low,high")
    assert "time,annotator,员工 bo,4,100.0,100.0,100.0,s,90.0,False" in lines
    assert any(line.startswith("sku_accuracy,week,2026-03-02,3,66.67,") for line in lines)


def rollups(project: Project) -> list[tuple[Any, ...]]:
    rows = Rollup.objects.filter(project=project, n__gt=0)
    columns = ("dimension", "key", "metric", "day", "n", "total", "squares")
    return sorted(rows.values_list(*columns))


def test_events_keep_the_figures_that_a_rebuild_makes(
    world: dict[str, Any], project: Project
) -> None:
    """What events do step by step, among reopened, changed and withdrawn things, is what comes out
    when everything is counted anew."""
    Rollup.objects.filter(project=project).delete()
    Fact.objects.filter(project=project).delete()
    with time_machine.travel("2026-03-05T08:00:00Z", tick=False) as clock:
        assert outbox.drain("bulk") > 0
        first = rollups(project)
        quality.rebuild(project)
        assert rollups(project) == first and len(first) > 50
        reviewer = factories.member(project.site, Role.REVIEWER)
        decided = Task.objects.filter(state="decided").earliest("pk")
        review.reopen(task=decided, actor=reviewer, role=Role.REVIEWER, note="?")
        clock.shift(20)
        outbox.drain("bulk")
        assert rollups(project) != first
        dispute = review.claim_dispute(task=decided, reviewer=reviewer)
        review.decide(
            task=decided,
            reviewer=reviewer,
            token=dispute.token,
            fields={**factories.GOOD_FIELDS, "condition": "破损"},
            boxes=[],
            attributes={},
        )
        factories.SkuFactory(site=project.site, code="SKU-X", code_key="sku-x")
        quality.measure_skus([{"sku": project.site.skus.get(code="SKU-X").pk}])
        clock.shift(20)
        outbox.drain("bulk")
        kept = rollups(project)
        quality.measure([{"task": pk} for pk in Task.objects.values_list("pk", flat=True)] * 2)
        assert rollups(project) == kept
        quality.rebuild(project)
        assert rollups(project) == kept
    assert metric(queries.report(project), "sku_accuracy")["value"] == 100.0


def test_disputes_and_throughput(world: dict[str, Any]) -> None:
    assert world["disputes"] == {"open": 1, "decided": 1}
    assert world["throughput"] == [
        {"day": "2026-03-02", "annotations": 4, "decided": 2},
        {"day": "2026-03-03", "annotations": 4, "decided": 1},
    ]


def test_withdrawn_answers_and_old_decisions_do_not_count(
    world: dict[str, Any], project: Project
) -> None:
    task = Task.objects.filter(state="decided").earliest("id")
    task.annotations.update(withdrawn_at=timezone.now())
    Decision.objects.filter(task=task).update(superseded_at=timezone.now())
    after = report(project)
    assert metric(after, "completeness")["count"] == 6
    assert metric(after, "sku_accuracy")["value"] == 50.0


def test_an_empty_project_has_no_figures_and_no_errors(project: Project) -> None:
    api = Api(factories.member(project.site, Role.REVIEWER))
    body = api.get(f"/projects/{project.pk}/quality").json()
    assert {m["key"]: m["value"] for m in body["metrics"]} == dict.fromkeys(
        [
            "completeness",
            "completeness_decided",
            "sku_accuracy",
            "consistency",
            "quantity_consistency",
            "fluency",
            "time",
            "agreement",
            "spot_check_error",
        ]
    )
    assert {m["passes"] for m in body["metrics"]} == {None}
    assert (body["annotators"], body["throughput"]) == ([], [])


def test_the_page_costs_a_fixed_number_of_queries(
    world: dict[str, Any], project: Project, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(8):
        queries.report(project)


def test_who_fails_gold_is_flagged_and_watched(project: Project) -> None:
    """All conditions inverted: flagged well within 50 gold tasks, told to staff, logged, and from then
    on measured more and doubled by a third annotator."""
    project.quality = {"gold_rate": 1.0, "newcomer_gold_rate": 1.0}
    project.save()
    flipped, honest = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    worst = ["渗漏", "破损", "明显变形", "轻微压痕", "完好无损"]
    for n in range(12):
        truth = worst[::-1][n % 5]
        task = factories.TaskFactory(project=project, state="gold", places_left=0)
        Gold.objects.create(
            task=task, fields={**factories.GOOD_FIELDS, "condition": truth}, schema_version=1
        )
    factories.TaskFactory(project=project)
    for _ in range(12):
        for person in (flipped, honest):
            held = services.next_assignment(project=project, annotator=person)
            assert held is not None
            truth = Gold.objects.get(task=held.task).fields["condition"]
            said = worst[worst[::-1].index(truth)] if person == flipped else truth
            services.submit_annotation(
                assignment=held,
                annotator=person,
                token=held.token,
                fields={**factories.GOOD_FIELDS, "condition": said},
                boxes=[],
                attributes={},
                active_seconds=9.0,
            )
    found = report(project)
    [alert] = people.open_alerts(project)
    assert (alert["annotator"], alert["kind"]) == (flipped.pk, "gold_failed")
    assert set(alert["evidence"]["fields"]) == {"condition"}
    assert {row["id"]: row["low_evidence"] for row in found["annotators"]} == {
        flipped.pk: True,
        honest.pk: True,
    }
    assert AuditEntry.objects.filter(action__in=["alert.opened", "standing.changed"]).count() == 2
    api = Api(factories.member(project.site, Role.REVIEWER))
    page = api.get(f"/projects/{project.pk}/quality/people/{flipped.pk}").json()
    assert page["standing"] == {"paused": False, "reason": "", "gold_rate": 0.3, "third": True}
    skill = {f["key"]: f["reliability"]["value"] for f in page["fields"]}
    assert skill["condition"] < 40 and skill["sku"] > 90
    raised = report(project) and people.open_alerts(project)
    assert [row["id"] for row in raised] == [alert["id"]], "raised once"
    assert api.get(f"/projects/{project.pk}/quality").json()["alerts"][0]["name"] == str(flipped)


def test_ones_own_record_is_of_full_weeks(world: dict[str, Any], project: Project) -> None:
    anna = factories.User.objects.get(username="anna")
    with time_machine.travel("2026-03-05T08:00:00Z", tick=False):
        assert people.of_oneself(project, anna.pk)["weeks"] == [], "nothing of this week's answers"
    with time_machine.travel("2026-03-10T08:00:00Z", tick=False):
        body = Api(anna).get(f"/projects/{project.pk}/my-quality").json()
    assert [(w["week"], w["answers"], w["right"]) for w in body["weeks"]] == [
        ("2026-03-02", 4, 66.67)
    ]
    fields = {f["key"]: (f["value"], f["low_evidence"]) for f in body["fields"]}
    assert fields["quantity"] == (66.67, True) and fields["sku"] == (100.0, True)
