"""Changing a project's schema while people label: each kind of change, and what it does to drafts,
answers, decisions and the export."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotator.accounts.models import Project, SchemaVersion
from annotator.accounts.services import change_project
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.core.models import Job
from annotator.labeling import services
from annotator.labeling.models import Annotation, Assignment, Task
from annotator.labeling.schemas import Schemas
from annotator.quality import services as quality
from annotator.review.models import Decision
from inference.captions import DEFAULT_SCHEMA
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

EXPIRY = {
    "key": "expiry",
    "kind": "date",
    "label": {"zh": "保质期", "en": "Best before", "ja": "賞味期限"},
    "required": True,
    "weight": 0.1,
    "options": [],
    "aliases": [],
}
PACK = {
    "key": "pack",
    "kind": "choice",
    "label": {"zh": "包装", "en": "Pack", "ja": "包装"},
    "required": False,
    "weight": 0.1,
    "options": ["纸箱", "塑料袋", "玻璃瓶"],
    "aliases": [],
}
Fields = list[dict[str, Any]]


def schema(*extra: dict[str, Any]) -> dict[str, Any]:
    return {"fields": [*DEFAULT_SCHEMA.to_json()["fields"], *extra]}


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory(schema=schema(PACK))


@pytest.fixture
def admin(project: Project) -> Any:
    return factories.member(project.site, Role.ADMIN)


@pytest.fixture
def anna(project: Project) -> Any:
    return factories.member(project.site, Role.ANNOTATOR)


@pytest.fixture
def ben(project: Project) -> Any:
    return factories.member(project.site, Role.ANNOTATOR)


def answer(project: Project, person: Any, version: int | None = None, **fields: Any) -> Annotation:
    assignment = services.next_assignment(project=project, annotator=person)
    assert assignment is not None
    annotation, _ = services.submit_annotation(
        assignment=assignment,
        annotator=person,
        token=assignment.token,
        fields={**factories.GOOD_FIELDS, **fields},
        boxes=[],
        attributes={},
        active_seconds=5,
        schema_version=version,
    )
    return annotation


def change(project: Project, admin: Any, data: dict[str, Any], **renames: str) -> None:
    """Change the schema and do the work behind it."""
    changed = change_project(
        project=project, changes={"schema": data}, actor=admin, renames=renames
    )
    outbox.drain("bulk", limit=10)
    assert Job.objects.latest("pk").state == "done"
    project.refresh_from_db()
    assert project.schema_version == changed.schema_version


def with_pack(**changes: Any) -> dict[str, Any]:
    return schema({**PACK, **changes})


# name → (new schema, renames, what anna had said of the pack, does her answer stand)
CHANGES: dict[str, tuple[dict[str, Any], dict[str, str], str | None, bool]] = {
    "field removed": (schema(), {}, "纸箱", True),
    "optional field added": (schema(PACK, {**EXPIRY, "required": False}), {}, "纸箱", True),
    "required field added": (schema(PACK, EXPIRY), {}, "纸箱", False),
    "unused option removed": (with_pack(options=["纸箱", "塑料袋"]), {}, "纸箱", True),
    "used option removed": (with_pack(options=["塑料袋"]), {}, "纸箱", False),
    "option added": (with_pack(options=[*PACK["options"], "木箱"]), {}, "纸箱", True),
    "key renamed": (with_pack(key="package"), {"pack": "package"}, "纸箱", True),
    "key replaced": (with_pack(key="package", required=True), {}, "纸箱", False),
    "label changed": (
        with_pack(label={"zh": "外包装", "en": "Packaging", "ja": "外装"}), {}, "纸箱", True
    ),
    "kind changed to one that reads it": (with_pack(kind="text", options=[]), {}, "纸箱", True),
    "kind changed to one that does not": (with_pack(kind="date", options=[]), {}, "纸箱", False),
    "now required, was given": (with_pack(required=True), {}, "纸箱", True),
    "now required, was left out": (with_pack(required=True), {}, None, False),
    "weights changed": (with_pack(weight=0.5), {}, "纸箱", True),
    "order changed": ({"fields": schema(PACK)["fields"][::-1]}, {}, "纸箱", True),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_kind_of_change(name: str, project: Project, admin: Any, anna: Any, ben: Any) -> None:
    data, renames, pack, stands = CHANGES[name]
    task = factories.TaskFactory(project=project)
    given = answer(project, anna, **({"pack": pack} if pack else {}))
    content = (given.fields, given.caption, given.schema_version)

    plan = Api(admin).post(
        f"/projects/{project.pk}/schema/plan", {"schema": data, "renames": renames}
    )
    assert plan.status_code == 200, plan.content
    counts = plan.json()["answers"]
    assert (counts["kept"], counts["returned"]) == ((1, 0) if stands else (0, 1))
    assert project.schemas.count() == 0, "a dry run writes nothing"

    change(project, admin, data, **renames)

    given.refresh_from_db()
    assert (given.fields, given.caption, given.schema_version) == content, "answers never change"
    task.refresh_from_db()
    assignment = Assignment.objects.get(task=task, annotator=anna)
    if stands:
        assert given.withdrawn_at is None
        assert (task.answers, assignment.state) == (1, "submitted")
    else:
        assert given.withdrawn_at is not None
        assert (task.answers, task.state, assignment.state) == (0, "labeling", "active")
        # It is shown to its author again, with what they had said.
        again = Api(anna).post(f"/projects/{project.pk}/next").json()
        assert again["id"] == assignment.pk
        assert again["draft"]["fields"]["sku"] == "SKU-A"
        assert again["schema_version"] == 2
        # Closing the page does not give it away.
        path = f"/assignments/{assignment.pk}/release"
        assert Api(anna).post(path, {"token": again["token"]}).status_code == 204
        assignment.refresh_from_db()
        assert assignment.state == "active"
        assert assignment.expires_at > timezone.now() + timedelta(days=2)
    # The next person sees the new schema, and the task can be settled.
    key = renames.get("pack", "pack")
    field = next((f for f in data["fields"] if f["key"] in (key, "package")), None)
    extra: dict[str, str] = {}
    if field is not None:
        said = {"date": "2026-03-01", "choice": (field["options"] or [""])[0]}
        extra[field["key"]] = said.get(field["kind"], "纸箱")
    if any(f["key"] == "expiry" for f in data["fields"]):
        extra["expiry"] = "2026-03-01"
    if not stands:
        answer(project, anna, **extra)
    answer(project, ben, **extra)
    task.refresh_from_db()
    assert task.state == "decided"
    decision = Decision.objects.get(task=task)
    assert decision.schema_version == 2
    labels = [f["label"]["zh"] for f in data["fields"] if f["key"] in decision.fields]
    assert re.findall("【(.*?)】", decision.caption) == labels
    assert decision.fields.keys() >= extra.keys()


def test_only_fields_that_both_knew_are_compared(
    project: Project, admin: Any, anna: Any, ben: Any
) -> None:
    """Anna was never asked for the best-before date: Ben's counts, and is no disagreement."""
    task = factories.TaskFactory(project=project)
    answer(project, anna, pack="纸箱")
    change(project, admin, schema(PACK, {**EXPIRY, "required": False, "weight": 5.0}))
    answer(project, ben, pack="纸箱", expiry="2026-03-01")
    task.refresh_from_db()
    assert task.state == "decided"
    assert task.agreement.score == 1
    assert "expiry" not in task.agreement.per_field
    decision = Decision.objects.get(task=task)
    assert decision.fields["expiry"] == "2026-03-01"
    assert decision.ties == []
    assert decision.caption.endswith("【包装】纸箱|【保质期】2026-03-01")


