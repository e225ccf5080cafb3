"""What one unit weighs, what the goods of a photo weigh, and what follows when both are known."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures.models import Capture
from annotator.captures.weighing import grams_of
from annotator.catalog.models import Sku
from annotator.core.models import AuditEntry
from annotator.datasets.export import write_folder
from annotator.datasets.services import import_dataset
from annotator.quality import services as quality
from annotator.quality.models import Fact
from annotator.review.models import Decision
from tests import factories
from tests.conftest import Api
from tests.conveyor import Conveyor, thumbnail_machine
from tests.factories import picture_bytes
from tests.recognizers import ThumbnailRecognizer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN))


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


def table(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", content.encode())


# --- of one unit ------------------------------------------------------------------------------


def test_a_catalog_file_states_weights(admin: Api, project: Project) -> None:
    content = "code,name,单件重量\nA-1,茶,500\nA-2,茶,\nA-3,茶,-1\nA-4,茶,nan\nA-5,茶,半斤\n"
    answer = admin.upload("/catalog/import", file=table(content)).json()
    assert [(e["line"], e["column"], e["code"]) for e in answer["errors"]] == [
        (4, "weight_g", "bad_weight"),
        (5, "weight_g", "bad_weight"),
        (6, "weight_g", "bad_weight"),
    ]
    admin.upload("/catalog/import", file=table(content), skip_bad="true")
    assert dict(Sku.objects.values_list("code", "weight_g")) == {"A-1": 500.0, "A-2": None}
    # A file without the column leaves the weight alone, an empty cell takes it away.
    admin.upload("/catalog/import", file=table("code,name\nA-1,绿茶\n"))
    assert Sku.objects.get(code="A-1").weight_g == 500.0
    changed = admin.upload("/catalog/import", file=table("code,name,weight_g\nA-1,绿茶,\n")).json()
    assert changed["changes"][0]["fields"] == {"weight_g": [500.0, None]}
    assert Sku.objects.get(code="A-1").weight_g is None


def test_the_editor_states_a_weight(admin: Api, project: Project) -> None:
    body = {"site": project.site_id, "code": "A-1", "name": "茶", "weight_g": 250.5}
    made = admin.post("/skus", body).json()
    assert made["weight_g"] == 250.5
    refused = admin.patch(f"/skus/{made['id']}", {"weight_g": 0})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "bad_weight")
    assert admin.patch(f"/skus/{made['id']}", {"weight_g": None}).json()["weight_g"] is None
    admin.patch(f"/skus/{made['id']}", {"weight_g": 30})
    found = admin.get(f"/skus/autocomplete?site={project.site_id}&q=A-1").json()["results"]
    assert found[0]["weight_g"] == 30


# --- of the goods in a photo ------------------------------------------------------------------


def test_a_list_of_weights(admin: Api, project: Project) -> None:
    one, two = (factories.CaptureFactory(site=project.site) for _ in range(2))
    foreign = factories.CaptureFactory()
    bad = f"image_id,weight_g\n{one.image_id_text},0\n{foreign.image_id_text},5\n{two.image_id_text},\n"
    path = f"/captures/weights?site={project.site_id}"
    answer = admin.upload(path, file=table(bad)).json()
    told = [(e["line"], e["column"], e["code"]) for e in answer["errors"]]
    assert sorted(told) == [
        (2, "weight_g", "bad_weight"),
        (3, "image_id", "no_such_photo"),
        (4, "weight_g", "required"),
    ]
    assert not Capture.objects.exclude(weight_g=None).exists()
    good = [
        {"image_id": one.image_id_text, "weight_g": 1200},
        {"image_id": two.image.sha256, "weight_g": "340.5"},
    ]
    assert admin.post(path, {"weights": good}).json() == {
        "weighed": 2, "unchanged": 0, "errors": []
    }  # fmt: skip
    assert admin.post(path, {"weights": good}).json()["unchanged"] == 2
    assert admin.upload(path, file=table(json.dumps(good))).json()["unchanged"] == 2
    weights = Capture.objects.order_by("pk").values_list("weight_g", flat=True)
    assert list(weights) == [1200, 340.5, None]
    assert AuditEntry.objects.filter(action="capture.weighed").count() == 2
    twice = [good[0], {**good[0], "weight_g": 7}]
    assert admin.post(path, {"weights": twice}).json()["errors"][0]["code"] == "named_twice"
    for body in ({"weights": 7}, {}, {"weights": ["a"]}):
        answer = admin.post(path, body)
        assert answer.status_code == 400 or answer.json()["errors"][0]["code"] == "bad_list"


def test_who_may_tell_weights(project: Project) -> None:
    for role in (Role.ANNOTATOR, Role.REVIEWER):
        api = Api(factories.member(project.site, role))
        assert api.post("/captures/weights", {"weights": []}).status_code == 403


def test_readings_of_a_scale() -> None:
    assert grams_of({"weight_g": 12, "weight_kg": 9}) == 12
    assert grams_of({"weight_kg": "1.5"}) == 1500
    for bad in ({}, {"weight_g": True}, {"weight_g": -1}, {"weight_kg": "x"}, {"weight_g": [1]}):
        assert grams_of(bad) is None
    assert grams_of({"weight_g": 10**400}) is None


def test_a_machine_tells_the_weight_before_or_after_the_photo_comes_in(
    admin: Api, machine: ThumbnailRecognizer, project: Project
) -> None:
    project.site.keep_answers = "pictures"
    project.site.save()
    line = Conveyor(project.site)

    def ask(seed: int, **sensors: float) -> None:
        picture = base64.b64encode(picture_bytes(seed)).decode()
        answer = line.json({"image_base64": picture, "sensor_data": sensors})
        assert answer.status_code == 200

    ask(1, weight_kg=2)
    ask(1, weight_kg=2.5)
    for seed in (1, 2):
        file = SimpleUploadedFile(f"{seed}.jpg", picture_bytes(seed))
        assert admin.upload("/captures", site=project.site_id, files=file).status_code == 200
    first, second = Capture.objects.order_by("pk")
    assert (first.weight_g, second.weight_g) == (2500, None)
    ask(2, weight_g=70)
    ask(2, temperature=4)
    second.refresh_from_db()
    assert second.weight_g == 70
    assert admin.get(f"/captures/{second.pk}").json()["weight_g"] == 70


# --- what follows -----------------------------------------------------------------------------


def test_a_count_that_the_weight_contradicts_is_inconsistent(project: Project) -> None:
    site = project.site
    sku = factories.SkuFactory(site=site, code="A-1", code_key=factories.code_key("A-1"), unit="箱")
    task = factories.TaskFactory(project=project, state="decided")
    fields = {**factories.GOOD_FIELDS, "sku": "A-1", "quantity": "2箱"}
    Sku.objects.filter(pk=sku.pk).update(spec=fields["spec"], category=None)
    Decision.objects.create(
        task=task, fields=fields, caption="", boxes=[], attributes={}, source="imported",
        sku_code="A-1",
    )  # fmt: skip
    capture = task.scene.captures.get()

    def consistent() -> int:
        quality.measure_tasks([task.pk])
        return int(Fact.objects.get(task=task, annotation=None).readings["consistency"])

    assert consistent() == 1
    Capture.objects.filter(pk=capture.pk).update(weight_g=3050)
    assert consistent() == 1, "what one unit weighs is not known"
    Sku.objects.filter(pk=sku.pk).update(weight_g=1000)
    assert consistent() == 0
    Sku.objects.filter(pk=sku.pk).update(weight_g=1500)
    assert consistent() == 1
    Capture.objects.filter(pk=capture.pk).update(weight_g=4600)
    quality.measure_weighed([{"capture": capture.pk}])
    assert Fact.objects.get(task=task, annotation=None).readings["consistency"] == 0


def test_weights_leave_and_come_back_with_a_data_set(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "in"
    (root / "images/cam_front").mkdir(parents=True)
    (root / "annotations").mkdir()
    (root / "metadata").mkdir()
    fields = "【SKU】A-1|【品类】茶|【规格】1L|【数量】2箱|【状态】完好无损"
    lines = []
    for n, weight in enumerate((2000.5, None, -3)):
        path = f"images/cam_front/{n}.jpg"
        (root / path).write_bytes(picture_bytes(n))
        line = {"image_id": f"I{n}", "image_path": path, "cam_type": "front", "caption": fields}
        lines.append(line | ({} if weight is None else {"weight_g": weight}))
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    (root / "annotations/train.jsonl").write_text(text)
    catalog = root / "metadata/sku_catalog.csv"
    catalog.write_text("code,name,spec,unit,weight_g\nA-1,茶,1L,箱,1000.25\n")
    report = import_dataset(root=root, project=project)
    assert report.decided == 2
    assert [(e["line"], "weight_g" in e["message"]) for e in report.to_json()["errors"]] == [
        (3, True)
    ]
    weights = Capture.objects.order_by("image_id_text").values_list("image_id_text", "weight_g")
    assert list(weights) == [("I0", 2000.5), ("I1", None)]

    write_folder(project, tmp_path / "out")
    (row,) = csv.DictReader((tmp_path / "out/metadata/sku_catalog.csv").open())
    assert row["weight_g"] == "1000.25"
    records = [
        json.loads(line)
        for split in ("train", "val", "test")
        for line in (tmp_path / f"out/annotations/{split}.jsonl").read_text().splitlines()
    ]
    assert {r["image_id"]: r.get("weight_g") for r in records} == {"I0": 2000.5, "I1": None}
    # Weighed later: a second import tells what the site's own photo weighs.
    lines[1]["weight_g"] = 900
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    (root / "annotations/train.jsonl").write_text(text)
    import_dataset(root=root, project=project)
    assert Capture.objects.get(image_id_text="I1").weight_g == 900
