"""Two worlds that differ only in what A answered: B receives the same bytes in both.

Everything is played twice, with the same clock, chance and row numbers. Every address of the API is asked
as B, for every row there is, after every step; statuses, bodies and headers are compared.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, transaction
from drf_spectacular.generators import SchemaGenerator

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.labeling.models import Gold, Task, Trust
from annotator.suggestions.models import CaptureSuggestion, Suggestion
from tests import factories
from tests.acting import submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db

START = "2026-03-02T08:00:00Z"
GOOD = factories.GOOD_FIELDS
OTHER = {
    "sku": "SKU-B",
    "category": "食品",
    "spec": {"unknown": "反光"},
    "quantity": "37袋",
    "condition": "渗漏，左下角",
}
WORLDS: dict[str, dict[str, Any]] = {
    "as B says": {"fields": GOOD},
    "otherwise": {"fields": OTHER},
    "flagged": {"fields": GOOD, "flag": "reviewer", "note": "反光"},
    "slow and boxed": {"fields": OTHER, "active_seconds": 500.0, "boxes": True},
}
# What belongs to the exchange and not to the answer.
ASIDE = {"Set-Cookie", "Date", "X-Request-ID"}
# By path parameter, the tables that it may name rows of.
TABLES = {
    "task_id": "labeling.Task", "assignment_id": "labeling.Assignment",
    "annotation_id": "labeling.Annotation", "capture_id": "captures.Capture",
    "image_id": "media.StoredImage", "sku_id": "catalog.Sku", "project_id": "accounts.Project",
    "site_id": "accounts.Site", "user_id": "accounts.User", "group_id": "captures.Scene",
    "feedback_id": "review.Feedback", "spot_check_id": "review.SpotCheck", "job_id": "core.Job",
    "batch_id": "labeling.Batch", "category_id": "catalog.Category",
}  # fmt: skip


def addresses() -> list[str]:
    """Every GET of the API."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return sorted(path for path, methods in schema["paths"].items() if "get" in methods)


def asked_of(path: str) -> Iterator[str]:
    """The address for every row that there is."""
    names = re.findall(r"{(\w+)}", path)
    choices = []
    for name in names:
        if name in TABLES:
            model = apps.get_model(TABLES[name])
            choices.append(
                [str(pk) for pk in model.objects.order_by("pk").values_list("pk", flat=True)]
            )
        else:
            choices.append(["thumb"] if name == "variant" else ["1"])
    for values in product(*choices):
        address = path
        for name, value in zip(names, values, strict=True):
            address = address.replace(f"{{{name}}}", value)
        yield address


@contextmanager
def replayable() -> Iterator[None]:
    """What is done inside leaves nothing behind, row numbers and chance included."""
    places: list[tuple[str, int | None]] = []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(sequencename), last_value FROM pg_sequences")
            places = list(cursor.fetchall())
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        for name, last in places:
            cursor.execute("SELECT setval(%s, %s, %s)", [name, last or 1, last is not None])


class Eyes:
    """All that B receives, in order."""

    def __init__(self, user: User) -> None:
        self.api = Api(user)
        self.seen: list[tuple[str, int, bytes, list[tuple[str, str]]]] = []

    def __call__(self, method: str, path: str, data: Any = None) -> Any:
        answer = self.api(method, path, data, X_Request_ID="the-same")
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        headers = sorted((k, v) for k, v in answer.headers.items() if k not in ASIDE)
        self.seen.append((f"{method} {path}", answer.status_code, body, headers))
        return json.loads(body) if answer.status_code < 300 and body[:1] in (b"{", b"[") else None

    def look(self) -> None:
        """Ask every address for every row."""
        for path in addresses():
            for address in asked_of(path):
                self("GET", address.removeprefix("/api/v1"))


def play(
    world: dict[str, Any],
    people: tuple[User, User],
    project: Project,
    before: Callable[[], None],
    both_asked: bool = True,
) -> list[Any]:
    """A answers as in ``world``; then B works through the loop and looks at everything. ``both_asked``
    says whether B is asked what A answered."""
    a, b = people
    before()
    alice = Api(a)
    held = alice.post(f"/projects/{project.pk}/next").json()
    capture = held["captures"][0]["id"]
    boxes = [{"capture": capture, "x": 1, "y": 2, "w": 30, "h": 40}] if world.get("boxes") else []
    answer = {"active_seconds": 9.0, "attributes": {}, **world, "boxes": boxes}
    sent = alice.post(f"/assignments/{held['id']}/submit", {"token": held["token"], **answer})
    assert sent.status_code == 201, sent.content
    for queue in ("urgent", "normal", "bulk"):
        outbox.drain(queue)

    eyes = Eyes(b)
    eyes.look()
    mine = eyes("POST", f"/projects/{project.pk}/next", {})
    assert (mine["task"]["id"] == held["task"]["id"]) is both_asked, "the very task that A answered"
    eyes.look()
    path, token = f"/assignments/{mine['id']}", {"token": mine["token"]}
    eyes("PUT", f"{path}/draft", {**token, "draft": {"fields": {"sku": "SKU-A"}}})
    eyes("POST", f"{path}/suggestion", token)
    eyes("POST", f"{path}/extend", token)
    eyes("POST", f"{path}/release", token)
    mine = eyes("POST", f"/projects/{project.pk}/next", {})
    path, token = f"/assignments/{mine['id']}", {"token": mine["token"]}
    bad = {**token, "fields": {"sku": "", "quantity": "?"}, "active_seconds": 1}
    eyes("POST", f"{path}/submit", bad)
    done = {**token, "fields": GOOD, "boxes": [], "attributes": {}, "active_seconds": 5.0}
    eyes("POST", f"{path}/submit", done)
    eyes.look()
    eyes("POST", f"/projects/{project.pk}/next", {})
    eyes("POST", f"/sites/{project.site_id}/next", {})
    eyes.look()
    return eyes.seen