def test_decisions_keep_their_own_labels(project: Project, admin: Any, anna: Any, ben: Any) -> None:
    task = factories.TaskFactory(project=project)
    answer(project, anna, pack="纸箱")
    answer(project, ben, pack="纸箱")
    change(
        project,
        admin,
        schema({**PACK, "key": "package", "label": {"zh": "外包装", "en": "Box", "ja": "外装"}}),
        pack="package",
    )
    task.refresh_from_db()
    assert task.state == "decided", "what is decided stays decided"
    body = Api(admin).get(f"/tasks/{task.pk}").json()
    assert body["decision"]["schema_version"] == 1
    assert body["decision"]["fields"]["pack"] == "纸箱"
    labels = {f["key"]: f["label"]["zh"] for f in body["schemas"]["1"]["fields"]}
    assert labels["pack"] == "包装"
    assert body["decision"]["caption"].endswith("【包装】纸箱")
    from annotator.datasets.export import entries

    lines = {
        e.path: b"".join(e.chunks).decode() for e in entries(project) if e.path.endswith(".jsonl")
    }
    assert "【包装】纸箱" in "".join(lines.values())
    quality.rebuild(project)
    report = Api(admin).get(f"/projects/{project.pk}/quality").json()
    metrics = {m["key"]: m for m in report["metrics"]}
    assert metrics["completeness"]["value"] == 100
    assert metrics["fluency"]["value"] == 100


