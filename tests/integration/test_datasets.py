"""Data sets on disk, in and out: nothing lost, nothing doubled, the same bytes again."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures.intake import take_in
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.core.models import OutboxEvent
from annotator.datasets import layout
from annotator.datasets.export import write_folder
from annotator.datasets.services import DatasetReport, import_dataset
from annotator.labeling.models import Task
from annotator.review.models import Decision
from annotator.review.services import import_decision
from inference.scenes.dataset import write_dataset
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db

SCENES, VIEWS = 4, 3


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four rendered scenes of three views, with three of the catalog's SKUs' pictures left out."""
    folder = tmp_path_factory.mktemp("rendered") / "set"
    write_dataset(folder, scenes=SCENES, seed=6, size_px=(320, 240))
    # The whole catalog stays; only a few reference pictures, to be quick.
    catalog = folder / layout.CATALOG
    head, *rows = catalog.read_text(encoding="utf-8").splitlines()
    place = head.split(",").index("reference_image")
    assert place == head.count(",") - 1
    kept = [row if n < 3 else _without_picture(row) for n, row in enumerate(rows)]
    catalog.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    return folder


def _without_picture(row: str) -> str:
    before, _, sales = row.rpartition(",")
    return f"{before.rpartition(',')[0]},,{sales}"


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


def records_of(root: Path) -> dict[str, dict[str, Any]]:
    """Every record by its image id, with its split."""
    return {
        row["image_id"]: {**row, "split": split}
        for split in layout.SPLITS
        if (path := root / layout.annotations_path(split)).is_file()
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    }


def files_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def brought_in(root: Path, project: Project, **options: Any) -> DatasetReport:
    report = import_dataset(root=root, project=project, **options)
    assert report.errors == []
    return report


# --- in ---------------------------------------------------------------------------------------


def test_an_import_as_decided(rendered: Path, project: Project) -> None:
    report = brought_in(rendered, project)
    total = SCENES * VIEWS
    assert (report.records, report.captures_created, report.decided) == (total, total, SCENES)
    assert (report.catalog["errors"], report.catalog["pictures"]) == ([], 3)
    source = records_of(rendered)
    decisions = {d.task.scene.key: d for d in Decision.objects.select_related("task__scene")}
    assert {key: d.caption for key, d in decisions.items()} == {
        row["scene_id"]: row["caption"] for row in source.values()
    }
    assert {d.source for d in decisions.values()} == {"imported"}
    for capture in Capture.objects.select_related("scene"):
        row = source[capture.image_id_text]
        assert (capture.cam_type, capture.scene.key) == (row["cam_type"], row["scene_id"])
        assert capture.scene.split == row["split"]
        boxes = [
            [b["x"], b["y"], b["w"], b["h"]]
            for b in decisions[capture.scene.key].boxes
            if b["capture"] == capture.pk
        ]
        assert boxes == row["boxes"]
    assert set(Task.objects.values_list("state", "places_left")) == {("decided", 0)}
    # They teach, without the machine being asked about each.
    handlers = set(OutboxEvent.objects.values_list("handler", flat=True))
    assert "teach" in handlers and "suggest" not in handlers


def test_an_import_as_new(rendered: Path, project: Project) -> None:
    report = brought_in(rendered, project, as_decided=False, splits=["train"])
    rows = [r for r in records_of(rendered).values() if r["split"] == "train"]
    scenes = {row["scene_id"] for row in rows}
    assert (report.captures_created, report.decided) == (len(rows), 0)
    assert report.tasks == len(scenes) == Task.objects.filter(state="new").count()
    assert not Decision.objects.exists()
    assert OutboxEvent.objects.filter(handler="suggest").count() == len(rows)
    # What was brought in as new can be decided by the same data set later.
    later = brought_in(rendered, project, splits=["train"])
    assert (later.captures_created, later.captures_existing) == (0, len(rows))
    assert later.decided == len(scenes)


def test_a_second_import_changes_nothing(rendered: Path, project: Project) -> None:
    def world() -> list[Any]:
        return [
            *(m.objects.count() for m in (Capture, Scene, Sku, Task, Decision)),
            sorted(Decision.objects.values_list("pk", "caption")),
            [d.boxes for d in Decision.objects.order_by("pk")],
            dict(Sku.objects.values_list("code", "version")),
        ]

    brought_in(rendered, project)
    before = world()
    again = brought_in(rendered, project)
    assert (again.captures_created, again.captures_existing) == (0, SCENES * VIEWS)
    assert (again.decided, again.already_decided) == (0, SCENES * VIEWS)
    assert (again.catalog["created"], again.catalog["updated"]) == (0, 0)
    assert world() == before


GOOD_CAPTION = "【SKU】A-1|【品类】饮料|【规格】1L|【数量】1箱|【状态】完好无损"


