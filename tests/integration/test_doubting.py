"""Looking through decisions for doubtful ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.labeling.models import Task
from annotator.quality import queries
from annotator.quality.models import Doubt
from annotator.review import spotting
from annotator.review.models import Decision, SpotCheck
from annotator.suggestions.models import CaptureSuggestion, PictureDescription, Suggestion
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    project = factories.ProjectFactory()
    for code, barcode in (("SKU-A", "690001"), ("SKU-B", "690002")):
        factories.SkuFactory(
            site=project.site, code=code, code_key=factories.code_key(code), barcode=barcode,
            spec="500ml×6瓶/箱",
        )  # fmt: skip
    return project


def decided(project: Project, sku: str, look: int, *, said: str = "", **read: Any) -> Task:
    """A decided task whose picture looks like others of the same ``look``; what the machine ``said``
    of it before."""
    task = factories.TaskFactory(project=project, state="decided", places_left=0)
    capture = task.scene.captures.get()
    vector = np.zeros(1280, np.float32)
    vector[look], vector[500 + task.pk % 500] = 1.0, 0.2
    PictureDescription.objects.create(
        image=capture.image, describer="t", embedding=vector.astype("<f2").tobytes(), **read
    )
    if said:
        suggestion = Suggestion.objects.create(
            capture=capture, model_version="m", site_number=1, neighbours=[], flags=[], fields={},
            timings_ms={},
            candidates=[{"sku_code": said, "confidence": 0.9, "parts": {}, "words": []}],
        )  # fmt: skip
        CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)
    Decision.objects.create(
        task=task, fields={**factories.GOOD_FIELDS, "sku": sku}, caption=f"【SKU】{sku}",
        sku_code=sku, source="agreed", created_at=timezone.now(),
    )  # fmt: skip
    return task


def find(api: Api, project: Project) -> list[dict[str, Any]]:
    assert api.post(f"/projects/{project.pk}/quality/doubts").status_code == 202
    for queue in ("bulk", "normal", "urgent"):
        outbox.drain(queue)
    page: list[dict[str, Any]] = api.get(f"/projects/{project.pk}/quality/doubts").json()["results"]
    return page


def test_what_is_contradicted_comes_first_with_why(project: Project) -> None:
    for look, sku in ((1, "SKU-A"), (2, "SKU-B")):
        for _ in range(5):
            decided(project, sku, look, said=sku)
    odd = decided(project, "SKU-B", 1, said="SKU-A")
    codes = [{"text": "690002", "format": "EAN13", "polygon": []}]
    printed = decided(project, "SKU-A", 1, said="SKU-A", barcodes=codes)
    api = Api(factories.member(project.site, Role.REVIEWER))
    found = find(api, project)
    assert [row["task"] for row in found] == [odd.pk, printed.pk], found
    assert [one["code"] for one in found[0]["why"]] == ["model", "neighbours"]
    assert found[0]["proposed"] == "sku-a" and found[0]["thumb"]
    assert found[1]["why"][0] == {"code": "barcode", "sku": "sku-b", "share": 1.0}
    assert SpotCheck.objects.filter(stratum="doubt", share=0).count() == 2


def test_a_spot_check_settles_a_doubt_and_is_no_estimate(project: Project) -> None:
    for _ in range(5):
        decided(project, "SKU-A", 1)
    odd = decided(project, "SKU-B", 1)
    reviewer = factories.member(project.site, Role.REVIEWER)
    assert [row["task"] for row in find(Api(reviewer), project)] == [odd.pk]
    check = SpotCheck.objects.get()
    spotting.check(spot_check=check.pk, reviewer=reviewer, wrong=False)
    assert Api(reviewer).get(f"/projects/{project.pk}/quality/doubts").json()["results"] == []
    tile = next(m for m in queries.report(project)["metrics"] if m["key"] == "spot_check_error")
    assert (tile["value"], tile["count"]) == (None, 0)
    assert find(Api(reviewer), project) == [], "nor is it found again"
    assert Doubt.objects.count() == 0


def test_annotators_see_no_doubts(project: Project) -> None:
    api = Api(factories.member(project.site, Role.ANNOTATOR))
    assert api.get(f"/projects/{project.pk}/quality/doubts").status_code == 403
    assert api.post(f"/projects/{project.pk}/quality/doubts").status_code == 403