def test_a_page_that_still_shows_the_old_schema(project: Project, admin: Any, anna: Any) -> None:
    """Its answer is carried over where it can be, else refused at the field that is new."""
    factories.TaskFactory.create_batch(2, project=project)
    open_page = services.next_assignment(project=project, annotator=anna)
    assert open_page is not None
    change(project, admin, with_pack(key="package"), pack="package")
    body = {
        "token": open_page.token,
        "fields": {**factories.GOOD_FIELDS, "pack": "纸箱"},
        "active_seconds": 3,
        "schema_version": 1,
    }
    sent = Api(anna).post(f"/assignments/{open_page.pk}/submit", body)
    assert sent.status_code == 201, sent.content
    annotation = Annotation.objects.get(pk=sent.json()["annotation"]["id"])
    assert annotation.fields["package"] == "纸箱"
    assert annotation.schema_version == 2

    second = services.next_assignment(project=project, annotator=anna)
    assert second is not None
    change(project, admin, schema({**PACK, "key": "package"}, EXPIRY))
    body |= {"token": second.token, "schema_version": 2}
    body["fields"] = {**factories.GOOD_FIELDS, "package": "纸箱"}
    refused = Api(anna).post(f"/assignments/{second.pk}/submit", body)
    assert refused.status_code == 400
    assert [e["field"] for e in refused.json()["errors"]] == ["expiry"]


def test_drafts_are_read_by_the_new_keys(project: Project, admin: Any, anna: Any) -> None:
    factories.TaskFactory(project=project)
    api = Api(anna)
    held = api.post(f"/projects/{project.pk}/next").json()
    draft = {"fields": {"sku": "A-1", "pack": "玻璃瓶"}, "schema_version": 1}
    api.put(f"/assignments/{held['id']}/draft", {"token": held["token"], "draft": draft})
    renamed = with_pack(key="package", options=["纸箱"])
    plan = Api(admin).post(
        f"/projects/{project.pk}/schema/plan", {"schema": renamed, "renames": {"pack": "package"}}
    )
    assert plan.json()["drafts"] == {"total": 1, "affected": 1}
    assert {(c["code"], c["field"]) for c in plan.json()["changes"]} >= {
        ("renamed", "package"),
        ("option_removed", "package"),
    }
    change(project, admin, renamed, pack="package")
    shown = api.get(f"/assignments/{held['id']}").json()["draft"]
    assert shown["fields"] == {"sku": "A-1", "package": "玻璃瓶"}
    assert shown["schema_version"] == 2


def test_an_answer_given_during_the_change_is_checked_when_it_counts(
    project: Project, admin: Any, anna: Any, ben: Any
) -> None:
    """The job behind a change may come late: settling looks for itself."""
    task = factories.TaskFactory(project=project)
    answer(project, anna, pack="纸箱")
    project = change_project(project=project, changes={"schema": schema(PACK, EXPIRY)}, actor=admin)
    answer(project, ben, pack="纸箱", expiry="2026-03-01")
    task.refresh_from_db()
    assert (task.state, task.answers, task.places_left) == ("labeling", 1, 0)
    answer(project, anna, pack="纸箱", expiry="2026-03-01")
    task.refresh_from_db()
    assert task.state == "decided"
    outbox.drain("bulk", limit=10)
    task.refresh_from_db()
    assert task.state == "decided"


