"""Snapshots: the same decisions are the same bytes, nothing leaks, and only admins see them."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures.intake import Incoming, take_in_all
from annotator.captures.models import Capture
from annotator.catalog.models import Sku
from annotator.core import outbox
from annotator.core.models import AuditEntry
from annotator.datasets import layout
from annotator.datasets.models import Snapshot
from annotator.datasets.snapshots import folder_of, make, new_snapshot
from annotator.labeling.models import Task
from annotator.labeling.services import check_for_task
from annotator.labeling.states import TaskState
from annotator.review.models import Decision
from annotator.review.services import import_decision
from annotator.suggestions.models import PictureDescription
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db

PICTURES = 12


def decide(task: Task, sku: str) -> None:
    fields = {**factories.GOOD_FIELDS, "sku": sku}
    import_decision(
        task=task.pk, answer=check_for_task(task, fields=fields, boxes=[], attributes={})
    )


def bring(project: Project, pictures: dict[str, bytes]) -> list[Task]:
    """Their tasks, in the order of the names."""
    files = [Incoming(name, lambda data=data: data) for name, data in pictures.items()]  # type: ignore[misc]
    for _ in take_in_all(
        site=project.site, files=files, source="test", project=project, suggest=False
    ):
        pass
    tasks = {
        task.scene.captures.get().original_name: task
        for task in Task.objects.filter(project=project).select_related("project", "scene")
    }
    return [tasks[name] for name in pictures]


@pytest.fixture
def project() -> Project:
    """Twelve decided photos: nine of SKU-A, three of SKU-B."""
    made: Project = factories.ProjectFactory()
    for code, sales in (("SKU-A", 1.0), ("SKU-B", 9.0)):
        factories.SkuFactory(site=made.site, code=code, sales_volume=sales)
    tasks = bring(made, {f"{n}.jpg": picture_bytes(300 + n) for n in range(PICTURES)})
    for n, task in enumerate(tasks):
        decide(task, "SKU-B" if n % 4 == 3 else "SKU-A")
    return made


def frozen(project: Project, **chosen: Any) -> Snapshot:
    snapshot = new_snapshot(project=project, filters={}, actor=None, **chosen)
    make(snapshot)
    return snapshot


def records_of(root: Path) -> dict[str, dict[str, Any]]:
    return {
        record["image_id"]: {**record, "split": split}
        for split in layout.SPLITS
        for record in map(json.loads, (root / layout.annotations_path(split)).open("rb"))
    }


def manifest_of(root: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((root / layout.MANIFEST).read_bytes())
    return manifest


def test_the_same_decisions_are_the_same_bytes(project: Project) -> None:
    one, again, other = frozen(project), frozen(project), frozen(project, seed=2)
    assert one.sha256 == again.sha256 != other.sha256
    root = folder_of(one)
    assert one.sha256 == hashlib.sha256((root / layout.MANIFEST).read_bytes()).hexdigest()
    manifest = manifest_of(root)
    files = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}
    del files[layout.MANIFEST]
    assert manifest["files"] == {
        name: {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for name, path in files.items()
    }
    assert one.counts["records"] == one.counts["images"] == PICTURES
    assert manifest["sources"]["decisions"] == PICTURES
    latest = Decision.objects.latest("pk").pk
    assert one.decisions_up_to == manifest["sources"]["decisions_up_to"] == latest
    assert manifest["settings"]["seed"] == 1 and manifest["licence"]
    assert sum(manifest["skus"]["SKU-B"].values()) == 3
    assert AuditEntry.objects.filter(action="snapshot.made", object_id=one.pk).exists()
    # Not copied where they need not be, never written anew.
    picture = next(path for name, path in files.items() if name.startswith("images/"))
    assert picture.stat().st_nlink > 1
    stored = Path(default_storage.path("")).rglob(
        f"{hashlib.sha256(picture.read_bytes()).hexdigest()}.*"
    )
    assert any(path.samefile(picture) for path in stored)


def test_a_decision_made_in_between_changes_nothing_of_what_is_frozen(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody decides anew between the choice of the decisions and their writing."""
    from annotator.datasets import snapshots

    before = frozen(project)
    write = snapshots.write_folder
    task = Task.objects.filter(project=project)[0]

    def decided_anew(*args: Any, **options: Any) -> int:
        old = Decision.objects.get(task=task)
        Decision.objects.filter(pk=old.pk).update(superseded_at=old.created_at)
        old.pk, old.caption = None, "【SKU】SKU-B|【品类】饮料|【规格】1L|【数量】1箱|【状态】破损"
        old.save()
        return write(*args, **options)

    monkeypatch.setattr(snapshots, "write_folder", decided_anew)
    assert frozen(project).sha256 == before.sha256
    monkeypatch.setattr(snapshots, "write_folder", write)
    assert frozen(project).sha256 != before.sha256