def small_set(root: Path, *lines: str | bytes | dict[str, Any]) -> Path:
    """A data set of one file with the given lines; ``p0.jpg`` … are good pictures."""
    (root / "images").mkdir(parents=True)
    (root / "annotations").mkdir()
    for n in range(len(lines)):
        (root / f"images/p{n}.jpg").write_bytes(picture_bytes(n))
    (root / "images/bad.jpg").write_bytes(picture_bytes(1)[:500])
    (root.parent / "outside.jpg").write_bytes(picture_bytes(99))
    raw = [
        line
        if isinstance(line, bytes)
        else (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)).encode()
        for line in lines
    ]
    (root / "annotations/train.jsonl").write_bytes(b"\n".join(raw) + b"\n")
    return root


def row(n: int, **changes: Any) -> dict[str, Any]:
    return {"image_path": f"images/p{n}.jpg", "caption": GOOD_CAPTION, **changes}


BAD = {
    "missing": (row(0, image_path="images/absent.jpg"), "images/absent.jpg"),
    "outside": (row(0, image_path="../outside.jpg"), "../outside.jpg"),
    "absolute": (row(0, image_path="/etc/hostname"), "/etc/hostname"),
    "no path": ({"caption": GOOD_CAPTION}, "image_path"),
    "not an object": ([1], "image_path"),
    "broken JSON": ('{"image_path": "images/', "line 1 column 24"),
    "not UTF-8": (b'{"image_path": "\xff\xfe"}', "utf-8"),
    "broken picture": (row(0, image_path="images/bad.jpg"), "图片已损坏"),
    "camera": (row(1, cam_type="left"), "left"),
    "caption": (row(2, caption="【SKU】|【数量】很多很多"), "caption"),
    "no caption": (row(3, caption=None), "caption"),
    "short box": (row(4, bbox=[1, 2, 3]), "boxes"),
    "box of nothing": (row(5, boxes=[{"x": 1}]), "boxes"),
    "boxes that are no list": (row(6, boxes=7), "boxes"),
    "box outside": (row(7, bbox=[5000, 5000, 10, 10]), "1"),
    "attributes that are no object": (row(8, attributes=["carton"]), "attributes"),
    "attribute": (row(9, attributes={"stack_level": "high"}), "high"),
}


def test_bad_records_are_reported_and_their_neighbours_kept(
    tmp_path: Path, project: Project
) -> None:
    lines: list[Any] = []
    for bad, _ in BAD.values():
        lines += [row(20 + len(lines)), bad]
    lines.append(row(20 + len(lines)))
    root = small_set(tmp_path / "set", *lines)
    for n in range(20, 20 + len(lines)):
        (root / f"images/p{n}.jpg").write_bytes(picture_bytes(n))
    report = import_dataset(root=root, project=project)
    assert {e.file for e in report.errors} == {"train.jsonl"}
    said = dict(zip(BAD, report.errors, strict=True))
    for n, (what, (_, words)) in enumerate(BAD.items()):
        assert said[what].line == 2 * n + 2, what
        assert words in said[what].message, (what, said[what])
    assert report.records == len(lines)
    assert report.decided == len(lines) - len(BAD) == Decision.objects.count()
    assert report.quarantined == 1


def test_the_command_fails_when_nothing_could_be_taken(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="annotations/ is missing"):
        call_command("import_dataset", str(tmp_path))
    root = small_set(tmp_path / "set", row(0, image_path="images/absent.jpg"))
    with pytest.raises(CommandError, match=r"the first: train\.jsonl:1: "):
        call_command("import_dataset", str(root))
    with pytest.raises(CommandError, match=r"val\.jsonl"):
        call_command("import_dataset", str(root), split=["val"])


def test_the_commands_say_what_they_did(
    rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_dataset", str(rendered), json=True)
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["decided"], said["errors"]) == (SCENES, [])
    out = tmp_path / "out"
    call_command("export_dataset", str(out), json=True)
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["decided_tasks"], said["files"]) == (SCENES, len(files_of(out)))
    with pytest.raises(CommandError, match="is not empty"):
        call_command("export_dataset", str(out))


# --- out --------------------------------------------------------------------------------------


def check_manifest(root: Path) -> dict[str, Any]:
    files = files_of(root)
    manifest: dict[str, Any] = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {
        path: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for path, data in sorted(files.items())
    }
    records = records_of(root)
    assert manifest["counts"]["records"] == len(records)
    assert manifest["counts"]["images"] == sum(p.startswith("images/") for p in files)
    return manifest


def test_what_comes_out_is_what_went_in(rendered: Path, project: Project, tmp_path: Path) -> None:
    brought_in(rendered, project)
    write_folder(project, tmp_path / "out")
    check_manifest(tmp_path / "out")
    source, result = records_of(rendered), records_of(tmp_path / "out")
    assert result.keys() == source.keys()
    for image_id, row in result.items():
        for key in ("scene_id", "cam_type", "image_path", "caption", "bbox", "boxes", "split"):
            assert row[key] == source[image_id][key], (image_id, key)
        original = (rendered / source[image_id]["image_path"]).read_bytes()
        assert (tmp_path / "out" / row["image_path"]).read_bytes() == original


