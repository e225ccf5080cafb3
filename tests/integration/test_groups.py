"""Near-duplicates: found, grouped however they come, kept in one split, labeled once if asked."""

from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.db import transaction
from PIL import Image, ImageEnhance

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures.intake import Incoming, take_in_all
from annotator.captures.models import Capture, Scene
from annotator.captures.services import join_groups
from annotator.datasets import layout
from annotator.datasets.export import write_folder
from annotator.labeling.models import CarriedOver, Task
from annotator.labeling.services import check_for_task
from annotator.media.pictures import NEAR_DISTANCE, distance
from annotator.review.services import import_decision
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory(label_duplicates_once=True)
    return made


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def changed(n: int) -> list[bytes]:
    """A picture, and what cameras and messengers make of it."""
    original = picture_bytes(n, size=(640, 480))
    image = Image.open(io.BytesIO(original))
    width, height = image.size
    return [
        original,
        jpeg(image, 30),
        jpeg(image.resize((320, 240)), 80),
        jpeg(image.crop((3, 2, width - 3, height - 2))),
        jpeg(ImageEnhance.Brightness(image).enhance(1.08)),
    ]


def bring(project: Project, pictures: Sequence[tuple[str, bytes]], **options: str) -> None:
    files = [Incoming(name, lambda data=data: data, **options) for name, data in pictures]  # type: ignore[misc]
    for _ in take_in_all(site=project.site, files=files, source="test", project=project):
        pass


def groups() -> dict[str, set[str]]:
    """The names in each group, by the first of them."""
    found: dict[str, set[str]] = {}
    for capture in Capture.objects.select_related("scene__group").order_by("pk"):
        first = capture.scene.group or capture.scene
        name = Capture.objects.filter(scene=first).order_by("pk")[0].original_name
        found.setdefault(name, set()).add(capture.original_name)
    return found


@pytest.mark.parametrize("batch", [1, 64])
def test_changed_copies_are_one_group(
    project: Project, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotator.captures.intake.BATCH_FILES", batch)
    pictures = [(f"{n}{'abcde'[i]}", d) for n in (1, 2, 3) for i, d in enumerate(changed(n))]
    random.Random(4).shuffle(pictures)
    bring(project, pictures)
    found = sorted(sorted(names) for names in groups().values())
    near = {
        (a.original_name, b.original_name)
        for a, b in itertools.combinations(Capture.objects.select_related("image"), 2)
        if distance(a.image.phash, b.image.phash) <= NEAR_DISTANCE
    }
    assert {len({name[0] for name in names}) for names in found} == {1}, "no group mixes photos"
    for a, b in near:
        assert any(a in names and b in names for names in found), (a, b)
    assert sum(len(names) > 1 for names in found) >= 3


def test_groups_merge_whatever_joins_them() -> None:
    site = factories.SiteFactory()
    rng = random.Random(8)
    scenes = [factories.SceneFactory(site=site).pk for _ in range(40)]
    pairs = [tuple(rng.sample(scenes, 2)) for _ in range(30)]
    above: dict[int, set[int]] = {scene: {scene} for scene in scenes}
    for one, other in pairs:
        joined = above[one] | above[other]
        for scene in joined:
            above[scene] = joined
    for start in range(0, 30, 4):
        join_groups(pairs[start : start + 4])  # type: ignore[arg-type]
    rows = dict(Scene.objects.values_list("pk", "group"))
    for scene in scenes:
        expected = min(above[scene]) if len(above[scene]) > 1 else None
        assert rows[scene] == expected


def decide(task: Task) -> None:
    answer = check_for_task(task, fields=factories.GOOD_FIELDS, boxes=[], attributes={})
    with transaction.atomic():
        import_decision(task=task.pk, answer=answer)


def test_duplicates_are_labeled_once_and_exported_as_carried_over(
    project: Project, tmp_path: Path
) -> None:
    original, copy, smaller, *_ = changed(1)
    bring(project, [("original", original), ("copy", copy), ("other", picture_bytes(2))])
    bring(project, [("smaller", smaller), ("original again", original)])
    tasks = {t.scene.captures.get().original_name: t for t in Task.objects.all()}
    assert set(tasks) == {"original", "other"}
    assert {
        (c.scene.captures.get().original_name, c.task_id) for c in CarriedOver.objects.all()
    } == {("copy", tasks["original"].pk), ("smaller", tasks["original"].pk)}
    admin = Api(factories.member(project.site, Role.ADMIN))
    shown = admin.get(f"/tasks/{tasks['original'].pk}").json()["carried_over"]
    assert len(shown) == 2
    for task in tasks.values():
        decide(task)
    write_folder(project, tmp_path / "out")
    lines = [
        json.loads(line)
        for split in layout.SPLITS
        for line in (tmp_path / "out" / layout.annotations_path(split)).read_text().splitlines()
    ]
    assert len(lines) == 4
    first = tasks["original"].scene.key
    carried = [line for line in lines if line.get("carried_over_from")]
    assert [line["carried_over_from"] for line in carried] == [first, first]
    assert all((tmp_path / "out" / line["image_path"]).is_file() for line in lines)
    splits = {
        split
        for split in layout.SPLITS
        for line in (tmp_path / "out" / layout.annotations_path(split)).read_text().splitlines()
        if (row := json.loads(line))["scene_id"] == first or row.get("carried_over_from")
    }
    assert len(splits) == 1


def test_a_copy_whose_original_is_not_in_the_project_gets_the_task(project: Project) -> None:
    elsewhere = factories.ProjectFactory(site=project.site)
    original, copy, smaller, *_ = changed(1)
    bring(elsewhere, [("original", original)])
    bring(project, [("copy", copy), ("smaller", smaller)])
    task = Task.objects.get(project=project)
    assert task.scene.captures.get().original_name == "copy"
    assert CarriedOver.objects.get().task == task


def test_a_scene_with_a_view_of_its_own_is_labeled(project: Project) -> None:
    original, copy, *_ = changed(1)
    bring(project, [("original", original)])
    bring(project, [("copy_front", copy)], scene_key="S")
    assert (Task.objects.count(), CarriedOver.objects.count()) == (1, 1)
    bring(project, [("new_side", picture_bytes(5))], scene_key="S")
    assert (Task.objects.count(), CarriedOver.objects.count()) == (2, 0)


def test_duplicates_are_labeled_each_unless_the_project_says_so(project: Project) -> None:
    Project.objects.update(label_duplicates_once=False)
    project.refresh_from_db()
    bring(project, [(str(n), data) for n, data in enumerate(changed(1)[:3])])
    assert (Task.objects.count(), CarriedOver.objects.count()) == (3, 0)


def test_a_group_is_opened_with_distances(project: Project) -> None:
    original, copy, *_ = changed(1)
    bring(project, [("original", original), ("copy", copy), ("other", picture_bytes(2))])
    admin = Api(factories.member(project.site, Role.ADMIN))
    (group,) = admin.get("/captures/groups").json()["results"]
    assert group["scenes"] == 2
    members = admin.get(f"/captures/groups/{group['id']}").json()["members"]
    assert [m["distance"] <= NEAR_DISTANCE for m in members] == [True, True]
    assert members[0]["distance"] == 0 and members[1]["duplicate_of"] == members[0]["id"]
    (first,), (second,) = (m["tasks"] for m in members)
    assert (first["carried_over"], second["carried_over"]) == (False, True)
    assert first["id"] == second["id"]