def test_a_crop_stays_with_its_original(project: Project) -> None:
    """The intake's hashes do not link them; how they look and what they show does."""
    photo = Image.open(io.BytesIO(picture_bytes(55, size=(640, 480))))
    crop = io.BytesIO()
    photo.crop((60, 20, 580, 420)).save(crop, "JPEG", quality=60)
    pictures = {"photo.jpg": picture_bytes(55, size=(640, 480)), "crop.jpg": crop.getvalue()}
    tasks = bring(project, {**pictures, "other.jpg": picture_bytes(77, size=(640, 480))})
    for task in tasks:
        decide(task, "SKU-A")
        image = task.scene.captures.get().image
        assert task.scene.group_id is None
        vector = np.ones(8, "<f2").tobytes()  # all look alike: the pixels tell them apart
        PictureDescription.objects.create(image=image, describer="d", embedding=vector)
    root = folder_of(frozen(project))
    found = manifest_of(root)["near_duplicates"]
    assert found == {"pairs": 1, "described": 3, "of": PICTURES + 3}
    split_of = {r["scene_id"]: r["split"] for r in records_of(root).values()}
    assert split_of[tasks[0].scene.key] == split_of[tasks[1].scene.key]


def test_gold_is_held_out(project: Project) -> None:
    usual = records_of(folder_of(frozen(project)))
    trained = next(image_id for image_id, r in usual.items() if r["split"] == "train")
    elsewhere = factories.ProjectFactory(site=project.site)
    scene = Capture.objects.get(image_id_text=trained).scene
    Task.objects.create(
        project=elsewhere, scene=scene, overlap=2, places_left=0, state=TaskState.GOLD
    )
    marked = records_of(folder_of(frozen(project)))
    assert (marked[trained]["split"], marked[trained]["gold"]) == ("test", True)
    others = usual.keys() - {trained}
    assert {i: usual[i]["split"] for i in others} == {i: marked[i]["split"] for i in others}


def test_weights_follow_sales_and_keep_the_tail(project: Project) -> None:
    def share_of_b(**chosen: Any) -> float:
        train = [
            r for r in records_of(folder_of(frozen(project, **chosen))).values()
            if r["split"] == "train"
        ]  # fmt: skip
        rare = sum(r["weight"] for r in train if "SKU-B" in r["caption"])
        return float(rare / sum(r["weight"] for r in train))

    assert share_of_b(weighting="sales") == pytest.approx(0.9, abs=1e-4)
    assert share_of_b(tail_share=0.6) == pytest.approx(0.6, abs=1e-4)
    root = folder_of(frozen(project))
    assert all(("weight" in r) == (r["split"] == "train") for r in records_of(root).values())


