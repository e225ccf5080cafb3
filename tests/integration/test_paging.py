"""Cursor pages: every row once, in order, forwards and back, however many rows tie."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core.errors import Invalid
from annotator.core.paging import page_of
from annotator.labeling.models import Task
from annotator.review.models import Dispute
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

ORDERINGS: dict[str, tuple[str, ...]] = {
    "newest": ("-id",),
    "of related rows": ("-task__priority", "opened_at", "id"),
    "with ties": ("score", "-id"),
    "all mixed": ("-score", "opened_at", "-task__priority", "id"),
}


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    start = timezone.now()
    for n in range(11):
        task = factories.TaskFactory(project=made, priority=int(n % 4 == 0), state="disputed")
        opened = start + timedelta(seconds=n % 3, microseconds=n % 2)
        Dispute.objects.create(
            task=task,
            project=task.project,
            score=[0.1, 0.30000000000000004][n % 2],
            opened_at=opened,
        )
    return made


def ask(address: str, ordering: tuple[str, ...]) -> dict[str, Any]:
    request = Request(APIRequestFactory().get(address))
    rows = Dispute.objects.select_related("task")
    answer: dict[str, Any] = page_of(
        request, rows, lambda page: [{"id": row.pk} for row in page], ordering=ordering
    ).data
    return answer


@pytest.mark.parametrize("size", [1, 3, 4, 11, 50])
@pytest.mark.parametrize("name", ORDERINGS)
def test_forwards_and_back(project: Project, name: str, size: int) -> None:
    ordering = ORDERINGS[name]
    wanted = list(Dispute.objects.order_by(*ordering).values_list("pk", flat=True))
    page = ask(f"/x?page_size={size}&kept=1", ordering)
    assert page["previous"] is None
    there = [[row["id"] for row in page["results"]]]
    while page["next"]:
        assert "kept=1" in page["next"]
        page = ask(page["next"], ordering)
        there.append([row["id"] for row in page["results"]])
    assert [pk for page in there for pk in page] == wanted
    back = [there[-1]]
    while page["previous"]:
        page = ask(page["previous"], ordering)
        back.insert(0, [row["id"] for row in page["results"]])
    assert back == there


def test_rows_that_come_in_between_move_nothing(project: Project) -> None:
    first = ask("/x?page_size=4", ("-id",))
    newest = factories.TaskFactory(project=project, state="disputed")
    Dispute.objects.create(task=newest, project=newest.project, opened_at=timezone.now())
    second = ask(first["next"], ("-id",))
    shown = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(shown)) == 8
    assert newest.dispute.pk not in shown


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "WzEsImEiXQ", "WzEsIjEiLCIyIl0"])
def test_a_bad_cursor_is_refused(project: Project, cursor: str) -> None:
    with pytest.raises(Invalid):
        ask(f"/x?cursor={cursor}", ("-id",))
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    answer = reviewer.get(f"/tasks?project={project.pk}&cursor={cursor}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "bad_cursor")


def test_page_sizes_have_a_limit(project: Project) -> None:
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    assert reviewer.get(f"/tasks?project={project.pk}&page_size=1000").status_code == 400
    assert Task.objects.count() == 11