def test_disputed_tasks_go_on_under_the_new_schema(
    project: Project, admin: Any, anna: Any, ben: Any
) -> None:
    task = factories.TaskFactory(project=project)
    answer(project, anna, pack="纸箱")
    answer(project, ben, pack="纸箱", quantity="9箱")
    change(project, admin, with_pack(key="package"), pack="package")
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    desk = reviewer.post(f"/tasks/{task.pk}/dispute").json()
    assert [side["fields"]["package"] for side in desk["answers"]] == ["纸箱", "纸箱"]
    body = {
        "token": desk["claim"]["token"],
        "fields": {**factories.GOOD_FIELDS, "package": "纸箱"},
    }
    decided = reviewer.post(f"/tasks/{task.pk}/decide", body)
    assert decided.status_code == 200, decided.content
    assert Decision.objects.get(task=task).schema_version == 2


def test_versions_are_kept_and_chained(project: Project, admin: Any) -> None:
    change(project, admin, with_pack(key="package"), pack="package")
    change(project, admin, with_pack(key="wrapping"), package="wrapping")
    change(project, admin, schema())
    change(project, admin, schema(PACK))
    numbers = SchemaVersion.objects.filter(project=project).values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    schemas = Schemas(project)
    third = schemas.carry({"wrapping": "纸箱", "sku": "A"}, 3)
    assert third.fields == {"sku": "A"}, "a field that was gone in between does not come back"
    assert "pack" not in third.known
    unchanged = change_project(project=project, changes={"schema": schema(PACK)}, actor=admin)
    assert unchanged.schema_version == 5, "the same schema again is no new version"


@pytest.mark.parametrize(
    ("spoil", "where", "code"),
    [
        (lambda f: f[0].update(key="Bad Key"), "schema.fields.0.key", "bad_key"),
        (lambda f: f[1].update(key="sku"), "schema.fields.1.key", "duplicate_key"),
        (lambda f: f[5].update(options=[]), "schema.fields.5.options", "no_options"),
        (lambda f: f[5]["label"].update(zh="品类"), "schema.fields.5.label.zh", "name_taken"),
        (lambda f: f[5]["label"].update(ja=""), "schema.fields.5.label.ja", "empty_name"),
        (lambda f: f[5].update(weight=-1), "schema.fields.5.weight", "bad_weight"),
        (lambda f: [x.update(weight=0) for x in f], "schema.fields", "no_weight"),
        (lambda f: f.clear(), "schema.fields", "no_fields"),
        (lambda f: f[0].update(kind="colour"), "schema.fields.0.kind", "bad_kind"),
    ],
)
def test_errors_are_named_at_their_field(
    spoil: Callable[[Fields], Any], where: str, code: str, project: Project, admin: Any
) -> None:
    data = schema({**PACK, "label": dict(PACK["label"])})
    spoil(data["fields"])
    for path, send in (
        (f"/projects/{project.pk}", Api(admin).patch),
        (f"/projects/{project.pk}/schema/plan", Api(admin).post),
    ):
        refused = send(path, {"schema": data})
        assert refused.status_code == 400
        errors = {(e["field"], e["code"]): e["message"] for e in refused.json()["errors"]}
        assert (where, code) in errors
        assert errors[where, code]
    zh = Api(admin)
    zh.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
    words = zh.patch(f"/projects/{project.pk}", {"schema": data}).json()["errors"][0]["message"]
    assert any("\u4e00" <= char <= "\u9fff" for char in words)


@pytest.mark.parametrize(
    "renames", [{"nothing": "package"}, {"pack": "nothing"}, {"pack": "sku"}, {"sku": "package"}]
)
def test_renames_lead_from_old_keys_to_new_ones(
    renames: dict[str, str], project: Project, admin: Any
) -> None:
    body = {"schema": with_pack(key="package"), "renames": renames}
    assert Api(admin).patch(f"/projects/{project.pk}", body).status_code == 400
    project.refresh_from_db()
    assert project.schema_version == 1


def test_tasks_without_answers_are_left_alone(project: Project, admin: Any) -> None:
    task = factories.TaskFactory(project=project)
    change(project, admin, schema(PACK, EXPIRY))
    assert Task.objects.get(pk=task.pk).state == "ready"
    assert Job.objects.latest("pk").total == 0
