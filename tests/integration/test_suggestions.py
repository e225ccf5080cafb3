"""Asking the machine, keeping what it says, and teaching it what people decide."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from PIL import Image

from annotator.accounts.models import Project, Site
from annotator.accounts.states import Role
from annotator.captures.intake import take_in
from annotator.captures.models import Capture
from annotator.catalog import services as catalog
from annotator.core import outbox
from annotator.core.models import OutboxEvent
from annotator.labeling.models import Task
from annotator.labeling.worth import value_of
from annotator.review import services as review
from annotator.suggestions import memory, recognizer, services
from annotator.suggestions.models import (
    CaptureSuggestion,
    PictureDescription,
    SiteChange,
    SiteMemory,
    Suggestion,
)
from inference.contracts import Recognizer, Segment, read_segment
from inference.local import LocalRecognizer
from inference.scenes import demo_catalog, render_reference, render_scene
from tests import factories
from tests.conftest import Api
from tests.conveyor import Conveyor, add_sku, thumbnail_machine, work
from tests.factories import picture_bytes
from tests.recognizers import ThumbnailRecognizer, replay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


def photo(project: Project, data: bytes, name: str = "photo.jpg", **options: Any) -> Capture:
    capture = take_in(
        site=project.site, name=name, data=data, source="test", project=project, **options
    ).capture
    assert capture is not None
    return capture


def task_of(capture: Capture) -> Task:
    return Task.objects.get(scene=capture.scene_id)


def top_of(capture: Capture) -> str | None:
    current = CaptureSuggestion.objects.get(capture=capture).current
    assert current is not None
    return current.candidates[0]["sku_code"] if current.candidates else None


def decide(project: Project, capture: Capture, **fields: str) -> None:
    """Two people give the same answer."""
    people = [Api(factories.member(project.site, Role.ANNOTATOR)) for _ in range(2)]
    for api in people:
        held = []
        while True:
            answer = api.post(f"/projects/{project.pk}/next", {"exclude": held})
            assert answer.status_code == 200, answer.content
            assignment = answer.json()
            if assignment["task"]["id"] == task_of(capture).pk:
                break
            held.append(assignment["id"])
        body = {
            "token": assignment["token"],
            "fields": {**factories.GOOD_FIELDS, **fields},
            "boxes": [],
            "attributes": {},
            "active_seconds": 3,
        }
        assert api.post(f"/assignments/{assignment['id']}/submit", body).status_code == 201


def log_of(site: Site) -> list[tuple[str, str]]:
    return list(SiteChange.objects.filter(site=site).order_by("number").values_list("op", "key"))


def test_the_double_keeps_the_contract(machine: ThumbnailRecognizer) -> None:
    promised: Recognizer = machine
    assert promised.ready()


# --- asking -----------------------------------------------------------------------------------


def test_a_capture_gets_a_description_and_a_suggestion(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    add_sku(project.site, "A-1", picture_bytes(1), spec="1L", category="饮料/茶")
    add_sku(project.site, "A-2", picture_bytes(2))
    work()
    capture = photo(project, picture_bytes(1, size=(330, 250)))
    assert CaptureSuggestion.objects.get(capture=capture).state == "waiting"
    assert task_of(capture).state == "new"
    work()
    status = CaptureSuggestion.objects.get(capture=capture)
    assert (status.state, status.error) == ("done", "")
    suggestion = status.current
    assert suggestion is not None
    assert suggestion.candidates[0]["sku_code"] == "A-1"
    assert suggestion.fields["category"]["value"] == "茶"
    assert suggestion.site_number == SiteMemory.objects.get().published_number == 4
    task = task_of(capture)
    assert task.state == "ready"
    assert task.value == value_of(suggestion.candidates[0]["confidence"], seen=0)
    # The page shows it with the catalog's words and the picture that looks alike.
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    shown = reviewer.get(f"/captures/{capture.pk}").json()["suggestion"]
    assert shown["candidates"][0]["spec"] == "1L"
    reference = next(n for n in shown["neighbours"] if n["sku_code"] == "A-1")
    assert reference["kind"] == "reference"
    assert reviewer.get(reference["picture"].removeprefix("/api/v1")).status_code == 200
    assert shown["ocr_lines"][0]["text"] == "清澜"
    assert shown["attributes"]["package_type"]["value"] == "carton"


def test_a_kept_description_is_what_the_recognizer_said(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    data = picture_bytes(1)
    capture = photo(project, data)
    work()
    row = PictureDescription.objects.get(image=capture.image_id)
    (said,) = machine.describe([data])
    assert services.as_description(capture.image, row) == said


def test_a_picture_is_described_once(machine: ThumbnailRecognizer, project: Project) -> None:
    data = picture_bytes(1)
    add_sku(project.site, "A-1", data)
    capture = photo(project, data)
    work()
    services.suggest([capture])
    assert len(machine.described) == 1
    assert Suggestion.objects.filter(capture=capture).count() == 2


def test_nothing_is_lost_while_the_recognizer_is_down(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as clock:
        machine.down = True
        add_sku(project.site, "A-1", picture_bytes(1))
        captures = [
            photo(project, picture_bytes(1, size=(330, 250))),
            photo(project, picture_bytes(5)),
        ]
        work()
        rows = OutboxEvent.objects.filter(handler__in=("suggest", "learn_reference"))
        assert {(r.attempts, r.failed_at, r.last_error) for r in rows} == {
            (0, None, "connection refused")
        }
        assert rows.count() == 3
        assert {task_of(c).state for c in captures} == {"new"}
        for _ in range(10):  # more often than a failure would be tried
            clock.shift(4)
            work()
        machine.down = False
        clock.shift(4)
        work()
        assert not rows.all().exists()
        assert {task_of(c).state for c in captures} == {"ready"}
        assert top_of(captures[0]) == "A-1"


def test_a_picture_that_cannot_be_described_is_labeled_without_help(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    good = photo(project, picture_bytes(1))
    bad = photo(project, picture_bytes(2))
    machine.unreadable = {bad.image.sha256}
    work()
    status = CaptureSuggestion.objects.get(capture=bad)
    assert (status.state, status.current, status.error) == ("failed", None, "unreadable")
    assert CaptureSuggestion.objects.get(capture=good).state == "done"
    assert (task_of(bad).state, task_of(bad).value) == ("ready", 1.0)
    # Asked again when it can be read.
    machine.unreadable = set()
    admin = Api(factories.member(project.site, Role.ADMIN))
    assert admin.post("/suggestions/refresh").json() == {"captures": 1}
    work()
    assert CaptureSuggestion.objects.get(capture=bad).state == "done"


def test_a_scene_waits_for_one_view_only(machine: ThumbnailRecognizer, project: Project) -> None:
    first = photo(project, picture_bytes(1), scene_key="S1")
    work()
    second = photo(project, picture_bytes(2), scene_key="S1")
    assert task_of(second) == task_of(first)
    assert task_of(second).state == "ready"


def test_the_suggest_command_sees_everything_through(
    machine: ThumbnailRecognizer, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        photo(project, picture_bytes(seed))
    call_command("suggest", json=True)
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert {k: said[k] for k in ("captures", "done", "failed")} == {
        "captures": 3,
        "done": 3,
        "failed": 0,
    }
    assert Suggestion.objects.count() == 3


# --- teaching ---------------------------------------------------------------------------------


def test_a_decision_teaches_and_a_reopened_one_is_forgotten(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    capture = photo(project, picture_bytes(1))
    work()
    assert log_of(project.site) == []
    decide(project, capture, sku="A-1")
    work()
    (change,) = SiteChange.objects.all()
    assert (change.number, change.op, change.key) == (1, "put_example", f"cap:{capture.pk}")
    learned = replay(memory.folder(project.site_id)).examples[f"cap:{capture.pk}"]
    assert (learned.sku_code, learned.kind) == ("A-1", "decided")
    assert (learned.ocr_text, learned.group) == ("清澜 洗发水", f"scene:{capture.scene_id}")
    description = PictureDescription.objects.get(image=capture.image_id)
    assert learned.embedding == bytes(description.embedding)
    assert learned.keypoints == capture.image.sha256.encode()[:16]
    # The next photo of the same thing is recognized by it.
    twin = photo(project, picture_bytes(1, size=(330, 250)))
    work()
    assert top_of(twin) == "A-1"
    admin = factories.member(project.site, Role.ADMIN)
    review.reopen(task=task_of(capture), actor=admin, role=Role.ADMIN, note="不对")
    work()
    assert log_of(project.site)[-1] == ("delete_example", f"cap:{capture.pk}")
    assert replay(memory.folder(project.site_id)).examples == {}


def test_a_withdrawn_answer_teaches_nothing(machine: ThumbnailRecognizer, project: Project) -> None:
    capture = photo(project, picture_bytes(1))
    work()
    decide(project, capture, sku="A-1")
    work()
    task = task_of(capture)
    last = task.annotations.latest("id")
    answer = Api(last.author).post(f"/annotations/{last.pk}/withdraw")
    assert answer.status_code == 200, answer.content
    work()
    assert [op for op, _ in log_of(project.site)] == ["put_example", "delete_example"]


def test_an_unknown_sku_teaches_nothing(machine: ThumbnailRecognizer, project: Project) -> None:
    capture = photo(project, picture_bytes(1))
    work()
    unknown: Any = {"unknown": "反光"}
    decide(project, capture, sku=unknown)
    work()
    assert task_of(capture).state == "decided"
    assert log_of(project.site) == []


def test_teaching_twice_says_it_once(machine: ThumbnailRecognizer, project: Project) -> None:
    capture = photo(project, picture_bytes(1))
    work()
    decide(project, capture, sku="A-1")
    work()
    payload = {"task": task_of(capture).pk, "project": project.pk}
    review.teach([payload, payload])
    assert len(log_of(project.site)) == 1
    # With the words that were decided, by which it is found.
    example = replay(memory.folder(project.site_id)).examples[f"cap:{capture.pk}"]
    assert example.caption == task_of(capture).decisions.get().caption.strip() != ""


def test_near_duplicates_share_a_group(machine: ThumbnailRecognizer, project: Project) -> None:
    data = picture_bytes(1, size=(640, 480))
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "JPEG", quality=35)
    photo(project, picture_bytes(8), scene_key="S0")
    first = photo(project, data, scene_key="S1")
    views = [
        photo(project, out.getvalue(), scene_key="S2"),
        photo(project, picture_bytes(9), scene_key="S2"),
    ]
    assert views[0].duplicate_of == first
    for captures in ([first], views):
        services.learn_scene(site_id=project.site_id, captures=captures, sku_code="A-1")
    examples = replay(memory.folder(project.site_id)).examples
    groups = {examples[f"cap:{c.pk}"].group for c in (first, *views)}
    assert groups == {f"scene:{first.scene_id}"}


def test_the_catalog_is_taught(machine: ThumbnailRecognizer, project: Project) -> None:
    site = project.site
    sku = add_sku(site, "A-1", category="饮料/茶", spec="1L")
    work()
    assert log_of(site) == [("put_sku", "sku:" + sku.code_key)]
    record = replay(memory.folder(site.pk)).skus["A-1"]
    assert (record.category, record.spec) == ("茶", "1L")
    actor = factories.member(site, Role.ADMIN)
    catalog.save_sku(site=site, sku=sku, changes={"spec": "2L"}, actor=actor)
    catalog.save_sku(site=site, sku=sku, changes={"sales_volume": 5.0}, actor=actor)
    work()
    # Two edits before the worker looked are one change.
    assert len(log_of(site)) == 2
    assert replay(memory.folder(site.pk)).skus["A-1"].spec == "2L"
    catalog.save_sku(site=site, sku=sku, changes={"active": False}, actor=actor)
    work()
    assert log_of(site)[-1][0] == "delete_sku"
    assert replay(memory.folder(site.pk)).skus == {}


def test_reference_pictures_are_taught_and_forgotten(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    sku = add_sku(project.site, "A-1", picture_bytes(1))
    work()
    reference = sku.pictures.get()
    examples = replay(memory.folder(project.site_id)).examples
    assert examples[f"ref:{reference.pk}"].kind == "reference"
    actor = factories.member(project.site, Role.ADMIN)
    catalog.remove_picture(reference=reference, actor=actor)
    work()
    assert replay(memory.folder(project.site_id)).examples == {}


def test_the_log_has_no_gaps_and_is_published_with_its_hash(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    site = project.site
    for n in range(5):
        add_sku(site, f"A-{n}", picture_bytes(n))
        work()
    numbers = list(
        SiteChange.objects.filter(site=site).order_by("number").values_list("number", flat=True)
    )
    assert numbers == list(range(1, 11))
    folder = memory.folder(site.pk)
    segments = sorted(
        (s for path in folder.iterdir() if (s := Segment.parse(path.name))), key=lambda s: s.first
    )
    assert len(segments) == len(list(folder.iterdir()))
    published = [change.number for s in segments for change in read_segment(folder, s)]
    assert published == numbers
    assert SiteMemory.objects.get(site=site).published_number == 10
    broken = folder / segments[0].name
    broken.write_bytes(broken.read_bytes().replace(b"A-0", b"B-0"))
    with pytest.raises(ValueError, match="does not match the hash"):
        read_segment(folder, segments[0])


def test_sites_do_not_teach_each_other(machine: ThumbnailRecognizer, project: Project) -> None:
    other = factories.ProjectFactory()
    add_sku(other.site, "B-1", picture_bytes(1))
    capture = photo(project, picture_bytes(1))
    work()
    assert top_of(capture) is None
    assert replay(memory.folder(project.site_id)).number == 0


def test_rebuilt_memory_replays_to_the_same_state(
    machine: ThumbnailRecognizer, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    site = project.site
    skus = [add_sku(site, f"A-{n}", picture_bytes(n)) for n in range(4)]
    work()
    actor = factories.member(site, Role.ADMIN)
    catalog.save_sku(site=site, sku=skus[0], changes={"active": False}, actor=actor)
    catalog.save_sku(site=site, sku=skus[1], changes={"spec": "9L"}, actor=actor)
    catalog.remove_picture(reference=skus[2].pictures.get(), actor=actor)
    work()
    folder = memory.folder(site.pk)
    before = replay(folder)
    assert set(before.skus) == {"A-1", "A-2", "A-3"}
    call_command("rebuild_memory", json=True)
    assert json.loads(capsys.readouterr().out)["number"] == before.number
    (base,) = folder.iterdir()
    assert base.name.startswith("base-")
    assert replay(folder) == before
    # The files are gone altogether: the database has it all.
    base.unlink()
    memory.rebuild(site.pk)
    assert replay(folder) == before
    catalog.add_picture(sku=skus[2], data=picture_bytes(2))
    work()
    assert replay(folder).number == before.number + 1


def test_a_long_log_is_restated_as_a_base(
    machine: ThumbnailRecognizer, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "COMPACT_AFTER_SEGMENTS", 3)
    for n in range(6):
        add_sku(project.site, f"A-{n}")
        work()
    folder = memory.folder(project.site_id)
    assert len(list(folder.iterdir())) <= 4
    assert len(replay(folder).skus) == replay(folder).number == 6


def test_ranking_again_stores_only_what_changed(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    add_sku(project.site, "A-1", picture_bytes(1))
    captures = [photo(project, picture_bytes(n, size=(330, 250))) for n in (1, 2)]
    work()
    assert [top_of(c) for c in captures] == ["A-1", "A-1"]
    assert services.suggest(captures, only_changes=True) == 0
    assert Suggestion.objects.count() == 2
    add_sku(project.site, "A-2", picture_bytes(2))
    work()
    assert services.suggest(captures, only_changes=True) >= 1
    assert [top_of(c) for c in captures] == ["A-1", "A-2"]


def test_a_decision_reaches_the_tasks_that_come_next(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False) as clock:
        first, twin = (
            photo(project, picture_bytes(1)),
            photo(project, picture_bytes(1, size=(330, 250))),
        )
        work()
        assert top_of(twin) is None
        decide(project, first, sku="A-1")
        work()
        # A while after the teaching, so that the recognizer has refitted what it learned.
        clock.shift(11)
        work()
        assert top_of(twin) == "A-1"


def test_an_upgraded_recognizer_sees_everything_anew(
    machine: ThumbnailRecognizer, project: Project
) -> None:
    add_sku(project.site, "A-1", picture_bytes(1))
    decided, waiting = photo(project, picture_bytes(2)), photo(project, picture_bytes(3))
    work()
    decide(project, decided, sku="A-1")
    work()
    before = SiteMemory.objects.get()
    assert before.describer == "thumbnail-1"
    machine.describer = "thumbnail-2"
    with pytest.raises(outbox.TryLater):
        services.suggest([waiting])
    photo(project, picture_bytes(4))
    work()
    described = PictureDescription.objects.values_list("describer", flat=True)
    assert list(described) == ["thumbnail-2"] * 4
    assert CaptureSuggestion.objects.filter(state="done").count() == 3
    assert SiteMemory.objects.get().describer == "thumbnail-2"
    learned = replay(memory.folder(project.site_id)).examples
    assert sorted(key.split(":")[0] for key in learned) == ["cap", "ref"]


# --- with the real recognizer -------------------------------------------------------------------


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def test_from_reference_pictures_to_a_right_suggestion(
    settings: Any, project: Project, tmp_path: Path
) -> None:
    settings.RECOGNIZER = "inference.local.LocalRecognizer"
    settings.RECOGNIZER_OPTIONS = {"sites_dir": settings.SITES_DIR, "debounce_s": 0.05}
    recognizer.forget_recognizer()
    machine = recognizer.get_recognizer()
    assert isinstance(machine, LocalRecognizer)
    try:
        truths = demo_catalog()[::8][:3]
        for truth in truths:
            add_sku(
                project.site,
                truth.code,
                jpeg(render_reference(truth, 1)),
                brand=truth.brand,
                category=f"{truth.category_parent}/{truth.category}",
                spec=truth.spec,
                unit=truth.unit,
                barcode=truth.barcode,
                pack_text=truth.pack_text,
            )
        work()
        number = SiteMemory.objects.get().published_number
        assert number == 6
        scene = render_scene(
            truths[0], 3, cam_types=("front",), size_px=(800, 600), count=2, grade=0
        )
        data = jpeg(scene.views["front"])
        capture = photo(project, data)
        work()
        assert top_of(capture) == truths[0].code
        suggestion = CaptureSuggestion.objects.get(capture=capture).current
        assert suggestion is not None
        assert suggestion.fields["spec"]["value"] == truths[0].spec
        answer = Conveyor(project.site).multipart(data, "?view=wms")
        assert answer.json()["sku_id"] == truths[0].code
        decide(project, capture, sku=truths[0].code)
        work()
        assert SiteMemory.objects.get().published_number == number + 1
        learned = replay(memory.folder(project.site_id)).examples[f"cap:{capture.pk}"]
        assert learned.sku_code == truths[0].code
        (described,) = machine.describe([data])
        (again,) = machine.rank(memory.site_ref(project.site_id), [described])  # type: ignore[list-item]
        assert f"cap:{capture.pk}" in {n.key for n in again.neighbours}
    finally:
        machine.close()
        recognizer.forget_recognizer()