@pytest.fixture
def project() -> Project:
    project = factories.ProjectFactory(
        withhold_rate=0.5, quality={"gold_rate": 0.3, "newcomer_gold_rate": 0.3}
    )
    for code in ("SKU-A", "SKU-B"):
        factories.SkuFactory(site=project.site, code=code, code_key=factories.code_key(code))
    return project


def made_gold(project: Project) -> None:
    """Two others have decided a task, and an admin has made it gold: its twin takes the place of one that
    nobody has seen."""
    waiting = Task.objects.filter(project=project)
    waiting.update(state="new")
    rules = project.quality
    Project.objects.filter(pk=project.pk).update(quality={"gold_rate": 0.0})
    old = factories.TaskFactory(project=project)
    for _ in range(2):
        other = Api(factories.member(project.site, Role.ANNOTATOR))
        submit(other, take(other, project))
    waiting.filter(state="new").update(state="ready")
    admin = Api(factories.member(project.site, Role.ADMIN))
    assert admin.post(f"/tasks/{old.pk}/gold").status_code == 204
    assert Gold.objects.filter(origin=old, retired_at=None).exists()
    Project.objects.filter(pk=project.pk).update(quality=rules)
    outbox.drain("bulk")


@pytest.mark.parametrize("overlap", ["two", "audited", "spared", "delayed"])
def test_b_receives_the_same_bytes_whatever_a_answered(
    project: Project, monkeypatch: pytest.MonkeyPatch, overlap: str
) -> None:
    """With two answers to each task; with adaptive overlap and a task that chance has answered twice;
    with one for which A's answer is all, whether it agrees with the machine or not; and with suggestions
    that come later. Gold is what an admin made of a photo that others had decided."""
    if overlap == "delayed":
        Project.objects.filter(pk=project.pk).update(withhold_mode="delayed", withhold_rate=1.0)
        project.refresh_from_db()
    elif overlap != "two":
        project.quality |= {"single_limit": 0.01, "audit_share": 0.1}
        project.save()
        Trust.objects.create(
            project=project, model_version="m", schema_version=1, limit=0.01, threshold=0.8,
            checked_at=START,
        )  # fmt: skip
        drawn = overlap == "audited"
        monkeypatch.setattr("annotator.labeling.sparing.is_drawn", lambda task_id, share: drawn)
    a, b = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    with time_machine.travel(START, tick=False):
        for n in range(3):
            task = factories.TaskFactory(project=project, value=1.0 - n / 10)
            capture = task.scene.captures.get()
            suggestion = Suggestion.objects.create(
                capture=capture, model_version="m", site_number=1, neighbours=[], flags=[],
                fields={"sku": {"value": "SKU-A", "confidence": 0.9}}, timings_ms={},
                candidates=[{"sku_code": "SKU-A", "confidence": 0.9, "parts": {}, "words": []}],
            )  # fmt: skip
            CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)
        made_gold(project)

    def same_chance() -> None:
        rng = random.Random(4)
        random.seed(5)  # gold is met, but not as the first task
        monkeypatch.setattr("secrets.token_hex", lambda n=16: f"{rng.getrandbits(8 * n):0{2 * n}x}")
        monkeypatch.setattr("secrets.choice", rng.choice)  # of CSRF tokens

    seen: dict[str, list[Any]] = {}
    states: set[str] = set()
    for name, world in WORLDS.items():
        with replayable(), time_machine.travel(START, tick=False):
            seen[name] = play(world, (a, b), project, same_chance, overlap != "spared")
            states |= {task.state for task in Task.objects.filter(value=1.0)}
    assert states == {"decided", "disputed"}, "what A answered makes a difference"
    first = seen["as B says"]
    known = Task.objects.get(state="gold").pk
    handed = [
        json.loads(row[2])["task"]["id"]
        for row in first
        if row[0].endswith("/next") and row[1] == 200
    ]
    assert overlap == "spared" or known in handed, (known, handed)
    statuses = {status for _, status, _, _ in first}
    assert {200, 201, 400, 403, 404} <= statuses
    assert sum(status == 200 for _, status, _, _ in first) >= 50
    for name, other in seen.items():
        assert [row[0] for row in other] == [row[0] for row in first], name
        for mine, theirs in zip(first, other, strict=True):
            assert mine == theirs, (name, mine[0])


def test_the_comparison_would_find_a_leak(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same play, with an API that tells how many people answered: it is found."""
    from annotator.labeling.api import serializers

    honest = serializers.task_json

    def leaking(task: Any, **how: Any) -> dict[str, Any]:
        last = task.annotations.order_by("pk").first()
        return {**honest(task, **how), "scene": sum(map(ord, last.caption)) if last else 0}

    monkeypatch.setattr(serializers, "task_json", leaking)
    a, b = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    project.quality = {}
    project.save()
    factories.TaskFactory(project=project)
    bodies = []
    for world in ("as B says", "otherwise"):
        with replayable(), time_machine.travel(START, tick=False):
            api = Api(a)
            held = api.post(f"/projects/{project.pk}/next").json()
            answer = {"active_seconds": 9.0, "boxes": [], "attributes": {}, **WORLDS[world]}
            api.post(f"/assignments/{held['id']}/submit", {"token": held["token"], **answer})
            eyes = Eyes(b)
            eyes("POST", f"/projects/{project.pk}/next", {})
            bodies.append(re.sub(rb'"token":"\w+"', b"", eyes.seen[-1][2]))
    assert bodies[0] != bodies[1]