def test_a_second_export_and_the_zip_are_the_same_bytes(
    rendered: Path, project: Project, tmp_path: Path
) -> None:
    brought_in(rendered, project)
    write_folder(project, tmp_path / "a")
    write_folder(project, tmp_path / "b")
    first = files_of(tmp_path / "a")
    assert files_of(tmp_path / "b") == first
    admin = Api(factories.member(project.site, Role.ADMIN))
    downloads = []
    for _ in range(2):
        answer = admin.get(f"/projects/{project.pk}/dataset.zip")
        assert answer["Content-Type"] == "application/zip"
        downloads.append(b"".join(answer.streaming_content))
    assert downloads[0] == downloads[1]
    with zipfile.ZipFile(io.BytesIO(downloads[0])) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == first


def test_an_export_comes_back_into_another_site(
    rendered: Path, project: Project, tmp_path: Path
) -> None:
    brought_in(rendered, project)
    write_folder(project, tmp_path / "a")
    other = factories.ProjectFactory()
    report = brought_in(tmp_path / "a", other)
    assert (report.decided, report.catalog["pictures"]) == (SCENES, 3)
    write_folder(other, tmp_path / "b")
    first, second = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    assert first.pop("manifest.json") != second.pop("manifest.json")  # they name their sites
    assert second == first


def decided(project: Project, data: bytes, scene: str, split: str = "") -> Capture:
    """A decided capture of ``scene``."""
    from annotator.labeling.services import check_for_task

    capture = take_in(
        site=project.site,
        name="a.jpg",
        data=data,
        source="test",
        project=project,
        scene_key=scene,
        split=split,
        suggest=False,
    ).capture
    assert capture is not None
    task = Task.objects.select_related("project").get(scene=capture.scene_id)
    if task.state != "decided":
        answer = check_for_task(task, fields=factories.GOOD_FIELDS, boxes=[], attributes={})
        import_decision(task=task.pk, answer=answer)
    return capture


def recompressed(data: bytes, quality: int) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def splits_of(project: Project, out: Path) -> dict[str, set[str]]:
    """The splits in which each scene's captures ended."""
    write_folder(project, out)
    found: dict[str, set[str]] = {}
    for record in records_of(out).values():
        found.setdefault(record["scene_id"], set()).add(record["split"])
    return found


def test_scenes_and_near_duplicates_stay_in_one_split(project: Project, tmp_path: Path) -> None:
    """A chain: each scene has one view that nearly repeats a view of the scene before."""
    chain = [f"scene-{n}" for n in range(8)]
    for n, scene in enumerate(chain):
        decided(project, picture_bytes(100 + n, size=(640, 480)), scene)
        if n:
            before = picture_bytes(100 + n - 1, size=(640, 480))
            linked = decided(project, recompressed(before, 40), scene)
            assert linked.duplicate_of is not None
    # Left to themselves, they would be spread.
    assert len({layout.split_of(scene) for scene in chain}) > 1
    found = splits_of(project, tmp_path / "out")
    assert set(found) == set(chain)
    assert len(set.union(*found.values())) == 1


def test_a_near_duplicate_follows_an_imported_split(project: Project, tmp_path: Path) -> None:
    originals = [picture_bytes(200 + n, size=(640, 480)) for n in range(4)]
    for n, data in enumerate(originals):
        decided(project, data, f"imported-{n}", split="val")
        decided(project, recompressed(data, 40), f"uploaded-{n}")
    found = splits_of(project, tmp_path / "out")
    assert set(map(tuple, found.values())) == {("val",)}


def test_undecided_and_foreign_captures_stay_out(project: Project, tmp_path: Path) -> None:
    mine = decided(project, picture_bytes(1), "mine")
    take_in(site=project.site, name="b.jpg", data=picture_bytes(2), source="test", project=project)
    decided(factories.ProjectFactory(site=project.site), picture_bytes(3), "of another project")
    decided(factories.ProjectFactory(), picture_bytes(4), "elsewhere")
    write_folder(project, tmp_path / "out")
    assert set(records_of(tmp_path / "out")) == {mine.image_id_text}
    assert check_manifest(tmp_path / "out")["counts"]["images"] == 1


# --- real photos --------------------------------------------------------------------------------


def test_the_grocery_round_trip(grocery: Path, project: Project, tmp_path: Path) -> None:
    root = tmp_path / "grocery"
    (root / "annotations").mkdir(parents=True)
    shutil.copy(grocery / "annotations/val.jsonl", root / "annotations/val.jsonl")
    (root / "images").symlink_to(grocery / "images")
    report = import_dataset(root=grocery, project=project, splits=["val"], with_catalog=False)
    source = records_of(root)
    assert (report.errors, report.decided) == ([], len(source))
    write_folder(project, tmp_path / "out")
    check_manifest(tmp_path / "out")
    result = records_of(tmp_path / "out")
    assert result.keys() == source.keys()
    for image_id, record in result.items():
        assert record["caption"] == source[image_id]["caption"]
        assert record["split"] == "val"
        path = source[image_id]["image_path"]
        assert record["image_path"] == path
        assert (tmp_path / "out" / path).read_bytes() == (grocery / path).read_bytes()
