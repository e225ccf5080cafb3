"""Deny by default: every operation of the OpenAPI, with every role, on one's own and a foreign site.

An operation that is not listed here fails the test, so nobody can add one without saying who may
use it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from annotator.accounts.models import SavedView
from annotator.accounts.services import create_token
from annotator.accounts.states import Role
from annotator.captures.models import Quarantine, Scene
from annotator.catalog.models import Category, ReferencePicture
from annotator.core.models import Job
from annotator.datasets.models import Snapshot
from annotator.labeling.models import Batch
from annotator.labeling.services import next_assignment, submit_annotation
from annotator.modelhub.models import ModelVersion
from annotator.review.models import Decision, Feedback, SpotCheck
from annotator.suggestions.answers import keep_evidence
from annotator.suggestions.models import MachineAnswer
from annotator.training.models import Schedule, TrainingRun
from inference.contracts import Description, Recognition
from tests import factories

pytestmark = pytest.mark.django_db

A, R, D, I = "annotator", "reviewer", "admin", "integrator"  # noqa: E741
EVERYONE, LABELERS, STAFF = {A, R, D, I}, {A, R, D}, {R, D}
PUBLIC, SIGNED_IN = {"anonymous", A, R, D, I}, {A, R, D, I}

# operation → who may use it on their own site. Nobody may on a foreign one.
MAY: dict[str, set[str]] = {
    "session": PUBLIC, "sign_in": PUBLIC, "sign_out": PUBLIC, "change_me": SIGNED_IN,
    "members": STAFF, "tokens": {D}, "create_token": {D}, "revoke_token": {D}, "audit": {D},
    "image": EVERYONE, "captures": STAFF, "upload_captures": {D}, "capture": STAFF,
    "capture_groups": STAFF, "capture_group": STAFF,
    "known_captures": {D}, "upload_zip": {D}, "take_in_urls": {D}, "intake_sources": {D},
    "take_in_source": {D}, "quarantine": STAFF, "quarantine_reasons": STAFF,
    "quarantine_list": STAFF, "dismiss_quarantine": {D}, "refresh_suggestions": {D}, "recognize": {I, D},
    "similar": {I, D}, "site_settings": {D}, "change_site_settings": {D},
    "skus": LABELERS, "create_sku": {D}, "sku": LABELERS, "change_sku": {D}, "add_picture": {D},
    "remove_picture": {D}, "complete_sku": EVERYONE, "categories": EVERYONE, "add_category": {D},
    "change_category": {D}, "remove_category": {D}, "merge_sku": {D}, "import_catalog": {D},
    "projects": LABELERS, "project": LABELERS, "change_project": {D}, "recent": {A}, "next": {A},
    "next_on_site": {A}, "extend": {A}, "reveal": {A}, "limits": {D}, "change_limits": {D},
    "assignment": {A}, "save_draft": {A}, "submit": {A}, "skip": {A}, "release": {A},
    "withdraw": {A}, "disputes": {R}, "open_dispute": {R}, "decide": {R}, "reject_task": {R},
    "reopen_task": STAFF, "tasks": STAFF, "task": LABELERS, "change_task": {D}, "quality": STAFF,
    "quality_breakdown": STAFF, "quality_tasks": STAFF, "quality_table": STAFF, "quality_person": STAFF,
    "change_standing": {D}, "my_quality": {A},
    "doubts": STAFF, "find_doubts": STAFF, "weigh_captures": {I, D},
    "spot_checks": {R}, "check_spot": {R}, "make_gold": {D}, "retire_gold": {D}, "import_gold": {D},
    "create_project": {D}, "clone_project": {D}, "plan_schema": {D},
    "read_guide": LABELERS, "add_guide_picture": {D}, "batches": STAFF, "create_batch": {D},
    "offer_lookalikes": {A}, "take_lookalikes": {A}, "keep_lookalikes": {A},
    "give_back_lookalikes": {A}, "own_answer": {A},
    "change_batch": {D}, "add_member": {D}, "change_member": {D}, "reset_password": {D},
    "dataset": {D}, "jobs": STAFF, "job": STAFF, "cancel_job": {D},
    "bulk_tasks": {D}, "pulse": LABELERS, "saved_views": LABELERS, "save_view": LABELERS,
    "dispute_summary": {R}, "trivial_disputes": {R}, "settle_trivial": {R}, "look_at_dispute": {R},
    "send_back": {R}, "feedback": {A}, "one_feedback": {A}, "read_feedback": {A},
    "forget_view": LABELERS, "export_dataset": {D}, "job_file": {D},
    "snapshots": {D}, "create_snapshot": {D}, "snapshot": {D}, "snapshot_diff": {D},
    "models": {D}, "model": {D}, "live_model": {D}, "promote_model": {D}, "roll_back_model": {D},
    "start_model_trial": {D}, "end_model_trial": {D}, "compare_models": {D}, "model_arms": {D},
    "training_runs": {D}, "start_training": {D}, "training_run": {D}, "cancel_training": {D},
    "retry_training": {D}, "training_curve": {D}, "training_log": {D}, "training_results": {D},
    "training_schedule": {D}, "set_training_schedule": {D}, "training_gate": {D},
    "set_training_gate": {D}, "stored_answers": {D}, "stored_answer": {D}, "replay_stored_answer": {D},
}  # fmt: skip
# Operations about one's own things only: on the own site, what is another's is not found.
OWN_ONLY = {
    "forget_view", "one_feedback", "assignment", "save_draft", "submit", "skip", "extend", "release",
    "withdraw", "own_answer", "reveal",
}  # fmt: skip
# Lists without ?site=: a foreign caller gets an answer, but nothing of this site.
UNSCOPED_LISTS = {
    "add_category",
    "projects", "skus", "captures", "quarantine", "tasks", "audit", "complete_sku", "categories",
    "members", "tokens", "create_project", "add_member", "change_member", "reset_password",
    "recognize", "similar", "upload_captures", "create_sku", "create_token", "import_catalog",
    "refresh_suggestions", "jobs", "known_captures", "upload_zip", "capture_groups",
    "take_in_urls", "intake_sources", "take_in_source", "quarantine_reasons",
    "dismiss_quarantine", "pulse", "saved_views", "save_view",
    "feedback", "read_feedback", "weigh_captures",
}  # fmt: skip
# Those that are asked without a site at all.
NO_SITE = {"tasks", "projects", "feedback", "read_feedback"}


def operations() -> list[tuple[str, str, str]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return sorted(
        (operation["operationId"], method.upper(), path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    )


def test_every_operation_is_listed() -> None:
    found = {name for name, _, _ in operations()}
    assert found == set(MAY), "list who may use each operation in MAY"


@pytest.fixture
def world() -> dict[str, Any]:
    """One site with one of everything, and a foreign site beside it."""
    site, foreign = factories.SiteFactory(), factories.SiteFactory()
    project = factories.ProjectFactory(site=site)
    factories.TaskFactory.create_batch(3, project=project)
    author = factories.member(site, Role.ANNOTATOR)
    assignment = next_assignment(project=project, annotator=author)
    assert assignment is not None
    annotation, task = submit_annotation(
        assignment=assignment,
        annotator=author,
        token=assignment.token,
        fields=factories.GOOD_FIELDS,
        boxes=[],
        attributes={},
        active_seconds=5,
    )
    held = next_assignment(project=project, annotator=author)
    assert held is not None
    sku = factories.SkuFactory(site=site)
    capture = factories.CaptureFactory(site=site)
    group = capture.scene
    Scene.objects.filter(pk=group.pk).update(group=group)
    picture = ReferencePicture.objects.create(sku=sku, image=capture.image)
    Quarantine.objects.create(
        site=site, name="x", code="empty_file", size=0, sha256="0" * 64, source="test"
    )
    token, _ = create_token(site=site, name="t")
    view = SavedView.objects.create(site=site, owner=author, page="tasks", name="v", shared=True)
    category = Category.objects.create(site=site, name="c", path="c")
    job = Job.objects.create(site_id=site.pk, kind="test")
    feedback = Feedback.objects.create(
        annotator=author, annotation=annotation, task=task, outcome="sent_back"
    )
    decision = Decision.objects.create(
        task=task, fields=factories.GOOD_FIELDS, caption="", source="agreed"
    )
    check = SpotCheck.objects.create(
        decision=decision, task=task, project=project, stratum="tie", share=1.0
    )
    snapshot = Snapshot.objects.create(site=site, project=project)
    people = {role: factories.member(site, role) for role in Role}
    strangers = {role: factories.member(foreign, role) for role in Role}
    ids = {
        "site_id": site.pk,
        "user_id": author.pk,
        "project_id": project.pk,
        "task_id": task.pk,
        "assignment_id": held.pk,
        "annotation_id": annotation.pk,
        "image_id": capture.image_id,
        "capture_id": capture.pk,
        "sku_id": sku.pk,
        "picture_id": picture.pk,
        "token_id": token.pk,
        "batch_id": Batch.objects.create(project=project, name="b").pk,
        "job_id": job.pk,
        "view_id": view.pk,
        "category_id": category.pk,
        "variant": "thumb",
        "group_id": group.pk,
        "feedback_id": feedback.pk,
        "spot_check_id": check.pk,
        "snapshot_id": snapshot.pk,
        "other_id": snapshot.pk,
        "schedule": Schedule.objects.create(site=site, project=project).pk,
        "run_id": TrainingRun.objects.create(site=site, project=project, state="kept").pk,
        "answer_id": MachineAnswer.objects.create(
            site=site,
            request_id="r",
            evidence=keep_evidence(site, [Description("0" * 64, 1, 1, "v", b"")])[0],
            recognition=Recognition("v", 0, {}).to_json(),
        ).pk,
        "version_id": ModelVersion.objects.create(site=site, number=1, digest="0" * 64).pk,
    }
    return {"site": site, "ids": ids, "people": people, "strangers": strangers}


def rows_of(body: Any) -> list[Any]:
    """The rows of a list, a page, or an answer made of several lists."""
    if isinstance(body, list):
        return body
    return [row for part in body.values() if isinstance(part, list) for row in part]


def call(user: Any, method: str, path: str, ids: dict[str, Any]) -> Any:
    client = Client(raise_request_exception=True)
    if user is not None:
        client.force_login(user)
    url = re.sub(r"{(\w+)}", lambda m: str(ids[m[1]]), path)
    return client.generic(method, url, b"{}", content_type="application/json")


@pytest.mark.parametrize(("name", "method", "path"), operations())
def test_who_may(name: str, method: str, path: str, world: dict[str, Any]) -> None:
    allowed = MAY[name]
    anonymous = call(None, method, path, world["ids"])
    if "anonymous" in allowed:
        assert anonymous.status_code not in (401, 403), anonymous.content
    else:
        assert anonymous.status_code == 401, anonymous.content
    for role in Role:
        own = call(world["people"][role], method, path, world["ids"])
        if role.value in allowed:
            # Let through: whatever comes now is about the request's content.
            not_refused = own.status_code not in (401, 403)
            assert not_refused, (name, role, own.content)
            if name not in OWN_ONLY and name not in {"task", "image", "job_file"}:
                assert own.status_code != 404, (name, role, own.content)
        else:
            assert own.status_code == 403, (name, role, own.status_code, own.content)
            assert own.json()["code"] == "permission_denied"


@pytest.mark.parametrize(("name", "method", "path"), operations())
def test_nothing_crosses_sites(name: str, method: str, path: str, world: dict[str, Any]) -> None:
    if MAY[name] in (PUBLIC, SIGNED_IN) and name in {"session", "sign_in", "sign_out", "change_me"}:
        return
    for role in Role:
        answer = call(world["strangers"][role], method, path, world["ids"])
        if role.value not in MAY[name]:
            assert answer.status_code == 403, (name, role, answer.content)
        elif name in UNSCOPED_LISTS:
            if method == "GET" and answer.status_code == 200:
                body = answer.json()
                rows = rows_of(body)
                slug = world["site"].slug
                assert slug not in answer.content.decode()
                if name not in {"members", "audit"}:
                    assert rows == [], (name, rows)
        else:
            assert answer.status_code == 404, (name, role, answer.status_code, answer.content)


@pytest.mark.parametrize("name", sorted(UNSCOPED_LISTS - NO_SITE))
def test_naming_a_foreign_site_finds_nothing(name: str, world: dict[str, Any]) -> None:
    method, path = next((m, p) for n, m, p in operations() if n == name)
    user = world["strangers"][Role.ADMIN]
    client = Client()
    client.force_login(user)
    answer = client.generic(
        method,
        f"{path}?site={world['site'].pk}&q=S",
        b'{"site": %d, "name": "n", "code": "C"}' % world["site"].pk,
        content_type="application/json",
    )
    if answer.status_code == 200:
        body = answer.json()
        assert rows_of(body) == []
    else:
        assert answer.status_code in (400, 404, 415), (name, answer.content)


def test_a_token_is_bound_to_its_site(world: dict[str, Any]) -> None:
    user = world["people"][Role.ADMIN]
    other = factories.SiteFactory()
    factories.ProjectFactory(site=other)
    factories.Membership.objects.create(user=user, site=other, role=Role.ADMIN)
    _, secret = create_token(site=world["site"], name="t", user=user)
    client = Client(headers={"Authorization": f"Token {secret}"})
    sites = {p["site"]["slug"] for p in client.get("/api/v1/projects").json()}
    assert sites == {world["site"].slug}
    assert (
        Client(headers={"Authorization": "Token nonsense"}).get("/api/v1/projects").status_code
        == 401
    )


def test_revoked_tokens_and_inactive_people_are_out(world: dict[str, Any]) -> None:
    user = world["people"][Role.ADMIN]
    token, secret = create_token(site=world["site"], name="t", user=user)
    client = Client(headers={"Authorization": f"Token {secret}"})
    assert client.get("/api/v1/projects").status_code == 200
    assert client.delete(f"/api/v1/tokens/{token.pk}").status_code == 204
    assert client.get("/api/v1/projects").status_code == 401


def test_unlisted_methods_are_denied(world: dict[str, Any]) -> None:
    client = Client()
    client.force_login(world["people"][Role.ADMIN])
    assert client.put("/api/v1/projects").status_code in (403, 405)
    assert client.delete(f"/api/v1/skus/{world['ids']['sku_id']}").status_code in (403, 405)