def test_an_admin_makes_one_and_looks_at_the_difference(project: Project) -> None:
    admin = Api(factories.member(project.site, Role.ADMIN))
    made = admin.post(f"/projects/{project.pk}/snapshots", {"seed": 3})
    assert (made.status_code, made.json()["state"]) == (202, "waiting")
    first = made.json()["id"]
    early = admin.get(f"/snapshots/{first}/diff/{first}")
    assert (early.status_code, early.json()["code"]) == (409, "snapshot_not_made")
    outbox.drain("bulk")
    assert admin.get(f"/snapshots/{first}").json()["state"] == "done"

    (new,) = bring(project, {"new.jpg": picture_bytes(999)})
    decide(new, "SKU-B")
    changed = Decision.objects.exclude(task=new)[0]
    Decision.objects.filter(pk=changed.pk).update(caption=changed.caption.replace("2箱", "3箱"))
    second = admin.post(f"/projects/{project.pk}/snapshots", {"seed": 3}).json()["id"]
    outbox.drain("bulk")
    listed = admin.get(f"/projects/{project.pk}/snapshots").json()["results"]
    assert [row["id"] for row in listed] == [second, first]
    assert [row["counts"]["records"] for row in listed] == [PICTURES + 1, PICTURES]

    found = admin.get(f"/snapshots/{first}/diff/{second}?page_size=1").json()
    assert found["counts"] == {
        "added": 1, "removed": 0, "changed": 1, "moved": 0, "same": PICTURES - 1,
    }  # fmt: skip
    assert found["skus"] == [{"sku": "SKU-B", "before": 3, "after": 4}]
    rows = found["results"]
    assert found["next"]
    rows += admin.get(found["next"].split("/api/v1")[1]).json()["results"]
    by_kind = {row["kind"]: row for row in rows}
    assert by_kind.keys() == {"added", "changed"}
    assert by_kind["added"]["before"] is None
    assert "2箱" in by_kind["changed"]["before"]["caption"]
    assert "3箱" in by_kind["changed"]["after"]["caption"]
    only = admin.get(f"/snapshots/{first}/diff/{second}?kind=added").json()["results"]
    assert [row["kind"] for row in only] == ["added"]


def test_only_admins_of_the_site(project: Project) -> None:
    snapshot = frozen(project)
    paths = (f"/projects/{project.pk}/snapshots", f"/snapshots/{snapshot.pk}",
             f"/snapshots/{snapshot.pk}/diff/{snapshot.pk}")  # fmt: skip
    for role in (Role.ANNOTATOR, Role.REVIEWER):
        person = Api(factories.member(project.site, role))
        assert {person.get(path).status_code for path in paths} == {403}
    stranger = Api(factories.member(factories.SiteFactory(), Role.ADMIN))
    assert {stranger.get(path).status_code for path in paths} == {404}


def test_bad_settings_and_nothing_decided_are_refused(project: Project) -> None:
    admin = Api(factories.member(project.site, Role.ADMIN))
    bad = admin.post(f"/projects/{project.pk}/snapshots", {"val": 0.9})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "val")
    none = admin.post(f"/projects/{project.pk}/snapshots", {"filters": {"sku": "SKU-Z"}}).json()
    outbox.drain("bulk")
    failed = admin.get(f"/snapshots/{none['id']}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "nothing_decided")


def test_the_command_and_a_folder_for_hugging_face(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, hub = tmp_path / "out", tmp_path / "hub"
    call_command("snapshot", out=out, huggingface=hub, json=True)
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said["records"] == PICTURES
    assert hashlib.sha256((out / layout.MANIFEST).read_bytes()).hexdigest() == said["sha256"]
    records = records_of(out)
    lines = [
        (path.parent, json.loads(text))
        for path in hub.rglob("metadata.jsonl")
        for text in path.read_text("utf-8").splitlines()
    ]
    assert {row["image_id"] for _, row in lines} == records.keys()
    for folder, row in lines:
        record = records[row["image_id"]]
        expected = {"train": "train", "val": "validation", "test": "test"}[record["split"]]
        assert folder.name == expected
        assert (folder / row["file_name"]).read_bytes() == (out / record["image_path"]).read_bytes()
        assert row["caption"] == record["caption"]
        assert row["fields"]["sku"] in record["caption"]
    assert Sku.objects.count() == 2
