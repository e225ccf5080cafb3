"""Evidence that came too late is said, and had again; what models saw that answer no longer is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.modelhub import services as hub
from annotator.suggestions import completing, memory, services, sights
from annotator.suggestions.models import CaptureSuggestion, PictureDescription, Sight, Suggestion
from annotator.suggestions.policies import FIRST_AFTER, LONGER, MOST_TRIES, next_try
from tests import factories
from tests.bundles import bundle
from tests.conftest import Api
from tests.conveyor import Conveyor, add_sku, thumbnail_machine, work
from tests.factories import picture_bytes
from tests.integration.test_suggestions import photo
from tests.recognizers import ThumbnailRecognizer, replay

pytestmark = pytest.mark.django_db(transaction=True)

LATE = {"ocr": "late"}


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


@pytest.fixture
def project(machine: ThumbnailRecognizer) -> Project:
    machine.missing = dict(LATE)
    made: Project = factories.ProjectFactory()
    add_sku(made.site, "A-1", picture_bytes(1))
    work()
    return made


def later(minutes: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


def current(capture: Any) -> Suggestion:
    found = CaptureSuggestion.objects.get(capture=capture).current
    assert found is not None
    return found


def test_what_was_late_is_said_and_had_again(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    capture = photo(project, picture_bytes(2))
    work()
    services.learn_scene(
        site_id=project.site_id, captures=[capture], sku_code="A-1", caption="【SKU】A-1"
    )
    first = current(capture)
    assert (first.left_out, first.none) == (["ocr"], 0.25)
    api = Api(factories.member(project.site, Role.ANNOTATOR))
    shown = api.post(f"/projects/{project.pk}/next", {}).json()["suggestion"]
    assert (shown["left_out"], shown["none"]) == (["ocr"], 0.25)
    evidence = Conveyor(project.site).multipart(picture_bytes(3)).json()["evidence"]
    assert (evidence["missing"], evidence["none"]) == (LATE, 0.25)

    machine.described.clear()
    assert completing.complete_descriptions() == 0 and not machine.described  # not yet
    machine.missing = {}
    with later(3):
        assert completing.complete_descriptions() == 2  # the photo, and the reference picture
        assert machine.described.count(capture.image.sha256) == 1
        work()
        assert completing.complete_descriptions() == 0
    row = PictureDescription.objects.get(image=capture.image)
    assert (row.missing, row.retry_at) == ({}, None)
    assert current(capture) != first and current(capture).left_out == []
    examples = replay(memory.folder(project.site_id)).examples
    assert examples[f"cap:{capture.pk}"].caption == "【SKU】A-1"


def test_examples_are_told_anew_what_was_read(
    machine: ThumbnailRecognizer, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = photo(project, picture_bytes(2))
    work()
    PictureDescription.objects.filter(image=capture.image).update(ocr_lines=[])
    services.learn_scene(
        site_id=project.site_id, captures=[capture], sku_code="A-1", caption="一箱"
    )
    assert replay(memory.folder(project.site_id)).examples[f"cap:{capture.pk}"].ocr_text == ""
    machine.missing = {}
    with later(3):
        completing.complete_descriptions()
    example = replay(memory.folder(project.site_id)).examples[f"cap:{capture.pk}"]
    assert (example.ocr_text, example.caption, example.sku_code) == ("清澜 洗发水", "一箱", "A-1")


def test_it_waits_for_the_recognizer_and_gives_up_at_last(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    rows, before = PictureDescription.objects.all(), outbox.waiting()
    minutes = FIRST_AFTER.total_seconds() / 60 + 1
    machine.down = True
    with later(minutes):
        assert completing.complete_descriptions() == 0
    assert rows.get().tries == 1
    machine.down = False
    for tries in range(2, MOST_TRIES + 1):
        minutes += 2 * LONGER**tries
        with later(minutes):
            assert completing.complete_descriptions() == 0
        assert rows.get().tries == tries
    assert rows.get().retry_at is None and rows.get().missing == LATE
    assert outbox.waiting() == before  # nothing is proposed anew for nothing


def test_a_call_has_an_end(
    machine: ThumbnailRecognizer, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "AT_ONCE", 1)
    monkeypatch.setattr(completing, "MOST", 2)
    for n in range(3):
        photo(project, picture_bytes(20 + n))
    work()
    machine.missing = {}
    with later(3):
        assert [completing.complete_descriptions() for _ in range(3)] == [2, 2, 0]


def test_tries_come_ever_later_and_end() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    found = [next_try(LATE, tries, now) for tries in range(1, MOST_TRIES + 1)]
    assert found[-1] is None and next_try({}, 1, now) is None
    waits = [at - now for at in found[:-1] if at]
    assert waits == [FIRST_AFTER, FIRST_AFTER * LONGER, FIRST_AFTER * LONGER**2]


def test_sights_of_models_that_answer_no_longer_are_forgotten(
    machine: ThumbnailRecognizer, project: Project, tmp_path: Path
) -> None:
    site, capture = project.site, photo(project, picture_bytes(2))
    other = factories.SiteFactory()
    names = ("gone", "previous", "champion", "challenger")
    made = {
        name: hub.register(site, bundle(tmp_path / name, name), report={}, run_key=name)
        for name in names
    }
    for name in names[:3]:
        hub.promote(made[name], by=None, reason="")
    hub.start_trial(made["challenger"], 0.5, by=None)
    elsewhere = hub.register(other, bundle(tmp_path / "x", "x"), report={}, run_key="x")
    hub.promote(elsewhere, by=None, reason="")
    digests = ["", *(one.digest for one in made.values()), elsewhere.digest]
    for digest in digests:
        sights.keep(capture.image_id, digest, b"seen", "minigpt-1")
    assert sights.prune() == 0  # some time has to pass
    with later(60 * 24 * 15):
        assert sights.prune() == 2
    kept = set(Sight.objects.values_list("digest", flat=True))
    assert kept == set(digests) - {made["gone"].digest, elsewhere.digest}


def test_pruning_has_an_end(
    machine: ThumbnailRecognizer,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sights, "PART", 1)
    monkeypatch.setattr(sights, "PRUNED_AT_MOST", 2)
    capture = photo(project, picture_bytes(2))
    hub.promote(
        hub.register(project.site, bundle(tmp_path / "a"), report={}, run_key="a"),
        by=None,
        reason="",
    )
    for digest in "bcd":
        sights.keep(capture.image_id, digest * 64, b"seen", "minigpt-1")
    with later(60 * 24 * 15):
        assert [sights.prune() for _ in range(3)] == [2, 1, 0]
